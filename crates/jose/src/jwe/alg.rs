//! The algorithms of encryption: two tables, one row each. What signs has a table of its own (`crate::alg`): the two never mix,
//! so that no name, no key and no policy of one can be taken for one of the other.

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    aead, cipher, hmac, pbkdf2,
    rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, error::clip};

/// How the content key reaches the recipient (`alg`), by its name in the IANA registry "JSON Web Signature and Encryption
/// Algorithms".
///
/// There is no `RSA1_5`: it cannot be named (RFC 8725 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// `dir`: the shared secret is the content key (RFC 7518 §4.5).
    Dir,
    /// `A128KW`: AES key wrap under a shared secret of 16 bytes (RFC 7518 §4.4, RFC 3394).
    A128KW,
    /// `A192KW`: the same with 24 bytes.
    A192KW,
    /// `A256KW`: the same with 32 bytes.
    A256KW,
    /// `A128GCMKW`: AES-GCM under a shared secret of 16 bytes (RFC 7518 §4.7). A vector is drawn for each message, which bears about
    /// 2^32 messages under one secret (NIST SP 800-38D §8.3); AES key wrap has no such limit.
    A128GCMKW,
    /// `A192GCMKW`: the same with 24 bytes.
    A192GCMKW,
    /// `A256GCMKW`: the same with 32 bytes.
    A256GCMKW,
    /// `RSA-OAEP`: RSAES-OAEP with the default parameters, SHA-1 and MGF1 with SHA-1 (RFC 7518 §4.3). Sound, as OAEP does not ask
    /// for a hash without collisions; take [`RsaOaep256`](Self::RsaOaep256) where both sides have it.
    RsaOaep,
    /// `RSA-OAEP-256`: with SHA-256 and MGF1 with SHA-256 (RFC 7518 §4.3).
    RsaOaep256,
    /// `RSA-OAEP-384`: with SHA-384.
    RsaOaep384,
    /// `RSA-OAEP-512`: with SHA-512.
    RsaOaep512,
    /// `ECDH-ES`: the content key is agreed on with a key pair drawn for one message (RFC 7518 §4.6, RFC 8037 §3.2).
    EcdhEs,
    /// `ECDH-ES+A128KW`: the agreed key wraps the content key.
    EcdhEsA128KW,
    /// `ECDH-ES+A192KW`: the same with AES-192.
    EcdhEsA192KW,
    /// `ECDH-ES+A256KW`: the same with AES-256.
    EcdhEsA256KW,
    /// `PBES2-HS256+A128KW`: a password, stretched by PBKDF2, wraps the content key (RFC 7518 §4.8).
    Pbes2HS256A128KW,
    /// `PBES2-HS384+A192KW`: the same with SHA-384 and AES-192.
    Pbes2HS384A192KW,
    /// `PBES2-HS512+A256KW`: the same with SHA-512 and AES-256.
    Pbes2HS512A256KW,
}

/// How the content is encrypted and authenticated (`enc`), by its name in the same registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ContentAlgorithm {
    /// `A128GCM`: AES-GCM with a key of 16 bytes (RFC 7518 §5.3).
    A128GCM,
    /// `A192GCM`: the same with 24 bytes.
    A192GCM,
    /// `A256GCM`: the same with 32 bytes.
    A256GCM,
    /// `A128CBC-HS256`: AES-CBC and HMAC with SHA-256, a key of 32 bytes (RFC 7518 §5.2).
    A128CbcHs256,
    /// `A192CBC-HS384`: the same with SHA-384, a key of 48 bytes.
    A192CbcHs384,
    /// `A256CBC-HS512`: the same with SHA-512, a key of 64 bytes.
    A256CbcHs512,
}

pub(super) struct KeyRow {
    alg: KeyAlgorithm,
    name: &'static str,
    pub(super) family: KeyFamily,
}

/// What carries the content key. Lengths are in bytes.
#[derive(Clone, Copy)]
pub(super) enum KeyFamily {
    Direct,
    Wrap {
        key: usize,
    },
    GcmWrap {
        gcm: &'static aead::Algorithm,
    },
    Rsa {
        oaep: &'static OaepAlgorithm,
    },
    /// `wrap` is the length of the wrapping key; without one the agreed key is the content key.
    Agree {
        wrap: Option<usize>,
    },
    /// `rounds` is how often the password is hashed where the caller does not say.
    Password {
        hash: pbkdf2::Algorithm,
        wrap: usize,
        rounds: u32,
    },
}

pub(super) struct ContentRow {
    enc: ContentAlgorithm,
    name: &'static str,
    pub(super) key: usize,
    pub(super) iv: usize,
    pub(super) tag: usize,
    pub(super) family: ContentFamily,
}

