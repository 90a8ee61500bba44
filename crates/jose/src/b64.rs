//! Base64url without padding (RFC 4648 §5, RFC 7515 §2), canonical only: one text for each byte string.

use base64_simd::{Out, URL_SAFE_NO_PAD};

use crate::Error;

/// Encodes bytes.
///
/// ```
/// assert_eq!(countersign_jose::b64::encode([0xfb, 0xff]), "-_8");
/// ```
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Appends the encoded bytes to a text.
pub fn encode_into(text: &mut String, bytes: &[u8]) {
    URL_SAFE_NO_PAD.encode_append(bytes, text);
}

/// The length of the encoding of `bytes` bytes.
pub const fn encoded_len(bytes: usize) -> usize {
    bytes / 3 * 4 + [0, 2, 3][bytes % 3]
}

/// Decodes a text.
///
/// # Errors
/// [`Error::Base64`] for padding, white space, a character outside `[A-Za-z0-9_-]`, an impossible length, or trailing
/// bits that are not zero: a second spelling of the same bytes is refused (TOK-08).
///
/// ```
/// use countersign_jose::{Error, b64};
/// assert_eq!(b64::decode("-_8"), Ok(vec![0xfb, 0xff]));
/// assert_eq!(b64::decode("-_9"), Err(Error::Base64)); // same bytes, trailing bits set
/// ```
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(text.as_ref().len() / 4 * 3 + 2);
    decode_into(&mut bytes, text.as_ref())?;
    Ok(bytes)
}

/// Decodes a text of exactly `N` bytes.
///
/// # Errors
/// [`Error::Base64`] as [`decode`], and for any other length.
pub fn decode_array<const N: usize>(text: impl AsRef<[u8]>) -> Result<[u8; N], Error> {
    decode(text)?.try_into().map_err(|_| Error::Base64)
}

pub(crate) fn decode_into(bytes: &mut Vec<u8>, text: &[u8]) -> Result<(), Error> {
    URL_SAFE_NO_PAD.decode_append(text, bytes).map_err(|_| Error::Base64)
}

/// How many bytes a text of this length can stand for, at most.
pub(crate) const fn room(text: usize) -> usize {
    text / 4 * 3 + 2
}

/// Decodes into the front of `bytes`, which has the [`room`]; the number of bytes.
pub(crate) fn decode_to(bytes: &mut [u8], text: &[u8]) -> Result<usize, Error> {
    if bytes.len() < room(text.len()) {
        return Err(Error::Base64);
    }
    URL_SAFE_NO_PAD.decode(text, Out::from_slice(bytes)).map(|decoded| decoded.len()).map_err(|_| Error::Base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    // TOK-08: every length that the vector code treats apart, every last character.
    #[test]
    fn exactly_one_last_character_is_canonical_per_byte_string() {
        for len in (1..100).filter(|len| len % 3 != 0) {
            let bytes: Vec<u8> = (0..=u8::MAX).map(|i| i.wrapping_mul(37)).take(len).collect();
            let text = encode(&bytes);
            assert_eq!(text.len(), encoded_len(len));
            let accepted = ALPHABET
                .iter()
                .filter(|&&last| {
                    let mut other = text.clone().into_bytes();
                    *other.last_mut().unwrap() = last;
                    decode(&other).is_ok()
                })
                .count();
            assert_eq!(accepted, if len % 3 == 1 { 4 } else { 16 }, "length {len}");
        }
    }

    #[test]
    fn every_byte_outside_the_alphabet_is_refused_at_every_position() {
        for len in [2, 3, 4, 8, 11, 16, 24, 32, 33, 43, 64, 100] {
            for at in 0..len {
                for byte in 0..=255 {
                    let mut text = vec![b'A'; len];
                    text[at] = byte;
                    if !ALPHABET.contains(&byte) {
                        assert_eq!(decode(&text), Err(Error::Base64), "{byte} at {at} of {len}");
                    }
                }
            }
        }
    }

    #[test]
    fn padding_and_impossible_lengths_are_refused() {
        for text in ["=", "A", "AAAAA", "AA==", "AAA=", "AA=", "AA A", "AA\n"] {
            assert_eq!(decode(text), Err(Error::Base64), "{text:?}");
        }
        assert_eq!(decode(""), Ok(Vec::new()));
    }
}
