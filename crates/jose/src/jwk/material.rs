//! The members of a public key that are the key.

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use super::{check, text_member};
use crate::{Algorithm, Error, KeyError, alg::Family, b64, json::Writer};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// Modulus and exponent, big-endian without leading zeros (RFC 7518 §6.3.1).
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// Coordinates, big-endian, of full length (RFC 7518 §6.2.1).
    Ec { crv: &'static str, x: Vec<u8>, y: Vec<u8> },
    /// RFC 8037 §2.
    Okp { crv: &'static str, x: Vec<u8> },
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
            "EC" => Self::Ec { crv: curve(kty, members)?, x: bytes("x")?, y: bytes("y")? },
            "OKP" => Self::Okp { crv: curve(kty, members)?, x: bytes("x")? },
            "oct" => return Err(KeyError::Private.into()),
            other => return Err(KeyError::Unsupported(other.into()).into()),
        };
        material.check()?;
        Ok(material)
    }

    /// From an uncompressed point (SEC 1 §2.3.3).
    pub(crate) fn from_point(crv: &'static str, point: &[u8]) -> Option<Self> {
        let (4, coordinates) = point.split_first()? else { return None };
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        Some(Self::Ec { crv, x: x.to_vec(), y: y.to_vec() })
    }

    /// The uncompressed point; empty for keys that are none.
    pub(crate) fn point(&self) -> Vec<u8> {
        match self {
            Self::Ec { x, y, .. } => [&[4], x.as_slice(), y].concat(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Okp { .. } => "OKP",
        }
    }

    pub(crate) fn crv(&self) -> Option<&'static str> {
        match self {
            Self::Rsa { .. } => None,
            Self::Ec { crv, .. } | Self::Okp { crv, .. } => Some(crv),
        }
    }

    /// The members in the order of RFC 7638 §3, which is that of their names.
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        let kty = ("kty", self.kty().into());
        match self {
            Self::Rsa { n, e } => vec![("e", b64::encode(e)), kty, ("n", b64::encode(n))],
            Self::Ec { crv, x, y } => {
                vec![("crv", (*crv).into()), kty, ("x", b64::encode(x)), ("y", b64::encode(y))]
            }
            Self::Okp { crv, x } => vec![("crv", (*crv).into()), kty, ("x", b64::encode(x))],
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
            Self::Ec { crv, x, y } => check::ec(crv, x, y, &self.point()),
            Self::Okp { crv, x } => check::okp(crv, x),
        }
    }
}

/// The curve's name as the table has it.
fn curve(kty: &str, members: &Map<String, Value>) -> Result<&'static str, Error> {
    let name = text_member(members, "crv")?.ok_or(KeyError::Member("crv"))?;
    Algorithm::all()
        .filter(|alg| alg.kty() == kty)
        .find_map(|alg| alg.crv().filter(|crv| *crv == name))
        .ok_or_else(|| KeyError::Unsupported(name.into()).into())
}

/// The row of the table whose keys lie on this curve.
pub(super) fn family(crv: &str) -> Option<&'static Family> {
    Algorithm::all().find(|alg| alg.crv() == Some(crv)).map(|alg| &alg.row().family)
}
