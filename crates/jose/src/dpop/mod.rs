//! DPoP (RFC 9449): a client proves with each request that it holds the key that its token is bound to.
//!
//! A proof brings its own key, so that checking it proves nothing by itself: [`Checker`] says which key signed it, and the
//! caller compares that with the key that the token is bound to, or binds a new token to it. Whether a proof was used
//! before ([`Proof::id`]) only the caller can know.
//!
//! ```
//! use countersign_jose::{Algorithm, DpopClaims, SigningKey, dpop::{self, Checker, Demand, Freshness, Target}};
//!
//! let key = SigningKey::generate(Algorithm::ES256, "mine")?;
//! let claims = DpopClaims {
//!     jti: "an id of its own".into(),
//!     htm: "POST".into(),
//!     htu: "https://id.example/token".into(),
//!     iat: 1_790_000_000,
//!     ..DpopClaims::default()
//! };
//! let proof = dpop::sign(&key, &claims)?;
//!
//! let targets = [Target::parse("https://id.example/token").unwrap()];
//! let demand = Demand::new("POST", &targets);
//! let proof = Checker::default().check(&proof, &demand, Freshness::Recent, 1_790_000_003).unwrap();
//! assert_eq!(proof.thumbprint(), key.public_jwk().unwrap().thumbprint());
//! # Ok::<(), countersign_jose::Error>(())
//! ```

mod check;
mod nonce;
mod target;

pub use check::{Checker, Demand, Freshness, Proof, ProofError};
pub use nonce::Nonces;
pub use target::Target;

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use crate::{Algorithm, DpopClaims, Error, KeyError, SigningKey, b64, profile::DpopProof, sign::SigningInput};

/// Signs a proof, with the public half of the key in its header.
///
/// # Errors
/// [`KeyError::WrongAlgorithm`] for a key that signs no proofs ([`Algorithm::signs_proofs`]), and as [`sign`](crate::sign()).
pub fn sign(key: &SigningKey, claims: &DpopClaims) -> Result<String, Error> {
    let public = key.public_jwk().filter(|_| key.alg().signs_proofs());
    let public = public.ok_or(KeyError::WrongAlgorithm(key.alg()))?;
    // The bare key: a name of its own would tell more than the proof needs.
    let jwk: Map<_, _> = public.material.members().into_iter().map(|(name, text)| (name.into(), text.into())).collect();
    let members = [("alg", key.alg().as_str().into()), ("typ", TYP.into()), ("jwk", Value::Object(jwk))];
    let header: Map<String, Value> = members.into_iter().map(|(name, value)| (name.into(), value)).collect();
    let header = b64::encode(Value::Object(header).to_string());
    let input = SigningInput::with_header::<DpopProof>(key.alg(), &header, claims, key.signature_len())?;
    let signature = key.signature_of(input.as_bytes())?;
    input.finish(signature.as_ref())
}

/// What `ath` must be for this access token (RFC 9449 §4.2).
pub fn token_hash(access_token: &str) -> String {
    b64::encode(digest::digest(&digest::SHA256, access_token.as_bytes()))
}

/// The algorithms of proofs by each of their names, as metadata and challenges list them (RFC 9449 §5.1, §7.1).
pub fn algorithms() -> impl Iterator<Item = &'static str> {
    Algorithm::all().filter(|alg| alg.signs_proofs()).flat_map(Algorithm::names)
}

/// `typ`, exactly: the media type has no shorter form (RFC 9449 §4.2).
const TYP: &str = "dpop+jwt";
