//! What is wrong with a key.

use crate::{Algorithm, jwe::KeyAlgorithm};

/// Why a key was refused at import, before it could sign or verify anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A member is absent, of the wrong type, or not canonical.
    #[error("member {0:?} is missing or malformed")]
    Member(&'static str),
    /// A key type, curve or algorithm that this library does not have.
    #[error("key type or curve {0:?} is not supported")]
    Unsupported(String),
    /// The key's type or curve does not fit the algorithm.
    #[error("the key does not fit {0}")]
    WrongAlgorithm(Algorithm),
    /// Several algorithms fit the key and it names none.
    #[error("the key names no algorithm and several fit it")]
    AlgorithmMissing,
    /// `use` or `key_ops` does not allow signatures, or the two disagree.
    #[error("`use` or `key_ops` forbids signatures")]
    NotForSignatures,
    /// A public key was expected and private members came with it: whoever published it has lost it.
    #[error("private members in a public key")]
    Private,
    /// An RSA modulus of this many bits.
    #[error("an RSA modulus of {0} bits")]
    RsaSize(usize),
    /// An RSA exponent other than 65537.
    #[error("an RSA exponent other than 65537")]
    RsaExponent,
    /// An RSA modulus that cannot be sound: even, or made by the broken generator of CVE-2017-15361.
    #[error("a weak RSA modulus")]
    RsaWeak,
    /// A point that is not on the curve, or of small order.
    #[error("not a valid point of the curve")]
    Point,
    /// An HMAC secret of this many bytes, shorter than the hash.
    #[error("an HMAC secret of {0} bytes is shorter than the hash")]
    SecretShort(usize),
    /// An HMAC secret that is the text or the bytes of another kind of key.
    #[error("an HMAC secret that is itself a PEM, DER or JWK text")]
    SecretIsKey,
    /// The private key is malformed or its parts disagree.
    #[error("malformed or inconsistent private key")]
    Malformed,
    /// A private key was expected and this is a public one.
    #[error("a public key where a private one is needed")]
    PublicOnly,
    /// Neither JWK, JWK set, PEM nor DER of a key.
    #[error("neither a JWK, a JWK set, PEM nor DER")]
    Form,
    /// Not the DER that its form asks for.
    #[error("malformed DER")]
    Der,
    /// A frame of PEM that is not closed, not base64, or has no label.
    #[error("malformed PEM")]
    Pem,
    /// A private key that is encrypted.
    #[error("the private key is encrypted; decrypt it first")]
    Encrypted,
    /// This kind of key has no such form (an HMAC secret in PKCS#8).
    #[error("this kind of key has no such form")]
    NoSuchForm,
    /// The random source failed.
    #[error("key generation failed")]
    Generate,
    /// `kid` is empty, longer than the limit, or contains control characters.
    #[error("unusable key id")]
    Kid,
    /// The key's type, curve or use does not fit the algorithm of encryption.
    #[error("the key does not fit {0}")]
    DoesNotFit(KeyAlgorithm),
    /// `use` or `key_ops` does not allow encryption.
    #[error("`use` or `key_ops` forbids encryption")]
    NotForEncryption,
    /// A shared secret of another length than the algorithm takes, both in bytes.
    #[error("a secret of {got} bytes instead of {expected}")]
    SecretLength {
        /// What the algorithm takes.
        expected: usize,
        /// What it is.
        got: usize,
    },
    /// A password of this many bytes, outside [`PASSWORD_BYTES`](crate::limits::PASSWORD_BYTES).
    #[error("a password of {0} bytes")]
    PasswordLength(usize),
    /// Another key of the set has the same `kid` and algorithm.
    #[error("two keys of the set share a key id and an algorithm")]
    Duplicate,
}

impl KeyError {
    /// A stable word for the error; [`Error::code`](crate::Error::code) passes it on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Member(_) => "key_member",
            Self::Unsupported(_) => "key_unsupported",
            Self::WrongAlgorithm(_) => "key_wrong_algorithm",
            Self::AlgorithmMissing => "key_algorithm_missing",
            Self::NotForSignatures => "key_not_for_signatures",
            Self::Private => "key_private",
            Self::RsaSize(_) => "key_rsa_size",
            Self::RsaExponent => "key_rsa_exponent",
            Self::RsaWeak => "key_rsa_weak",
            Self::Point => "key_point",
            Self::SecretShort(_) => "key_secret_short",
            Self::SecretIsKey => "key_secret_is_key",
            Self::Malformed => "key_malformed",
            Self::PublicOnly => "key_public_only",
            Self::Form => "key_form",
            Self::Der => "key_der",
            Self::Pem => "key_pem",
            Self::Encrypted => "key_encrypted",
            Self::NoSuchForm => "key_no_such_form",
            Self::Generate => "key_generate",
            Self::Kid => "key_id",
            Self::DoesNotFit(_) => "key_does_not_fit",
            Self::NotForEncryption => "key_not_for_encryption",
            Self::SecretLength { .. } => "key_secret_length",
            Self::PasswordLength(_) => "key_password_length",
            Self::Duplicate => "key_duplicate",
        }
    }
}
