//! What is written to people, and for how long a mail is tried.

use std::time::Duration;

use super::{mail_token::Purpose, outbox::Retries};

/// How long a mail without a link is of use: until then it is tried.
pub const NOTICE_LIFETIME: Duration = Duration::from_hours(2 * 24);
/// The n-th attempt is followed by n² times ten seconds; the last is about two days after the first.
pub const RETRIES: Retries = Retries { step: Duration::from_secs(10), attempts: 37 };

macro_rules! letters {
    ($($(#[$doc:meta])* $variant:ident $name:literal $purpose:expr,)*) => {
        /// What a mail is about, one row each: how the store names it, and what its link is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Letter {
            $($(#[$doc])* $variant,)*
        }

        impl Letter {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What the token in its link is for; `None`: it has no link.
            pub const fn purpose(self) -> Option<Purpose> {
                match self {
                    $(Self::$variant => $purpose,)*
                }
            }
        }
    };
}

letters! {
    /// Is this your address?
    Verify "verify" Some(Purpose::Verify),
    /// Somebody registered with an address that has an account.
    Known "known" Some(Purpose::Reset),
    Reset "reset" Some(Purpose::Reset),
    /// A code and a link to sign in with.
    SignIn "signin" Some(Purpose::SignIn),
    /// The password was reset; everything was signed out.
    ResetDone "reset_done" None,
    PasswordChanged "password_changed" None,
    /// To the new address: shall this account have it?
    Change "change" Some(Purpose::Change),
    /// To the address that the account still has; the detail is the new one.
    ChangeAsked "change_asked" None,
    /// To the address that the account had; the detail is the new one.
    ChangeDone "change_done" None,
    /// The account goes; the detail is the day.
    DeletionAsked "deletion_asked" None,
    /// To anybody: will you join an organisation? The detail is its name.
    Invitation "invitation" Some(Purpose::Invite),
    /// The detail is the kind of factor.
    FactorAdded "factor_added" None,
    FactorRemoved "factor_removed" None,
    /// An administrator took all of them away.
    FactorsReset "factors_reset" None,
    /// The detail is how many codes are left.
    RecoveryUsed "recovery_used" None,
    RecoveryMade "recovery_made" None,
    /// Somebody knows the password, and guesses at the second factor.
    SecondFactorGuessed "second_factor_guessed" None,
    /// A passkey was refused, since there is a copy of it; the detail is its owner's word for it.
    PasskeyCopied "passkey_copied" None,
}

impl Letter {
    /// Reads what the store keeps.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|letter| letter.as_str() == text).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_is_read_back() {
        for letter in Letter::ALL {
            assert_eq!(Letter::parse(letter.as_str()), Some(*letter));
        }
        assert_eq!(Letter::parse("chain"), None);
    }

    #[test]
    fn a_notice_is_tried_for_as_long_as_it_is_of_use() {
        let last = RETRIES.attempts;
        let whole: Duration = (1..last).map(|attempt| RETRIES.wait(attempt)).sum();
        assert!(whole < NOTICE_LIFETIME && whole + RETRIES.wait(last) > NOTICE_LIFETIME, "{whole:?}");
        assert!(RETRIES.is_last(last) && !RETRIES.is_last(last - 1));
    }
}
