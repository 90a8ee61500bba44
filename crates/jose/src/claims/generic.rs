//! Any JSON that two parties exchange.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Audience, Registered, claims};
use crate::Error;

claims! {
    /// The registered claims of RFC 7519 §4.1, each optional, and whatever else the two parties agreed on in
    /// [`extra`](Self::extra). Times are seconds since 1970.
    GenericClaims {
        /// Issuer.
        "iss" => iss: Option<String>,
        /// Subject.
        "sub" => sub: Option<String>,
        /// Audience.
        "aud" => aud: Option<Audience>,
        /// The token's own id.
        "jti" => jti: Option<String>,
        /// Issued at.
        "iat" => iat: Option<i64>,
        /// Not valid before.
        "nbf" => nbf: Option<i64>,
        /// Expires at.
        "exp" => exp: Option<i64>,
    }

    fn registered(&self) -> Registered<'_> {
        Registered { iss: self.iss.as_deref(), aud: self.aud.as_ref(), exp: self.exp, nbf: self.nbf, iat: self.iat }
    }
}

impl GenericClaims {
    /// Puts the members of a value that serializes to an object beside the registered claims.
    ///
    /// # Errors
    /// [`Error::ClaimMalformed`] if it is no object.
    pub fn with<T: Serialize>(mut self, value: &T) -> Result<Self, Error> {
        match serde_json::to_value(value) {
            Ok(Value::Object(members)) => self.extra.extend(members),
            _ => return Err(Error::ClaimMalformed { claim: "extra", expected: "an object" }),
        }
        Ok(self)
    }

    /// The custom claims as a type of the caller's.
    ///
    /// # Errors
    /// [`Error::ClaimMalformed`] if they do not fit it.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(Value::Object(self.extra.clone()))
            .map_err(|_| Error::ClaimMalformed { claim: "extra", expected: "what the caller's type asks for" })
    }
}
