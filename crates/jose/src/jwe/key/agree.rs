//! Agreement on a key with a pair drawn for one message (RFC 7518 §4.6).

use aws_lc_rs::{
    agreement::{self, PrivateKey, UnparsedPublicKey},
    error::Unspecified,
    kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest},
};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Carried, Parties};
use crate::{
    Error, Jwk, b64,
    jwe::{ContentAlgorithm, KeyAlgorithm, alg::KeyFamily, header::Header, wrap},
    jwk::{Material, curve},
    limits::MAX_PARTY_BYTES,
};

/// A curve on which two parties agree on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256 (RFC 7518 §6.2.1.1). Everybody has it.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// X25519 (RFC 7748, RFC 8037 §2).
    X25519,
}

struct CurveRow {
    curve: Curve,
    keys: &'static curve::Curve,
    agreement: &'static agreement::Algorithm,
}

/// In the order of the enum: `row` indexes it. secp256k1 is not here: the primitives sign with it and do not agree.
static TABLE: [CurveRow; 4] = [
    CurveRow { curve: Curve::P256, keys: &curve::P256, agreement: &agreement::ECDH_P256 },
    CurveRow { curve: Curve::P384, keys: &curve::P384, agreement: &agreement::ECDH_P384 },
    CurveRow { curve: Curve::P521, keys: &curve::P521, agreement: &agreement::ECDH_P521 },
    CurveRow { curve: Curve::X25519, keys: &curve::X25519, agreement: &agreement::X25519 },
];

impl Curve {
    /// Every curve, in the order of the table.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        TABLE.iter().map(|row| row.curve)
    }

    /// The registered name, as `crv` carries it.
    pub fn as_str(self) -> &'static str {
        self.keys().name
    }

    pub(super) fn agreement(self) -> &'static agreement::Algorithm {
        self.row().agreement
    }

    fn material(self, public: &[u8]) -> Option<Material> {
        Material::from_point(self.keys(), public)
    }

    pub(super) fn keys(self) -> &'static curve::Curve {
        self.row().keys
    }

    fn row(self) -> &'static CurveRow {
        &TABLE[self as usize]
    }
}

/// A public key to agree with.
#[derive(Clone)]
pub(super) struct Point {
    curve: Curve,
    bytes: Vec<u8>,
}

impl Point {
    /// None for a key of another type or curve.
    pub(super) fn of(material: &Material) -> Option<Self> {
        let (keys, bytes) = match material {
            Material::Ec { curve, .. } => (*curve, material.point()),
            Material::Okp { curve, x } => (*curve, x.clone()),
            _ => return None,
        };
        let row = TABLE.iter().find(|row| row.keys.name == keys.name)?;
        Some(Self { curve: row.curve, bytes })
    }

    pub(super) fn curve(&self) -> Curve {
        self.curve
    }

    /// Wraps the content key, or, where nothing is wrapped, replaces it.
    pub(super) fn carry(
        &self,
        (alg, enc): (KeyAlgorithm, ContentAlgorithm),
        parties: &Parties<'_>,
        content_key: &mut Zeroizing<Vec<u8>>,
    ) -> Result<Carried, Error> {
        let failed = |_| Error::Encrypt;
        let mine = PrivateKey::generate(self.curve.agreement()).map_err(failed)?;
        let public = mine.compute_public_key().map_err(failed)?;
        let epk = self.curve.material(public.as_ref()).ok_or(Error::Encrypt)?;
        let agreed = agree(&mine, self, (alg, enc), parties).map_err(failed)?;
        let encrypted_key = match wraps(alg) {
            Some(_) => wrap::wrap(&agreed, content_key).map_err(failed)?,
            None => {
                *content_key = agreed;
                Vec::new()
            }
        };
        let named = [("apu", parties.apu), ("apv", parties.apv)].into_iter().filter(|(_, bytes)| !bytes.is_empty());
        let mut params = vec![("epk", public_members(&epk))];
        params.extend(named.map(|(name, bytes)| (name, b64::encode(bytes).into())));
        Ok(Carried { encrypted_key, params })
    }
}

