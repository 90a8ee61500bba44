//! The two checks (sections 7.1 and 7.2): of a passkey that was made, and of one that was used. Each leaves a value behind that nothing
//! else makes.

use countersign_jose::b64;

use super::{
    Backup, CredentialId, PublicKey, Refusal, RelyingParty, UserHandle,
    answer::{Assertion, Attestation, Credential},
    authenticator::{AuthenticatorData, of_attestation},
    challenge::{self, Binding, Challenge},
    said::{Ceremony, ClientData},
};
use crate::domain::{refresh_token::MacKeys, time::Timestamp};

/// How an authenticator can be reached, as far as there are words for it; others are forgotten.
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// Where and when an answer arrives, and the question that it must be an answer to.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub site: &'a RelyingParty,
    pub keys: &'a MacKeys,
    pub binding: &'a Binding,
    pub now: Timestamp,
}

/// Whether the authenticator must have verified its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// It is the only thing that is shown.
    Required,
    /// Something else was shown before.
    Welcome,
}

/// A passkey that may be kept: whoever made it is present, was verified, and has its key.
#[derive(Debug, Clone)]
pub struct Registered {
    pub credential: CredentialId,
    pub key: PublicKey,
    pub count: u32,
    pub backup: Backup,
    pub aaguid: [u8; 16],
    /// Space-separated.
    pub transports: String,
    challenge: Challenge,
}

/// What is known of a passkey.
#[derive(Debug, Clone)]
pub struct Known {
    pub key: PublicKey,
    pub count: u32,
    pub backup: Backup,
    pub handle: UserHandle,
}

/// An answer to a question of ours, from where it was asked and in time.
#[derive(Debug, Clone)]
pub struct Heard {
    challenge: Challenge,
    /// What the authenticator has signed.
    hash: [u8; 32],
}

/// A passkey that was shown and is right.
#[derive(Debug, Clone)]
pub struct Asserted {
    pub count: u32,
    pub backup: Backup,
    challenge: Challenge,
}

impl Registered {
    /// What is used up with it.
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }
}

impl Asserted {
    /// What is used up with it.
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }
}

/// Checks a passkey that was made. Its person must have been verified, so that it can be all that somebody shows one day.
///
/// # Errors
/// [`Refusal`]
pub fn registered(asked: Asked<'_>, answer: &Credential<Attestation>) -> Result<Registered, Refusal> {
    is_public_key(&answer.kind)?;
    let said =
        ClientData::read(&decode(&answer.response.client_data, "the client data")?, Ceremony::Create, asked.site)?;
    let challenge = challenge::open(asked.keys, asked.binding, &said.challenge, asked.now)?;
    let object = decode(&answer.response.object, "the attestation")?;
    let data = AuthenticatorData::read(of_attestation(&object)?, asked.site)?;
    let made = data.attested.ok_or(Refusal::Malformed("the new passkey"))?;
    if !data.verified {
        return Err(Refusal::Unverified);
    }
    if CredentialId::parse(&answer.id).as_ref() != Some(&made.credential) {
        return Err(Refusal::Malformed("the passkey's name"));
    }
    let transports = TRANSPORTS.into_iter().filter(|known| answer.response.transports.iter().any(|said| said == known));
    Ok(Registered {
        credential: made.credential,
        key: made.key,
        count: counted(data.count, data.backup),
        backup: data.backup,
        aaguid: made.aaguid,
        transports: transports.collect::<Vec<_>>().join(" "),
        challenge,
    })
}

/// Whether an answer is one to a question of ours, whoever gives it.
///
/// # Errors
/// [`Refusal`]
pub fn heard(asked: Asked<'_>, answer: &Credential<Assertion>) -> Result<Heard, Refusal> {
    is_public_key(&answer.kind)?;
    let said = ClientData::read(&decode(&answer.response.client_data, "the client data")?, Ceremony::Get, asked.site)?;
    let challenge = challenge::open(asked.keys, asked.binding, &said.challenge, asked.now)?;
    Ok(Heard { challenge, hash: said.hash })
}

/// Checks a passkey that was used, which is `known`.
///
/// # Errors
/// [`Refusal`]; [`Refusal::Count`] last, when everything else was right.
pub fn asserted(
    site: &RelyingParty,
    (answer, heard): (&Credential<Assertion>, Heard),
    known: &Known,
    verification: Verification,
) -> Result<Asserted, Refusal> {
    is_whose(answer, known, verification)?;
    let bytes = decode(&answer.response.authenticator_data, "the authenticator data")?;
    let data = AuthenticatorData::read(&bytes, site)?;
    if verification == Verification::Required && !data.verified {
        return Err(Refusal::Unverified);
    }
    if data.backup.is_synced() != known.backup.is_synced() {
        return Err(Refusal::Backup);
    }
    let signature = decode(&answer.response.signature, "the signature")?;
    known.key.verify(&[&bytes[..], &heard.hash].concat(), &signature)?;
    // Authenticators that count nothing say 0. One that counts never says the same number twice, nor 0 again (WebAuthn §7.2).
    let count = counted(data.count, data.backup);
    if known.count > 0 && count <= known.count {
        return Err(Refusal::Count { stored: known.count, shown: count });
    }
    Ok(Asserted { count, backup: data.backup, challenge: heard.challenge })
}

/// What a counter says of copies. A passkey that is meant to be on several devices has some, and each may count for itself: nobody
/// is kept out by that.
const fn counted(count: u32, backup: Backup) -> u32 {
    if backup.is_synced() { 0 } else { count }
}

/// Where nobody has said who they are, the authenticator must; elsewhere it must not say somebody else.
fn is_whose(answer: &Credential<Assertion>, known: &Known, verification: Verification) -> Result<(), Refusal> {
    let handle = answer.response.user_handle.as_deref().filter(|handle| !handle.is_empty());
    match (handle, verification) {
        (None, Verification::Welcome) => Ok(()),
        (Some(handle), _) if decode(handle, "the user handle")? == known.handle.as_bytes() => Ok(()),
        (None | Some(_), _) => Err(Refusal::Handle),
    }
}

fn is_public_key(kind: &str) -> Result<(), Refusal> {
    if kind == "public-key" { Ok(()) } else { Err(Refusal::Kind) }
}

fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, Refusal> {
    b64::decode(text).map_err(|_| Refusal::Malformed(what))
}
