//! Sign and verify with every algorithm.

use countersign_jose::{
    AccessClaims, Algorithm, Error, SigningKey, Verifier, VerifyingKey, profile::AccessToken, sign,
};

const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn pair(alg: Algorithm) -> (SigningKey, VerifyingKey) {
    if alg.is_symmetric() {
        (SigningKey::hmac(alg, "k1", SECRET).unwrap(), VerifyingKey::hmac(alg, "k1", SECRET).unwrap())
    } else {
        let key = SigningKey::generate(alg, "k1").unwrap();
        let public = key.verifying_key().unwrap();
        (key, public)
    }
}

#[test]
fn every_algorithm_signs_and_verifies() {
    for alg in Algorithm::all() {
        let (key, public) = pair(alg);
        let claims = AccessClaims {
            iss: "https://id.example".into(),
            sub: "u".into(),
            aud: "orders".into(),
            client_id: "c".into(),
            jti: "j".into(),
            iat: 100,
            exp: 700,
            ..AccessClaims::default()
        };
        let token = sign::<AccessToken>(&key, &claims).unwrap();
        let verifier =
            Verifier::<AccessToken>::builder().issuer("https://id.example").audience("orders").key(public).build();
        assert_eq!(verifier.verify(&token, 100).map(|verified| verified.into_inner()), Ok(claims), "{alg}");
        assert_eq!(verifier.verify(&token, 710), Err(Error::Expired { exp: 700, now: 710 }));
        assert!(verifier.verify(&token, 709).is_ok());
    }
}
