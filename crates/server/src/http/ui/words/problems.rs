//! The error codes that ordinary people meet, in every language. What only a program or its developer can cause is told in English,
//! as `errors.rs` has it.

use crate::errors::{self, Code};

/// An error in words.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    pub title: &'static str,
    /// What happened and what to do.
    pub help: &'static str,
}

macro_rules! problems {
    ($($name:ident $code:ident,)*) => {
        /// See the module.
        #[derive(Debug)]
        pub struct Problems {
            $(pub $name: Told,)*
        }

        impl Problems {
            pub(super) const ENGLISH: Self = Self {
                $($name: Told { title: errors::$code.title, help: errors::$code.help },)*
            };

            /// The words of a code; `None`: they are English everywhere.
            pub fn of(&self, code: Code) -> Option<Told> {
                match code {
                    $(errors::$code => Some(self.$name),)*
                    _ => None,
                }
            }
        }
    };
}

problems! {
    not_found NOT_FOUND,
    request_timeout REQUEST_TIMEOUT,
    last_admin LAST_ADMIN,
    cross_site CROSS_SITE,
    duplicate_cookie DUPLICATE_COOKIE,
    invalid_credentials INVALID_CREDENTIALS,
    second_factor_wrong SECOND_FACTOR_WRONG,
    mail_code_wrong MAIL_CODE_WRONG,
    passkey_refused PASSKEY_REFUSED,
    passkey_late PASSKEY_LATE,
    passkey_known PASSKEY_KNOWN,
    passkeys_unavailable PASSKEYS_UNAVAILABLE,
    second_factor_missing SECOND_FACTOR_MISSING,
    sign_in_stale SIGN_IN_STALE,
    step_up_needed STEP_UP_NEEDED,
    password_too_short PASSWORD_TOO_SHORT,
    password_too_long PASSWORD_TOO_LONG,
    password_common PASSWORD_COMMON,
    invalid_email INVALID_EMAIL,
    registration_closed REGISTRATION_CLOSED,
    too_many_attempts TOO_MANY_ATTEMPTS,
    overloaded OVERLOADED,
    unavailable UNAVAILABLE,
    key_store KEY_STORE,
    authorize_invalid AUTHORIZE_INVALID,
    mail_link_invalid MAIL_LINK_INVALID,
    form_expired FORM_EXPIRED,
    upstream_failed UPSTREAM_FAILED,
    upstream_no_account UPSTREAM_NO_ACCOUNT,
    internal INTERNAL,
}
