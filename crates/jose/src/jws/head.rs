//! The headers of a signature that is read.

use serde_json::{Map, Value};

use super::header::OWN;
use crate::{
    Algorithm, Error,
    error::clip,
    header::{critical, is_usable_kid},
    json::Reader,
};

/// The headers of one signature. What is wrong with them refuses this signature; what is no header at all refuses the text.
pub(super) struct Head {
    pub(super) alg: Result<Algorithm, Error>,
    pub(super) kid: Option<String>,
    pub(super) protected: Map<String, Value>,
    /// Whether the payload is signed as it stands (RFC 7797 §3).
    pub(super) unencoded: bool,
}

impl Head {
    /// Reads both headers; `b64` is understood only where the caller allows it.
    pub(super) fn read(
        protected: Option<&[u8]>,
        unprotected: &Map<String, Value>,
        allow_unencoded: bool,
    ) -> Result<Self, Error> {
        let protected = protected.map(Reader::map).transpose()?.unwrap_or_default();
        // RFC 7515 §7.2.1: the names of the two are disjoint.
        if let Some(name) = protected.keys().find(|name| unprotected.contains_key(*name)) {
            return Err(Error::Duplicate { name: clip(name) });
        }
        let unencoded = match protected.get("b64") {
            None | Some(Value::Bool(true)) => false,
            Some(Value::Bool(false)) if allow_unencoded => true,
            Some(_) => return Err(Error::Unencoded),
        };
        let alg = usable(&protected, unprotected, allow_unencoded);
        // The id is a name to find a key by, so that it may stand in either header.
        let kid = protected.get("kid").or_else(|| unprotected.get("kid")).and_then(Value::as_str).map(Into::into);
        Ok(Self { alg, kid, protected, unencoded })
    }
}

/// The algorithm of a signature whose headers obey the rules.
fn usable(
    protected: &Map<String, Value>,
    unprotected: &Map<String, Value>,
    allow_unencoded: bool,
) -> Result<Algorithm, Error> {
    if let Some(member) = OWN.into_iter().find(|name| unprotected.contains_key(*name)) {
        return Err(Error::Unprotected { member: member.into() });
    }
    let alg = protected.get("alg").ok_or(Error::HeaderMissing { member: "alg" })?;
    let alg = alg.as_str().ok_or(Error::HeaderMalformed { member: "alg" })?.parse()?;
    for members in [protected, unprotected] {
        if members.get("kid").is_some_and(|kid| !kid.as_str().is_some_and(is_usable_kid)) {
            return Err(Error::HeaderMalformed { member: "kid" });
        }
        if members.get("typ").is_some_and(|typ| !typ.is_string()) {
            return Err(Error::HeaderMalformed { member: "typ" });
        }
    }
    check_critical(protected, allow_unencoded)?;
    Ok(alg)
}

/// RFC 7515 §4.1.11, RFC 7797 §6: `b64` is the one extension that is understood, and it must be listed to be false.
fn check_critical(protected: &Map<String, Value>, allow_unencoded: bool) -> Result<(), Error> {
    let malformed = || Error::HeaderMalformed { member: "crit" };
    let Some(crit) = protected.get("crit") else {
        let silent = protected.get("b64") == Some(&Value::Bool(false));
        return if silent { Err(malformed()) } else { Ok(()) };
    };
    let names = crit.as_array().ok_or_else(malformed)?;
    let names: Option<Vec<String>> = names.iter().map(|name| name.as_str().map(Into::into)).collect();
    let names = names.ok_or_else(malformed)?;
    if allow_unencoded && names == ["b64"] && protected.contains_key("b64") { Ok(()) } else { Err(critical(&names)) }
}
