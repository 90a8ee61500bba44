//! The algorithms of signatures: one row each. Nothing else in the workspace enumerates them; those of encryption have a table of
//! their own (`jwe/alg.rs`), so that no name is in both.

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    hmac,
    signature::{self, EdDSAParameters, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm, RsaEncoding, RsaParameters},
};
use der::asn1::ObjectIdentifier;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    Error, KeyError,
    error::clip,
    jwk::curve::{self, Curve},
};

/// A signature algorithm by its name in the IANA registry "JSON Web Signature and Encryption Algorithms".
///
/// There is no `none`: it cannot be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518 §3.2). The secret is at least 32 bytes.
    HS256,
    /// HMAC with SHA-384 (RFC 7518 §3.2). The secret is at least 48 bytes.
    HS384,
    /// HMAC with SHA-512 (RFC 7518 §3.2). The secret is at least 64 bytes.
    HS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 §3.3).
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 §3.3).
    RS512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a 32-byte salt (RFC 7518 §3.5).
    PS256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a 48-byte salt (RFC 7518 §3.5).
    PS384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512 and a 64-byte salt (RFC 7518 §3.5).
    PS512,
    /// ECDSA over P-256 with SHA-256, signature `R ‖ S` of 64 bytes (RFC 7518 §3.4).
    ES256,
    /// ECDSA over P-384 with SHA-384, signature `R ‖ S` of 96 bytes (RFC 7518 §3.4).
    ES384,
    /// ECDSA over P-521 with SHA-512, signature `R ‖ S` of 132 bytes (RFC 7518 §3.4).
    ES512,
    /// ECDSA over secp256k1 with SHA-256, signature `R ‖ S` of 64 bytes (RFC 8812 §3.2).
    ES256K,
    /// Ed25519 (RFC 8037, RFC 9864). The older name `EdDSA` is read as this one and never written.
    Ed25519,
    /// ML-DSA-44 (FIPS 204, RFC 9964): safe from quantum computers, with signatures of 2420 bytes.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204, RFC 9964): safe from quantum computers, with signatures of 3309 bytes.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204, RFC 9964): safe from quantum computers, with signatures of 4627 bytes.
    MlDsa87,
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
    /// The secret is at least as long as the tag (RFC 7518 §3.2).
    Hmac {
        mac: hmac::Algorithm,
    },
    Rsa {
        verify: &'static RsaParameters,
        sign: &'static dyn RsaEncoding,
    },
    /// Each curve has one hash, so that its row in `jwk::curve` has the primitive.
    Ec {
        curve: &'static Curve,
    },
    Okp {
        curve: &'static Curve,
        signature: usize,
        verify: &'static EdDSAParameters,
    },
    /// `oid` names the algorithm in DER (RFC 9881 §2).
    Akp {
        oid: ObjectIdentifier,
        verify: &'static PqdsaVerificationAlgorithm,
        sign: &'static PqdsaSigningAlgorithm,
    },
}

/// In the order of the enum: `row` indexes it.
static TABLE: [Row; 17] = [
    hmac(Algorithm::HS256, "HS256", hmac::HMAC_SHA256),
    hmac(Algorithm::HS384, "HS384", hmac::HMAC_SHA384),
    hmac(Algorithm::HS512, "HS512", hmac::HMAC_SHA512),
    rsa(Algorithm::RS256, "RS256", &signature::RSA_PKCS1_2048_8192_SHA256, &signature::RSA_PKCS1_SHA256),
    rsa(Algorithm::RS384, "RS384", &signature::RSA_PKCS1_2048_8192_SHA384, &signature::RSA_PKCS1_SHA384),
    rsa(Algorithm::RS512, "RS512", &signature::RSA_PKCS1_2048_8192_SHA512, &signature::RSA_PKCS1_SHA512),
    rsa(Algorithm::PS256, "PS256", &signature::RSA_PSS_2048_8192_SHA256, &signature::RSA_PSS_SHA256),
    rsa(Algorithm::PS384, "PS384", &signature::RSA_PSS_2048_8192_SHA384, &signature::RSA_PSS_SHA384),
    rsa(Algorithm::PS512, "PS512", &signature::RSA_PSS_2048_8192_SHA512, &signature::RSA_PSS_SHA512),
    ec(Algorithm::ES256, "ES256", &curve::P256),
    ec(Algorithm::ES384, "ES384", &curve::P384),
    ec(Algorithm::ES512, "ES512", &curve::P521),
    ec(Algorithm::ES256K, "ES256K", &curve::SECP256K1),
    Row {
        alg: Algorithm::Ed25519,
        name: "Ed25519",
        aliases: &["EdDSA"],
        family: Family::Okp { curve: &curve::ED25519, signature: 64, verify: &signature::ED25519 },
    },
    Row {
        alg: Algorithm::MlDsa44,
        name: "ML-DSA-44",
        aliases: &[],
        family: Family::Akp {
            oid: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17"),
            verify: &signature::ML_DSA_44,
            sign: &signature::ML_DSA_44_SIGNING,
        },
    },
    Row {
        alg: Algorithm::MlDsa65,
        name: "ML-DSA-65",
        aliases: &[],
        family: Family::Akp {
            oid: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18"),
            verify: &signature::ML_DSA_65,
            sign: &signature::ML_DSA_65_SIGNING,
        },
    },
    Row {
        alg: Algorithm::MlDsa87,
        name: "ML-DSA-87",
        aliases: &[],
        family: Family::Akp {
            oid: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19"),
            verify: &signature::ML_DSA_87,
            sign: &signature::ML_DSA_87_SIGNING,
        },
    },
];

