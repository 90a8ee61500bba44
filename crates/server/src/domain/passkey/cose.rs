//! Public keys as authenticators write them (COSE, RFC 9052 and RFC 9053), and as they are kept: a JWK whose curve or name leaves one algorithm,
//! checked by the library that checks all other keys.

use cbor4ii::core::{
    dec::{Decode, IgnoredAny, Read, Reference},
    types::{Bytes, Map},
    utils::SliceReader,
};
use countersign_jose::{Jwk, VerifyingKey, b64};
use der::{Reader, asn1::UintRef};
use serde_json::json;

use super::Refusal;

/// The algorithms that are asked for, the first one rather: their COSE numbers.
pub(super) const ALGORITHMS: [i64; 3] = [ECDSA_SHA256, EDDSA, RSA_SHA256];
const ECDSA_SHA256: i64 = -7;
const EDDSA: i64 = -8;
const RSA_SHA256: i64 = -257;

/// Members of a key; those in use have five.
const MAX_MEMBERS: usize = 8;

/// A passkey's public key, good for signatures of one algorithm.
#[derive(Debug, Clone)]
pub struct PublicKey {
    jwk: String,
    key: VerifyingKey,
}

impl PublicKey {
    /// Reads what the store keeps; `None` if it is no such key.
    pub fn parse(jwk: &str) -> Option<Self> {
        let key = VerifyingKey::from_jwk(&Jwk::parse(jwk.as_bytes()).ok()?).ok()?;
        Some(Self { jwk: jwk.to_owned(), key })
    }

    /// What the store keeps: a JWK.
    pub fn as_jwk(&self) -> &str {
        &self.jwk
    }

    /// Whether this is its signature. Authenticators write those of ECDSA in DER (section 6.5.5).
    ///
    /// # Errors
    /// [`Refusal::Signature`]
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let verified = if self.key.alg().kty() == "EC" {
            self.key.verify_raw(message, &fixed(signature).ok_or(Refusal::Signature)?)
        } else {
            self.key.verify_raw(message, signature)
        };
        verified.map_err(|_| Refusal::Signature)
    }
}

/// What is in a key, by the labels of its members.
#[derive(Default)]
struct Members<'b> {
    kty: Option<i64>,
    alg: Option<i64>,
    crv: Option<i64>,
    /// Of the labels -1 to -3.
    texts: [Option<&'b [u8]>; 3],
}

/// Reads one key, and leaves the reader behind it.
///
/// # Errors
/// [`Refusal::Key`]
pub(super) fn read(reader: &mut SliceReader<'_>) -> Result<PublicKey, Refusal> {
    let members = members(reader).ok_or(Refusal::Key)?;
    let [first, second, third] = members.texts.map(|bytes| bytes.map(b64::encode));
    let jwk = match (members.kty, members.alg, members.crv) {
        (Some(2), Some(ECDSA_SHA256), Some(1)) => {
            json!({ "kty": "EC", "crv": "P-256", "x": second, "y": third })
        }
        (Some(1), Some(EDDSA), Some(6)) => json!({ "kty": "OKP", "crv": "Ed25519", "x": second }),
        (Some(3), Some(RSA_SHA256), None) => json!({ "kty": "RSA", "alg": "RS256", "n": first, "e": second }),
        _ => return Err(Refusal::Key),
    };
    PublicKey::parse(&jwk.to_string()).ok_or(Refusal::Key)
}

/// What is left to read.
pub(super) fn rest<'b>(reader: &mut SliceReader<'b>) -> &'b [u8] {
    match reader.fill(usize::MAX) {
        Ok(Reference::Long(bytes)) => bytes,
        Ok(Reference::Short(_)) | Err(_) => &[],
    }
}

/// A map whose length is written, each label once.
fn members<'b>(reader: &mut SliceReader<'b>) -> Option<Members<'b>> {
    let length = Map::len(reader).ok().flatten().filter(|length| *length <= MAX_MEMBERS)?;
    let (mut members, mut seen) = (Members::default(), Vec::with_capacity(length));
    for _ in 0..length {
        let label = i64::decode(reader).ok()?;
        if seen.contains(&label) {
            return None;
        }
        seen.push(label);
        let is_text = rest(reader).first()? >> 5 == 2;
        match (label, is_text) {
            (1, false) => members.kty = Some(i64::decode(reader).ok()?),
            (3, false) => members.alg = Some(i64::decode(reader).ok()?),
            (-1, false) => members.crv = Some(i64::decode(reader).ok()?),
            (-3..=-1, true) => {
                let at = usize::try_from(-1 - label).ok()?;
                *members.texts.get_mut(at)? = Some(Bytes::<&[u8]>::decode(reader).ok()?.0);
            }
            _ => {
                IgnoredAny::decode(reader).ok()?;
            }
        }
    }
    Some(members)
}

/// `R ‖ S` of a signature in DER (RFC 3279, section 2.2.3).
fn fixed(signature: &[u8]) -> Option<[u8; 64]> {
    let mut reader = der::SliceReader::new(signature).ok()?;
    let (r, s) = reader.sequence(|inner| Ok((inner.decode::<UintRef<'_>>()?, inner.decode::<UintRef<'_>>()?))).ok()?;
    let mut both = [0; 64];
    for (half, number) in both.chunks_exact_mut(32).zip([r, s]) {
        let bytes = number.as_bytes();
        half.get_mut(32_usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    }
    reader.is_finished().then_some(both)
}
