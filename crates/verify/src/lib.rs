//! What a service embeds to check the access tokens of a Countersign issuer: in memory, without asking anybody, the keys
//! kept fresh in the background.
//!
//! # With axum
//! ```
//! use axum::{Router, routing::get};
//! use countersign_verify::{Claims, Rejection, Verifier, VerifyLayer, require_scope};
//!
//! async fn list(claims: Claims) -> String {
//!     format!("the orders of {}", claims.sub)
//! }
//!
//! async fn refund(claims: Claims) -> Result<&'static str, Rejection> {
//!     claims.require_role("support")?;
//!     Ok("refunded")
//! }
//!
//! # fn app() -> Result<Router, Box<dyn std::error::Error>> {
//! let verifier = Verifier::builder("https://id.example").audience("orders").build()?;
//! let app = Router::new()
//!     .route("/orders", get(list).post(refund).layer(require_scope("orders:read")))
//!     .layer(VerifyLayer::new(verifier))
//!     .route("/healthz", get(|| async { "open to everybody" }));
//! # Ok(app)
//! # }
//! # app().unwrap();
//! ```
//!
//! With any other `tower` service use the same layers; with none, [`Verifier::verify_request`] or
//! [`Verifier::verify_online`], and send [`Rejection::response_to`].
//!
//! # Testing a protected service
//! The feature `test-issuer` brings a real issuer in memory, which also makes every kind of wrong token:
//! ```
//! use countersign_verify::TestIssuer;
//!
//! let issuer = TestIssuer::new("https://id.test").audience("orders");
//! let verifier = issuer.verifier(); // give it to the service under test
//! assert!(verifier.verify(&issuer.token().sub("usr_1").role("admin").sign()).is_ok());
//! assert!(issuer.all_wrong().all(|(_, token)| verifier.verify(&token).is_err()));
//! ```
//!
//! # What is refused, and how
//! [`Rejection`] says in the log what was expected, what came, and what to do. The caller hears only what RFC 6750 asks
//! for: 401 for whatever is wrong with a token, 403 for missing rights, 400 for two tokens, and 503 (never 401) while the
//! verifier itself cannot judge.
//!
//! # Features
//! `axum` (default): extractors and `IntoResponse`. `test-issuer`: the issuer for tests; not for production.
#![deny(missing_docs)]

mod builder;
mod cache;
mod claims;
mod clock;
mod dpop;
mod feed;
mod following;
mod guard;
mod http;
mod introspect;
mod keys;
mod net;
mod random;
mod rejection;
mod revocation;
#[cfg(feature = "test-issuer")]
mod test_issuer;
mod text;
mod verifier;

pub use self::http::{
    AnswerBody, RequireLayer, RequireService, VerifyLayer, VerifyService, require_any_role, require_permission,
    require_role, require_scope,
};
#[cfg(feature = "axum")]
pub use self::http::{Name, Permission, Role, Scope};
pub use builder::{BuildError, NeedsAudience, VerifierBuilder};
pub use claims::Claims;
pub use clock::{Clock, Moment};
pub use dpop::{Dpop, DpopFault};
pub use keys::{FetchError, KeyStatus};
pub use rejection::{Rejection, Unclear};
#[cfg(feature = "test-issuer")]
#[doc(hidden)]
pub use revocation::{Names, Verdict, View};
pub use revocation::{Profile, RevocationEvent, RevocationStatus};
/// The examples of README.md are tests, too.
#[cfg(all(doctest, feature = "axum", feature = "test-issuer"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "test-issuer")]
pub use test_issuer::{TestIssuer, TestKey, TestServer, TestToken};
pub use verifier::{ReadyError, Verifier};

/// The JOSE library that the claims and keys come from.
pub use countersign_jose as jose;
