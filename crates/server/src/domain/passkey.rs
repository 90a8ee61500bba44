//! Passkeys (WebAuthn Level 3): what a browser is asked for, and what its answer must be (MFA-04). Nothing here knows a clock, a
//! database or a browser: bytes come in, and a refusal or a proof comes out.

pub mod answer;
mod authenticator;
pub mod challenge;
mod check;
mod cose;
pub mod options;
mod said;
#[cfg(test)]
mod tests;

use std::{fmt, net::Ipv4Addr, time::Duration};

use aws_lc_rs::digest;
use countersign_jose::b64;

pub use self::{
    check::{Asked, Asserted, Heard, Known, Registered, Verification, asserted, heard, registered},
    cose::PublicKey,
};
use super::user::UserId;

/// The most passkeys of an account.
pub const MAX_PASSKEYS: i64 = 10;
/// How long somebody may look for theirs: a challenge is good for so long, once.
pub const PATIENCE: Duration = Duration::from_mins(5);
/// Bytes of a credential's id (WebAuthn Level 3, section 4).
const MAX_CREDENTIAL_ID: usize = 1023;

/// Why an answer of a browser is refused. For the log: its sender hears one word for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0} is malformed")]
    Malformed(&'static str),
    #[error("an answer to another kind of question")]
    Kind,
    #[error("no challenge of ours for this browser and purpose")]
    Challenge,
    #[error("its challenge is older than five minutes")]
    Expired,
    #[error("given to a page of another origin")]
    Origin,
    #[error("given to a page in another site's frame")]
    CrossOrigin,
    #[error("made for another site")]
    Site,
    #[error("nobody was present")]
    Absent,
    #[error("the person was not verified")]
    Unverified,
    #[error("whether it is backed up contradicts itself, or what it said before")]
    Backup,
    #[error("a key of an algorithm that was not asked for, or no key at all")]
    Key,
    #[error("no passkey is known by this name")]
    Unknown,
    #[error("its owner may not sign in, or is not who is asked")]
    Owner,
    #[error("the signature is wrong")]
    Signature,
    #[error("it says that it is somebody else's")]
    Handle,
    #[error("its counter stands at {shown}, and has been at {stored}: there is a copy of it")]
    Count { stored: u32, shown: u32 },
}

/// The site that passkeys are made for: the issuer's host, and no other page than its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    origin: String,
    id: String,
}

impl RelyingParty {
    /// That of an issuer; `None` if its host is an address: browsers make passkeys for names alone.
    pub fn of(issuer: &str) -> Option<Self> {
        let (_, host) = issuer.split_once("://")?;
        let id = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let is_name = !id.is_empty() && !id.starts_with('[') && id.parse::<Ipv4Addr>().is_err();
        is_name.then(|| Self { origin: issuer.to_owned(), id: id.to_owned() })
    }

    /// The `rpId`.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The name that an authenticator gives to a passkey.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialId(Vec<u8>);

impl CredentialId {
    /// `None` if it is empty, or longer than any may be.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (1..=MAX_CREDENTIAL_ID).contains(&bytes.len()).then(|| Self(bytes.to_vec()))
    }

    /// Reads base64url.
    pub fn parse(text: &str) -> Option<Self> {
        Self::new(&b64::decode(text).ok()?)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&b64::encode(&self.0))
    }
}

/// Whom an authenticator keeps a passkey for. It says nothing about the person, not even the id that applications know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserHandle([u8; 32]);

impl UserHandle {
    pub fn of(user: &UserId) -> Self {
        Self(sha256(&[b"countersign-passkey-user|", user.as_str().as_bytes()]))
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Whether a passkey leaves the device that it was made on (the flags BE and BS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backup {
    /// Never: its key is in one piece of hardware.
    Never,
    /// It may, and has not.
    Possible,
    /// It has: other devices of the person have it, too.
    Done,
}

impl Backup {
    const ALL: [Self; 3] = [Self::Never, Self::Possible, Self::Done];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Possible => "possible",
            Self::Done => "done",
        }
    }

    /// Reads what the store keeps.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backup| backup.as_str() == text)
    }

    /// Whether its key may be elsewhere, or come there: a thing that is fixed when it is made.
    pub const fn is_synced(self) -> bool {
        !matches!(self, Self::Never)
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| hash.update(part));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    bytes
}