/// The content key; none if it does not unwrap. Whether `epk` is a point of the key's curve everybody can see, and is said.
pub(super) fn unwrap(
    (alg, enc): (KeyAlgorithm, ContentAlgorithm),
    (mine, curve): (&PrivateKey, Curve),
    header: &Header<'_>,
    encrypted_key: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let malformed = || Error::HeaderMalformed { member: "epk" };
    let epk = header.member("epk").ok_or(Error::HeaderMissing { member: "epk" })?;
    let epk = epk.as_object().and_then(|members| Jwk::from_members(members).ok()).ok_or_else(malformed)?;
    let theirs = Point::of(&epk.material).filter(|point| point.curve == curve).ok_or_else(malformed)?;
    let (apu, apv) = (header.bytes("apu", MAX_PARTY_BYTES)?, header.bytes("apv", MAX_PARTY_BYTES)?);
    let parties = Parties { apu: &apu, apv: &apv };
    let agreed = agree(mine, &theirs, (alg, enc), &parties).map_err(|_| malformed())?;
    match wraps(alg) {
        Some(_) => Ok(wrap::unwrap(&agreed, encrypted_key).ok()),
        None if encrypted_key.is_empty() => Ok(Some(agreed)),
        None => Err(Error::PartLength { part: "encrypted_key", expected: 0, got: encrypted_key.len() }),
    }
}

/// The key that two parties agree on, of the length that wraps or, where nothing is wrapped, of a content key. The primitive
/// refuses a point that is not on the curve and an agreed value of zero (RFC 7748 §6.1, TOK-12).
fn agree(
    mine: &PrivateKey,
    theirs: &Point,
    (alg, enc): (KeyAlgorithm, ContentAlgorithm),
    parties: &Parties<'_>,
) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let (label, len) = wraps(alg).map_or((enc.as_str(), enc.key_len()), |len| (alg.as_str(), len));
    let theirs = UnparsedPublicKey::new(theirs.curve.agreement(), &theirs.bytes);
    agreement::agree(mine, theirs, Unspecified, |secret| derive(secret, label, parties, len))
}

/// The Concat KDF of NIST SP 800-56A §5.8.1 with SHA-256 (RFC 7518 §4.6.2).
fn derive(secret: &[u8], label: &str, parties: &Parties<'_>, len: usize) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let number = |len: usize| u32::try_from(len).map(u32::to_be_bytes).map_err(|_| Unspecified);
    let mut info = Vec::with_capacity(16 + label.len() + parties.apu.len() + parties.apv.len());
    for part in [label.as_bytes(), parties.apu, parties.apv] {
        info.extend_from_slice(&number(part.len())?);
        info.extend_from_slice(part);
    }
    info.extend_from_slice(&number(len * 8)?);
    let hash = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).ok_or(Unspecified)?;
    let mut key = Zeroizing::new(vec![0; len]);
    sskdf_digest(hash, secret, &info, &mut key)?;
    Ok(key)
}

fn wraps(alg: KeyAlgorithm) -> Option<usize> {
    match alg.row().family {
        KeyFamily::Agree { wrap } => wrap,
        _ => None,
    }
}

fn public_members(material: &Material) -> Value {
    let members: Map<String, Value> =
        material.members().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    members.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_stands_at_its_own_index() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.curve as usize, index);
        }
    }

    // RFC 7518 appendix C
    #[test]
    fn the_example_of_key_agreement() {
        let d = b64::decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").unwrap();
        let x = b64::decode("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ").unwrap();
        let y = b64::decode("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck").unwrap();
        let mine = PrivateKey::from_private_key(&agreement::ECDH_P256, &d).unwrap();
        let theirs = Point { curve: Curve::P256, bytes: [&[4], x.as_slice(), &y].concat() };
        let parties = Parties { apu: b"Alice", apv: b"Bob" };
        let key = agree(&mine, &theirs, (KeyAlgorithm::EcdhEs, ContentAlgorithm::A128GCM), &parties).unwrap();
        assert_eq!(b64::encode(&key), "VqqN6vgjbSBcIijNcacQGg");
    }
}
