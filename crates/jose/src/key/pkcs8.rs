//! Private keys in DER: PKCS#8 (RFC 5208, RFC 5958), PKCS#1 (RFC 8017 §A.1.2), SEC 1 (RFC 5915).

use aws_lc_rs::signature::{EcdsaKeyPair, EcdsaSigningAlgorithm, PqdsaKeyPair};
use der::{Tag, TagNumber};
use zeroize::Zeroizing;

use super::{
    der::{
        Elements, Form, Written, bit_string, constructed, element, form, integer, oid, primitive, sequence, whole_bytes,
    },
    pair::{Pair, Private},
    spki::{self, Kind, named_curve},
};
use crate::{
    Algorithm, Error, KeyError,
    alg::Family,
    jwk::{
        Material,
        curve::{Curve, Shape},
    },
};

/// Reads a private key and its public half, and checks that they belong together.
pub(crate) fn read(der: &[u8]) -> Result<(Material, Private), Error> {
    let (public, private) = match form(der) {
        Some(Form::Pkcs8) => pkcs8(der)?,
        Some(Form::Pkcs1Private) => pkcs1(der)?,
        Some(Form::Sec1) => sec1(der)?,
        Some(Form::Encrypted) => return Err(KeyError::Encrypted.into()),
        Some(Form::Spki | Form::Pkcs1Public | Form::Certificate) => return Err(KeyError::Malformed.into()),
        None => return Err(KeyError::Der.into()),
    };
    public.check()?;
    Pair::new(&public, &private)?;
    Ok((public, private))
}

/// PrivateKeyInfo (RFC 5208 §5).
pub(crate) fn write(public: &Material, private: &Private) -> Result<Written, KeyError> {
    let key = match (public, private) {
        (Material::Rsa { .. }, Private::Rsa(_)) => write_pkcs1(public, private)?,
        (Material::Ec { .. }, Private::Bytes(d)) => ec_private_key(d, &[], public),
        (Material::Okp { .. }, Private::Bytes(d)) => element(Tag::OctetString, &[d]),
        (Material::Akp { .. }, Private::Bytes(seed)) => element(primitive(TagNumber::N0), &[seed]),
        _ => return Err(KeyError::Malformed),
    };
    Ok(sequence(&[&integer(&[0]), &spki::algorithm(public), &element(Tag::OctetString, &[&key])]))
}

/// RSAPrivateKey (RFC 8017 §A.1.2).
pub(crate) fn write_pkcs1(public: &Material, private: &Private) -> Result<Written, KeyError> {
    let (Material::Rsa { n, e }, Private::Rsa(parts)) = (public, private) else {
        return Err(KeyError::NoSuchForm);
    };
    let mut numbers = vec![integer(&[0]), integer(n), integer(e)];
    numbers.extend(parts.iter().map(|part| integer(part)));
    let numbers: Vec<&[u8]> = numbers.iter().map(|number| number.as_slice()).collect();
    Ok(sequence(&numbers))
}

/// ECPrivateKey with its curve (RFC 5915 §3).
pub(crate) fn write_sec1(public: &Material, private: &Private) -> Result<Written, KeyError> {
    let (Material::Ec { curve, .. }, Private::Bytes(d)) = (public, private) else {
        return Err(KeyError::NoSuchForm);
    };
    Ok(ec_private_key(d, &element(constructed(TagNumber::N0), &[&oid(&curve.oid)]), public))
}

/// Inside PKCS#8 the curve stands outside.
fn ec_private_key(d: &[u8], curve: &[u8], public: &Material) -> Written {
    let point = element(constructed(TagNumber::N1), &[&bit_string(&public.point())]);
    sequence(&[&integer(&[1]), &element(Tag::OctetString, &[d]), curve, &point])
}

