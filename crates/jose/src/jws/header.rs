//! The header of a signature that is made.

use serde_json::{Map, Value};

use crate::{Algorithm, Error, KeyError, b64, header::is_usable_kid, json::Writer};

/// Members that the library writes itself, or that only a protected header may have.
pub(super) const OWN: [&str; 3] = ["alg", "crit", "b64"];

/// What the header of a signature says beside `alg`, which is the key's, and `kid`, which is the key's unless it is set here.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Header {
    nameless: bool,
    protected: Map<String, Value>,
    unprotected: Map<String, Value>,
}

impl Header {
    /// A header that says nothing more.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves `kid` out.
    pub fn without_kid(mut self) -> Self {
        self.nameless = true;
        self
    }

    /// The type of the whole message (RFC 7515 §4.1.9).
    pub fn typ(self, typ: &str) -> Self {
        self.protected("typ", typ)
    }

    /// The type of the payload (RFC 7515 §4.1.10).
    pub fn cty(self, cty: &str) -> Self {
        self.protected("cty", cty)
    }

    /// A protected member. `alg`, `crit` and `b64` are refused when signing.
    pub fn protected(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.protected.insert(name.into(), value.into());
        self
    }

    /// A member that no signature covers: anybody may change it on the way. `alg`, `crit` and `b64` are refused when signing.
    pub fn unprotected(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.unprotected.insert(name.into(), value.into());
        self
    }

    pub(super) fn unprotected_members(&self) -> &Map<String, Value> {
        &self.unprotected
    }

    /// The protected header, encoded.
    pub(super) fn write(&self, alg: Algorithm, kid: Option<&str>, unencoded: bool) -> Result<String, Error> {
        self.check()?;
        let mut json = Writer::with_capacity(64);
        json.text_member("alg", alg.as_str());
        let kid = kid
            .filter(|_| !self.nameless && !self.protected.contains_key("kid") && !self.unprotected.contains_key("kid"));
        if let Some(kid) = kid {
            if !is_usable_kid(kid) {
                return Err(KeyError::Kid.into());
            }
            json.text_member("kid", kid);
        }
        for (name, value) in &self.protected {
            json.entry(name, value);
        }
        if unencoded {
            json.entry("b64", &Value::Bool(false));
            json.entry("crit", &Value::from(["b64"].as_slice()));
        }
        Ok(b64::encode(json.finish()))
    }

    /// What a verifier would refuse is not made.
    fn check(&self) -> Result<(), Error> {
        for name in OWN {
            if self.protected.contains_key(name) || self.unprotected.contains_key(name) {
                return Err(Error::HeaderMalformed { member: name });
            }
        }
        for (members, member) in [(&self.protected, "kid"), (&self.unprotected, "kid")] {
            if members.get(member).is_some_and(|kid| !kid.as_str().is_some_and(is_usable_kid)) {
                return Err(Error::HeaderMalformed { member });
            }
        }
        if self.protected.get("typ").is_some_and(|typ| !typ.is_string()) {
            return Err(Error::HeaderMalformed { member: "typ" });
        }
        match self.protected.keys().find(|name| self.unprotected.contains_key(*name)) {
            Some(name) => Err(Error::Duplicate { name: name.clone() }),
            None => Ok(()),
        }
    }
}
