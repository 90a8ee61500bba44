//! A header that a verifier has seen is recognised by its bytes. That saves work and lends nothing to what follows it.
use countersign_jose::{
    AccessClaims, Algorithm, Error, KeySet, SigningKey, Verifier, VerifyingKey, b64, profile::AccessToken, sign,
};

use crate::support::{forge, payload};

const NOW: i64 = 1_790_000_000;

fn key(alg: Algorithm, kid: &str) -> SigningKey {
    if alg.is_symmetric() {
        SigningKey::hmac(alg, kid, &[7; 64]).unwrap()
    } else {
        SigningKey::generate(alg, kid).unwrap()
    }
}

fn verifying(key: &SigningKey) -> VerifyingKey {
    key.verifying_key().unwrap_or_else(|| VerifyingKey::hmac(key.alg(), key.kid(), &[7; 64]).unwrap())
}

fn claims(jti: &str) -> AccessClaims {
    AccessClaims {
        iss: "https://id.example".into(),
        sub: "u1".into(),
        aud: "orders".into(),
        client_id: "c1".into(),
        jti: jti.into(),
        iat: NOW,
        exp: NOW + 600,
        ..AccessClaims::default()
    }
}

/// A verifier that has seen a token of this key.
fn warm(key: &SigningKey) -> Verifier<AccessToken> {
    let verifier =
        Verifier::<AccessToken>::builder().issuer("https://id.example").audience("orders").key(verifying(key)).build();
    verifier.verify(&sign::<AccessToken>(key, &claims("first")).unwrap(), NOW).unwrap();
    verifier
}

// TOK-02
#[test]
fn a_known_header_does_not_stand_for_a_signature() {
    for alg in [Algorithm::HS256, Algorithm::ES256, Algorithm::Ed25519, Algorithm::HS512] {
        let key = key(alg, "k1");
        let verifier = warm(&key);
        let (one, other) =
            (sign::<AccessToken>(&key, &claims("a")).unwrap(), sign::<AccessToken>(&key, &claims("b")).unwrap());
        assert_eq!(verifier.verify(&one, NOW).unwrap().jti, "a");

        let (input, _) = one.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        assert_eq!(verifier.verify(&format!("{input}.{signature}"), NOW), Err(Error::Signature));
        assert_eq!(verifier.verify(&format!("{input}."), NOW), Err(Error::Signature));
        assert_eq!(verifier.verify(&format!("{input}.AAAA"), NOW), Err(Error::Signature));
        assert_eq!(verifier.verify(input, NOW), Err(Error::Segments { got: 2 }));
        assert_eq!(verifier.verify(&format!("{one}.{signature}"), NOW), Err(Error::Segments { got: 4 }));
        assert_eq!(verifier.verify(&format!("{one}="), NOW), Err(Error::Character { at: one.len() }));
    }
}

#[test]
fn claims_are_checked_under_a_known_header_too() {
    let key = key(Algorithm::HS256, "k1");
    let verifier = warm(&key);
    let token = sign::<AccessToken>(&key, &claims("a")).unwrap();
    assert_eq!(verifier.verify(&token, NOW + 601 + 10), Err(Error::Expired { exp: NOW + 600, now: NOW + 611 }));
    let mut foreign = claims("a");
    foreign.aud = "billing".into();
    let token = sign::<AccessToken>(&key, &foreign).unwrap();
    assert!(matches!(verifier.verify(&token, NOW), Err(Error::Audience { .. })));
    let payload = b64::encode(r#"{"iss":"https://id.example","iss":"https://id.example"}"#);
    let input = format!("{}.{payload}", token.split('.').next().unwrap());
    let signature = b64::encode(key.sign_raw(input.as_bytes()).unwrap());
    assert_eq!(verifier.verify(&format!("{input}.{signature}"), NOW), Err(Error::Duplicate { name: "iss".into() }));
}

#[test]
fn a_long_body_is_read_as_a_short_one_is() {
    let key = key(Algorithm::HS256, "k1");
    let verifier = warm(&key);
    for len in [1, 500, 800, 1000, 4000, 11_000] {
        let long = AccessClaims { scope: Some("s".repeat(len)), ..claims("a") };
        let token = sign::<AccessToken>(&key, &long).unwrap();
        assert_eq!(verifier.verify(&token, NOW).unwrap().into_inner(), long);
    }
}

#[test]
fn each_key_of_a_set_has_its_own_header() {
    let signing = [key(Algorithm::HS256, "k1"), key(Algorithm::ES256, "k2"), key(Algorithm::Ed25519, "k3")];
    let keys: KeySet = signing.iter().map(verifying).collect();
    let verifier = Verifier::<AccessToken>::builder()
        .issuer("https://id.example")
        .audience("orders")
        .keys(keys.iter().cloned())
        .build();
    for round in ["cold", "warm"] {
        for key in &signing {
            let token = sign::<AccessToken>(key, &claims(round)).unwrap();
            assert_eq!(verifier.verify(&token, NOW).unwrap().jti, round);
            assert_eq!(verifier.clone().verify(&token, NOW).unwrap().jti, round);
        }
    }
}

/// A signature is not looked for in the header, wherever the length of the token would have it.
#[test]
fn a_short_token_with_a_known_header_is_read_as_any_other() {
    let key = key(Algorithm::ES256, "k1");
    let verifier = warm(&key);
    let token = sign::<AccessToken>(&key, &claims("a")).unwrap();
    let (header, _) = token.split_once('.').unwrap();
    // What follows the header's dot is as long as a signature.
    let short = format!("{header}.{}.AAA", "A".repeat(82));
    assert_eq!(verifier.verify(&short, NOW), Err(Error::Signature));
    assert_eq!(verifier.verify(&format!("{header}.{}", "A".repeat(86)), NOW), Err(Error::Segments { got: 2 }));
}

/// Only the first whose signature held, only if it is short, and only as it was.
#[test]
fn what_is_remembered() {
    let key = key(Algorithm::HS256, "k1");
    let policy = warm(&key).policy().clone();
    let header = |cty: usize| format!(r#"{{"alg":"HS256","kid":"k1","typ":"at+jwt","cty":"{}"}}"#, "c".repeat(cty));
    let claims = payload();
    let keys = || -> KeySet { [verifying(&key)].into_iter().collect() };

    let short = keys();
    let token = forge(&key, header(1).as_bytes(), claims.as_bytes());
    assert!(short.recognise(&token).is_none());
    let tampered = token.rsplit_once('.').map(|(input, _)| format!("{input}.AAAA")).unwrap();
    policy.verify_among(&short, policy.parse(&tampered).unwrap(), NOW).unwrap_err();
    assert!(short.recognise(&token).is_none(), "its signature did not hold");
    policy.verify_among(&short, policy.parse(&token).unwrap(), NOW).unwrap();
    assert!(short.recognise(&token).is_some());
    assert!(short.recognise(&forge(&key, header(2).as_bytes(), claims.as_bytes())).is_none(), "another header");

    // 512 bytes of text, the dot included, are 383 bytes of header.
    let fixed = header(0).len();
    for (bytes, remembered) in [(383, true), (384, false)] {
        let keys = keys();
        let token = forge(&key, header(bytes - fixed).as_bytes(), claims.as_bytes());
        policy.verify_among(&keys, policy.parse(&token).unwrap(), NOW).unwrap();
        assert_eq!(keys.recognise(&token).is_some(), remembered, "a header of {bytes} bytes");
    }
}
