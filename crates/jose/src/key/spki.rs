//! Public keys in DER.

use der::{Tag, TagNumber, asn1::ObjectIdentifier};

use super::der::{Elements, Form, bit_string, constructed, form, integer, oid, sequence, whole_bytes};
use crate::{
    Algorithm, Error, KeyError,
    alg::Family,
    jwk::{
        Material,
        curve::{Curve, Shape},
    },
};

/// rsaEncryption (RFC 8017 §A.1)
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-ecPublicKey (RFC 5480 §2.1.1)
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// Reads and checks a public key, or that of a certificate.
pub(crate) fn read(der: &[u8]) -> Result<Material, Error> {
    let material = match form(der) {
        Some(Form::Spki) => spki(der)?,
        Some(Form::Pkcs1Public) => pkcs1(der)?,
        Some(Form::Certificate) => spki(certificate(der)?)?,
        Some(Form::Pkcs8 | Form::Encrypted | Form::Pkcs1Private | Form::Sec1) => return Err(KeyError::Private.into()),
        None => return Err(KeyError::Der.into()),
    };
    material.check()?;
    Ok(material)
}

/// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
pub(crate) fn write(material: &Material) -> Vec<u8> {
    let key = match material {
        Material::Rsa { n, e } => sequence(&[&integer(n), &integer(e)]).to_vec(),
        Material::Ec { .. } => material.point(),
        Material::Okp { x, .. } => x.clone(),
        Material::Akp { public, .. } => public.clone(),
    };
    sequence(&[&algorithm(material), &bit_string(&key)]).to_vec()
}

pub(crate) fn write_pkcs1(material: &Material) -> Option<Vec<u8>> {
    let Material::Rsa { n, e } = material else { return None };
    Some(sequence(&[&integer(n), &integer(e)]).to_vec())
}

/// The AlgorithmIdentifier of a key of this kind.
pub(super) fn algorithm(material: &Material) -> super::der::Written {
    match material {
        Material::Rsa { .. } => sequence(&[&oid(&RSA), &[Tag::Null.octet(), 0]]),
        Material::Ec { curve, .. } => sequence(&[&oid(&EC), &oid(&curve.oid)]),
        Material::Okp { curve, .. } => sequence(&[&oid(&curve.oid)]),
        Material::Akp { alg, .. } => sequence(&[&akp_oid(*alg).map(|id| oid(&id)).unwrap_or_default()]),
    }
}

/// What an AlgorithmIdentifier says of the key.
pub(super) enum Kind {
    Rsa,
    Curve(&'static Curve),
    Akp(Algorithm),
}

/// Reads an AlgorithmIdentifier with the parameters that its RFC asks for, and no others.
pub(super) fn kind(content: &[u8]) -> Result<Kind, KeyError> {
    let mut elements = Elements::inside(content)?;
    let id = elements.oid()?;
    let kind = match id {
        RSA => {
            // RFC 8017 §A.1: NULL; some leave it out.
            if elements.optional(Tag::Null)?.is_some_and(|content| !content.is_empty()) {
                return Err(KeyError::Der);
            }
            Kind::Rsa
        }
        EC => Kind::Curve(named_curve(elements.oid()?)?),
        _ => match Curve::of_oid(id).filter(|curve| curve.kty() == "OKP") {
            Some(curve) => Kind::Curve(curve),
            None => Kind::Akp(akp(id).ok_or_else(|| KeyError::Unsupported(id.to_string()))?),
        },
    };
    elements.end()?;
    Ok(kind)
}

/// The curve of this name, if its keys are of the type `EC`.
pub(super) fn named_curve(id: ObjectIdentifier) -> Result<&'static Curve, KeyError> {
    Curve::of_oid(id)
        .filter(|curve| matches!(curve.shape, Shape::Weierstrass { .. }))
        .ok_or_else(|| KeyError::Unsupported(id.to_string()))
}

/// RSAPublicKey (RFC 8017 §A.1.1).
pub(super) fn pkcs1(der: &[u8]) -> Result<Material, KeyError> {
    let mut elements = Elements::of(der)?;
    let material = Material::Rsa { n: elements.integer()?.to_vec(), e: elements.integer()?.to_vec() };
    elements.end()?;
    Ok(material)
}

fn spki(der: &[u8]) -> Result<Material, KeyError> {
    let mut elements = Elements::of(der)?;
    let kind = kind(elements.next(Tag::Sequence)?)?;
    let key = elements.bit_string()?;
    elements.end()?;
    match kind {
        Kind::Rsa => pkcs1(key),
        Kind::Curve(curve) => Material::from_point(curve, key).ok_or(KeyError::Point),
        Kind::Akp(alg) => Ok(Material::Akp { alg, public: key.to_vec() }),
    }
}

/// The SubjectPublicKeyInfo of a certificate (RFC 5280 §4.1); nothing else of it is looked at but its frame.
fn certificate(der: &[u8]) -> Result<&[u8], KeyError> {
    let mut elements = Elements::of(der)?;
    let mut signed = Elements::inside(elements.next(Tag::Sequence)?)?;
    elements.next(Tag::Sequence)?; // signatureAlgorithm
    whole_bytes(elements.next(Tag::BitString)?)?; // signatureValue
    elements.end()?;

    signed.optional(constructed(TagNumber::N0))?; // version
    signed.next(Tag::Integer)?; // serialNumber
    for _ in ["signature", "issuer", "validity", "subject"] {
        signed.next(Tag::Sequence)?;
    }
    signed.raw()
}

/// The name in DER of the algorithm of such a key (RFC 9881 §2).
fn akp_oid(alg: Algorithm) -> Option<ObjectIdentifier> {
    match alg.row().family {
        Family::Akp { oid, .. } => Some(oid),
        Family::Hmac { .. } | Family::Rsa { .. } | Family::Ec { .. } | Family::Okp { .. } => None,
    }
}

fn akp(id: ObjectIdentifier) -> Option<Algorithm> {
    Algorithm::all().find(|alg| akp_oid(*alg) == Some(id))
}
