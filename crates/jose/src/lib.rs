//! JWS, JWE, JWK and JWT with types that cannot be misused.
//!
//! - A key is bound to one [`Algorithm`] when it is imported. The header of a token must agree with it; it never chooses.
//! - [`Unverified`] shows no claims. [`Authentic`] is a token whose signature held. [`Verified`] claims were checked, too, and
//!   only a check makes them.
//! - A claim is absent, valid or malformed; malformed is always refused.
//! - There is one text for each token: canonical base64url, no duplicate member at any level, UTF-8.
//! - A [`profile`] fixes the kind of a token, so that none passes for another.
//! - What is encrypted ([`jwe`]) is never taken for what is signed.
//!
//! Tokens are compact JWS with claims. [`jws`] has the other serializations and payloads that are no claims; [`key`] reads and writes
//! keys in all their forms.
//!
//! No I/O, no clock (`now` is an argument, in seconds since 1970), no global state, no panic on any input.
//!
//! ```
//! use countersign_jose::{AccessClaims, Algorithm, SigningKey, Verifier, profile::AccessToken, sign};
//!
//! let key = SigningKey::generate(Algorithm::ES256, "2026-1")?;
//! let token = sign::<AccessToken>(&key, &AccessClaims {
//!     iss: "https://id.example".into(),
//!     sub: "user-1".into(),
//!     aud: "orders".into(),
//!     client_id: "web".into(),
//!     jti: "token-1".into(),
//!     iat: 1_790_000_000,
//!     exp: 1_790_000_600,
//!     roles: vec!["buyer".into()],
//!     ..AccessClaims::default()
//! })?;
//!
//! let verifier = Verifier::<AccessToken>::builder()
//!     .issuer("https://id.example")
//!     .audience("orders")
//!     .keys(key.verifying_key())
//!     .build();
//! let claims = verifier.verify(&token, 1_790_000_001)?;
//! assert_eq!(claims.roles, ["buyer"]);
//! # Ok::<(), countersign_jose::Error>(())
//! ```
//!
//! # Information exchange
//!
//! Any JSON between two parties, in five lines:
//!
//! ```
//! # use serde::{Deserialize, Serialize};
//! use countersign_jose::{Algorithm, GenericClaims, SigningKey, Verifier, profile::Generic, sign};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Order { number: u64, articles: Vec<String> }
//! # let order = Order { number: 7, articles: vec!["chair".into()] };
//! # let (now, shop) = (1_790_000_000, "shop");
//!
//! let key = SigningKey::generate(Algorithm::Ed25519, "shop-1")?;
//! let claims = GenericClaims { iss: Some(shop.into()), aud: Some("warehouse".into()), exp: Some(now + 60), ..Default::default() };
//! let token = sign::<Generic>(&key, &claims.with(&order)?)?; // travels to the warehouse, which knows the shop's public key
//! let verifier = Verifier::<Generic>::builder().issuer(shop).audience("warehouse").keys(key.verifying_key()).build();
//! let received: Order = verifier.verify(&token, now)?.decode()?;
//! assert_eq!(received, order);
//! # Ok::<(), countersign_jose::Error>(())
//! ```
#![deny(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

pub mod b64;
pub mod claims;
pub mod dpop;
pub mod json;
pub mod jwe;
pub mod jws;
pub mod key;
pub mod limits;
pub mod profile;
pub mod revocation;
pub mod verifier;

/// The examples of the book run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/from-jsonwebtoken.md")]
mod book {}

mod alg;
mod error;
mod header;
mod jwk;
mod key_set;
mod policy;
mod sign;
mod unverified;

pub use alg::Algorithm;
pub use claims::{
    AccessClaims, Audience, Basis, Claims, ClientAssertionClaims, Confirmation, DpopClaims, FeedClaims, FeedEntry,
    FeedTimeClaims, GenericClaims, IdClaims, LogoutClaims, Org, RequestObjectClaims,
};
pub use error::{Error, KeyError};
pub use jwk::{Jwk, JwkSet, PrivateJwk};
pub use key::{AnyKey, SigningKey, VerifyingKey};
pub use key_set::{KeySet, Recognised};
pub use policy::{Policy, Verified};
pub use sign::{SigningInput, sign};
pub use unverified::{Authentic, Unverified};
pub use verifier::{Missing, Unused, Verifier};
