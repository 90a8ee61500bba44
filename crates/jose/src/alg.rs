//! The algorithms: one row each. Nothing else in the workspace enumerates them.

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    hmac,
    signature::{self, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, EdDSAParameters, RsaEncoding, RsaParameters},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, error::clip};

/// A signature algorithm by its name in the IANA registry "JSON Web Signature and Encryption Algorithms".
///
/// There is no `none`: it cannot be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518 §3.2). The secret is at least 32 bytes.
    HS256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    RS256,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a 32-byte salt (RFC 7518 §3.5).
    PS256,
    /// ECDSA over P-256 with SHA-256, signature `R ‖ S` of 64 bytes (RFC 7518 §3.4).
    ES256,
    /// Ed25519 (RFC 8037, RFC 9864). The older name `EdDSA` is read as this one and never written.
    Ed25519,
}

/// What the library knows of one algorithm.
pub(crate) struct Row {
    alg: Algorithm,
    name: &'static str,
    aliases: &'static [&'static str],
    pub(crate) family: Family,
}

/// How keys and signatures of an algorithm look, with the primitive that makes and checks them.
pub(crate) enum Family {
    Hmac {
        mac: hmac::Algorithm,
        min_secret: usize,
    },
    Rsa {
        verify: &'static RsaParameters,
        sign: &'static dyn RsaEncoding,
    },
    Ec {
        crv: &'static str,
        coordinate: usize,
        verify: &'static EcdsaVerificationAlgorithm,
        sign: &'static EcdsaSigningAlgorithm,
    },
    Okp {
        crv: &'static str,
        public: usize,
        signature: usize,
        verify: &'static EdDSAParameters,
    },
}

/// In the order of the enum: `row` indexes it.
static TABLE: [Row; 5] = [
    Row {
        alg: Algorithm::HS256,
        name: "HS256",
        aliases: &[],
        family: Family::Hmac { mac: hmac::HMAC_SHA256, min_secret: 32 },
    },
    Row {
        alg: Algorithm::RS256,
        name: "RS256",
        aliases: &[],
        family: Family::Rsa { verify: &signature::RSA_PKCS1_2048_8192_SHA256, sign: &signature::RSA_PKCS1_SHA256 },
    },
    Row {
        alg: Algorithm::PS256,
        name: "PS256",
        aliases: &[],
        family: Family::Rsa { verify: &signature::RSA_PSS_2048_8192_SHA256, sign: &signature::RSA_PSS_SHA256 },
    },
    Row {
        alg: Algorithm::ES256,
        name: "ES256",
        aliases: &[],
        family: Family::Ec {
            crv: "P-256",
            coordinate: 32,
            verify: &signature::ECDSA_P256_SHA256_FIXED,
            sign: &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        },
    },
    Row {
        alg: Algorithm::Ed25519,
        name: "Ed25519",
        aliases: &["EdDSA"],
        family: Family::Okp { crv: "Ed25519", public: 32, signature: 64, verify: &signature::ED25519 },
    },
];

impl Algorithm {
    /// Every algorithm, in the order of the table.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        TABLE.iter().map(|row| row.alg)
    }

    /// The registered name, as `alg` carries it.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Whether the key that verifies is the secret that signs.
    pub fn is_symmetric(self) -> bool {
        matches!(self.row().family, Family::Hmac { .. })
    }

    /// The JWK key type (`kty`) that this algorithm takes (RFC 7518 §6.1).
    pub fn kty(self) -> &'static str {
        match self.row().family {
            Family::Hmac { .. } => "oct",
            Family::Rsa { .. } => "RSA",
            Family::Ec { .. } => "EC",
            Family::Okp { .. } => "OKP",
        }
    }

    /// The curve (`crv`) of its keys, if its keys lie on one.
    pub fn crv(self) -> Option<&'static str> {
        match self.row().family {
            Family::Ec { crv, .. } | Family::Okp { crv, .. } => Some(crv),
            Family::Hmac { .. } | Family::Rsa { .. } => None,
        }
    }

    /// The length of every signature in bytes; `None` where it depends on the key (RSA).
    pub fn signature_len(self) -> Option<usize> {
        match self.row().family {
            Family::Hmac { mac, .. } => Some(mac.tag_len()),
            Family::Rsa { .. } => None,
            Family::Ec { coordinate, .. } => Some(2 * coordinate),
            Family::Okp { signature, .. } => Some(signature),
        }
    }

    pub(crate) fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The one algorithm whose keys have this type and curve, if there is only one.
    pub(crate) fn only_for(kty: &str, crv: Option<&str>) -> Option<Self> {
        let mut fitting = Self::all().filter(|alg| alg.kty() == kty && alg.crv() == crv);
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    /// The exact registered name, case included, or an older name of the same algorithm.
    fn from_str(name: &str) -> Result<Self, Error> {
        TABLE
            .iter()
            .find(|row| row.name == name || row.aliases.contains(&name))
            .map(|row| row.alg)
            .ok_or_else(|| Error::AlgorithmUnknown { got: clip(name) })
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_stands_at_its_own_index() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.alg as usize, index);
            assert_eq!(row.name.parse(), Ok(row.alg));
        }
    }

    // TOK-03
    #[test]
    fn names_are_compared_exactly() {
        for name in ["none", "None", "NONE", "nOnE", "", " ES256", "es256", "ES256 ", "HS1", "RSA", "ES256\0"] {
            assert_eq!(name.parse::<Algorithm>(), Err(Error::AlgorithmUnknown { got: name.into() }));
        }
        assert_eq!("EdDSA".parse(), Ok(Algorithm::Ed25519));
        assert_eq!(Algorithm::Ed25519.to_string(), "Ed25519");
    }

    #[test]
    fn a_curve_decides_the_algorithm_and_an_rsa_key_does_not() {
        assert_eq!(Algorithm::only_for("EC", Some("P-256")), Some(Algorithm::ES256));
        assert_eq!(Algorithm::only_for("OKP", Some("Ed25519")), Some(Algorithm::Ed25519));
        assert_eq!(Algorithm::only_for("RSA", None), None);
        assert_eq!(Algorithm::only_for("EC", Some("P-192")), None);
    }
}
