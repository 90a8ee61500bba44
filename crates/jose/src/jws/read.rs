//! From a text to a message that nobody has vouched for yet.

use std::{borrow::Cow, fmt};

use serde_json::{Map, Value};

use super::{fits_compact, head::Head};
use crate::{
    Algorithm, Error, b64,
    json::Reader,
    limits::{MAX_JWS_BYTES, MAX_SIGNATURES},
    unverified::text_error,
};

/// A signed message whose text and headers are well-formed. Nobody has vouched for it: the payload cannot be read.
pub struct UnverifiedJws<'p> {
    pub(super) payload: Cow<'p, [u8]>,
    pub(super) unencoded: bool,
    pub(super) candidates: Vec<Candidate>,
}

/// One signature with its headers.
pub(super) struct Candidate {
    /// As it stands in the text.
    pub(super) protected: String,
    pub(super) head: Head,
    pub(super) signature: Vec<u8>,
}

/// How a message is read.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Options<'p> {
    max_bytes: usize,
    unencoded: bool,
    detached: Option<&'p [u8]>,
}

/// What one signature of an unverified message says of itself, to be shown and not to be trusted.
#[derive(Debug, Clone)]
pub struct SignatureInfo<'a> {
    /// The algorithm that its protected header names, or why the signature cannot be considered.
    pub alg: Result<Algorithm, Error>,
    /// Its key id, from either header.
    pub kid: Option<&'a str>,
    /// Its protected header.
    pub protected: &'a Map<String, Value>,
}

impl UnverifiedJws<'static> {
    /// Reads a message of at most [`MAX_JWS_BYTES`] that has an encoded payload with it, in any serialization.
    ///
    /// # Errors
    /// As [`Options::parse`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Options::new().parse(text)
    }
}

