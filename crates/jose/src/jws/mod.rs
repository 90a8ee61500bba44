//! Signed messages of any content (RFC 7515): all serializations, several signatures, detached and unencoded payloads.
//!
//! A JSON web token is the compact one of these with claims for a payload; [`sign`](crate::sign) and [`Verifier`](crate::Verifier)
//! are for tokens. Here only the signatures and the rules of the headers are checked, and what the payload is, is the caller's to
//! know.
//!
//! - The algorithm is the key's. A signature whose *protected* header does not name it is not considered, whatever an unprotected
//!   header says: `alg`, `crit` and `b64` in an unprotected header refuse the signature that they stand beside. (That also refuses the
//!   example of RFC 7520 §4.7, in which no header is protected at all.)
//! - With several signatures the caller says what is enough: one by any of its keys ([`UnverifiedJws::verify_any`]) or one by each of
//!   them ([`UnverifiedJws::verify_all`]). The text has no say in that.
//! - `b64: false` (RFC 7797) is refused unless the caller allows it, must be in `crit`, and must be the same in all signatures.
//!
//! ```
//! use countersign_jose::{Algorithm, SigningKey, jws::{Header, Message, Serialization, UnverifiedJws}};
//!
//! let (author, editor) = (SigningKey::generate(Algorithm::ES256, "author")?, SigningKey::generate(Algorithm::Ed25519, "editor")?);
//! let text = Message::new(b"any bytes")
//!     .sign(&author, &Header::new())?
//!     .sign(&editor, &Header::new().typ("text/plain"))?
//!     .to_text(Serialization::General)?;
//!
//! let keys = [author.verifying_key().unwrap(), editor.verifying_key().unwrap()];
//! let verified = UnverifiedJws::parse(&text)?.verify_all(&keys)?;
//! assert_eq!(verified.payload(), b"any bytes");
//! # Ok::<(), countersign_jose::Error>(())
//! ```

mod head;
mod header;
mod message;
mod read;
mod verified;

pub use header::Header;
pub use message::{Message, SigningInput};
pub use read::{Options, SignatureInfo, UnverifiedJws};
pub use verified::{Held, VerifiedJws};

use crate::b64;

/// How a signed message is written down (RFC 7515 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serialization {
    /// Three parts with dots between them; one signature and no unprotected header (RFC 7515 §7.1).
    Compact,
    /// A JSON object with one signature (RFC 7515 §7.2.2).
    Flattened,
    /// A JSON object with any number of signatures (RFC 7515 §7.2.1).
    General,
}

/// The bytes that are signed (RFC 7515 §5.1 step 5; RFC 7797 §3 where the payload is not encoded).
fn signing_input(protected: &str, payload: &[u8], unencoded: bool) -> Vec<u8> {
    let payload_len = if unencoded { payload.len() } else { b64::encoded_len(payload.len()) };
    let mut text = String::with_capacity(protected.len() + 1 + payload_len);
    text.push_str(protected);
    text.push('.');
    if !unencoded {
        b64::encode_into(&mut text, payload);
    }
    let mut bytes = text.into_bytes();
    if unencoded {
        bytes.extend_from_slice(payload);
    }
    bytes
}

/// The characters that an unencoded payload may have between dots (RFC 7797 §5.2).
fn fits_compact(payload: &[u8]) -> bool {
    payload.iter().all(|byte| (0x20..=0x7e).contains(byte) && *byte != b'.')
}