const fn hmac(alg: Algorithm, name: &'static str, mac: hmac::Algorithm) -> Row {
    Row { alg, name, aliases: &[], family: Family::Hmac { mac } }
}

const fn rsa(
    alg: Algorithm,
    name: &'static str,
    verify: &'static RsaParameters,
    sign: &'static dyn RsaEncoding,
) -> Row {
    Row { alg, name, aliases: &[], family: Family::Rsa { verify, sign } }
}

const fn ec(alg: Algorithm, name: &'static str, curve: &'static Curve) -> Row {
    Row { alg, name, aliases: &[], family: Family::Ec { curve } }
}

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

    /// The registered name and, after it, older names that are read as well.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let row = self.row();
        std::iter::once(row.name).chain(row.aliases.iter().copied())
    }

    /// Whether it signs DPoP proofs (RFC 9449 §4.2): a secret that both sides have proves nothing, and with a key and a
    /// signature of ML-DSA a proof would not fit into a request header.
    pub fn signs_proofs(self) -> bool {
        matches!(self.row().family, Family::Rsa { .. } | Family::Ec { .. } | Family::Okp { .. })
    }

    /// The JWK key type (`kty`) that this algorithm takes (RFC 7518 §6.1, RFC 8037 §2, RFC 9964 §3).
    pub fn kty(self) -> &'static str {
        match self.row().family {
            Family::Hmac { .. } => "oct",
            Family::Rsa { .. } => "RSA",
            Family::Ec { .. } => "EC",
            Family::Okp { .. } => "OKP",
            Family::Akp { .. } => "AKP",
        }
    }

    /// The curve (`crv`) of its keys, if its keys lie on one.
    pub fn crv(self) -> Option<&'static str> {
        self.curve().map(|curve| curve.name)
    }

    /// The length of every signature in bytes; `None` where it depends on the key (RSA).
    pub fn signature_len(self) -> Option<usize> {
        match self.row().family {
            Family::Hmac { mac, .. } => Some(mac.tag_len()),
            Family::Rsa { .. } => None,
            Family::Ec { curve } => Some(2 * curve.len),
            Family::Okp { signature, .. } => Some(signature),
            Family::Akp { sign, .. } => Some(sign.signature_len()),
        }
    }

    pub(crate) fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    pub(crate) fn curve(self) -> Option<&'static Curve> {
        match self.row().family {
            Family::Ec { curve } | Family::Okp { curve, .. } => Some(curve),
            Family::Hmac { .. } | Family::Rsa { .. } | Family::Akp { .. } => None,
        }
    }

    /// The algorithm that a key names, or the only one that its type and curve leave.
    pub(crate) fn named_or_only(name: Option<&str>, kty: &str, crv: Option<&str>) -> Result<Self, KeyError> {
        if let Some(name) = name {
            return name.parse().map_err(|_| KeyError::Unsupported(clip(name)));
        }
        let mut fitting = Self::fitting(kty, crv);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(KeyError::NotForSignatures),
            (Some(_), Some(_)) => Err(KeyError::AlgorithmMissing),
        }
    }

    /// The algorithms whose keys have this type and curve.
    pub(crate) fn fitting(kty: &str, crv: Option<&str>) -> impl Iterator<Item = Self> {
        Self::all().filter(move |alg| alg.kty() == kty && alg.crv() == crv)
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
        let fitting = |kty, crv| Algorithm::fitting(kty, crv).collect::<Vec<_>>();
        assert_eq!(fitting("EC", Some("P-256")), [Algorithm::ES256]);
        assert_eq!(fitting("EC", Some("secp256k1")), [Algorithm::ES256K]);
        assert_eq!(fitting("OKP", Some("Ed25519")), [Algorithm::Ed25519]);
        assert_eq!(fitting("OKP", Some("X25519")), []);
        assert_eq!(fitting("RSA", None).len(), 6);
        assert_eq!(fitting("EC", Some("P-192")), []);
    }

    // RFC 7518 §3.2 to §3.5, RFC 9964 §4
    #[test]
    fn signatures_have_the_lengths_of_the_specifications() {
        let lens: Vec<_> = Algorithm::all().filter_map(Algorithm::signature_len).collect();
        assert_eq!(lens, [32, 48, 64, 64, 96, 132, 64, 64, 2420, 3309, 4627]);
    }
}
