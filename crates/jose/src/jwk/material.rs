//! The public half of a key pair, whatever form it came in and whatever it is for.

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use super::{check, curve::Curve, text_member};
use crate::{Algorithm, Error, KeyError, alg::Family, b64, json::Writer};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// Modulus and exponent, big-endian without leading zeros (RFC 7518 §6.3.1).
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// Coordinates, big-endian, of full length (RFC 7518 §6.2.1).
    Ec { curve: &'static Curve, x: Vec<u8>, y: Vec<u8> },
    /// RFC 8037 §2.
    Okp { curve: &'static Curve, x: Vec<u8> },
    /// A key type whose keys are for one algorithm each (RFC 9964 §3).
    Akp { alg: Algorithm, public: Vec<u8> },
}

impl Material {
    /// Reads and checks the public members of a JWK.
    pub(crate) fn from_members(members: &Map<String, Value>) -> Result<Self, Error> {
        let bytes = |name| -> Result<Vec<u8>, Error> {
            let text = text_member(members, name)?.ok_or(KeyError::Member(name))?;
            Ok(b64::decode(text).map_err(|_| KeyError::Member(name))?)
        };
        let kty = text_member(members, "kty")?.ok_or(KeyError::Member("kty"))?;
        let material = match kty {
            "RSA" => Self::Rsa { n: bytes("n")?, e: bytes("e")? },
            "EC" => Self::Ec { curve: curve(kty, members)?, x: bytes("x")?, y: bytes("y")? },
            "OKP" => Self::Okp { curve: curve(kty, members)?, x: bytes("x")? },
            "AKP" => Self::Akp { alg: akp_algorithm(members)?, public: bytes("pub")? },
            "oct" => return Err(KeyError::Private.into()),
            other => return Err(KeyError::Unsupported(other.into()).into()),
        };
        material.check()?;
        Ok(material)
    }

    /// From a point of the curve: uncompressed where it has two coordinates (SEC 1 §2.3.3).
    pub(crate) fn from_point(curve: &'static Curve, point: &[u8]) -> Option<Self> {
        if curve.kty() == "OKP" {
            return Some(Self::Okp { curve, x: point.to_vec() });
        }
        let (4, coordinates) = point.split_first()? else { return None };
        if coordinates.len() != 2 * curve.len {
            return None;
        }
        let (x, y) = coordinates.split_at(curve.len);
        Some(Self::Ec { curve, x: x.to_vec(), y: y.to_vec() })
    }

    /// The uncompressed point of a key with two coordinates; empty for the others.
    pub(crate) fn point(&self) -> Vec<u8> {
        match self {
            Self::Ec { x, y, .. } => [&[4], x.as_slice(), y].concat(),
            Self::Rsa { .. } | Self::Okp { .. } | Self::Akp { .. } => Vec::new(),
        }
    }

    pub(crate) fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Okp { .. } => "OKP",
            Self::Akp { .. } => "AKP",
        }
    }

    pub(crate) fn crv(&self) -> Option<&'static str> {
        match self {
            Self::Rsa { .. } | Self::Akp { .. } => None,
            Self::Ec { curve, .. } | Self::Okp { curve, .. } => Some(curve.name),
        }
    }

    /// The one algorithm that the key itself is for, whatever stands beside it.
    pub(crate) fn alg(&self) -> Option<Algorithm> {
        match self {
            Self::Akp { alg, .. } => Some(*alg),
            Self::Rsa { .. } | Self::Ec { .. } | Self::Okp { .. } => None,
        }
    }

    /// The members in the order of RFC 7638 §3, which is that of their names (RFC 9964 §6 for `AKP`).
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        let kty = ("kty", self.kty().into());
        match self {
            Self::Rsa { n, e } => vec![("e", b64::encode(e)), kty, ("n", b64::encode(n))],
            Self::Ec { curve, x, y } => {
                vec![("crv", curve.name.into()), kty, ("x", b64::encode(x)), ("y", b64::encode(y))]
            }
            Self::Okp { curve, x } => vec![("crv", curve.name.into()), kty, ("x", b64::encode(x))],
            Self::Akp { alg, public } => vec![("alg", alg.as_str().into()), kty, ("pub", b64::encode(public))],
        }
    }

    pub(crate) fn thumbprint(&self) -> String {
        let mut json = Writer::with_capacity(128);
        for (name, value) in self.members() {
            json.text_member(name, &value);
        }
        b64::encode(digest::digest(&digest::SHA256, &json.finish()))
    }

    /// Refuses keys that are not sound, wherever they come from (KEY-06).
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Rsa { n, e } => check::rsa(n, e),
            Self::Ec { curve, x, y } => check::ec(curve, x, y, &self.point()),
            Self::Okp { curve, x } => check::okp(curve, x),
            Self::Akp { alg, public } => check::akp(*alg, public),
        }
    }
}

fn curve(kty: &str, members: &Map<String, Value>) -> Result<&'static Curve, Error> {
    let name = text_member(members, "crv")?.ok_or(KeyError::Member("crv"))?;
    Curve::named(kty, name).ok_or_else(|| KeyError::Unsupported(name.into()).into())
}

/// `alg`, which this key type must have (RFC 9964 §3).
fn akp_algorithm(members: &Map<String, Value>) -> Result<Algorithm, Error> {
    let name = text_member(members, "alg")?.ok_or(KeyError::Member("alg"))?;
    let alg: Option<Algorithm> = name.parse().ok();
    alg.filter(|alg| matches!(alg.row().family, Family::Akp { .. }))
        .ok_or_else(|| KeyError::Unsupported(name.into()).into())
}
