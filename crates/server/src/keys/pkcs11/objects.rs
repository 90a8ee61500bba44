//! Keys of the token that sign.

use countersign_jose::Algorithm;
use cryptoki::{
    mechanism::{
        Mechanism, MechanismType,
        eddsa::{EddsaParams, EddsaSignatureScheme},
        rsa::{PkcsMgfType, PkcsPssParams},
    },
    object::{Attribute, AttributeType, ObjectClass, ObjectHandle},
};
use der::{Decode, asn1::OctetStringRef};

use super::{
    super::remote::{Fault, MadeThere, hash, hash_bits, is_pss, public},
    token::{Broken, Token},
};

/// The names of curves in DER (RFC 5480, RFC 8410).
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const RSA_BITS: u64 = 3072;

/// Makes a pair whose private half stays in the token.
pub(super) fn make(token: &mut Token, alg: Algorithm, name: String) -> Result<MadeThere, Broken> {
    let label = name.as_bytes().to_vec();
    let mut shown = vec![Attribute::Token(true), Attribute::Verify(true), Attribute::Label(label.clone())];
    shown.push(Attribute::Id(label.clone()));
    let hidden = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Label(label.clone()),
        Attribute::Id(label),
    ];
    let mechanism = match (alg.kty(), alg.crv().unwrap_or_default()) {
        ("EC", crv) => {
            shown.push(Attribute::EcParams(curve(crv)?.to_vec()));
            Mechanism::EccKeyPairGen
        }
        ("OKP", _) => {
            shown.push(Attribute::EcParams(ED25519.to_vec()));
            Mechanism::EccEdwardsKeyPairGen
        }
        _ => {
            shown.push(Attribute::ModulusBits(RSA_BITS.into()));
            shown.push(Attribute::PublicExponent(vec![1, 0, 1]));
            Mechanism::RsaPkcsKeyPairGen
        }
    };
    let (open, _) = token.session()?.generate_key_pair(&mechanism, &shown, &hidden)?;
    Ok(MadeThere { public: read_public(token, alg, open)?, name })
}

fn read_public(token: &Token, alg: Algorithm, key: ObjectHandle) -> Result<countersign_jose::Jwk, Broken> {
    let wanted = [AttributeType::EcPoint, AttributeType::Modulus, AttributeType::PublicExponent];
    let wanted = if alg.kty() == "RSA" { &wanted[1..] } else { &wanted[..1] };
    let (mut point, mut modulus, mut exponent) = (Vec::new(), Vec::new(), Vec::new());
    for attribute in token.session()?.get_attributes(key, wanted)? {
        match attribute {
            Attribute::EcPoint(bytes) => point = bytes,
            Attribute::Modulus(bytes) => modulus = bytes,
            Attribute::PublicExponent(bytes) => exponent = bytes,
            _ => {}
        }
    }
    if alg.kty() == "RSA" {
        return Ok(public(alg, &[("n", unsigned(&modulus)), ("e", unsigned(&exponent))])?);
    }
    // DER; some tokens leave its frame away.
    let point = OctetStringRef::from_der(&point).map_or(point.as_slice(), |inner| inner.as_bytes());
    if alg.kty() == "OKP" {
        return Ok(public(alg, &[("x", point)])?);
    }
    match point.split_first() {
        Some((4, both)) if both.len() % 2 == 0 => {
            let (x, y) = both.split_at(both.len() / 2);
            Ok(public(alg, &[("x", x), ("y", y)])?)
        }
        _ => Err(Fault::Refused("the new key's public point is in a form that is unknown here".to_owned()).into()),
    }
}

/// Signs in the form of JWS. Hashes are made here: that is what every token can do.
pub(super) fn sign(token: &mut Token, name: &str, alg: Algorithm, message: &[u8]) -> Result<Vec<u8>, Broken> {
    let key = token.find(ObjectClass::PRIVATE_KEY, name)?;
    let session = token.session()?;
    if alg.kty() == "RSA" {
        return Ok(session.sign(&rsa(alg)?, key, message)?);
    }
    Ok(match hash(alg, message) {
        Some(hash) => session.sign(&Mechanism::Ecdsa, key, &hash)?,
        None => session.sign(&Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)), key, message)?,
    })
}

fn rsa(alg: Algorithm) -> Result<Mechanism<'static>, Fault> {
    let pss = |hash_alg, mgf, len: u64| PkcsPssParams { hash_alg, mgf, s_len: len.into() };
    Ok(match (is_pss(alg), hash_bits(alg)) {
        (false, Some(256)) => Mechanism::Sha256RsaPkcs,
        (false, Some(384)) => Mechanism::Sha384RsaPkcs,
        (false, Some(512)) => Mechanism::Sha512RsaPkcs,
        (true, Some(256)) => Mechanism::Sha256RsaPkcsPss(pss(MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32)),
        (true, Some(384)) => Mechanism::Sha384RsaPkcsPss(pss(MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, 48)),
        (true, Some(512)) => Mechanism::Sha512RsaPkcsPss(pss(MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64)),
        _ => return Err(Fault::Refused(format!("it does not sign with {alg}"))),
    })
}

fn curve(crv: &str) -> Result<&'static [u8], Fault> {
    match crv {
        "P-256" => Ok(P256),
        "P-384" => Ok(P384),
        "P-521" => Ok(P521),
        _ => Err(Fault::Refused(format!("it makes no keys on {crv}"))),
    }
}

/// Without the zeros that some tokens put before numbers.
fn unsigned(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
