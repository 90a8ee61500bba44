//! What decryption leaves.

use std::{fmt, ops::Deref};

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{ContentAlgorithm, KeyAlgorithm};
use crate::{Error, json::Reader};

/// Content that was decrypted and is whole. Only a [`Decryptor`](super::Decryptor) makes one.
///
/// It says nothing of who wrote it: anybody can encrypt to a public key, and whoever holds a shared secret may have written to
/// themselves. It is no [`Verified`](crate::Verified) and never becomes one; what must come from somebody is signed first and then
/// encrypted ([`sign_and_encrypt`](super::Encryptor::sign_and_encrypt)).
///
/// ```compile_fail,E0308
/// use countersign_jose::{GenericClaims, Verified, jwe::Decrypted};
/// fn trusts(_: Verified<GenericClaims>) {}
/// fn mistake(claims: Decrypted<GenericClaims>) { trusts(claims) }
/// ```
/// ```compile_fail,E0451
/// let forged = countersign_jose::jwe::Decrypted { content: 7, about: todo!() };
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted<T = Zeroizing<Vec<u8>>> {
    content: T,
    about: About,
}

/// What the protected header said of the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    pub(super) alg: KeyAlgorithm,
    pub(super) enc: ContentAlgorithm,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
    pub(super) cty: Option<String>,
    pub(super) aad: Option<Vec<u8>>,
}

impl<T> Decrypted<T> {
    pub(super) fn new(content: T, about: About) -> Self {
        Self { content, about }
    }

    /// The content, without the proof that it was decrypted.
    pub fn into_inner(self) -> T {
        self.content
    }

    /// How the content key came: the algorithm of the key that decrypted.
    pub fn alg(&self) -> KeyAlgorithm {
        self.about.alg
    }

    /// How the content was encrypted.
    pub fn enc(&self) -> ContentAlgorithm {
        self.about.enc
    }

    /// The id of the key that decrypted.
    pub fn kid(&self) -> Option<&str> {
        self.about.kid.as_deref()
    }

    /// The type of the whole (`typ`), if it was protected.
    pub fn typ(&self) -> Option<&str> {
        self.about.typ.as_deref()
    }

    /// The type of the content (`cty`), if it was protected.
    pub fn cty(&self) -> Option<&str> {
        self.about.cty.as_deref()
    }

    /// Additional data that was authenticated with the content and not encrypted (RFC 7516 §7.2.1).
    pub fn aad(&self) -> Option<&[u8]> {
        self.about.aad.as_deref()
    }
}

impl Decrypted {
    /// Reads the content as JSON: UTF-8 only, no duplicate member at any level, bounded depth.
    ///
    /// # Errors
    /// Those of the JSON text; [`Error::Content`] if it does not fit the caller's type.
    pub fn json<T: DeserializeOwned>(self) -> Result<Decrypted<T>, Error> {
        let value = Reader::document(&self.content, Reader::value)?;
        let content = T::deserialize(value).map_err(|_| Error::Content)?;
        Ok(Decrypted { content, about: self.about })
    }
}

impl<T> Deref for Decrypted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.content
    }
}

/// Never the content.
impl<T> fmt::Debug for Decrypted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted").field("about", &self.about).finish_non_exhaustive()
    }
}
