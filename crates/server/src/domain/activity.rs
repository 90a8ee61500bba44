//! What a security event means to the person whom it is about; `http/ui/words/` has the words. What only operators understand has
//! none.

use super::audit::{AuditEvent, Event};

/// A sentence for each thing that can happen, in one language.
#[derive(Debug)]
pub struct Happened {
    pub account_made: &'static str,
    pub signed_in: &'static str,
    pub signed_in_with: fn(&str) -> String,
    pub signed_in_by_passkey: &'static str,
    pub signed_in_after_failures: &'static str,
    pub passkey_refused: &'static str,
    pub passkey_copied: &'static str,
    pub wrong_password: &'static str,
    pub had_to_wait: &'static str,
    pub password_changed: &'static str,
    pub password_not_changed: &'static str,
    pub sign_in_mail_asked: &'static str,
    pub reset_asked: &'static str,
    pub password_reset: &'static str,
    pub address_confirmed: &'static str,
    pub address_change_asked: &'static str,
    pub address_changed: &'static str,
    pub disabled: &'static str,
    pub enabled: &'static str,
    pub deletion_asked: &'static str,
    pub kept: &'static str,
    pub recovery_code_used: &'static str,
    pub factor_added: &'static str,
    pub factor_removed: &'static str,
    pub recovery_codes_made: &'static str,
    pub factors_reset: &'static str,
    pub roles_changed: &'static str,
    pub token_copied: &'static str,
    pub consent_given: &'static str,
    pub consent_withdrawn: &'static str,
    pub ended: Ended,
}

/// "Why was I signed out?": a sentence for each reason.
#[derive(Debug)]
pub struct Ended {
    pub here: &'static str,
    pub everywhere: &'static str,
    pub password: &'static str,
    pub disabled: &'static str,
    pub application_disabled: &'static str,
    pub consent_withdrawn: &'static str,
    pub administrator: &'static str,
    pub factors: &'static str,
    pub copied: &'static str,
    pub superseded: &'static str,
    pub application: &'static str,
}

/// "Signed in", "Signed out everywhere"; `None` for what a person would not know what to do about.
pub fn words(event: &AuditEvent, said: &Happened) -> Option<String> {
    let detail = |name| event.detail.get(name).and_then(serde_json::Value::as_str);
    let words = match event.event {
        Event::UserCreated => said.account_made,
        Event::LoginSuccess => match detail("upstream") {
            Some(upstream) => return Some((said.signed_in_with)(upstream)),
            None if detail("amr").is_some_and(by_passkey) => said.signed_in_by_passkey,
            None => said.signed_in,
        },
        Event::LoginSuccessAfterFail => said.signed_in_after_failures,
        Event::LoginFail if detail("reason") == Some("passkey") => said.passkey_refused,
        Event::PasskeyCopied => said.passkey_copied,
        Event::LoginFail => said.wrong_password,
        Event::LoginLock => said.had_to_wait,
        Event::PasswordChange => said.password_changed,
        Event::PasswordChangeFail => said.password_not_changed,
        Event::SignInMailAsked => said.sign_in_mail_asked,
        Event::PasswordResetAsked => said.reset_asked,
        Event::PasswordReset => said.password_reset,
        Event::EmailVerified => said.address_confirmed,
        Event::EmailChangeAsked => said.address_change_asked,
        Event::EmailChanged => said.address_changed,
        Event::UserArchived => said.disabled,
        Event::UserRestored => said.enabled,
        Event::UserDeletionAsked => said.deletion_asked,
        Event::UserDeletionCancelled => said.kept,
        Event::RecoveryCodeUsed => said.recovery_code_used,
        Event::FactorAdded => said.factor_added,
        Event::FactorRemoved => said.factor_removed,
        Event::RecoveryCodesMade => said.recovery_codes_made,
        Event::FactorsReset => said.factors_reset,
        Event::PermissionsChanged => said.roles_changed,
        Event::TokenReuse => said.token_copied,
        Event::ConsentGranted => said.consent_given,
        Event::ConsentWithdrawn => said.consent_withdrawn,
        Event::SessionEnded => ended(detail("reason")?, &said.ended),
        _ => return None,
    };
    Some(words.to_owned())
}

/// Whether nothing was shown before the passkey.
fn by_passkey(amr: &str) -> bool {
    ["hwk ", "swk "].iter().any(|word| amr.starts_with(word))
}

/// The words of `EndReason`.
fn ended(reason: &str, said: &Ended) -> &'static str {
    match reason {
        "logout" => said.here,
        "logout_everywhere" => said.everywhere,
        "password" => said.password,
        "user_disabled" => said.disabled,
        "client_disabled" => said.application_disabled,
        "consent_withdrawn" => said.consent_withdrawn,
        "admin" => said.administrator,
        "factors_changed" => said.factors,
        "reuse" => said.copied,
        "superseded" => said.superseded,
        _ => said.application,
    }
}
