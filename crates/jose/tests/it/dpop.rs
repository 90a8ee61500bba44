//! Proofs of possession: the examples of RFC 9449, its twelve checks (§4.3), and the known ways around them.

use std::time::Duration;

use crate::support::{NOW, forge, pair};
use countersign_jose::{
    Algorithm, DpopClaims, Error, KeyError, SigningKey, b64,
    dpop::{self, Checker, Demand, Freshness, Nonces, Proof, ProofError, Target},
    limits::MAX_LEEWAY,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const TOKEN_URL: &str = "https://id.example/token";

fn claims() -> DpopClaims {
    DpopClaims { jti: "proof-1".into(), htm: "POST".into(), htu: TOKEN_URL.into(), iat: NOW, ..DpopClaims::default() }
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256, "client").unwrap()
}

fn check_at(proof: &str, now: i64) -> Result<Proof, ProofError> {
    let targets = [Target::parse(TOKEN_URL).unwrap()];
    Checker::default().check(proof, &Demand::new("POST", &targets), Freshness::Recent, now)
}

fn check(proof: &str) -> Result<Proof, ProofError> {
    check_at(proof, NOW)
}

fn token_error(error: Error) -> Result<Proof, ProofError> {
    Err(ProofError::Token(error))
}

fn header(key: &SigningKey) -> Value {
    let jwk = serde_json::to_value(key.public_jwk().unwrap()).unwrap();
    json!({"typ": "dpop+jwt", "alg": key.alg().as_str(), "jwk": jwk})
}

fn payload() -> Value {
    json!({"jti": "proof-1", "htm": "POST", "htu": TOKEN_URL, "iat": NOW})
}