pub(super) enum ContentFamily {
    Gcm(&'static aead::Algorithm),
    CbcHmac { cipher: &'static cipher::Algorithm, mac: hmac::Algorithm },
}

const fn key_row(alg: KeyAlgorithm, name: &'static str, family: KeyFamily) -> KeyRow {
    KeyRow { alg, name, family }
}

/// In the order of the enum: `row` indexes it.
static KEY_TABLE: [KeyRow; 18] = [
    key_row(KeyAlgorithm::Dir, "dir", KeyFamily::Direct),
    key_row(KeyAlgorithm::A128KW, "A128KW", KeyFamily::Wrap { key: 16 }),
    key_row(KeyAlgorithm::A192KW, "A192KW", KeyFamily::Wrap { key: 24 }),
    key_row(KeyAlgorithm::A256KW, "A256KW", KeyFamily::Wrap { key: 32 }),
    key_row(KeyAlgorithm::A128GCMKW, "A128GCMKW", KeyFamily::GcmWrap { gcm: &aead::AES_128_GCM }),
    key_row(KeyAlgorithm::A192GCMKW, "A192GCMKW", KeyFamily::GcmWrap { gcm: &aead::AES_192_GCM }),
    key_row(KeyAlgorithm::A256GCMKW, "A256GCMKW", KeyFamily::GcmWrap { gcm: &aead::AES_256_GCM }),
    key_row(KeyAlgorithm::RsaOaep, "RSA-OAEP", KeyFamily::Rsa { oaep: &OAEP_SHA1_MGF1SHA1 }),
    key_row(KeyAlgorithm::RsaOaep256, "RSA-OAEP-256", KeyFamily::Rsa { oaep: &OAEP_SHA256_MGF1SHA256 }),
    key_row(KeyAlgorithm::RsaOaep384, "RSA-OAEP-384", KeyFamily::Rsa { oaep: &OAEP_SHA384_MGF1SHA384 }),
    key_row(KeyAlgorithm::RsaOaep512, "RSA-OAEP-512", KeyFamily::Rsa { oaep: &OAEP_SHA512_MGF1SHA512 }),
    key_row(KeyAlgorithm::EcdhEs, "ECDH-ES", KeyFamily::Agree { wrap: None }),
    key_row(KeyAlgorithm::EcdhEsA128KW, "ECDH-ES+A128KW", KeyFamily::Agree { wrap: Some(16) }),
    key_row(KeyAlgorithm::EcdhEsA192KW, "ECDH-ES+A192KW", KeyFamily::Agree { wrap: Some(24) }),
    key_row(KeyAlgorithm::EcdhEsA256KW, "ECDH-ES+A256KW", KeyFamily::Agree { wrap: Some(32) }),
    // The rounds are those of OWASP's Password Storage sheet for each hash; for SHA-384 those of SHA-512, which costs the same.
    key_row(
        KeyAlgorithm::Pbes2HS256A128KW,
        "PBES2-HS256+A128KW",
        KeyFamily::Password { hash: pbkdf2::PBKDF2_HMAC_SHA256, wrap: 16, rounds: 600_000 },
    ),
    key_row(
        KeyAlgorithm::Pbes2HS384A192KW,
        "PBES2-HS384+A192KW",
        KeyFamily::Password { hash: pbkdf2::PBKDF2_HMAC_SHA384, wrap: 24, rounds: 210_000 },
    ),
    key_row(
        KeyAlgorithm::Pbes2HS512A256KW,
        "PBES2-HS512+A256KW",
        KeyFamily::Password { hash: pbkdf2::PBKDF2_HMAC_SHA512, wrap: 32, rounds: 210_000 },
    ),
];

const fn gcm(enc: ContentAlgorithm, name: &'static str, key: usize, gcm: &'static aead::Algorithm) -> ContentRow {
    ContentRow { enc, name, key, iv: 12, tag: 16, family: ContentFamily::Gcm(gcm) }
}

/// The first half of the key authenticates, the second encrypts, and the tag is as long as either.
const fn cbc(
    enc: ContentAlgorithm,
    name: &'static str,
    half: usize,
    cipher: &'static cipher::Algorithm,
    mac: hmac::Algorithm,
) -> ContentRow {
    ContentRow { enc, name, key: 2 * half, iv: 16, tag: half, family: ContentFamily::CbcHmac { cipher, mac } }
}

/// In the order of the enum: `row` indexes it.
static CONTENT_TABLE: [ContentRow; 6] = [
    gcm(ContentAlgorithm::A128GCM, "A128GCM", 16, &aead::AES_128_GCM),
    gcm(ContentAlgorithm::A192GCM, "A192GCM", 24, &aead::AES_192_GCM),
    gcm(ContentAlgorithm::A256GCM, "A256GCM", 32, &aead::AES_256_GCM),
    cbc(ContentAlgorithm::A128CbcHs256, "A128CBC-HS256", 16, &cipher::AES_128, hmac::HMAC_SHA256),
    cbc(ContentAlgorithm::A192CbcHs384, "A192CBC-HS384", 24, &cipher::AES_192, hmac::HMAC_SHA384),
    cbc(ContentAlgorithm::A256CbcHs512, "A256CBC-HS512", 32, &cipher::AES_256, hmac::HMAC_SHA512),
];

impl KeyAlgorithm {
    /// Every algorithm, in the order of the table.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        KEY_TABLE.iter().map(|row| row.alg)
    }

    /// The registered name, as `alg` carries it.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Whether the key that decrypts is the secret that encrypts.
    pub fn is_symmetric(self) -> bool {
        !matches!(self.row().family, KeyFamily::Rsa { .. } | KeyFamily::Agree { .. })
    }

    /// Whether the secret is a password (PBES2).
    pub fn is_password(self) -> bool {
        matches!(self.row().family, KeyFamily::Password { .. })
    }

    /// The length of its shared secret in bytes; `None` where it is no fixed one: for `dir` it is that of the content key, a
    /// password has any, and a key pair has none.
    pub fn secret_len(self) -> Option<usize> {
        match self.row().family {
            KeyFamily::Wrap { key } => Some(key),
            KeyFamily::GcmWrap { gcm } => Some(gcm.key_len()),
            KeyFamily::Direct | KeyFamily::Rsa { .. } | KeyFamily::Agree { .. } | KeyFamily::Password { .. } => None,
        }
    }

    /// Whether there is no content key but the one that recipient and sender share or agree on, so that there can be only one
    /// recipient and no encrypted key (RFC 7516 §5.1 step 5).
    pub fn is_direct(self) -> bool {
        matches!(self.row().family, KeyFamily::Direct | KeyFamily::Agree { wrap: None })
    }

    pub(super) fn row(self) -> &'static KeyRow {
        &KEY_TABLE[self as usize]
    }

