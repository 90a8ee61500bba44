//! The ID token (OpenID Connect Core §2).

use super::{Audience, Registered, claims, not_empty};
use crate::Error;

claims! {
    /// Claims of an ID token (OpenID Connect Core §2). Times are seconds since 1970.
    IdClaims {
        /// Issuer.
        "iss" => iss: String,
        /// Subject.
        "sub" => sub: String,
        /// Audience: the client.
        "aud" => aud: Audience,
        /// The client it was issued to, where `aud` names several.
        "azp" => azp: Option<String>,
        /// Issued at.
        "iat" => iat: i64,
        /// Expires at.
        "exp" => exp: i64,
        /// Not valid before.
        "nbf" => nbf: Option<i64>,
        /// The client's own value from the authorization request.
        "nonce" => nonce: Option<String>,
        /// When the person signed in.
        "auth_time" => auth_time: Option<i64>,
        /// How strong that was.
        "acr" => acr: Option<String>,
        /// How the person signed in (RFC 8176).
        "amr" => amr: Vec<String>,
        /// The session at the client.
        "sid" => sid: Option<String>,
        /// Half of the hash of the access token, base64url.
        "at_hash" => at_hash: Option<String>,
    }

    fn registered(&self) -> Registered<'_> {
        Registered { iss: Some(&self.iss), aud: Some(&self.aud), exp: Some(self.exp), nbf: self.nbf, iat: Some(self.iat) }
    }

    /// Untyped by custom, so its claims tell it apart: an issuer never signs itself in (that is a client assertion), and
    /// the marks of logout tokens, DPoP proofs and access tokens are forbidden.
    fn rules(&self) -> Result<(), Error> {
        not_empty(&self.iss, "iss")?;
        not_empty(&self.sub, "sub")?;
        if self.iss == self.sub {
            return Err(Error::ClaimMalformed { claim: "sub", expected: "a subject other than the issuer" });
        }
        super::forbid(&self.extra, &["events", "htm", "htu", "client_id"])
    }
}
