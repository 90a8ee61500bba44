//! What a security event means to the person whom it is about, in their words. What only operators understand has none.

use super::audit::{AuditEvent, Event};

/// "Signed in", "Signed out everywhere"; `None` for what a person would not know what to do about.
pub fn words(event: &AuditEvent) -> Option<String> {
    let detail = |name| event.detail.get(name).and_then(serde_json::Value::as_str);
    let words = match event.event {
        Event::UserCreated => "Account made",
        Event::LoginSuccess => match detail("upstream") {
            Some(upstream) => return Some(format!("Signed in with {upstream}")),
            None if detail("amr").is_some_and(by_passkey) => "Signed in with a passkey",
            None => "Signed in",
        },
        Event::LoginSuccessAfterFail => "Signed in, after attempts with a wrong password",
        Event::LoginFail if detail("reason") == Some("passkey") => "A passkey was not accepted",
        Event::PasskeyCopied => "A passkey was refused: there seems to be a copy of it",
        Event::LoginFail => "Somebody tried to sign in with a wrong password",
        Event::LoginLock => "An attempt to sign in had to wait: too many had failed",
        Event::PasswordChange => "Password changed",
        Event::PasswordChangeFail => "Somebody signed in here tried to change the password without knowing it",
        Event::SignInMailAsked => "A mail to sign in with was asked for",
        Event::PasswordResetAsked => "A link to set a new password was asked for",
        Event::PasswordReset => "New password set with a link from a mail",
        Event::EmailVerified => "Address confirmed",
        Event::EmailChangeAsked => "A change of the address was asked for",
        Event::EmailChanged => "Address changed",
        Event::UserArchived => "Account disabled by an administrator",
        Event::UserRestored => "Account enabled again",
        Event::UserDeletionAsked => "Deleting the account was asked for",
        Event::UserDeletionCancelled => "The account is kept",
        Event::RecoveryCodeUsed => "A recovery code was used",
        Event::FactorAdded => "A second factor was added",
        Event::FactorRemoved => "A second factor was removed",
        Event::RecoveryCodesMade => "New recovery codes were made",
        Event::FactorsReset => "An administrator removed every second factor",
        Event::PermissionsChanged => "Roles changed",
        Event::TokenReuse => "A copied token was used: its device was signed out",
        Event::ConsentGranted => "Allowed an application to use the account",
        Event::ConsentWithdrawn => "Took back what an application was allowed",
        Event::SessionEnded => ended(detail("reason")?),
        _ => return None,
    };
    Some(words.to_owned())
}

/// Whether nothing was shown before the passkey.
fn by_passkey(amr: &str) -> bool {
    ["hwk ", "swk "].iter().any(|word| amr.starts_with(word))
}

/// "Why was I signed out?": the words of `EndReason`.
fn ended(reason: &str) -> &'static str {
    match reason {
        "logout" => "Signed out",
        "logout_everywhere" => "Signed out everywhere",
        "password" => "Signed out everywhere, because the password changed",
        "user_disabled" => "Signed out: the account was disabled",
        "client_disabled" => "Signed out of an application that was disabled",
        "consent_withdrawn" => "Signed out of an application that is no longer allowed",
        "admin" => "Signed out by an administrator",
        "factors_changed" => "Signed out, because the second factors changed",
        "reuse" => "Signed out, because a copied token was used",
        "superseded" => "Signed out by somebody else's sign-in in the same browser",
        _ => "Signed out by the application",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{audit::Source, session::EndReason, time::Timestamp};

    #[test]
    fn every_end_of_a_session_has_its_words() {
        let mut seen = std::collections::BTreeSet::new();
        for reason in EndReason::ALL {
            let event = AuditEvent::new(Event::SessionEnded, Timestamp::from_secs(1), &Source::system(), [0; 8])
                .with("reason", reason.as_str());
            seen.insert(words(&event).unwrap());
        }
        // A deleted user reads none; "revoked" is the application's own act.
        assert!(seen.len() >= EndReason::ALL.len() - 1, "{seen:?}");
    }
}
