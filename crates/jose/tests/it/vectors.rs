//! Examples of the RFCs: what they publish is verified, and where a signature is deterministic it is made again, byte by byte.

use crate::support::vectors::*;
use countersign_jose::{
    Algorithm, Error, GenericClaims, Jwk, JwkSet, KeyError, SigningKey, Unused, Unverified, Verifier, VerifyingKey,
    b64, profile::Profile,
};

/// The claims of RFC 7515 §A: an issuer, no audience, no type.
#[derive(Debug, Clone, Copy)]
struct Joe;

impl Profile for Joe {
    type Claims = GenericClaims;
    type Issuer = countersign_jose::Missing;
    type Audience = Unused;
    const TYP: &'static str = "JWT";
    const UNTYPED: bool = true;
}

fn public(key: &SigningKey) -> VerifyingKey {
    key.verifying_key().unwrap()
}

/// The key of an example whose tokens carry no `kid`.
fn nameless(jwk: &str, alg: Algorithm) -> VerifyingKey {
    let mut members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(jwk).unwrap();
    members.retain(|name, _| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()));
    VerifyingKey::from_jwk_as(&Jwk::parse(&serde_json::to_vec(&members).unwrap()).unwrap(), alg).unwrap()
}

fn check_joe(token: &str, key: VerifyingKey) {
    let verifier = Verifier::<Joe>::builder().issuer("joe").key(key).build();
    let claims = verifier.verify(token, 1_300_819_379).unwrap();
    assert_eq!(claims.extra["http://example.com/is_root"], true);
    assert_eq!(verifier.verify(token, 1_300_819_390), Err(Error::Expired { exp: 1_300_819_380, now: 1_300_819_390 }));
}

/// Signs the input of a published token again.
fn again(key: &SigningKey, token: &str) -> String {
    let input = token.rsplit_once('.').unwrap().0;
    format!("{input}.{}", b64::encode(key.sign_raw(input.as_bytes()).unwrap()))
}

fn holds(token: &str, key: &VerifyingKey) -> bool {
    Unverified::parse(token).unwrap().verify_signature(key).is_ok()
}

#[test]
fn rfc7515_a1_hs256() {
    let key = SigningKey::from_jwk(Algorithm::HS256, HMAC_JWK.as_bytes()).unwrap();
    assert_eq!(again(&key, A1_HS256), A1_HS256);
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    check_joe(A1_HS256, VerifyingKey::hmac(Algorithm::HS256, "k1", &b64::decode(secret).unwrap()).unwrap());
}

#[test]
fn rfc7515_a2_rs256() {
    let key = SigningKey::from_jwk(Algorithm::RS256, RSA_JWK.as_bytes()).unwrap();
    assert_eq!(again(&key, A2_RS256), A2_RS256);
    check_joe(A2_RS256, nameless(RSA_JWK, Algorithm::RS256));
}

#[test]
fn rfc7515_a3_es256() {
    let key = SigningKey::from_jwk(Algorithm::ES256, EC_JWK.as_bytes()).unwrap();
    assert!(holds(&again(&key, A3_ES256), &public(&key)));
    check_joe(A3_ES256, nameless(EC_JWK, Algorithm::ES256));
}

#[test]
fn rfc7515_a5_unsecured_is_refused() {
    assert_eq!(Unverified::parse(A5_NONE).unwrap_err(), Error::AlgorithmUnknown { got: "none".into() });
}

#[test]
fn rfc7515_a6_json_serialization_is_refused_as_compact() {
    let text = format!("{{\"payload\":\"{}\"}}", A1_HS256.split('.').nth(1).unwrap());
    assert_eq!(Unverified::parse(&text).unwrap_err(), Error::Character { at: 0 });
}

#[test]
fn rfc7515_e_unknown_critical_member() {
    let token = "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.";
    assert_eq!(Unverified::parse(token).unwrap_err(), Error::AlgorithmUnknown { got: "none".into() });
}