fn forged(key: &SigningKey, header: &Value, payload: &Value) -> String {
    forge(key, header.to_string().as_bytes(), payload.to_string().as_bytes())
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

/// RFC 9449 §4.1 and §7.1.
const AT_TOKEN_ENDPOINT: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
const AT_RESOURCE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const EXAMPLE_JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

#[test]
fn the_examples_of_rfc_9449() {
    let targets = [Target::parse("https://server.example.com/token").unwrap()];
    let demand = Demand::new("POST", &targets);
    let proof = Checker::default().check(AT_TOKEN_ENDPOINT, &demand, Freshness::Recent, 1_562_262_616).unwrap();
    assert_eq!((proof.thumbprint(), proof.claims().jti.as_str()), (EXAMPLE_JKT, "-BwC3ESc6acc2lTc"));

    let targets = [Target::parse("https://resource.example.org/protectedresource").unwrap()];
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    assert_eq!(dpop::token_hash(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    let demand = Demand::new("GET", &targets).with_token(token, EXAMPLE_JKT);
    assert!(Checker::default().check(AT_RESOURCE, &demand, Freshness::Recent, 1_562_262_620).is_ok());
}

#[test]
fn every_algorithm_of_proofs_signs_one() {
    for alg in Algorithm::all() {
        let (key, _) = pair(alg);
        let Ok(proof) = dpop::sign(&key, &claims()) else {
            assert!(!alg.signs_proofs(), "{alg}");
            continue;
        };
        let checked = check(&proof).unwrap();
        assert_eq!(checked.thumbprint(), key.public_jwk().unwrap().thumbprint(), "{alg}");
        assert_eq!(checked.claims(), &claims());
    }
    let names: Vec<_> = dpop::algorithms().collect();
    assert!(names.contains(&"ES256") && names.contains(&"EdDSA") && !names.iter().any(|name| name.starts_with("HS")));
}

// Check 2: one well-formed JWT.
#[test]
fn a_proof_is_one_well_formed_token() {
    let proof = dpop::sign(&key(), &claims()).unwrap();
    assert!(check(&proof).is_ok());
    for bad in [
        "",
        "a.b.c",
        &format!("{proof}="),
        &format!(" {proof}"),
        &format!("{proof}.AAAA.AAAA"),
        &format!("{proof},{proof}"),
    ] {
        assert!(matches!(check(bad), Err(ProofError::Token(_))), "{bad}");
    }
    let long = dpop::sign(&key(), &DpopClaims { jti: "j".repeat(9_000), ..claims() });
    assert!(matches!(long, Err(Error::TooLong { .. })));
    let key = key();
    let long = forged(&key, &header(&key), &with(payload(), "jti", json!("j".repeat(9_000))));
    assert!(matches!(check(&long), Err(ProofError::Token(Error::TooLong { .. }))));
}

// Check 3: every claim is there, and is what it must be.
#[test]
fn every_claim_is_required_and_of_its_type() {
    let key = key();
    for claim in ["jti", "htm", "htu", "iat"] {
        let token = forged(&key, &header(&key), &without(payload(), claim));
        assert_eq!(check(&token), token_error(Error::ClaimMissing { claim }));
        for bad in [json!(null), json!([]), json!(true), json!(-1), json!("")] {
            let token = forged(&key, &header(&key), &with(payload(), claim, bad.clone()));
            let refused = check(&token).unwrap_err();
            assert!(matches!(refused, ProofError::Token(Error::ClaimMalformed { .. })), "{claim} {bad}: {refused}");
        }
    }
    let twice = payload().to_string().replacen('{', r#"{"htu":"https://evil.example/","#, 1);
    let token = forge(&key, header(&key).to_string().as_bytes(), twice.as_bytes());
    assert_eq!(check(&token), token_error(Error::Duplicate { name: "htu".into() }));
}

// Check 4: exactly this type.
#[test]
fn no_other_type_is_a_proof() {
    let key = key();
    let other = |got: Option<&str>| token_error(Error::Type { expected: "dpop+jwt".into(), got: got.map(Into::into) });
    for typ in ["JWT", "at+jwt", "DPOP+JWT", "application/dpop+jwt", "dpop+jwt ", ""] {
        assert_eq!(check(&forged(&key, &with(header(&key), "typ", json!(typ)), &payload())), other(Some(typ)));
    }
    assert_eq!(check(&forged(&key, &without(header(&key), "typ"), &payload())), other(None));
}

// Check 5: an asymmetric algorithm, and the one of the key.
#[test]
fn no_secret_and_no_missing_signature_proves_anything() {
    let key = key();
    let refused = |alg: &str| check(&forged(&key, &with(header(&key), "alg", json!(alg)), &payload()));
    for none in ["none", "None", "NONE"] {
        assert_eq!(refused(none), token_error(Error::AlgorithmUnknown { got: none.into() }));
    }
    for alg in ["HS256", "HS384", "HS512", "ML-DSA-44"] {
        assert_eq!(refused(alg), Err(ProofError::Algorithm(alg.parse().unwrap())));
    }
    let wrong = |alg: Algorithm| token_error(Error::Key(KeyError::WrongAlgorithm(alg)));
    for alg in [Algorithm::ES384, Algorithm::RS256, Algorithm::Ed25519] {
        let unnamed = with(header(&key), "jwk", without(header(&key)["jwk"].clone(), "alg"));
        assert_eq!(check(&forged(&key, &with(unnamed, "alg", json!(alg.as_str())), &payload())), wrong(alg));
    }
    // The public key as the secret of an HMAC (CVE-2015-9235).
    let public = header(&key)["jwk"].to_string();
    let secret =
        with(with(header(&key), "alg", json!("HS256")), "jwk", json!({"kty": "oct", "k": b64::encode(&public)}));
    assert_eq!(check(&forged(&key, &secret, &payload())), Err(ProofError::Algorithm(Algorithm::HS256)));
    assert_eq!(
        check(&forged(&key, &with(secret, "alg", json!("ES256")), &payload())),
        token_error(KeyError::Private.into())
    );
}

// Check 6: the signature holds, with the key in the header and no other.
#[test]
fn the_key_in_the_header_must_have_signed() {
    let (mine, theirs) = (key(), key());
    let stolen = forged(&mine, &header(&theirs), &payload());
    assert_eq!(check(&stolen), token_error(Error::Signature));
    let proof = dpop::sign(&mine, &claims()).unwrap();
    let other = dpop::sign(&mine, &DpopClaims { htu: "https://id.example/revoke".into(), ..claims() }).unwrap();
    let (input, _) = proof.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(check(&format!("{input}.{signature}")), token_error(Error::Signature));
    assert_eq!(check(&format!("{input}.")), token_error(Error::Signature));
    // Zero (CVE-2022-21449).
    assert_eq!(check(&format!("{input}.{}", b64::encode([0; 64]))), token_error(Error::Signature));
    for reference in ["jku", "x5u", "x5c", "kid"] {
        let pointed = with(without(header(&mine), "jwk"), reference, json!("https://evil.example/keys"));
        assert_eq!(check(&forged(&mine, &pointed, &payload())), token_error(Error::HeaderMissing { member: "jwk" }));
    }
}

// Check 7: no private key, and a sound public one.
#[test]
fn a_private_or_unsound_key_is_refused() {
    let key = key();
    let with_key = |jwk: Value| check(&forged(&key, &with(header(&key), "jwk", jwk), &payload()));
    let jwk = header(&key)["jwk"].clone();
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        assert_eq!(
            with_key(with(jwk.clone(), member, json!("AAAA"))),
            token_error(KeyError::Private.into()),
            "{member}"
        );
    }
    assert_eq!(with_key(json!({"kty": "oct", "k": "AAAA"})), token_error(KeyError::Private.into()));
    // A point that is not on the curve (CVE-2017-16007).
    let off = with(jwk.clone(), "y", json!(b64::encode([1; 32])));
    assert_eq!(with_key(off), token_error(KeyError::Point.into()));
    assert_eq!(with_key(with(jwk.clone(), "use", json!("enc"))), token_error(KeyError::NotForSignatures.into()));
    for malformed in [json!("key"), json!(null), json!([jwk.clone()]), json!(7)] {
        assert_eq!(with_key(malformed), token_error(Error::HeaderMalformed { member: "jwk" }));
    }
    assert!(matches!(with_key(json!({})), Err(ProofError::Token(Error::Key(_)))));
    let short = json!({"kty": "RSA", "e": "AQAB", "n": b64::encode([0xC1; 128])});
    assert!(matches!(with_key(short), Err(ProofError::Token(Error::Key(_)))));
    // The key's own name says nothing.
    assert!(with_key(with(jwk, "kid", json!("anybody"))).is_ok());
}

// Checks 8 and 9: this method, this target.
#[test]
fn a_proof_for_another_request_is_refused() {
    let key = key();
    let made_for = |htm: &str, htu: &str| {
        check(&dpop::sign(&key, &DpopClaims { htm: htm.into(), htu: htu.into(), ..claims() }).unwrap())
    };
    for htm in ["GET", "post", "POST ", "PUT"] {
        assert_eq!(made_for(htm, TOKEN_URL), Err(ProofError::Method { expected: "POST".into(), got: htm.into() }));
    }
    for htu in [
        "https://id.example/revoke",
        "http://id.example/token",
        "https://evil.example/token",
        "https://id.example@evil.example/token",
        "https://id.example/token/..",
        "https://id.example/Token",
        "/token",
        "https://id.example/token\u{0}",
    ] {
        assert_eq!(made_for("POST", htu), Err(ProofError::Target { expected: TOKEN_URL.into(), got: htu.into() }));
    }
    for htu in ["https://ID.example:443/token", "https://id.example/%74oken", "https://id.example/token?a#b"] {
        assert!(made_for("POST", htu).is_ok(), "{htu}");
    }
}

// Check 10: the server's nonce.
#[test]
fn a_server_that_gives_nonces_takes_no_proof_without_one() {
    let (key, nonces) = (key(), Nonces::new(&[7; 32], Duration::from_secs(60)));
    let targets = [Target::parse(TOKEN_URL).unwrap()];
    let check = |nonce: Option<String>, iat: i64, now: i64| {
        let proof = dpop::sign(&key, &DpopClaims { nonce, iat, ..claims() }).unwrap();
        Checker::default().check(&proof, &Demand::new("POST", &targets), Freshness::Nonce(&nonces), now)
    };
    // The client's clock may show anything; the nonce says when it was made.
    for iat in [NOW, 0, NOW + 86_400] {
        let proof = check(Some(nonces.issue(NOW)), iat, NOW + 59).unwrap();
        assert_eq!(proof.until(), NOW + 60);
    }
    assert_eq!(check(None, NOW, NOW), Err(ProofError::Nonce));
    assert_eq!(check(Some(String::new()), NOW, NOW), Err(ProofError::Nonce));
    assert_eq!(check(Some(nonces.issue(NOW)), NOW, NOW + 60), Err(ProofError::Nonce));
    let others = Nonces::new(&[8; 32], Duration::from_secs(60));
    assert_eq!(check(Some(others.issue(NOW)), NOW, NOW), Err(ProofError::Nonce));
}

// Check 11: made a moment ago.
#[test]
fn an_old_or_early_proof_is_refused() {
    let proof = dpop::sign(&key(), &claims()).unwrap();
    let until = check(&proof).unwrap().until();
    assert_eq!(until, NOW + 71);
    for (now, good) in [(-11, false), (-10, true), (0, true), (70, true), (71, false), (86_400, false)] {
        assert_eq!(check_at(&proof, NOW + now).is_ok(), good, "{now}");
    }
    assert_eq!(check_at(&proof, NOW + 71), token_error(Error::TooOld { limit: 60, got: 71 }));
    assert_eq!(check_at(&proof, NOW - 11), token_error(Error::IssuedInFuture { iat: NOW, now: NOW - 11 }));
}

// Check 11, as the server sets it; no setting forgives more than the greatest leeway.
#[test]
fn the_age_of_a_proof_and_the_leeway_can_be_set() {
    let proof = dpop::sign(&key(), &claims()).unwrap();
    let targets = [Target::parse(TOKEN_URL).unwrap()];
    let good = |checker: Checker, at: i64| {
        checker.check(&proof, &Demand::new("POST", &targets), Freshness::Recent, NOW + at).is_ok()
    };
    let short = Checker::default().max_age(Duration::from_secs(5)).leeway(Duration::from_secs(2));
    for (at, expected) in [(-3, false), (-2, true), (7, true), (8, false)] {
        assert_eq!(good(short, at), expected, "{at}");
    }
    let wide = Checker::default().leeway(Duration::from_secs(86_400));
    let most = i64::try_from(MAX_LEEWAY.as_secs()).unwrap();
    assert!(good(wide, -most) && !good(wide, -most - 1));
}

// Check 12: this access token, and the key that it is bound to.
#[test]
fn a_proof_for_another_token_or_by_another_key_is_refused() {
    let (mine, theirs) = (key(), key());
    let jkt = mine.public_jwk().unwrap().thumbprint();
    let targets = [Target::parse(TOKEN_URL).unwrap()];
    let demand = Demand::new("POST", &targets).with_token("token-1", &jkt);
    let check = |key: &SigningKey, ath: Option<String>| {
        let proof = dpop::sign(key, &DpopClaims { ath, ..claims() }).unwrap();
        Checker::default().check(&proof, &demand, Freshness::Recent, NOW)
    };
    let hash = dpop::token_hash("token-1");
    assert!(check(&mine, Some(hash.clone())).is_ok());
    assert_eq!(check(&mine, None), token_error(Error::ClaimMissing { claim: "ath" }));
    for other in [dpop::token_hash("token-2"), String::new(), "token-1".into(), hash[..42].into(), format!("{hash}=")] {
        assert_eq!(check(&mine, Some(other)), Err(ProofError::TokenHash));
    }
    let got = theirs.public_jwk().unwrap().thumbprint();
    assert_eq!(check(&theirs, Some(hash)), Err(ProofError::Key { expected: jkt.clone(), got }));
}

// TOK-22, TOK-25: what is remembered of a proof is its key, its target and its jti, not its text.
#[test]
fn two_texts_of_one_proof_have_one_id() {
    let (mine, theirs) = (key(), key());
    let id = |key: &SigningKey, claims: DpopClaims| *check(&dpop::sign(key, &claims).unwrap()).unwrap().id();
    let first = id(&mine, claims());
    // ECDSA signs the same claims differently each time, and other claims may change too.
    assert_eq!(id(&mine, claims()), first);
    assert_eq!(id(&mine, DpopClaims { iat: NOW + 1, ..claims() }), first);
    assert_eq!(id(&mine, DpopClaims { htu: "https://ID.example/token?x".into(), ..claims() }), first);
    assert_ne!(id(&mine, DpopClaims { jti: "proof-2".into(), ..claims() }), first);
    assert_ne!(id(&theirs, claims()), first, "a stranger cannot use up somebody's jti");
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}", parts in prop::collection::vec("[A-Za-z0-9_-]{0,60}", 0..6)) {
        prop_assert!(check(&text).is_err());
        prop_assert!(check(&parts.join(".")).is_err());
    }

    /// No change of one character of a proof leaves a proof of the same key.
    #[test]
    fn a_changed_proof_is_refused(at: prop::sample::Index, with in "[A-Za-z0-9_.-]") {
        let proof = dpop::sign(&key(), &claims()).unwrap();
        let at = at.index(proof.len());
        let changed = format!("{}{with}{}", &proof[..at], &proof[at + 1..]);
        prop_assume!(changed != proof);
        let thumbprint = check(&proof).unwrap().thumbprint().to_owned();
        prop_assert!(check(&changed).map_or(true, |other| other.thumbprint() != thumbprint));
    }
}