    /// What `key_ops` must allow, for who encrypts and for who decrypts (RFC 7517 §4.3).
    pub(super) fn operations(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self.row().family {
            KeyFamily::Direct => (&["encrypt"], &["decrypt"]),
            KeyFamily::Wrap { .. } | KeyFamily::GcmWrap { .. } | KeyFamily::Rsa { .. } => {
                (&["wrapKey", "encrypt"], &["unwrapKey", "decrypt"])
            }
            KeyFamily::Agree { .. } | KeyFamily::Password { .. } => {
                (&["deriveKey", "deriveBits"], &["deriveKey", "deriveBits"])
            }
        }
    }
}

impl ContentAlgorithm {
    /// Every algorithm, in the order of the table.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        CONTENT_TABLE.iter().map(|row| row.enc)
    }

    /// The registered name, as `enc` carries it.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The length of its key, in bytes.
    pub fn key_len(self) -> usize {
        self.row().key
    }

    /// The length of its initialization vector, in bytes. No other is accepted.
    pub fn iv_len(self) -> usize {
        self.row().iv
    }

    /// The length of its authentication tag, in bytes. No other is accepted.
    pub fn tag_len(self) -> usize {
        self.row().tag
    }

    pub(super) fn row(self) -> &'static ContentRow {
        &CONTENT_TABLE[self as usize]
    }
}

/// An algorithm as text is its exact registered name, case included.
macro_rules! named {
    ($type:ident, $table:ident, $key:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = Error;

            /// The exact registered name, case included.
            fn from_str(name: &str) -> Result<Self, Error> {
                let row = $table.iter().find(|row| row.name == name);
                row.map(|row| row.$key).ok_or_else(|| Error::AlgorithmUnknown { got: clip(name) })
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
                name.parse().map_err(de::Error::custom)
            }
        }
    };
}

named!(KeyAlgorithm, KEY_TABLE, alg);
named!(ContentAlgorithm, CONTENT_TABLE, enc);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    #[test]
    fn each_row_stands_at_its_own_index() {
        for (index, row) in KEY_TABLE.iter().enumerate() {
            assert_eq!(row.alg as usize, index);
            assert_eq!(row.name.parse(), Ok(row.alg));
            assert_eq!(serde_json::from_value(serde_json::json!(row.alg)).ok(), Some(row.alg));
        }
        for (index, row) in CONTENT_TABLE.iter().enumerate() {
            assert_eq!(row.enc as usize, index);
            assert_eq!(row.name.parse(), Ok(row.enc));
        }
    }

    // TOK-01, TOK-13: the tables do not meet, and RSA1_5 is in none
    #[test]
    fn a_name_is_in_one_table_at_most() {
        for name in ["RSA1_5", "none", "DIR", "a128kw", "A128KW ", "RSA-OAEP-1", "ECDH-SS", "A128CBC+HS256", ""] {
            assert_eq!(name.parse::<KeyAlgorithm>(), Err(Error::AlgorithmUnknown { got: name.into() }));
            assert_eq!(name.parse::<ContentAlgorithm>(), Err(Error::AlgorithmUnknown { got: name.into() }));
        }
        for alg in Algorithm::all() {
            assert!(alg.as_str().parse::<KeyAlgorithm>().is_err() && alg.as_str().parse::<ContentAlgorithm>().is_err());
        }
        for alg in KeyAlgorithm::all() {
            assert!(alg.as_str().parse::<Algorithm>().is_err() && alg.as_str().parse::<ContentAlgorithm>().is_err());
        }
        for enc in ContentAlgorithm::all() {
            assert!(enc.as_str().parse::<Algorithm>().is_err() && enc.as_str().parse::<KeyAlgorithm>().is_err());
        }
    }
}
