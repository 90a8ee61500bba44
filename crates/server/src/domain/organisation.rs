//! Organisations: people who act for something together. A session speaks for one of them at most; what its person may do by
//! that organisation counts in the tokens of that session alone.

use std::{fmt, time::Duration};

use super::group::is_name;

/// The most members of one organisation: when it goes, each loses by it in one transaction.
pub const MAX_MEMBERS: i64 = 10_000;
/// The most organisations of one person.
pub const MAX_OF_USER: i64 = 64;
/// The most invitations of one organisation that nobody has answered yet.
pub const MAX_INVITATIONS: i64 = 100;
/// How long an invitation is good.
pub const INVITATION_LIFETIME: Duration = Duration::from_hours(7 * 24);
/// The longest name for people, characters.
pub const MAX_NAME: usize = 100;

/// What a request says when its tokens are to speak for no organisation any more. No organisation has this id.
const NONE: &str = "none";

/// An organisation's id: 1 to 64 of lower-case letters, digits, `.`, `_` and `-`, beginning with a letter or digit; not `none`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganisationId(String);

impl OrganisationId {
    /// `None`: it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        (is_name(text) && text != NONE).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganisationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// For whom the tokens of a session are to speak from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// For whom they have spoken.
    Keep,
    /// For the person alone.
    Alone,
    For(OrganisationId),
}

/// The person is no member, or there is no such organisation: nobody learns which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the person is not a member of the organization")]
pub struct NotAMember;

impl Choice {
    /// Reads the parameter `organization`.
    ///
    /// # Errors
    /// [`NotAMember`]: of what cannot be one, nobody is a member.
    pub fn read(parameter: Option<&str>) -> Result<Self, NotAMember> {
        match parameter {
            None => Ok(Self::Keep),
            Some(NONE) => Ok(Self::Alone),
            Some(text) => OrganisationId::parse(text).map(Self::For).ok_or(NotAMember),
        }
    }

    /// The organisation whose member the person must be; `kept` is the one of the session.
    pub fn asked<'a>(&'a self, kept: Option<&'a str>) -> Option<&'a str> {
        match self {
            Self::Keep => kept,
            Self::Alone => None,
            Self::For(id) => Some(id.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_chooses_by_name() {
        let acme = OrganisationId::parse("acme").unwrap();
        assert_eq!(Choice::read(None), Ok(Choice::Keep));
        assert_eq!(Choice::read(Some("none")), Ok(Choice::Alone));
        assert_eq!(Choice::read(Some("acme")), Ok(Choice::For(acme.clone())));
        for bad in ["Acme", "a b", "-"] {
            assert_eq!(Choice::read(Some(bad)), Err(NotAMember));
        }
        assert!(OrganisationId::parse(NONE).is_none());
        assert_eq!(Choice::Keep.asked(Some("globex")), Some("globex"));
        assert_eq!((Choice::Alone.asked(Some("globex")), Choice::Keep.asked(None)), (None, None));
        assert_eq!(Choice::For(acme).asked(Some("globex")), Some("acme"));
    }
}
