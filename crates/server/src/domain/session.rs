//! Names and secrets of a session, and what may end it.

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use countersign_jose::b64;
use zeroize::Zeroizing;

/// The name of a session: 2 bytes of the hash of the user id (they route to a shard) and 16 random bytes, 24 characters
/// of base64url. A name, not a credential.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    bytes: [u8; Self::BYTES],
    text: String,
}

impl Sid {
    /// Bytes of a session's name, before base64url.
    pub const BYTES: usize = 18;

    /// The name of a new session of this user.
    pub fn new(user_id: &str, random: &[u8; 16]) -> Self {
        let mut bytes = [0; Self::BYTES];
        bytes[..2].copy_from_slice(&digest::digest(&digest::SHA256, user_id.as_bytes()).as_ref()[..2]);
        bytes[2..].copy_from_slice(random);
        Self::from_bytes(&bytes)
    }

    /// Reads a name that came from outside; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        b64::decode_array(text).ok().map(|bytes| Self::from_bytes(&bytes))
    }

    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        Self { bytes: *bytes, text: b64::encode(bytes) }
    }

    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        self.bytes
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The secret part of one refresh token: 128 random bits. Compared in constant time, wiped when dropped, never printed.
#[derive(Clone)]
pub struct Nonce(Zeroizing<[u8; Self::BYTES]>);

impl Nonce {
    pub const BYTES: usize = 16;

    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The nonce that a client committed to: the first half of SHA-256 of the `next_nonce` it drew (rule B).
    pub fn committed_by(next_nonce: &[u8; Self::BYTES]) -> Self {
        let hash = digest::digest(&digest::SHA256, next_nonce);
        let mut bytes = [0; Self::BYTES];
        bytes.copy_from_slice(&hash.as_ref()[..Self::BYTES]);
        Self::new(bytes)
    }

    /// Reads the parameter `next_nonce` (base64url of 16 bytes) and returns the nonce it commits to; `None` if malformed.
    pub fn from_next_nonce(text: &str) -> Option<Self> {
        let drawn = Zeroizing::new(b64::decode_array(text).ok()?);
        Some(Self::committed_by(&drawn))
    }

    pub fn expose(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl PartialEq for Nonce {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.expose(), other.expose()).is_ok()
    }
}

impl Eq for Nonce {}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}

/// Why a sign-in or a session was ended, as `revoked_reason` stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The person signed out here: the sign-in and all its sessions.
    Logout,
    /// The person signed out everywhere.
    LogoutEverywhere,
    /// The password was changed or reset.
    Password,
    UserDisabled,
    UserDeleted,
    ClientDisabled,
    /// The person took back what they had allowed a client.
    ConsentWithdrawn,
    /// An administrator ended it.
    Admin,
    /// The client handed its refresh token back (RFC 7009).
    Revoked,
    /// A refresh token was shown that only a thief, or somebody robbed by one, can show.
    Reuse,
    /// A newer sign-in of the same browser took its place.
    Superseded,
    /// What opens the account was changed, and its owner ended all but the sign-in that changed it.
    FactorsChanged,
}

impl EndReason {
    pub const ALL: [Self; 12] = [
        Self::Logout,
        Self::LogoutEverywhere,
        Self::Password,
        Self::UserDisabled,
        Self::UserDeleted,
        Self::ClientDisabled,
        Self::ConsentWithdrawn,
        Self::Admin,
        Self::Revoked,
        Self::Reuse,
        Self::Superseded,
        Self::FactorsChanged,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::LogoutEverywhere => "logout_everywhere",
            Self::Password => "password",
            Self::UserDisabled => "user_disabled",
            Self::UserDeleted => "user_deleted",
            Self::ClientDisabled => "client_disabled",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::Admin => "admin",
            Self::Revoked => "revoked",
            Self::Reuse => "reuse",
            Self::Superseded => "superseded",
            Self::FactorsChanged => "factors_changed",
        }
    }

    /// The reason that a stored word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sids_have_24_characters_and_route_by_user() {
        let (a, b) = (Sid::new("u-1", &[1; 16]), Sid::new("u-1", &[2; 16]));
        assert_eq!(a.as_str().len(), 24);
        assert_eq!(a.to_bytes()[..2], b.to_bytes()[..2]);
        assert_ne!(a, b);
        assert_eq!(Sid::parse(a.as_str()), Some(a));
    }

    #[test]
    fn what_is_no_sid_is_refused() {
        for text in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
        {
            assert_eq!(Sid::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_nonce_never_prints_itself() {
        assert_eq!(format!("{:?}", Nonce::new([65; 16])), "Nonce(…)");
    }

    #[test]
    fn next_nonce_is_hashed_and_strict() {
        let text = b64::encode([7; 16]);
        assert_eq!(Nonce::from_next_nonce(&text), Some(Nonce::committed_by(&[7; 16])));
        assert_ne!(Nonce::committed_by(&[7; 16]), Nonce::new([7; 16]));
        assert_eq!(Nonce::from_next_nonce(&text[1..]), None);
        assert_eq!(Nonce::from_next_nonce(&format!("{text}=")), None);
    }

    #[test]
    fn every_reason_reads_back() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::parse(reason.as_str()), Some(reason));
        }
    }
}
