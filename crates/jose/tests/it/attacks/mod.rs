//! Known attacks, one test each. A test forges with the issuer's own key wherever it can, so that it is the check under test that
//! refuses and not the signature. Each CVE was looked up: it is of a library that accepted what the test below it sends.

mod algorithm;
mod claims;
mod header;
mod json;
mod jwe;
mod jws;
mod key;
mod key_import;
mod signature;
mod text;

use std::time::Duration;

use crate::support::{vectors::*, *};
use countersign_jose::{
    Algorithm, Error, Jwk, JwkSet, KeyError, SigningKey, Unverified, Verifier, VerifyingKey, b64,
    limits::{MAX_DEPTH, MAX_JWK_SET_BYTES, MAX_KID_BYTES, MAX_TOKEN_BYTES},
    profile::{AccessToken, DpopProof, Generic},
    sign,
};

const ES256: Algorithm = Algorithm::ES256;

fn unknown(name: &str) -> Error {
    Error::AlgorithmUnknown { got: name.into() }
}

fn is_malformed(outcome: &Outcome, name: &str) -> bool {
    matches!(outcome, Err(Error::ClaimMalformed { claim, .. }) if *claim == name)
}

/// Replaces the signature of a token.
fn with_signature(token: &str, signature: &[u8]) -> String {
    format!("{}.{}", token.rsplit_once('.').unwrap().0, b64::encode(signature))
}

fn signature_of(token: &str) -> Vec<u8> {
    b64::decode(token.rsplit_once('.').unwrap().1).unwrap()
}
