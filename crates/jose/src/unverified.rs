//! A token before and after its signature was checked, and before its claims were.

use std::fmt;

use crate::{Algorithm, Error, VerifyingKey, b64, header::Header, limits::MAX_TOKEN_BYTES};

/// A compact JWS whose text and header are well-formed. Nobody has vouched for it, so that it shows what is needed to pick a key
/// and nothing else: no claim can be read.
///
/// ```compile_fail,E0599
/// let token = countersign_jose::Unverified::parse("e30.e30.")?;
/// token.claims(); // there is no such thing before the signature held
/// # Ok::<(), countersign_jose::Error>(())
/// ```
/// ```compile_fail,E0616
/// let token = countersign_jose::Unverified::parse("e30.e30.")?;
/// token.body; // nor by another way
/// # Ok::<(), countersign_jose::Error>(())
/// ```
pub struct Unverified<'a> {
    signing_input: &'a str,
    header: Header,
    /// The decoded payload, and the signature after it.
    body: Vec<u8>,
    payload_len: usize,
}

impl<'a> Unverified<'a> {
    /// Reads a token of at most [`MAX_TOKEN_BYTES`].
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Character`], [`Error::Segments`], [`Error::Base64`], and for the header
    /// [`Error::Utf8`], [`Error::Json`], [`Error::Duplicate`], [`Error::Depth`], [`Error::Number`],
    /// [`Error::HeaderMissing`], [`Error::HeaderMalformed`], [`Error::AlgorithmUnknown`], [`Error::Critical`],
    /// [`Error::Unencoded`].
    pub fn parse(token: &'a str) -> Result<Self, Error> {
        Self::parse_up_to(token, MAX_TOKEN_BYTES)
    }

    /// Reads a token of at most `limit` bytes, for kinds of tokens that are longer (or shorter) than most.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_up_to(token: &'a str, limit: usize) -> Result<Self, Error> {
        check_length(token, limit)?;
        // Every part is decoded before any is parsed: a decoder that takes 64 characters checks the alphabet on the way.
        let parts = Parts::split(token).ok_or_else(|| text_error(token))?;
        let decoded = parts.decode().map_err(|_| text_error(token))?;
        Ok(Self {
            signing_input: parts.body.signing_input,
            header: Header::parse(decoded.header)?,
            body: decoded.body,
            payload_len: decoded.payload_len,
        })
    }

    /// The header as it stands in the token, with the dot after it.
    pub(crate) fn header_text(&self) -> &'a str {
        self.signing_input.split_inclusive('.').next().unwrap_or_default()
    }

    /// The algorithm that the header names. It selects nothing: the key's algorithm must be the same.
    pub fn alg(&self) -> Algorithm {
        self.header.alg
    }

    /// The key id in the header.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid()
    }

    /// The type in the header.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ()
    }

    /// Checks the signature with the key that the caller chose.
    ///
    /// # Errors
    /// [`Error::AlgorithmMismatch`] if the header names another algorithm than the key's, [`Error::UnknownKey`] if both have a
    /// `kid` and they differ, [`Error::Signature`].
    pub fn verify_signature(self, key: &VerifyingKey) -> Result<Authentic, Error> {
        if self.alg() != key.alg() {
            return Err(Error::AlgorithmMismatch { expected: key.alg(), got: self.alg() });
        }
        if let (Some(got), Some(expected)) = (self.kid(), key.kid())
            && got != expected
        {
            return Err(Error::UnknownKey { kid: Some(got.into()) });
        }
        key.verify_raw(self.signing_input.as_bytes(), &self.body[self.payload_len..])?;
        Ok(Authentic { header: self.header, body: self.body, payload_len: self.payload_len })
    }
}

/// A token whose signature held. Its claims are still unchecked and unread: [`Policy::check`](crate::Policy::check) reads them.
///
/// ```compile_fail,E0451
/// // Only `Unverified::verify_signature` makes one.
/// let forged = countersign_jose::Authentic { header: todo!(), body: Vec::new(), payload_len: 0 };
/// ```
pub struct Authentic {
    header: Header,
    body: Vec<u8>,
    payload_len: usize,
}

impl Authentic {
    /// The key id in the header.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid()
    }

    /// The type in the header.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ()
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.body[..self.payload_len]
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "Unverified", &self.header)
    }
}

impl fmt::Debug for Authentic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "Authentic", &self.header)
    }
}

fn describe(f: &mut fmt::Formatter<'_>, name: &str, header: &Header) -> fmt::Result {
    f.debug_struct(name)
        .field("alg", &header.alg)
        .field("kid", &header.kid())
        .field("typ", &header.typ())
        .finish_non_exhaustive()
}

struct Parts<'a> {
    header: &'a str,
    body: Body<'a>,
}

