//! The header of one recipient: the union of what is protected, what all recipients share and what is the recipient's own.

use serde_json::{Map, Value};

use super::{ContentAlgorithm, KeyAlgorithm};
use crate::{
    Error, b64,
    error::clip,
    header::{critical, is_usable_kid},
};

pub(super) type Members = Map<String, Value>;

/// Members with a meaning here. A caller's own ones cannot have these names.
pub(super) const RESERVED: [&str; 14] =
    ["alg", "enc", "zip", "crit", "kid", "typ", "cty", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c"];

/// A header that passed every check that needs no key. `jwk`, `jku`, `x5u`, `x5c` and unknown members were checked as JSON and
/// are otherwise ignored: they never select a key (RFC 8725 §3.10).
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'m> {
    protected: &'m Members,
    shared: &'m Members,
    own: &'m Members,
}

impl<'m> Header<'m> {
    pub(super) fn join(protected: &'m Members, shared: &'m Members, own: &'m Members) -> Result<Self, Error> {
        let twice = own.keys().find(|name| protected.contains_key(*name) || shared.contains_key(*name));
        if let Some(name) = twice.or_else(|| shared.keys().find(|name| protected.contains_key(*name))) {
            return Err(Error::Duplicate { name: clip(name) });
        }
        let header = Self { protected, shared, own };
        header.check_critical()?;
        if header.member("zip").is_some() {
            return Err(Error::Compressed);
        }
        if header.kid()?.is_some_and(|kid| !is_usable_kid(kid)) {
            return Err(Error::HeaderMalformed { member: "kid" });
        }
        header.text("typ").and(header.text("cty"))?;
        Ok(header)
    }

    pub(super) fn alg(&self) -> Result<KeyAlgorithm, Error> {
        self.text("alg")?.ok_or(Error::HeaderMissing { member: "alg" })?.parse()
    }

    pub(super) fn enc(&self) -> Result<ContentAlgorithm, Error> {
        self.text("enc")?.ok_or(Error::HeaderMissing { member: "enc" })?.parse()
    }

    pub(super) fn kid(&self) -> Result<Option<&'m str>, Error> {
        self.text("kid")
    }

    /// A text of the protected header; what stands elsewhere can be changed by anybody and says nothing.
    pub(super) fn protected_text(&self, name: &str) -> Option<&'m str> {
        self.protected.get(name).and_then(Value::as_str)
    }

    pub(super) fn is_protected(&self, name: &str) -> bool {
        self.protected.contains_key(name)
    }

    pub(super) fn member(&self, name: &str) -> Option<&'m Value> {
        self.protected.get(name).or_else(|| self.shared.get(name)).or_else(|| self.own.get(name))
    }

    pub(super) fn text(&self, member: &'static str) -> Result<Option<&'m str>, Error> {
        match self.member(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::HeaderMalformed { member }),
        }
    }

    /// Bytes in base64url, at most `limit`; none if the member is absent.
    pub(super) fn bytes(&self, member: &'static str, limit: usize) -> Result<Vec<u8>, Error> {
        let text = self.text(member)?.unwrap_or_default();
        let malformed = Error::HeaderMalformed { member };
        if text.len() > b64::encoded_len(limit) {
            return Err(malformed);
        }
        b64::decode(text).map_err(|_| malformed)
    }

    /// No extension is understood, so that every list is refused (RFC 7516 §4.1.13); an unprotected one is none.
    fn check_critical(&self) -> Result<(), Error> {
        let Some(list) = self.member("crit") else { return Ok(()) };
        let names = list.as_array().filter(|_| self.is_protected("crit"));
        let names: Option<Vec<String>> =
            names.and_then(|names| names.iter().map(|name| name.as_str().map(Into::into)).collect());
        Err(names.map_or(Error::HeaderMalformed { member: "crit" }, |names| critical(&names)))
    }
}
