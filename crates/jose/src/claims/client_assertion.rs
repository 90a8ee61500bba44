//! The client assertion (RFC 7523 §3, `private_key_jwt`).

use super::{Audience, Registered, claims, not_empty};
use crate::Error;

claims! {
    /// Claims with which a client proves who it is (RFC 7523 §3). Times are seconds since 1970.
    ClientAssertionClaims {
        /// The client's id.
        "iss" => iss: String,
        /// The client's id once more.
        "sub" => sub: String,
        /// The issuer's URL, one text: a list could name a second server that replays it (OAU-08).
        "aud" => aud: Audience,
        /// The assertion's own id, used once.
        "jti" => jti: String,
        /// Expires at.
        "exp" => exp: i64,
        /// Issued at.
        "iat" => iat: Option<i64>,
        /// Not valid before.
        "nbf" => nbf: Option<i64>,
    }

    fn registered(&self) -> Registered<'_> {
        Registered { iss: Some(&self.iss), aud: Some(&self.aud), exp: Some(self.exp), nbf: self.nbf, iat: self.iat }
    }

    fn rules(&self) -> Result<(), Error> {
        not_empty(&self.iss, "iss")?;
        not_empty(&self.jti, "jti")?;
        if self.iss != self.sub {
            return Err(Error::ClaimMalformed { claim: "sub", expected: "the client's id, the same as iss" });
        }
        if !matches!(self.aud, Audience::One(_)) {
            return Err(Error::ClaimMalformed { claim: "aud", expected: "one text" });
        }
        super::forbid(&self.extra, &["events", "htm", "htu", "nonce", "client_id"])
    }
}
