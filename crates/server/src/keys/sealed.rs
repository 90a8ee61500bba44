//! The sealed form of a secret at rest: AES-256-GCM under a key-encryption key, bound to what it is.
//!
//! `version 1 | id of the key-encryption key, 8 bytes | nonce, 12 bytes | ciphertext and tag`. The version, the id and
//! the caller's context are authenticated, so that a sealed secret opens only in the row it was made for.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest,
};
use countersign_jose::b64;
use zeroize::Zeroizing;

use crate::random::{Random, RandomError};

const VERSION: u8 = 1;
const ID_LEN: usize = 8;
const HEADER_LEN: usize = 1 + ID_LEN;

/// Why a secret could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Another key-encryption key sealed it.
    #[error("it was sealed under the key-encryption key {sealed_under}, but the configured one is {configured}")]
    OtherKek { sealed_under: String, configured: String },
    /// It was altered, cut or moved here from another row.
    #[error("it is damaged: it does not open under the key-encryption key that sealed it")]
    Damaged,
    /// A later version of Countersign wrote it, or nobody did.
    #[error("its format is unknown to this version")]
    UnknownFormat,
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("encryption failed")]
    Crypto,
}

/// A key-encryption key in memory. `Debug` shows its id only.
pub struct Kek {
    id: [u8; ID_LEN],
    key: LessSafeKey,
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kek").field(&self.id()).finish()
    }
}

impl Kek {
    /// The key-encryption key made of these 32 bytes.
    ///
    /// # Errors
    /// [`SealError::Crypto`] if the library refuses the key.
    pub fn new(bytes: &Zeroizing<[u8; 32]>) -> Result<Self, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, &bytes[..]).map_err(|_| SealError::Crypto)?;
        Ok(Self { id: id_of(bytes), key: LessSafeKey::new(key) })
    }

    /// A name that tells this key from another and tells nothing else.
    pub fn id(&self) -> String {
        b64::encode(self.id)
    }

    /// Seals `plain` for the place that `context` names.
    ///
    /// # Errors
    /// The random source or the cipher failed.
    pub fn seal(&self, plain: &[u8], context: &str, random: Random) -> Result<Vec<u8>, SealError> {
        let nonce = random.bytes::<NONCE_LEN>()?;
        let mut sealed = Vec::with_capacity(HEADER_LEN + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        let aad = aad(&sealed, context);
        sealed.extend_from_slice(&nonce);
        let mut body = Zeroizing::new(plain.to_vec());
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body)
            .map_err(|_| SealError::Crypto)?;
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Kek::seal`] sealed for the same `context`.
    ///
    /// # Errors
    /// [`SealError`] says whether the key is another one or the text is damaged.
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (header, rest) = sealed.split_at_checked(HEADER_LEN).ok_or(SealError::Damaged)?;
        if header[0] != VERSION {
            return Err(SealError::UnknownFormat);
        }
        if header[1..] != self.id {
            return Err(SealError::OtherKek { sealed_under: b64::encode(&header[1..]), configured: self.id() });
        }
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Damaged)?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let len = self.key.open_in_place(nonce, aad(header, context), &mut body).map_err(|_| SealError::Damaged)?.len();
        body.truncate(len);
        Ok(body)
    }
}

fn aad(header: &[u8], context: &str) -> Aad<Vec<u8>> {
    Aad::from([b"countersign-sealed", header, context.as_bytes()].concat())
}

fn id_of(bytes: &Zeroizing<[u8; 32]>) -> [u8; ID_LEN] {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(b"countersign-kek-id");
    hash.update(&bytes[..]);
    let mut id = [0; ID_LEN];
    id.copy_from_slice(&hash.finish().as_ref()[..ID_LEN]);
    id
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kek(byte: u8) -> Kek {
        Kek::new(&Zeroizing::new([byte; 32])).unwrap()
    }

    #[test]
    fn opens_where_it_was_sealed_and_nowhere_else() {
        // KEY-01
        let kek = kek(1);
        let sealed = kek.seal(b"private", "kid-a|token", Random).unwrap();
        assert_eq!(kek.open(&sealed, "kid-a|token").unwrap().as_slice(), b"private");
        assert_eq!(kek.open(&sealed, "kid-b|token").unwrap_err(), SealError::Damaged);
        assert_ne!(sealed, kek.seal(b"private", "kid-a|token", Random).unwrap(), "a nonce is never used twice");
    }

    #[test]
    fn another_key_is_named() {
        // KEY-08
        let sealed = kek(1).seal(b"private", "a", Random).unwrap();
        let refused = kek(2).open(&sealed, "a").unwrap_err();
        assert_eq!(refused, SealError::OtherKek { sealed_under: kek(1).id(), configured: kek(2).id() });
    }

    #[test]
    fn an_unknown_version_is_not_guessed_at() {
        let mut sealed = kek(1).seal(b"private", "a", Random).unwrap();
        sealed[0] = 2;
        assert_eq!(kek(1).open(&sealed, "a").unwrap_err(), SealError::UnknownFormat);
    }

    proptest! {
        /// KEY-08: no altered, cut or lengthened text opens.
        #[test]
        fn a_changed_text_never_opens(at in 0..64_usize, flip in 1..=255_u8, cut in 0..64_usize) {
            let kek = kek(1);
            let sealed = kek.seal(&[7; 27], "a", Random).unwrap();
            let mut flipped = sealed.clone();
            flipped[at] ^= flip;
            prop_assert!(kek.open(&flipped, "a").is_err());
            prop_assert!(kek.open(&sealed[..cut], "a").is_err());
            prop_assert!(kek.open(&[&sealed[..], &[0]].concat(), "a").is_err());
        }
    }

    #[test]
    fn debug_shows_no_key() {
        // KEY-01
        let shown = format!("{:?}", kek(0xA7));
        assert_eq!(shown, format!("Kek({:?})", kek(0xA7).id()));
    }
}
