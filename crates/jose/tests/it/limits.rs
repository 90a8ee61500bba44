//! The limits are part of what the library promises: what was accepted yesterday is accepted tomorrow.
use std::time::Duration;

use countersign_jose::{Algorithm, b64, limits::*};

use crate::support::{claims, pair, verifier};

#[test]
fn they_are_what_is_written_down() {
    const KIB: usize = 1024;
    assert_eq!(MAX_TOKEN_BYTES, 16 * KIB);
    assert_eq!((MAX_FEED_BATCH_BYTES, MAX_JWS_BYTES, MAX_ENCRYPTED_BYTES), (KIB * KIB, KIB * KIB, KIB * KIB));
    assert_eq!((MAX_JWK_BYTES, MAX_JWK_SET_BYTES, MAX_PROOF_BYTES), (16 * KIB, 256 * KIB, 8 * KIB));
    assert_eq!((MAX_SIGNATURES, MAX_RECIPIENTS, MAX_JWK_SET_KEYS), (16, 16, 256));
    assert_eq!((MAX_KID_BYTES, MAX_PARTY_BYTES, MAX_DEPTH), (256, 256, 32));
    assert_eq!(MAX_INTEGER, 9_007_199_254_740_992);
    assert_eq!((DEFAULT_LEEWAY, MAX_LEEWAY), (Duration::from_secs(10), Duration::from_secs(60)));
    assert_eq!(DEFAULT_PROOF_AGE, Duration::from_secs(60));
}

#[test]
fn bytes_of_a_fixed_number_are_those_of_the_text() {
    assert_eq!(b64::decode_array::<3>("AQID"), Ok([1, 2, 3]));
    assert!(b64::decode_array::<2>("AQID").is_err() && b64::decode_array::<4>("AQID").is_err());
}

/// The checks without the keys are those of the verifier, not fewer.
#[test]
fn a_verifier_shows_its_own_checks() {
    let (signing, verifying) = pair(Algorithm::Ed25519);
    let verifier = verifier(verifying.clone());
    let now = claims().iat;
    let made = |claims| countersign_jose::sign::<countersign_jose::profile::AccessToken>(&signing, claims).unwrap();
    let (good, foreign) =
        (made(&claims()), made(&countersign_jose::AccessClaims { iss: "https://other.example".into(), ..claims() }));
    let outcome = |token| {
        let policy = verifier.policy();
        policy.verify_with(&verifying, policy.parse(token).unwrap(), now).map(|claims| claims.jti.clone())
    };
    assert_eq!(outcome(&good), Ok(claims().jti));
    assert!(outcome(&foreign).is_err());
}