fn pkcs8(der: &[u8]) -> Result<(Material, Private), KeyError> {
    let mut elements = Elements::of(der)?;
    let version = elements.integer()?;
    let kind = spki::kind(elements.next(Tag::Sequence)?)?;
    let key = elements.next(Tag::OctetString)?;
    elements.optional(constructed(TagNumber::N0))?; // attributes
    let public = elements.optional(primitive(TagNumber::N1))?.map(whole_bytes).transpose()?;
    elements.end()?;
    // RFC 5958 §2: version 1 exactly where the public key is there, too.
    if version != [u8::from(public.is_some())] {
        return Err(KeyError::Der);
    }
    let read = match kind {
        Kind::Rsa => pkcs1(key),
        Kind::Curve(curve) => match curve.shape {
            Shape::Weierstrass { sign, .. } => ec(curve, sign, der),
            Shape::Edwards | Shape::Montgomery => okp(curve, key),
        },
        Kind::Akp(alg) => akp(alg, der),
    }?;
    let disagrees = |bytes: &[u8]| match &read.0 {
        Material::Rsa { .. } => spki::pkcs1(bytes).as_ref() != Ok(&read.0),
        Material::Ec { .. } => bytes != read.0.point(),
        Material::Okp { x, .. } => bytes != x,
        Material::Akp { public, .. } => bytes != public,
    };
    if public.is_some_and(disagrees) { Err(KeyError::Malformed) } else { Ok(read) }
}

fn pkcs1(der: &[u8]) -> Result<(Material, Private), KeyError> {
    let mut elements = Elements::of(der)?;
    // Version 1 has more than two primes.
    if elements.integer()? != [0] {
        return Err(KeyError::Unsupported("RSA with several primes".into()));
    }
    let public = Material::Rsa { n: elements.integer()?.to_vec(), e: elements.integer()?.to_vec() };
    let mut parts = std::array::from_fn(|_| Zeroizing::new(Vec::new()));
    for part in &mut parts {
        *part = Zeroizing::new(elements.integer()?.to_vec());
    }
    elements.end()?;
    Ok((public, Private::Rsa(Box::new(parts))))
}

fn sec1(der: &[u8]) -> Result<(Material, Private), KeyError> {
    let mut elements = Elements::of(der)?;
    elements.integer()?;
    elements.next(Tag::OctetString)?;
    let parameters = elements.optional(constructed(TagNumber::N0))?.ok_or(KeyError::Member("crv"))?;
    let curve = named_curve(Elements::inside(parameters)?.oid()?)?;
    match curve.shape {
        Shape::Weierstrass { sign, .. } => ec(curve, sign, der),
        Shape::Edwards | Shape::Montgomery => Err(KeyError::Malformed),
    }
}

/// The primitive reads the key: it multiplies the point where the text leaves it out, and compares it where it does not.
fn ec(
    curve: &'static Curve,
    sign: &'static EcdsaSigningAlgorithm,
    der: &[u8],
) -> Result<(Material, Private), KeyError> {
    let pair = EcdsaKeyPair::from_private_key_der(sign, der).map_err(|_| KeyError::Malformed)?;
    Pair::Ec(curve, pair).halves()
}

/// CurvePrivateKey (RFC 8410 §7).
fn okp(curve: &'static Curve, key: &[u8]) -> Result<(Material, Private), KeyError> {
    let mut elements = Elements::inside(key)?;
    let d = elements.next(Tag::OctetString)?;
    elements.end()?;
    Pair::from_okp(curve, d)?.halves()
}

/// The primitive reads the seed, and where the text has the key that was made of it, too, compares the two (RFC 9881 §6). A key
/// without its seed has no form in a JWK (RFC 9964 §4).
fn akp(alg: Algorithm, der: &[u8]) -> Result<(Material, Private), KeyError> {
    let Family::Akp { sign, .. } = alg.row().family else { return Err(KeyError::WrongAlgorithm(alg)) };
    let pair = PqdsaKeyPair::from_pkcs8(sign, der).map_err(|_| KeyError::Malformed)?;
    Pair::Akp(alg, pair).halves()
}

/// The seed in PKCS#8 as the primitive writes it.
pub(super) fn written_seed(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut key = Elements::inside(written_key(der)?)?;
    Ok(Zeroizing::new(key.next(primitive(TagNumber::N0))?.to_vec()))
}

/// An RSA key in PKCS#8 as the primitive writes it.
pub(super) fn written_rsa(der: &[u8]) -> Result<(Material, Private), KeyError> {
    pkcs1(written_key(der)?)
}

fn written_key(der: &[u8]) -> Result<&[u8], KeyError> {
    let mut elements = Elements::of(der)?;
    elements.integer()?;
    elements.next(Tag::Sequence)?;
    elements.next(Tag::OctetString)
}