struct Decoded {
    header: Vec<u8>,
    body: Vec<u8>,
    payload_len: usize,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Option<Self> {
        let (header, _) = token.split_once('.')?;
        Some(Self { header, body: Body::split(token, header.len() + 1, 0)? })
    }

    fn decode(&self) -> Result<Decoded, Error> {
        let header = b64::decode(self.header)?;
        let mut body = vec![0; self.body.room()];
        let (payload_len, signature_len) = self.body.decode(&mut body)?;
        body.truncate(payload_len + signature_len);
        Ok(Decoded { header, body, payload_len })
    }
}

/// What follows the header.
pub(crate) struct Body<'a> {
    pub(crate) signing_input: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Body<'a> {
    /// Splits a token whose header has this length, the dot included. With a signature of so many bytes, as a key's are, the other
    /// dot is where it must be; otherwise it is searched. More dots are left for the decoder to refuse.
    #[inline]
    pub(crate) fn split(token: &'a str, header: usize, signature: usize) -> Option<Self> {
        let dot = match expected_dot(token, header, signature) {
            Some(dot) => dot,
            None => header + token.get(header..)?.rfind('.')?,
        };
        Some(Self {
            signing_input: token.get(..dot)?,
            payload: token.get(header..dot)?,
            signature: token.get(dot + 1..)?,
        })
    }

    /// How many bytes it takes to [`decode`](Self::decode).
    #[inline]
    pub(crate) fn room(&self) -> usize {
        b64::room(self.payload.len()) + b64::room(self.signature.len())
    }

    /// Writes the payload and the signature one after the other; the length of each.
    ///
    /// # Errors
    /// [`Error::Base64`].
    #[inline]
    pub(crate) fn decode(&self, room: &mut [u8]) -> Result<(usize, usize), Error> {
        let payload = b64::decode_to(room, self.payload.as_bytes())?;
        let signature = b64::decode_to(room.get_mut(payload..).unwrap_or_default(), self.signature.as_bytes())?;
        Ok((payload, signature))
    }
}

/// Where the dot stands before a signature of so many bytes, if there is one.
#[inline]
fn expected_dot(token: &str, header: usize, signature: usize) -> Option<usize> {
    let at = token.len().checked_sub(b64::encoded_len(signature) + 1)?;
    (at >= header && token.as_bytes()[at] == b'.').then_some(at)
}

/// # Errors
/// [`Error::TooLong`].
#[inline]
pub(crate) fn check_length(token: &str, limit: usize) -> Result<(), Error> {
    if token.len() > limit { Err(Error::TooLong { bytes: token.len(), limit }) } else { Ok(()) }
}

/// Says what is wrong with a text that did not split or decode.
#[cold]
pub(crate) fn text_error(token: &str) -> Error {
    if let Some(at) = foreign_character(token) {
        return Error::Character { at };
    }
    match token.split('.').count() {
        3 => Error::Base64,
        got => Error::Segments { got },
    }
}

/// Where the first byte stands that is in no compact serialization.
pub(crate) fn foreign_character(token: &str) -> Option<usize> {
    token.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_is_found_where_the_signature_says_or_wherever_it_is() {
        // Three bytes of signature are four characters.
        for (text, payload, signature) in [
            ("aaaa.bbbbbb.cccc", "bbbbbb", "cccc"),
            ("aaaa.bbbbbb.ccccc", "bbbbbb", "ccccc"),
            ("aaaa.bbbbbb.", "bbbbbb", ""),
            ("aaaa..cccc", "", "cccc"),
            ("aaaa.bb.bb.cccc", "bb.bb", "cccc"),
        ] {
            for expected in [3, 0, 1, 100] {
                let body = Body::split(text, 5, expected).unwrap();
                assert_eq!((body.payload, body.signature), (payload, signature), "{text}");
                assert_eq!(body.signing_input, &text[..5 + payload.len()], "{text}");
                assert_eq!(body.room(), b64::room(payload.len()) + b64::room(signature.len()));
            }
        }
        // A dot too many is left for the decoder to refuse, on one side or the other.
        assert_eq!(Body::split("aaaa.bbbbbb.cc.c", 5, 3).map(|body| body.signature), Some("cc.c"));
        assert_eq!(Body::split("aaaa.bbbbbb.cc.c", 5, 0).map(|body| body.payload), Some("bbbbbb.cc"));
        assert_eq!(expected_dot("aaaa.bbbbbb.cccc", 5, 3), Some(11));
        assert_eq!(expected_dot("aaaa.bbbbbb.cccc", 5, 2), None);
        assert_eq!(expected_dot("aaaa.cccc", 5, 3), None, "the dot of the header");
        assert_eq!(expected_dot("aaaa..cccc", 5, 3), Some(5));
        for text in ["aaaa", "aaaa.", "aaaa.bbbb", "a.cccc", ""] {
            assert!(Body::split(text, 5, 3).is_none(), "{text}");
        }
    }
}
