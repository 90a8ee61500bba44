//! The logout token (OpenID Connect Back-Channel Logout §2.4).

use serde_json::Value;

use super::{Audience, Registered, claims, not_empty};
use crate::Error;

/// The member that `events` of a logout token must have, with an object as its value.
pub const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

claims! {
    /// Claims of a logout token. Times are seconds since 1970.
    LogoutClaims {
        /// Issuer.
        "iss" => iss: String,
        /// Audience: the client.
        "aud" => aud: Audience,
        /// Issued at.
        "iat" => iat: i64,
        /// Expires at.
        "exp" => exp: i64,
        /// The token's own id.
        "jti" => jti: String,
        /// The event, an object with the member [`LOGOUT_EVENT`].
        "events" => events: Value,
        /// The subject whose sessions end; `sub`, `sid` or both are there.
        "sub" => sub: Option<String>,
        /// The session that ends.
        "sid" => sid: Option<String>,
    }

    fn registered(&self) -> Registered<'_> {
        Registered { iss: Some(&self.iss), aud: Some(&self.aud), exp: Some(self.exp), nbf: None, iat: Some(self.iat) }
    }

    fn rules(&self) -> Result<(), Error> {
        not_empty(&self.iss, "iss")?;
        not_empty(&self.jti, "jti")?;
        if !self.events.get(LOGOUT_EVENT).is_some_and(Value::is_object) {
            return Err(Error::ClaimMalformed { claim: "events", expected: "an object with the back-channel logout event" });
        }
        if self.sub.is_none() && self.sid.is_none() {
            return Err(Error::ClaimMissing { claim: "sub" });
        }
        super::forbid(&self.extra, &["nonce"])
    }
}
