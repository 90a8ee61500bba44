//! The DPoP proof (RFC 9449 §4.2).

use super::{Registered, claims, not_empty};
use crate::Error;

claims! {
    /// Claims of a DPoP proof (RFC 9449 §4.2). It has no `exp`: the verifier bounds the age of `iat`.
    DpopClaims {
        /// The proof's own id, used once.
        "jti" => jti: String,
        /// HTTP method.
        "htm" => htm: String,
        /// HTTP target without query and fragment.
        "htu" => htu: String,
        /// Issued at, in seconds since 1970.
        "iat" => iat: i64,
        /// Hash of the access token, base64url, at a resource server.
        "ath" => ath: Option<String>,
        /// The server's nonce, if it asked for one.
        "nonce" => nonce: Option<String>,
    }

    fn registered(&self) -> Registered<'_> {
        Registered { iat: Some(self.iat), ..Registered::default() }
    }

    fn rules(&self) -> Result<(), Error> {
        not_empty(&self.jti, "jti")?;
        not_empty(&self.htm, "htm")?;
        not_empty(&self.htu, "htu")
    }
}
