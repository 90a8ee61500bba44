//! How sure it is that somebody is who they say: what they showed (`amr`, RFC 8176), how strong that is (`acr`), and how long
//! ago it was (MFA-05, MFA-06).

use std::time::Duration;

use super::time::Timestamp;

/// How long a sign-in is fresh enough to change what opens the account.
pub const FRESH: Duration = Duration::from_mins(10);

/// How strong a sign-in was: the `acr` of tokens. Whoever has a level has those below it, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One factor: a password, or another provider's word.
    #[default]
    One,
    /// Two factors of different kinds: in two pieces, or in a passkey that verified its person.
    Two,
}

impl Level {
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }

    /// The level that an `acr` value names.
    pub fn parse(acr: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == acr)
    }

    /// What a stored `acr` is worth: what is not known is worth the least.
    pub fn of(acr: &str) -> Self {
        Self::parse(acr).unwrap_or_default()
    }
}

/// What was shown besides the first factor, or a passkey in place of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A code of an authenticator app.
    Totp,
    /// A recovery code. RFC 8176 has no word for it; it is a thing that its owner keeps.
    Recovery,
    /// A passkey, whose key is in one piece of hardware unless it is synced. Somebody was there to use it.
    Passkey { synced: bool },
}

impl Method {
    /// Its words in `amr`.
    pub const fn amr(self) -> &'static str {
        match self {
            Self::Totp => "otp",
            Self::Recovery => "recovery",
            Self::Passkey { synced: false } => "hwk user",
            Self::Passkey { synced: true } => "swk user",
        }
    }
}

/// What the `amr` of a sign-in says, space-separated, once somebody has shown `method` after what `before` names.
pub fn amr(before: &str, method: Method) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in before.split_ascii_whitespace().chain(method.amr().split(' ')).chain(["mfa"]) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" ")
}

/// Why a sign-in does not allow what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEnough {
    /// It happened too long ago.
    Stale,
    /// It showed too little.
    Weak,
}

/// Whether a sign-in may change what opens its account, which has factors of `needed`.
///
/// # Errors
/// [`NotEnough`]: sign in again, or with the second factor.
pub fn may_change_factors(level: Level, auth_time: Timestamp, needed: Level, now: Timestamp) -> Result<(), NotEnough> {
    if level < needed {
        return Err(NotEnough::Weak);
    }
    if now.since(auth_time) > FRESH { Err(NotEnough::Stale) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    // MFA-06
    #[test]
    fn amr_says_what_was_shown_once_each() {
        assert_eq!(amr("pwd", Method::Totp), "pwd otp mfa");
        assert_eq!(amr("pwd", Method::Recovery), "pwd recovery mfa");
        assert_eq!(amr("", Method::Totp), "otp mfa");
        assert_eq!(amr("", Method::Passkey { synced: false }), "hwk user mfa");
        assert_eq!(amr("pwd", Method::Passkey { synced: true }), "pwd swk user mfa");
        assert_eq!(amr("pwd otp mfa", Method::Totp), "pwd otp mfa");
    }

    #[test]
    fn levels_are_read_back_and_ordered() {
        for level in Level::ALL {
            assert_eq!(Level::parse(level.as_str()), Some(level));
        }
        assert!(Level::One < Level::Two);
        assert_eq!((Level::parse("0"), Level::of("phr"), Level::of("2")), (None, Level::One, Level::Two));
    }

    // MFA-05
    #[test]
    fn factors_are_changed_by_whoever_has_just_shown_as_much() {
        let at = |level, ago: Duration, needed| may_change_factors(level, NOW.minus(ago), needed, NOW);
        assert_eq!(at(Level::One, FRESH, Level::One), Ok(()));
        assert_eq!(at(Level::One, FRESH + Duration::from_micros(1), Level::One), Err(NotEnough::Stale));
        assert_eq!(at(Level::One, Duration::ZERO, Level::Two), Err(NotEnough::Weak));
        assert_eq!(at(Level::Two, FRESH, Level::Two), Ok(()));
        assert_eq!(at(Level::Two, FRESH * 2, Level::One), Err(NotEnough::Stale));
    }
}
