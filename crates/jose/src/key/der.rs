//! As much DER as keys need: elements are read by the `der` crate (definite, shortest lengths only), and what they must be in
//! order to be a key is said here.

use der::{
    Reader, SliceReader, Tag, TagNumber, Tagged,
    asn1::{AnyRef, ObjectIdentifier, UintRef},
};
use zeroize::Zeroizing;

use crate::KeyError;

/// The forms that a key in DER can have, told apart by their first two elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    Spki,
    /// RSAPublicKey (RFC 8017 §A.1.1).
    Pkcs1Public,
    /// PrivateKeyInfo, OneAsymmetricKey (RFC 5208, RFC 5958).
    Pkcs8,
    /// EncryptedPrivateKeyInfo (RFC 5958 §3).
    Encrypted,
    /// RSAPrivateKey (RFC 8017 §A.1.2).
    Pkcs1Private,
    /// ECPrivateKey (RFC 5915).
    Sec1,
    /// X.509 (RFC 5280 §4.1).
    Certificate,
}

/// The form of a text that is one whole element and begins as a key does.
pub(crate) fn form(der: &[u8]) -> Option<Form> {
    let mut elements = Elements::of(der).ok()?;
    let (first, second) = (elements.any().ok()?, elements.any().ok()?);
    match (first.tag(), second.tag()) {
        (Tag::Integer, Tag::Sequence) => Some(Form::Pkcs8),
        (Tag::Integer, Tag::OctetString) => Some(Form::Sec1),
        (Tag::Integer, Tag::Integer) if first.value().len() < 2 => Some(Form::Pkcs1Private),
        (Tag::Integer, Tag::Integer) => Some(Form::Pkcs1Public),
        (Tag::Sequence, Tag::BitString) => Some(Form::Spki),
        (Tag::Sequence, Tag::OctetString) => Some(Form::Encrypted),
        (Tag::Sequence, Tag::Sequence) => Some(Form::Certificate),
        _ => None,
    }
}

/// The elements of a sequence, one after the other.
pub(super) struct Elements<'a>(SliceReader<'a>);

impl<'a> Elements<'a> {
    /// Opens a text that is one sequence and nothing else.
    pub(super) fn of(der: &'a [u8]) -> Result<Self, KeyError> {
        let mut whole = Self::inside(der)?;
        let sequence = whole.next(Tag::Sequence)?;
        whole.end()?;
        Self::inside(sequence)
    }

    /// Opens the content of an element.
    pub(super) fn inside(content: &'a [u8]) -> Result<Self, KeyError> {
        SliceReader::new(content).map(Self).map_err(|_| KeyError::Der)
    }

    /// The content of the next element, which must have this tag.
    pub(super) fn next(&mut self, tag: Tag) -> Result<&'a [u8], KeyError> {
        let element = self.any()?;
        if element.tag() == tag { Ok(element.value()) } else { Err(KeyError::Der) }
    }

    pub(super) fn any(&mut self) -> Result<AnyRef<'a>, KeyError> {
        self.0.decode().map_err(|_| KeyError::Der)
    }

    /// The content of the next element if it has this tag.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, KeyError> {
        let fits = !self.0.is_finished() && self.0.peek_tag().map_err(|_| KeyError::Der)? == tag;
        if fits { self.next(tag).map(Some) } else { Ok(None) }
    }

    /// A number that is not negative, big-endian without leading zeros.
    pub(super) fn integer(&mut self) -> Result<&'a [u8], KeyError> {
        let number: UintRef<'a> = self.0.decode().map_err(|_| KeyError::Der)?;
        Ok(number.as_bytes())
    }

    pub(super) fn oid(&mut self) -> Result<ObjectIdentifier, KeyError> {
        self.0.decode().map_err(|_| KeyError::Der)
    }

    /// A string of whole bytes.
    pub(super) fn bit_string(&mut self) -> Result<&'a [u8], KeyError> {
        whole_bytes(self.next(Tag::BitString)?)
    }

    /// The next element with its tag and length.
    pub(super) fn raw(&mut self) -> Result<&'a [u8], KeyError> {
        self.0.tlv_bytes().map_err(|_| KeyError::Der)
    }

    pub(super) fn end(self) -> Result<(), KeyError> {
        if self.0.is_finished() { Ok(()) } else { Err(KeyError::Der) }
    }
}

