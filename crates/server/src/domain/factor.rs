//! What else than a password somebody proves themselves with: how it is called, and what is kept of its use.

use std::fmt;

use countersign_jose::b64;

use super::{
    assurance::Method,
    audit::is_hostile,
    otp,
    passkey::{Backup, challenge::Challenge},
    recovery::{RecoveryCode, RecoveryHash},
    time::Timestamp,
};

/// The most authenticator apps of an account.
pub const MAX_TOTPS: i64 = 5;

/// The name of a factor in addresses and in the store: `fac_` and 128 random bits. No secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FactorId(String);

impl FactorId {
    const PREFIX: &str = "fac_";

    pub fn new(random: [u8; 16]) -> Self {
        Self(format!("{}{}", Self::PREFIX, b64::encode(random)))
    }

    /// Reads a name that came from outside; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let random: [u8; 16] = b64::decode_array(text.strip_prefix(Self::PREFIX)?).ok()?;
        Some(Self::new(random))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FactorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of which kind a factor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An authenticator app.
    Totp,
    /// A passkey, which can be the only thing that somebody shows.
    Passkey,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Totp, Self::Passkey];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
        }
    }

    /// Reads what the store says.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A factor as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    pub id: FactorId,
    pub kind: Kind,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// What somebody calls a factor of theirs: 1 to 60 characters, none of which controls how others are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorName(String);

/// A name that no factor can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 60 characters, not all blank, none of which controls how others are shown")]
pub struct BadName;

impl FactorName {
    /// # Errors
    /// [`BadName`]
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let text = text.trim();
        let good = (1..=60).contains(&text.chars().count()) && !text.chars().any(is_hostile);
        if good { Ok(Self(text.to_owned())) } else { Err(BadName) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody typed as their second factor.
#[derive(Debug, Clone)]
pub enum Typed {
    Totp(otp::Code),
    Recovery(RecoveryCode),
}

impl Typed {
    /// Six digits are an app's, 24 letters and digits are a recovery code; `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let recovery = || RecoveryCode::parse(text).map(Self::Recovery);
        otp::Code::parse(text).map(Self::Totp).or_else(recovery)
    }
}

/// A factor that was shown and was right: what the store notes, so that it is right once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Used {
    Totp { factor: FactorId, step: i64 },
    Recovery(RecoveryHash),
    Passkey { factor: FactorId, challenge: Challenge, count: u32, backup: Backup },
}

impl Used {
    pub const fn method(&self) -> Method {
        match self {
            Self::Totp { .. } => Method::Totp,
            Self::Recovery(_) => Method::Recovery,
            Self::Passkey { backup, .. } => Method::Passkey { synced: backup.is_synced() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_factors_are_read_back_and_garbage_is_none() {
        let id = FactorId::new([9; 16]);
        assert_eq!(FactorId::parse(id.as_str()), Some(id.clone()));
        for bad in ["", "fac_", "totp", &id.as_str()[1..], &format!("{id}A")] {
            assert_eq!(FactorId::parse(bad), None, "{bad}");
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
    }

    // ADM-05
    #[test]
    fn what_a_factor_is_called_is_harmless() {
        assert_eq!(FactorName::parse(" My phone ").unwrap().as_str(), "My phone");
        for bad in ["", "  ", "a\nb", "a\u{202e}b", &"x".repeat(61)] {
            assert_eq!(FactorName::parse(bad), Err(BadName), "{bad:?}");
        }
    }

    #[test]
    fn what_was_typed_is_told_apart() {
        assert!(matches!(Typed::parse("123 456"), Some(Typed::Totp(_))));
        let code = RecoveryCode::new(&[1; 15]);
        assert!(matches!(Typed::parse(&code.shown()), Some(Typed::Recovery(_))));
        assert!(Typed::parse("1234567").is_none() && Typed::parse("").is_none());
    }
}
