//! The access token (RFC 9068).

use serde_json::Value;

use super::{Audience, Basis, Org, Registered, claims, not_empty};
use crate::Error;

claims! {
    /// Claims of an access token (RFC 9068 §2.2). Times are seconds since 1970.
    AccessClaims {
        /// Issuer: the URL of the deployment.
        "iss" => iss: String,
        /// Subject: a user's id, or the client's own in a namespace that no user id reaches.
        "sub" => sub: String,
        /// Audience: the resource servers it is meant for.
        "aud" => aud: Audience,
        /// The client that it was issued to.
        "client_id" => client_id: String,
        /// The token's own id, never used again.
        "jti" => jti: String,
        /// The session it belongs to.
        "sid" => sid: Option<String>,
        /// Issued at.
        "iat" => iat: i64,
        /// Not valid before.
        "nbf" => nbf: Option<i64>,
        /// Expires at.
        "exp" => exp: i64,
        /// Revocation sequence number: the position in the log, in microseconds, when its authority was last checked.
        "rsn" => rsn: Option<i64>,
        /// Granted scope, names separated by spaces.
        "scope" => scope: Option<String>,
        /// Roles at the audience.
        "roles" => roles: Vec<String>,
        /// What those roles permit at the audience, if it wants to hear that.
        "permissions" => permissions: Vec<String>,
        /// The organisation that the subject acts for.
        "org" => org: Option<Org>,
        /// When the person last signed in.
        "auth_time" => auth_time: Option<i64>,
        /// How the person signed in (RFC 8176).
        "amr" => amr: Vec<String>,
        /// How strong that was.
        "acr" => acr: Option<String>,
        /// Tenant.
        "tid" => tid: Option<String>,
        /// The key it is bound to (RFC 7800), an object.
        "cnf" => cnf: Option<Value>,
        /// Who acts for the subject (RFC 8693 §4.1), an object.
        "act" => act: Option<Value>,
        /// The tokens that it was exchanged for, directly and before: it is dead when one of them is.
        "rests_on" => rests_on: Vec<Basis>,
    }

    fn registered(&self) -> Registered<'_> {
        Registered { iss: Some(&self.iss), aud: Some(&self.aud), exp: Some(self.exp), nbf: self.nbf, iat: Some(self.iat) }
    }

    fn rules(&self) -> Result<(), Error> {
        not_empty(&self.iss, "iss")?;
        not_empty(&self.sub, "sub")?;
        not_empty(&self.client_id, "client_id")?;
        not_empty(&self.jti, "jti")
    }
}
