//! `countersign jwt proof`: what it prints a server takes, for the request that was named and no other.

use countersign_jose::{
    Algorithm, SigningKey,
    dpop::{Checker, Demand, Freshness, Target, token_hash},
};

use crate::rig::Rig;

// RFC 9449 §4.2
#[test]
fn a_proof_is_for_one_request_by_one_key() {
    let rig = Rig::new();
    rig.expect(0, &["jwk", "generate", "--alg", "ES256", "-o", "client.jwk"], "");
    let url = "https://api.example/orders?page=2";
    let arguments = ["jwt", "proof", "--key", "client.jwk", "--method", "GET", "--url", url, "--token", "eyJ.a.b"];
    let proof = rig.expect(0, &[&arguments[..], &["--nonce", "n1"]].concat(), "").0.trim().to_owned();

    let json = std::fs::read(rig.folder.path().join("client.jwk")).unwrap();
    let jkt = SigningKey::from_jwk(Algorithm::ES256, &json).unwrap().public_jwk().unwrap().thumbprint();
    let check = |method: &str, url: &str| {
        let targets = [Target::parse(url).unwrap()];
        let demand = Demand::new(method, &targets).with_token("eyJ.a.b", &jkt);
        // Its time is the machine's; the checker's is that of the proof.
        let day = std::time::Duration::from_secs(100 * 365 * 86_400);
        Checker::default().max_age(day).check(&proof, &demand, Freshness::Recent, 4_000_000_000)
    };
    let good = check("GET", "https://api.example/orders").unwrap();
    assert_eq!(good.claims().ath.as_deref(), Some(&*token_hash("eyJ.a.b")));
    assert_eq!(
        (good.claims().htu.as_str(), good.claims().nonce.as_deref()),
        ("https://api.example/orders", Some("n1"))
    );
    assert!(check("POST", "https://api.example/orders").is_err() && check("GET", "https://api.example/").is_err());
    assert_ne!(rig.expect(0, &arguments, "").0.trim(), proof);

    rig.expect(2, &["jwt", "proof", "--key", "client.jwk", "--url", "not a url"], "");
    std::fs::write(rig.folder.path().join("secret"), "0123456789abcdef0123456789abcdef").unwrap();
    rig.expect(1, &["jwt", "proof", "--secret-file", "secret", "--alg", "HS256", "--url", url], "");
}
