//! Kinds of tokens. Each fixes `typ`, the required and the forbidden claims, so that none passes for another (RFC 8725
//! §3.11, §3.12).

use std::fmt::Debug;

use crate::{
    claims::{
        AccessClaims, Claims, ClientAssertionClaims, DpopClaims, FeedClaims, FeedTimeClaims, GenericClaims, IdClaims,
        LogoutClaims, RequestObjectClaims,
    },
    limits,
    verifier::{Missing, Requirement, Unused},
};

/// A kind of token. Implement it to give tokens of your own a `typ` and a claims type of their own.
///
/// ```
/// use countersign_jose::{GenericClaims, profile::Profile, Missing};
///
/// /// A receipt that the shop signs for the warehouse.
/// #[derive(Debug, Clone, Copy)]
/// struct Receipt;
///
/// impl Profile for Receipt {
///     type Claims = GenericClaims;
///     type Issuer = Missing; // a verifier cannot be built before it is set
///     type Audience = Missing;
///     const TYP: &'static str = "receipt+jwt";
/// }
/// ```
pub trait Profile: Debug + Clone + Copy + Send + Sync + 'static {
    /// The claims that it carries.
    type Claims: Claims;
    /// [`Missing`] if a verifier must name the issuer, [`Unused`] if the kind has no `iss`.
    type Issuer: Requirement;
    /// [`Missing`] if a verifier must name the audience, [`Unused`] if the kind has no `aud`.
    type Audience: Requirement;
    /// `typ` as it is written. It and `application/…` before it are accepted, exactly (RFC 7515 §4.1.9).
    const TYP: &'static str;
    /// Whether an absent `typ` and a plain `JWT` are accepted too, as in kinds that are older than RFC 8725.
    const UNTYPED: bool = false;
    /// Whether `exp` must be there.
    const EXPIRES: bool = true;
    /// Longest text that is read, in bytes.
    const MAX_BYTES: usize = limits::MAX_TOKEN_BYTES;
}

/// Access token (RFC 9068).
#[derive(Debug, Clone, Copy)]
pub struct AccessToken;

impl Profile for AccessToken {
    type Claims = AccessClaims;
    type Issuer = Missing;
    type Audience = Missing;
    const TYP: &'static str = "at+jwt";
}

/// ID token (OpenID Connect Core §2).
#[derive(Debug, Clone, Copy)]
pub struct IdToken;

impl Profile for IdToken {
    type Claims = IdClaims;
    type Issuer = Missing;
    type Audience = Missing;
    const TYP: &'static str = "JWT";
    const UNTYPED: bool = true;
}

/// Logout token (OpenID Connect Back-Channel Logout §2.4).
#[derive(Debug, Clone, Copy)]
pub struct LogoutToken;

impl Profile for LogoutToken {
    type Claims = LogoutClaims;
    type Issuer = Missing;
    type Audience = Missing;
    const TYP: &'static str = "logout+jwt";
}

/// DPoP proof (RFC 9449 §4.2). It brings its own key, so a server checks it with [`dpop::Checker`](crate::dpop::Checker) and a
/// client makes it with [`dpop::sign`](crate::dpop::sign); a verifier of this kind with a key of its own is for looking at one.
#[derive(Debug, Clone, Copy)]
pub struct DpopProof;

impl Profile for DpopProof {
    type Claims = DpopClaims;
    type Issuer = Unused;
    type Audience = Unused;
    const TYP: &'static str = "dpop+jwt";
    const EXPIRES: bool = false;
    const MAX_BYTES: usize = limits::MAX_PROOF_BYTES;
}

/// Client assertion (RFC 7523 §3). Its issuer is the client's id.
#[derive(Debug, Clone, Copy)]
pub struct ClientAssertion;

impl Profile for ClientAssertion {
    type Claims = ClientAssertionClaims;
    type Issuer = Missing;
    type Audience = Missing;
    const TYP: &'static str = "client-authentication+jwt";
    const UNTYPED: bool = true;
}

/// Request object (RFC 9101): an authorization request that its client has signed. Its issuer is the client's id.
#[derive(Debug, Clone, Copy)]
pub struct RequestObject;

impl Profile for RequestObject {
    type Claims = RequestObjectClaims;
    type Issuer = Missing;
    type Audience = Missing;
    const TYP: &'static str = "oauth-authz-req+jwt";
    const UNTYPED: bool = true;
}

/// A batch of the revocation feed.
#[derive(Debug, Clone, Copy)]
pub struct FeedBatch;

impl Profile for FeedBatch {
    type Claims = FeedClaims;
    type Issuer = Missing;
    type Audience = Unused;
    const TYP: &'static str = "rlb+jwt";
    const EXPIRES: bool = false;
    const MAX_BYTES: usize = limits::MAX_FEED_BATCH_BYTES;
}

/// A time anchor of the revocation feed.
#[derive(Debug, Clone, Copy)]
pub struct FeedTime;

impl Profile for FeedTime {
    type Claims = FeedTimeClaims;
    type Issuer = Missing;
    type Audience = Unused;
    const TYP: &'static str = "rlt+jwt";
    const EXPIRES: bool = false;
}

/// Any JSON between two parties. It has a `typ` of its own, so that no other kind passes for it; a verifier of foreign tokens
/// that carry `JWT` or nothing says so with [`accept_untyped`](crate::verifier::Builder::accept_untyped).
#[derive(Debug, Clone, Copy)]
pub struct Generic;

impl Profile for Generic {
    type Claims = GenericClaims;
    type Issuer = Missing;
    type Audience = Missing;
    const TYP: &'static str = "generic+jwt";
}
