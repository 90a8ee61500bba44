//! An encrypted message as text: compact (RFC 7516 §7.1), flattened and general (§7.2).

use std::mem;

use serde_json::Value;

use super::{
    content::Body,
    header::{Header, Members},
};
use crate::{Error, b64, json::Reader, limits::MAX_RECIPIENTS, unverified::foreign_character};

/// A message whose text is well-formed. Nothing in it is known to be true.
#[derive(Debug)]
pub(super) struct Message {
    /// The protected header as it was received, which is what is authenticated.
    protected_text: String,
    protected: Members,
    shared: Members,
    pub(super) recipients: Vec<Recipient>,
    pub(super) body: Body,
    /// Additional authenticated data, as it was received.
    aad_text: Option<String>,
}

#[derive(Debug)]
pub(super) struct Recipient {
    own: Members,
    pub(super) encrypted_key: Vec<u8>,
}

impl Message {
    /// Reads a compact message. Three parts are a signed token, which is never taken for an encrypted one (TOK-10).
    pub(super) fn compact(text: &str, limit: usize) -> Result<Self, Error> {
        check_length(text, limit)?;
        if let Some(at) = foreign_character(text) {
            return Err(Error::Character { at });
        }
        let parts: Vec<&str> = text.split('.').take(6).collect();
        let [protected, encrypted_key, iv, ciphertext, tag] = parts[..] else {
            return Err(Error::NotEncrypted { got: text.split('.').count() });
        };
        Ok(Self {
            protected_text: protected.into(),
            protected: Reader::map(&b64::decode(protected)?)?,
            shared: Members::new(),
            recipients: vec![Recipient { own: Members::new(), encrypted_key: b64::decode(encrypted_key)? }],
            body: Body { iv: b64::decode(iv)?, ciphertext: b64::decode(ciphertext)?, tag: b64::decode(tag)? },
            aad_text: None,
        })
    }

    /// Reads a message in one of the two JSON serializations. Members without a meaning are ignored, those of a signature are not.
    pub(super) fn general(text: &str, limit: usize) -> Result<Self, Error> {
        check_length(text, limit)?;
        let mut members = Reader::map(text.as_bytes())?;
        if let Some(member) =
            ["payload", "signatures", "signature"].into_iter().find(|name| members.contains_key(*name))
        {
            return Err(Error::Member { member });
        }
        let protected_text = text_member(&mut members, "protected")?.unwrap_or_default();
        let protected =
            if protected_text.is_empty() { Members::new() } else { Reader::map(&b64::decode(&protected_text)?)? };
        let aad_text = text_member(&mut members, "aad")?;
        if let Some(text) = &aad_text {
            b64::decode(text)?;
        }
        Ok(Self {
            protected_text,
            protected,
            shared: object_member(&mut members, "unprotected")?,
            recipients: recipients(&mut members)?,
            body: Body {
                iv: bytes_member(&mut members, "iv")?,
                ciphertext: ciphertext(&mut members)?,
                tag: bytes_member(&mut members, "tag")?,
            },
            aad_text,
        })
    }

    /// The headers of all recipients. They agree on what encrypts the content (RFC 7516 §7.2.1).
    pub(super) fn headers(&self) -> Result<Vec<Header<'_>>, Error> {
        let joined = self.recipients.iter().map(|each| Header::join(&self.protected, &self.shared, &each.own));
        let headers: Vec<_> = joined.collect::<Result<_, _>>()?;
        let differs = |header: &Header<'_>| header.member("enc") != headers[0].member("enc");
        if headers.iter().any(differs) {
            return Err(Error::HeaderMalformed { member: "enc" });
        }
        Ok(headers)
    }

    /// RFC 7516 §5.1 step 14.
    pub(super) fn authenticated(&self) -> Vec<u8> {
        authenticated(&self.protected_text, self.aad_text.as_deref())
    }

    /// The additional authenticated data, decoded.
    pub(super) fn aad(&self) -> Result<Option<Vec<u8>>, Error> {
        self.aad_text.as_ref().map(b64::decode).transpose()
    }
}

/// What the tag covers besides the content: the protected header, and additional data after a dot, both encoded.
pub(super) fn authenticated(protected: &str, aad: Option<&str>) -> Vec<u8> {
    match aad {
        Some(aad) => [protected, ".", aad].concat().into_bytes(),
        None => protected.into(),
    }
}

fn check_length(text: &str, limit: usize) -> Result<(), Error> {
    if text.len() > limit { Err(Error::TooLong { bytes: text.len(), limit }) } else { Ok(()) }
}

fn recipients(members: &mut Members) -> Result<Vec<Recipient>, Error> {
    let Some(list) = members.remove("recipients") else { return Ok(vec![recipient(members)?]) };
    for member in ["header", "encrypted_key"] {
        if members.contains_key(member) {
            return Err(Error::Member { member });
        }
    }
    let Value::Array(list) = list else { return Err(Error::Member { member: "recipients" }) };
    if !(1..=MAX_RECIPIENTS).contains(&list.len()) {
        return Err(Error::Recipients { got: list.len() });
    }
    let each = |value| match value {
        Value::Object(mut members) => recipient(&mut members),
        _ => Err(Error::Member { member: "recipients" }),
    };
    list.into_iter().map(each).collect()
}

fn recipient(members: &mut Members) -> Result<Recipient, Error> {
    Ok(Recipient { own: object_member(members, "header")?, encrypted_key: bytes_member(members, "encrypted_key")? })
}

/// A text; it is left out where it would be empty (RFC 7516 §7.2.1), so that an empty one is malformed.
fn text_member(members: &mut Members, member: &'static str) -> Result<Option<String>, Error> {
    match members.remove(member) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(Error::Member { member }),
    }
}

fn bytes_member(members: &mut Members, member: &'static str) -> Result<Vec<u8>, Error> {
    b64::decode(text_member(members, member)?.unwrap_or_default())
}

/// The one member that is always there, even if it is empty.
fn ciphertext(members: &mut Members) -> Result<Vec<u8>, Error> {
    match members.get_mut("ciphertext").map(mem::take) {
        Some(Value::String(text)) => b64::decode(text),
        _ => Err(Error::Member { member: "ciphertext" }),
    }
}

fn object_member(members: &mut Members, member: &'static str) -> Result<Members, Error> {
    match members.remove(member) {
        None => Ok(Members::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(Error::Member { member }),
    }
}
