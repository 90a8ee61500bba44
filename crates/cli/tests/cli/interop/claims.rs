//! Tokens: claims, times, issuer, audience; and a signed token that is encrypted.

use countersign_server::clock::Clock;
use serde_json::{Value, json};

use super::{
    bench::Bench,
    keys::{Key, Text},
    peer::{JOSE, JOSERFC, JWCRYPTO, Peer},
};

const ALG: &str = "PS256";
const ISSUER: &str = "https://id.example";

fn now() -> i64 {
    Clock::System.now().secs()
}

#[test]
fn joserfc_claims() {
    tokens(&JOSERFC);
}

#[test]
fn jwcrypto_claims() {
    tokens(&JWCRYPTO);
}

#[test]
fn jose_claims() {
    tokens(&JOSE);
}

fn tokens(peer: &'static Peer) {
    let mut bench = Bench::new(peer);
    let theirs = bench.theirs("RSA", None, ALG, 2048).unwrap();
    let ours = bench.ours("RSA", &[]);
    claims_of_theirs(&bench, &theirs);
    claims_of_ours(&bench, &ours);
    signed_then_encrypted(&mut bench, &theirs, &ours);
}

fn claims_of_theirs(bench: &Bench, key: &Key) {
    let judge = |changes: &Value, expected: Option<&str>| {
        let token = their_token(bench, key, changes);
        let verify = ["jwt", "verify", "--issuer", ISSUER, "--audience", "orders"];
        let answer = bench.read(&verify, (&key.public, Text::Pem, ALG), &token);
        match (expected, answer) {
            (None, Ok(claims)) => {
                assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap()["sub"], "user-1");
            }
            (Some(code), Err(why)) => assert!(why.contains(code), "{changes}: {why}"),
            (_, answer) => panic!("{changes}: {answer:?}"),
        }
    };
    judge(&json!({}), None);
    judge(&json!({ "aud": ["billing", "orders"] }), None);
    judge(&json!({ "aud": "billing" }), Some("wrong_audience"));
    judge(&json!({ "iss": "https://id.example/" }), Some("wrong_issuer"));
    judge(&json!({ "exp": now() - 60 }), Some("expired"));
    judge(&json!({ "nbf": now() + 600 }), Some("not_yet_valid"));
    judge(&json!({ "exp": (now() + 600).to_string() }), Some("claim_malformed"));
    judge(&json!({ "exp": null }), Some("claim_malformed"));
}

fn their_token(bench: &Bench, key: &Key, changes: &Value) -> String {
    let mut claims = json!({ "iss": ISSUER, "aud": "orders", "sub": "user-1", "iat": now(), "exp": now() + 600 });
    for (name, value) in changes.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    let signer = [(ALG, key.private.for_peer(Text::Jwk, ALG))];
    bench.peer.sign_with("compact", claims.to_string().as_bytes(), &signer, &json!({ "typ": "JWT" })).unwrap()
}

fn claims_of_ours(bench: &Bench, key: &Key) {
    let judge = |arguments: &[&str], issuer: &str, audience: &str| {
        let sign = [&["jwt", "sign", "--issuer", ISSUER, "--subject", "user-1"][..], arguments].concat();
        let token = bench.run(&sign, (&key.private, Text::Pem, ALG), "");
        bench.peer.claims(&token, (ALG, key.public.for_peer(Text::Pem, ALG)), issuer, audience)
    };
    let claims = judge(&["--audience", "orders", "--ttl", "15m", "--claim", "n=1"], ISSUER, "orders").unwrap();
    assert_eq!((&claims["sub"], &claims["n"]), (&json!("user-1"), &json!(1)));
    assert!(judge(&["--audience", "billing", "--audience", "orders"], ISSUER, "orders").is_ok());
    assert!(judge(&["--audience", "billing"], ISSUER, "orders").is_err());
    assert!(judge(&["--audience", "orders"], "https://other.example", "orders").is_err());
    let (issued, past) = (format!("iat={}", now() - 7200), format!("exp={}", now() - 3600));
    assert!(judge(&["--audience", "orders", "--claim", &issued, "--claim", &past], ISSUER, "orders").is_err());
}

// TOK-11
fn signed_then_encrypted(bench: &mut Bench, theirs: &Key, ours: &Key) {
    const TO: &str = "ECDH-ES+A256KW";
    let reader = bench.ours("OKP", &["--alg", TO, "--crv", "X25519"]);
    let token = their_token(bench, theirs, &json!({}));
    let to = [(TO, reader.public.for_peer(Text::Jwk, TO))];
    let header = json!({ "header": { "cty": "JWT" } });
    let message = bench.peer.encrypt(("compact", "A256GCM"), token.as_bytes(), &to, &header).unwrap();
    // An RSA key without alg: the signer's algorithm is named beside it.
    let signer = theirs.public.options(&bench.rig, Text::Pem, ALG);
    std::fs::rename(bench.rig.folder.path().join(&signer[1]), bench.rig.folder.path().join("signer.pem")).unwrap();
    let decrypt = |algorithm: &str| {
        let signer = ["--signer-key", "signer.pem", "--signer-alg", algorithm];
        let checks = ["jwt", "decrypt", "--issuer", ISSUER, "--audience", "orders"];
        bench.read(&[&checks[..], &signer].concat(), (&reader.private, Text::Jwk, TO), &message)
    };
    assert_eq!(serde_json::from_slice::<Value>(&decrypt(ALG).unwrap()).unwrap()["sub"], "user-1");
    assert!(decrypt("RS256").is_err());

    let sign = ["jwt", "sign", "--issuer", ISSUER, "--audience", "orders", "--subject", "user-1"];
    let token = bench.run(&sign, (&ours.private, Text::Pem, ALG), "");
    let recipient = bench.theirs("EC", Some("P-521"), TO, 0).unwrap();
    let message = bench.run(&["jwt", "encrypt", "--signed", &token], (&recipient.public, Text::Jwk, TO), "");
    let content =
        bench.peer.decrypt("compact", &message, (TO, recipient.private.for_peer(Text::Jwk, TO)), "A256GCM").unwrap();
    assert_eq!(content, token.as_bytes());
    let key = (ALG, ours.public.for_peer(Text::Pem, ALG));
    assert_eq!(bench.peer.claims(&token, key, ISSUER, "orders").unwrap()["sub"], "user-1");
}