/// The bytes of a BIT STRING's content, if no bit of the last one is unused.
pub(super) fn whole_bytes(content: &[u8]) -> Result<&[u8], KeyError> {
    match content.split_first() {
        Some((0, bytes)) => Ok(bytes),
        _ => Err(KeyError::Der),
    }
}

/// `[number]`, EXPLICIT or of a constructed type.
pub(super) fn constructed(number: TagNumber) -> Tag {
    Tag::ContextSpecific { constructed: true, number }
}

/// `[number]` IMPLICIT of a type that is not constructed.
pub(super) fn primitive(number: TagNumber) -> Tag {
    Tag::ContextSpecific { constructed: false, number }
}

/// What is written may be a private key.
pub(super) type Written = Zeroizing<Vec<u8>>;

/// An element with this content.
pub(super) fn element(tag: Tag, parts: &[&[u8]]) -> Written {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(len + 6));
    out.push(tag.octet());
    match u8::try_from(len) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = len.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            out.push(0x80 | bytes[zeros..].len().to_le_bytes()[0]);
            out.extend_from_slice(&bytes[zeros..]);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(super) fn sequence(parts: &[&[u8]]) -> Written {
    element(Tag::Sequence, parts)
}

/// A number that is not negative.
pub(super) fn integer(big_endian: &[u8]) -> Written {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    let digits = &big_endian[zeros..];
    let sign: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    element(Tag::Integer, &[sign, digits])
}

pub(super) fn bit_string(bytes: &[u8]) -> Written {
    element(Tag::BitString, &[&[0], bytes])
}

pub(super) fn oid(oid: &ObjectIdentifier) -> Written {
    element(Tag::ObjectIdentifier, &[oid.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_elements_with_the_shortest_length_are_read() {
        let key = [0x30, 7, 2, 2, 0, 0xc1, 2, 1, 3];
        let read = |der: &[u8]| -> Result<(Vec<u8>, Vec<u8>), KeyError> {
            let mut elements = Elements::of(der)?;
            let numbers = (elements.integer()?.to_vec(), elements.integer()?.to_vec());
            elements.end().map(|()| numbers)
        };
        assert_eq!(read(&key), Ok((vec![0xc1], vec![3])));
        for cut in 0..key.len() {
            assert_eq!(read(&key[..cut]), Err(KeyError::Der));
        }
        for text in [
            &[0x30, 7, 2, 2, 0, 0xc1, 2, 1, 3, 0][..],   // more behind it
            &[0x30, 0x81, 7, 2, 2, 0, 0xc1, 2, 1, 3],    // a longer length than needed
            &[0x30, 0x80, 2, 2, 0, 0xc1, 2, 1, 3, 0, 0], // BER: an open end
            &[0x30, 8, 2, 3, 0, 0, 0xc1, 2, 1, 3],       // a longer number than needed
            &[0x30, 6, 2, 1, 0xc1, 2, 1, 3],             // a negative number
            &[0x31, 7, 2, 2, 0, 0xc1, 2, 1, 3],          // a set
            &[0x30, 0x84, 0, 0, 0, 0],
            &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(read(text), Err(KeyError::Der), "{text:x?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for len in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; len];
            let text = sequence(&[&element(Tag::OctetString, &[&content])]);
            let mut elements = Elements::of(&text).unwrap();
            assert_eq!(elements.next(Tag::OctetString), Ok(&content[..]));
            assert_eq!(elements.end(), Ok(()));
        }
        for (number, written) in
            [(&[0, 0][..], &[2, 1, 0][..]), (&[0, 0x7f], &[2, 1, 0x7f]), (&[0x80], &[2, 2, 0, 0x80])]
        {
            assert_eq!(integer(number).as_slice(), written);
        }
    }
}
