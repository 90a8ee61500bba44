//! The curves that keys lie on, whatever the keys are for: one row each.

use aws_lc_rs::signature::{self, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm};
use der::asn1::ObjectIdentifier;

/// What the library knows of one curve.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Curve {
    /// `crv` (RFC 7518 §6.2.1.1, RFC 8037 §2, RFC 8812 §3.1).
    pub(crate) name: &'static str,
    /// Length in bytes of a coordinate and of a private key.
    pub(crate) len: usize,
    /// Its name in DER (RFC 5480 §2.1.1.1, RFC 8410 §3).
    pub(crate) oid: ObjectIdentifier,
    pub(crate) shape: Shape,
}

/// How points are written, and what is done with them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Two coordinates (`kty: "EC"`): ECDSA and key agreement.
    Weierstrass { verify: &'static EcdsaVerificationAlgorithm, sign: &'static EcdsaSigningAlgorithm },
    /// One coordinate and a sign (`kty: "OKP"`): EdDSA only.
    Edwards,
    /// One coordinate (`kty: "OKP"`): key agreement only.
    Montgomery,
}

pub(crate) static P256: Curve = weierstrass(
    "P-256",
    32,
    "1.2.840.10045.3.1.7",
    (&signature::ECDSA_P256_SHA256_FIXED, &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
);
pub(crate) static P384: Curve = weierstrass(
    "P-384",
    48,
    "1.3.132.0.34",
    (&signature::ECDSA_P384_SHA384_FIXED, &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
);
pub(crate) static P521: Curve = weierstrass(
    "P-521",
    66,
    "1.3.132.0.35",
    (&signature::ECDSA_P521_SHA512_FIXED, &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
);
pub(crate) static SECP256K1: Curve = weierstrass(
    "secp256k1",
    32,
    "1.3.132.0.10",
    (&signature::ECDSA_P256K1_SHA256_FIXED, &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING),
);
pub(crate) static ED25519: Curve = okp("Ed25519", "1.3.101.112", Shape::Edwards);
pub(crate) static X25519: Curve = okp("X25519", "1.3.101.110", Shape::Montgomery);

const fn weierstrass(
    name: &'static str,
    len: usize,
    oid: &str,
    (verify, sign): (&'static EcdsaVerificationAlgorithm, &'static EcdsaSigningAlgorithm),
) -> Curve {
    Curve { name, len, oid: ObjectIdentifier::new_unwrap(oid), shape: Shape::Weierstrass { verify, sign } }
}

const fn okp(name: &'static str, oid: &str, shape: Shape) -> Curve {
    Curve { name, len: 32, oid: ObjectIdentifier::new_unwrap(oid), shape }
}

static ALL: [&Curve; 6] = [&P256, &P384, &P521, &SECP256K1, &ED25519, &X25519];

impl Curve {
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        ALL.iter().copied()
    }

    /// The curve of this name for this key type.
    pub(crate) fn named(kty: &str, name: &str) -> Option<&'static Self> {
        Self::all().find(|curve| curve.kty() == kty && curve.name == name)
    }

    pub(crate) fn of_oid(oid: ObjectIdentifier) -> Option<&'static Self> {
        Self::all().find(|curve| curve.oid == oid)
    }

    pub(crate) fn kty(&self) -> &'static str {
        match self.shape {
            Shape::Weierstrass { .. } => "EC",
            Shape::Edwards | Shape::Montgomery => "OKP",
        }
    }
}
