//! What the authenticator says (section 6.1): for which site, with whom present, how often it was used, and for a new passkey its name
//! and key. Every byte is accounted for.

use cbor4ii::core::{
    dec::{Decode, IgnoredAny},
    types::{Bytes, Map},
    utils::SliceReader,
};

use super::{
    Backup, CredentialId, Refusal, RelyingParty,
    cose::{self, PublicKey, rest},
    sha256,
};

/// Bytes of it: a name of 1023, a key of RSA with 4096 bits, and extensions that nobody asked for.
const MAX_BYTES: usize = 4096;
/// Bytes of the whole answer for a new passkey, with the statement of its maker, which is not looked at.
const MAX_ATTESTATION: usize = 16 * 1024;

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// See the module.
#[derive(Debug)]
pub(super) struct AuthenticatorData {
    /// The person was verified: by a PIN, a finger, a face.
    pub verified: bool,
    pub backup: Backup,
    pub count: u32,
    pub attested: Option<Attested>,
}

/// A passkey that was just made.
#[derive(Debug)]
pub(super) struct Attested {
    /// The model of the authenticator, or zeros.
    pub aaguid: [u8; 16],
    pub credential: CredentialId,
    pub key: PublicKey,
}

impl AuthenticatorData {
    /// # Errors
    /// [`Refusal`]: malformed, another site's, or nobody was present.
    pub fn read(bytes: &[u8], site: &RelyingParty) -> Result<Self, Refusal> {
        let malformed = Refusal::Malformed("the authenticator data");
        let (site_hash, after) = bytes.split_first_chunk::<32>().ok_or(malformed)?;
        let (&[flags], after) = after.split_first_chunk::<1>().ok_or(malformed)?;
        let (count, mut after) = after.split_first_chunk::<4>().ok_or(malformed)?;
        if bytes.len() > MAX_BYTES {
            return Err(malformed);
        }
        if *site_hash != sha256(&[site.id.as_bytes()]) {
            return Err(Refusal::Site);
        }
        if flags & PRESENT == 0 {
            return Err(Refusal::Absent);
        }
        let backup = match (flags & BACKUP_ELIGIBLE != 0, flags & BACKED_UP != 0) {
            (false, false) => Backup::Never,
            (true, false) => Backup::Possible,
            (true, true) => Backup::Done,
            (false, true) => return Err(Refusal::Backup),
        };
        let attested = if flags & ATTESTED == 0 { None } else { Some(attested(&mut after)?) };
        if flags & EXTENSIONS != 0 {
            extensions(&mut after)?;
        }
        if !after.is_empty() {
            return Err(malformed);
        }
        Ok(Self { verified: flags & VERIFIED != 0, backup, count: u32::from_be_bytes(*count), attested })
    }
}

/// The part of an attestation that counts: who made the authenticator is not asked, so nobody's word for it is looked at.
///
/// # Errors
/// [`Refusal::Malformed`]
pub(super) fn of_attestation(bytes: &[u8]) -> Result<&[u8], Refusal> {
    let malformed = Refusal::Malformed("the attestation");
    let mut reader = SliceReader::new(bytes);
    if bytes.len() > MAX_ATTESTATION || Map::len(&mut reader).ok().flatten() != Some(3) {
        return Err(malformed);
    }
    let (mut data, mut format, mut statement) = (None, false, false);
    for _ in 0..3 {
        match <&str>::decode(&mut reader).map_err(|_| malformed)? {
            "authData" if data.is_none() => {
                data = Some(Bytes::<&[u8]>::decode(&mut reader).map_err(|_| malformed)?.0);
            }
            "fmt" if !format => format = <&str>::decode(&mut reader).is_ok(),
            "attStmt" if !statement => statement = IgnoredAny::decode(&mut reader).is_ok(),
            _ => return Err(malformed),
        }
    }
    match data {
        Some(data) if format && statement && rest(&mut reader).is_empty() => Ok(data),
        _ => Err(malformed),
    }
}

fn attested(after: &mut &[u8]) -> Result<Attested, Refusal> {
    let malformed = Refusal::Malformed("the new passkey");
    let (aaguid, tail) = after.split_first_chunk::<16>().ok_or(malformed)?;
    let (length, tail) = tail.split_first_chunk::<2>().ok_or(malformed)?;
    let (name, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(malformed)?;
    let mut reader = SliceReader::new(tail);
    let key = cose::read(&mut reader)?;
    *after = rest(&mut reader);
    Ok(Attested { aaguid: *aaguid, credential: CredentialId::new(name).ok_or(malformed)?, key })
}

/// One map, whatever is in it: nothing was asked for.
fn extensions(after: &mut &[u8]) -> Result<(), Refusal> {
    let is_map = after.first().is_some_and(|byte| byte >> 5 == 5);
    let mut reader = SliceReader::new(after);
    if !is_map || IgnoredAny::decode(&mut reader).is_err() {
        return Err(Refusal::Malformed("the extensions"));
    }
    *after = rest(&mut reader);
    Ok(())
}