#[test]
fn rfc7638_thumbprint() {
    let jwk = format!(r#"{{"kty":"RSA","n":"{RFC7638_N}","e":"AQAB","alg":"RS256","kid":"2011-04-29"}}"#);
    let jwk = Jwk::parse(jwk.as_bytes()).unwrap();
    assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(VerifyingKey::from_jwk(&jwk).unwrap().kid(), Some("2011-04-29"));
}

#[test]
fn rfc8037_a_ed25519() {
    let key = SigningKey::from_jwk(Algorithm::Ed25519, ED_JWK.as_bytes()).unwrap();
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"); // §A.3: the thumbprint
    assert_eq!(again(&key, RFC8037_A4), RFC8037_A4);
    assert!(holds(RFC8037_A4, &public(&key)));
}

#[test]
fn rfc7520_4_1_rs256() {
    let key = SigningKey::from_jwk(Algorithm::RS256, COOKBOOK_RSA_JWK.as_bytes()).unwrap();
    assert_eq!(again(&key, COOKBOOK_RS256), COOKBOOK_RS256);
    assert!(holds(COOKBOOK_RS256, &public(&key)));
}

#[test]
fn rfc7520_4_2_ps256() {
    let key = SigningKey::from_jwk(Algorithm::PS256, COOKBOOK_RSA_JWK.as_bytes()).unwrap();
    assert!(holds(PS256, &public(&key)));
    assert!(holds(&again(&key, PS256), &public(&key)));
    let input = PS256.rsplit_once('.').unwrap().0;
    for other in [PS256_LONG_SALT, PS256_SHA1_MASK] {
        assert!(!holds(&format!("{input}.{other}"), &public(&key)));
    }
}

#[test]
fn rfc7520_4_4_hs256() {
    let key = SigningKey::from_jwk(Algorithm::HS256, COOKBOOK_HMAC_JWK.as_bytes()).unwrap();
    assert_eq!(again(&key, COOKBOOK_HS256), COOKBOOK_HS256);
}

#[test]
fn algorithms_of_other_sizes_are_not_taken_for_ours() {
    let key = SigningKey::from_jwk(Algorithm::PS256, COOKBOOK_RSA_JWK.as_bytes()).unwrap();
    let refused = Unverified::parse(COOKBOOK_PS384).unwrap().verify_signature(&public(&key)).unwrap_err();
    assert_eq!(refused, Error::AlgorithmMismatch { expected: Algorithm::PS256, got: Algorithm::PS384 });
    let refused = Unverified::parse(COOKBOOK_ES512).unwrap().verify_signature(&public(&key)).unwrap_err();
    assert_eq!(refused, Error::AlgorithmMismatch { expected: Algorithm::PS256, got: Algorithm::ES512 });
}

#[test]
fn keys_survive_every_form_they_have() {
    for (alg, jwk) in [
        (Algorithm::RS256, RSA_JWK),
        (Algorithm::PS256, COOKBOOK_RSA_JWK),
        (Algorithm::ES256, EC_JWK),
        (Algorithm::Ed25519, ED_JWK),
    ] {
        let key = SigningKey::from_jwk(alg, jwk.as_bytes()).unwrap();
        let copy = SigningKey::from_pkcs8(alg, key.kid(), &key.to_pkcs8().unwrap()).unwrap();
        let signature = copy.sign_raw(b"text").unwrap();
        let public = public(&key);
        assert_eq!(public.verify_raw(b"text", &signature), Ok(()));
        assert_eq!(public.verify_raw(b"texT", &signature), Err(Error::Signature));

        let jwk = key.public_jwk().unwrap();
        let text = serde_json::to_string(&jwk).unwrap();
        assert_eq!(Jwk::parse(text.as_bytes()), Ok(jwk.clone()));
        assert_eq!(serde_json::from_str::<Jwk>(&text).unwrap(), jwk);
        for private in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\""] {
            assert!(!text.contains(private), "{text}");
        }
        assert!(text.contains(&format!("\"alg\":\"{alg}\"")) && text.contains("\"use\":\"sig\""), "{text}");
    }
}

#[test]
fn one_bad_key_of_a_set_is_skipped_and_reported() {
    let good = SigningKey::generate(Algorithm::ES256, "good").unwrap().public_jwk().unwrap();
    let good = serde_json::to_string(&good).unwrap();
    let other = SigningKey::generate(Algorithm::ES256, "good").unwrap().public_jwk().unwrap();
    let other = serde_json::to_string(&other).unwrap();
    let text = format!(
        r#"{{"keys":[{{"kty":"EC","crv":"P-521","x":"","y":""}},{good},7,{other},{{}},{{"kty":"oct","k":"AAAA"}},
            {{"kty":"RSA","n":"{RSA_1024_N}","e":"AQAB"}},{EC_JWK},{{"kty":"RSA","n":"{RFC7638_N}","e":"AQAB","use":"enc"}}]}}"#
    );
    let set = JwkSet::parse(text.as_bytes()).unwrap();
    assert_eq!(set.keys.len(), 2);
    assert_eq!(set.verifying_keys().count(), 1);
    assert_eq!(
        set.skipped,
        [
            (0, KeyError::Member("x")),
            (2, KeyError::Member("keys")),
            (3, KeyError::Duplicate),
            (4, KeyError::Member("kty")),
            (5, KeyError::Private),
            (6, KeyError::RsaSize(1024)),
            (7, KeyError::Private),
        ]
        .map(|(index, error)| (index, Error::Key(error)))
    );
    assert_eq!(serde_json::to_value(&set).unwrap()["keys"].as_array().unwrap().len(), 2);
}
