//! The request object (RFC 9101): an authorization request that its client has signed.

use super::{Audience, Registered, claims, not_empty};
use crate::Error;

claims! {
    /// Claims of a request object (RFC 9101 §4). Times are seconds since 1970. The parameters of the request are in `extra`.
    RequestObjectClaims {
        /// The client's id.
        "iss" => iss: String,
        /// The issuer's URL.
        "aud" => aud: Audience,
        /// The client's id once more, as the parameter of the request.
        "client_id" => client_id: String,
        /// Expires at.
        "exp" => exp: i64,
        /// Issued at.
        "iat" => iat: Option<i64>,
        /// Not valid before.
        "nbf" => nbf: Option<i64>,
        /// The object's own id.
        "jti" => jti: Option<String>,
    }

    fn registered(&self) -> Registered<'_> {
        Registered { iss: Some(&self.iss), aud: Some(&self.aud), exp: Some(self.exp), nbf: self.nbf, iat: self.iat }
    }

    fn rules(&self) -> Result<(), Error> {
        not_empty(&self.iss, "iss")?;
        if self.iss != self.client_id {
            return Err(Error::ClaimMalformed { claim: "client_id", expected: "the client's id, the same as iss" });
        }
        // RFC 9101 §10.8: with `sub` it could pass for a client assertion; §4: no request within a request.
        super::forbid(&self.extra, &["sub", "events", "htm", "htu", "request", "request_uri"])
    }
}