impl UnverifiedJws<'_> {
    /// The signatures, in their order.
    pub fn signatures(&self) -> impl ExactSizeIterator<Item = SignatureInfo<'_>> {
        self.candidates.iter().map(|candidate| {
            let Head { alg, kid, protected, .. } = &candidate.head;
            SignatureInfo { alg: alg.clone(), kid: kid.as_deref(), protected }
        })
    }
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'p> Options<'p> {
    /// A message of at most [`MAX_JWS_BYTES`] with its payload, encoded.
    pub const fn new() -> Self {
        Self { max_bytes: MAX_JWS_BYTES, unencoded: false, detached: None }
    }

    /// The longest text that is read, in bytes.
    pub const fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Allows payloads that are not encoded (`b64: false`, RFC 7797).
    pub const fn allow_unencoded(mut self) -> Self {
        self.unencoded = true;
        self
    }

    /// The payload, which the text must then not have (RFC 7515 §F).
    pub const fn detached(mut self, payload: &'p [u8]) -> Self {
        self.detached = Some(payload);
        self
    }

    /// Reads a message in any serialization; which one shows in its first character.
    ///
    /// # Errors
    /// [`Error::TooLong`]; for the compact serialization [`Error::Character`], [`Error::Segments`], [`Error::Base64`]; for the others those
    /// of the JSON text, [`Error::Member`], [`Error::SignatureCount`]; for headers [`Error::Utf8`], [`Error::Json`],
    /// [`Error::Duplicate`], [`Error::Depth`], [`Error::Number`], [`Error::Unencoded`], [`Error::EncodingMixed`]; [`Error::PayloadDetached`],
    /// [`Error::PayloadPresent`]; and where there is only one signature, why its headers refuse it: [`Error::HeaderMissing`],
    /// [`Error::HeaderMalformed`], [`Error::AlgorithmUnknown`], [`Error::Critical`], [`Error::Unprotected`].
    pub fn parse(self, text: &str) -> Result<UnverifiedJws<'p>, Error> {
        if text.len() > self.max_bytes {
            return Err(Error::TooLong { bytes: text.len(), limit: self.max_bytes });
        }
        let jws = if text.trim_start().starts_with('{') { self.json(text) } else { self.compact(text) }?;
        match jws.candidates.as_slice() {
            [only] => only.head.alg.clone().map(|_| jws),
            _ => Ok(jws),
        }
    }

    fn compact(self, text: &str) -> Result<UnverifiedJws<'p>, Error> {
        let parts = text.split_once('.').and_then(|(head, rest)| Some((head, rest.rsplit_once('.')?)));
        let (protected, (payload, signature)) = parts.ok_or_else(|| text_error(text))?;
        let decoded = b64::decode(protected).map_err(|_| text_error(text))?;
        let head = Head::read(Some(&decoded), &Map::new(), self.unencoded)?;
        let unencoded = head.unencoded;
        let signature = b64::decode(signature).map_err(|error| if unencoded { error } else { text_error(text) })?;
        let payload = match self.detached {
            Some(detached) if payload.is_empty() => Cow::Borrowed(detached),
            Some(_) => return Err(Error::PayloadPresent),
            None if unencoded && !fits_compact(payload.as_bytes()) => return Err(Error::PayloadText),
            None if unencoded => Cow::Owned(payload.as_bytes().to_vec()),
            None => Cow::Owned(b64::decode(payload).map_err(|_| text_error(text))?),
        };
        let candidate = Candidate { protected: protected.into(), head, signature };
        Ok(UnverifiedJws { payload, unencoded, candidates: vec![candidate] })
    }

    fn json(self, text: &str) -> Result<UnverifiedJws<'p>, Error> {
        let members = Reader::map(text.as_bytes())?;
        // An encrypted message is not a signed one, whatever else it has.
        if let Some(member) = ["ciphertext", "recipients"].into_iter().find(|name| members.contains_key(*name)) {
            return Err(Error::Member { member });
        }
        let candidates = self.candidates(&members)?;
        let unencoded = candidates.iter().any(|candidate| candidate.head.unencoded);
        if candidates.iter().any(|candidate| candidate.head.unencoded != unencoded) {
            return Err(Error::EncodingMixed);
        }
        let payload = match (self.detached, text_of(&members, "payload")?) {
            (Some(detached), None) => Cow::Borrowed(detached),
            (Some(_), Some(_)) => return Err(Error::PayloadPresent),
            (None, None) => return Err(Error::PayloadDetached),
            (None, Some(payload)) if unencoded => Cow::Owned(payload.as_bytes().to_vec()),
            (None, Some(payload)) => Cow::Owned(b64::decode(payload)?),
        };
        Ok(UnverifiedJws { payload, unencoded, candidates })
    }

    /// The signatures of a general message, or the one of a flattened (RFC 7515 §7.2).
    fn candidates(self, members: &Map<String, Value>) -> Result<Vec<Candidate>, Error> {
        let Some(signatures) = members.get("signatures") else { return Ok(vec![self.candidate(members)?]) };
        if let Some(member) = ["signature", "protected", "header"].into_iter().find(|name| members.contains_key(*name))
        {
            return Err(Error::Member { member });
        }
        let malformed = || Error::Member { member: "signatures" };
        let signatures = signatures.as_array().ok_or_else(malformed)?;
        if !(1..=MAX_SIGNATURES).contains(&signatures.len()) {
            return Err(Error::SignatureCount { got: signatures.len() });
        }
        signatures.iter().map(|each| self.candidate(each.as_object().ok_or_else(malformed)?)).collect()
    }

    fn candidate(self, members: &Map<String, Value>) -> Result<Candidate, Error> {
        let signature = b64::decode(text_of(members, "signature")?.ok_or(Error::Member { member: "signature" })?)?;
        let protected = text_of(members, "protected")?;
        // RFC 7515 §7.2.1: a header that is empty is absent.
        let decoded = match protected {
            Some("") => return Err(Error::Member { member: "protected" }),
            protected => protected.map(b64::decode).transpose()?,
        };
        let none = Map::new();
        let unprotected = match members.get("header") {
            None => &none,
            Some(Value::Object(header)) => header,
            Some(_) => return Err(Error::Member { member: "header" }),
        };
        let head = Head::read(decoded.as_deref(), unprotected, self.unencoded)?;
        Ok(Candidate { protected: protected.unwrap_or_default().into(), head, signature })
    }
}

fn text_of<'m>(members: &'m Map<String, Value>, member: &'static str) -> Result<Option<&'m str>, Error> {
    match members.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::Member { member }),
    }
}

impl fmt::Debug for UnverifiedJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJws")
            .field("signatures", &self.signatures().map(|info| (info.alg, info.kid)).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
