//! Security events, in the words of OWASP's logging vocabulary (AUD-01). An event is written in the transaction of the
//! change it tells of (AUD-04): what was rolled back leaves none.

use std::{fmt, str::FromStr};

use serde_json::{Map, Value};

use super::time::Timestamp;

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)*) => {
        /// What happened, one row each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Event {
            $($(#[$doc])* $variant,)*
        }

        impl Event {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in the vocabulary.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

events! {
    LoginSuccess "authn_login_success",
    /// The first success after at least one failure.
    LoginSuccessAfterFail "authn_login_successafterfail",
    LoginFail "authn_login_fail",
    /// An attempt was refused because too many had failed before.
    LoginLock "authn_login_lock",
    /// The first factor was right, and the second is owed: nothing was granted.
    LoginPending "authn_login_pending",
    /// Somebody asked for a mail to sign in with; without a user, no account has the address, or nobody confirmed it, or it has
    /// enough of them.
    SignInMailAsked "authn_mail_request",
    /// A recovery code was used; `left` is how many are left.
    RecoveryCodeUsed "authn_recovery_code_used",
    /// A passkey whose counter did not go up was refused: there is a copy of it. `factor`, `stored` and `shown` say which.
    PasskeyCopied "authn_passkey_copied",
    PasswordChange "authn_password_change",
    PasswordChangeFail "authn_password_change_fail",
    /// Somebody asked for a link to set a new password; without a user, no account has the address, or it has enough links.
    PasswordResetAsked "authn_password_reset_request",
    PasswordReset "authn_password_reset",
    TokenCreated "authn_token_created",
    /// A service got a token in exchange for another, to act for its subject; `actor`, `audience` and `of` (a `jti`) name them.
    TokenExchanged "authn_token_exchanged",
    TokenRevoked "authn_token_revoked",
    /// A refresh token was presented that had been replaced: somebody has a copy.
    TokenReuse "authn_token_reuse",
    AuthzFail "authz_fail",
    AuthzAdmin "authz_admin",
    SessionCreated "session_created",
    SessionExpired "session_expired",
    /// Signed out, here or everywhere.
    SessionEnded "session_ended",
    /// Something that looks like a stolen session but does not prove it.
    SessionSuspicious "session_suspicious",
    /// An authentic refresh token of a generation that the database does not know: it lost commits, or a key leaked.
    TokenFromFuture "sys_token_from_future",
    UserCreated "user_created",
    /// Somebody registered with the address of an account that was there.
    UserCreatedAgain "user_created_again",
    UserUpdated "user_updated",
    EmailVerified "user_email_verified",
    /// A signed-in user wants another address, which is yet to be confirmed.
    EmailChangeAsked "user_email_change_request",
    EmailChanged "user_email_changed",
    /// A second factor was added; `kind` says which.
    FactorAdded "user_factor_added",
    FactorRemoved "user_factor_removed",
    /// New recovery codes; the old ones are worth nothing.
    RecoveryCodesMade "user_recovery_codes_made",
    /// An administrator took all second factors away; everything ended.
    FactorsReset "user_factors_reset",
    /// Disabled, or enabled again.
    UserArchived "user_archived",
    UserRestored "user_restored",
    /// Its person wants the account gone; nothing of it is left after a while, unless they change their mind.
    UserDeletionAsked "user_deletion_requested",
    UserDeletionCancelled "user_deletion_cancelled",
    UserDeleted "user_deleted",
    PermissionsChanged "privilege_permissions_changed",
    /// A person agreed that a client may have something; `scope` names it.
    ConsentGranted "privilege_consent_granted",
    ConsentWithdrawn "privilege_consent_withdrawn",
    ClientCreated "client_created",
    ClientUpdated "client_updated",
    ClientDisabled "client_disabled",
    ClientDeleted "client_deleted",
    ClientSecretRotated "client_secret_rotated",
    /// An administrator gave out an initial access token: programs may register themselves with it.
    RegistrationAllowed "client_registration_allowed",
    AudienceCreated "audience_created",
    AudienceUpdated "audience_updated",
    AudienceDeleted "audience_deleted",
    UpstreamCreated "upstream_created",
    UpstreamDeleted "upstream_deleted",
    KeyCreated "key_created",
    /// A key went one state further; `state` names it.
    KeyRotated "key_rotated",
    KeyRevoked "key_revoked",
    /// Another guard has the key-encryption key beside the present one; `store` names it.
    KekWrapped "key_guard_added",
    /// The key-encryption key has one guard, `kept`; `store` names the others, which open nothing any more.
    KekForgotten "key_guard_removed",
    RateLimitExceeded "excess_rate_limit_exceeded",
    /// A database that was older than it has been was accepted: everybody was signed out, every key replaced.
    DatabaseRestored "sys_database_restored",
    /// The configuration was read anew; `changed` and `waiting` (for a restart) name the keys.
    Reloaded "sys_config_reloaded",
    /// It could not be used, and everything stayed as it was; `reason` says why.
    ReloadRefused "sys_config_refused",
    Startup "sys_startup",
    Shutdown "sys_shutdown",
}

/// No event has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no audit event {0:?}")]
pub struct UnknownEvent(String);

impl FromStr for Event {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        Self::ALL.iter().find(|event| event.as_str() == text).copied().ok_or_else(|| UnknownEvent(text.to_owned()))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who did it, from where, in which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A user id, a client id, [`Source::LOCAL`], [`Source::ANONYMOUS`] or [`Source::SYSTEM`].
    pub actor: String,
    pub ip: String,
    pub request_id: String,
}

impl Source {
    /// Whoever may use the Unix socket or the data folder.
    pub const LOCAL: &str = "local";
    pub const ANONYMOUS: &str = "anonymous";
    /// The server itself, by its own schedule.
    pub const SYSTEM: &str = "system";

    /// What the server does by itself comes from no address and no request.
    pub fn system() -> Self {
        Self { actor: Self::SYSTEM.to_owned(), ip: String::new(), request_id: String::new() }
    }
}

/// One event. All its texts are harmless in a terminal and a log file, whatever they were made from.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Sorts by time.
    pub id: String,
    pub at: Timestamp,
    pub event: Event,
    pub source: Source,
    pub user_id: Option<String>,
    pub client_id: Option<String>,
    pub sid: Option<String>,
    /// No secrets.
    pub detail: Map<String, Value>,
}

impl AuditEvent {
    pub fn new(event: Event, at: Timestamp, source: &Source, random: [u8; 8]) -> Self {
        let micros = u64::try_from(at.micros()).unwrap_or(0);
        let Source { actor, ip, request_id } = source;
        Self {
            id: format!("{micros:014x}{:016x}", u64::from_be_bytes(random)),
            at,
            event,
            source: Source { actor: harmless(actor), ip: harmless(ip), request_id: harmless(request_id) },
            user_id: None,
            client_id: None,
            sid: None,
            detail: Map::new(),
        }
    }

    #[must_use]
    pub fn user(mut self, user_id: &str) -> Self {
        self.user_id = Some(harmless(user_id));
        self
    }

    #[must_use]
    pub fn client(mut self, client_id: &str) -> Self {
        self.client_id = Some(harmless(client_id));
        self
    }

    #[must_use]
    pub fn session(mut self, sid: &str) -> Self {
        self.sid = Some(harmless(sid));
        self
    }

    /// Adds a detail: a text, a number, or a list of them. Never a secret.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), harmless_value(value.into()));
        self
    }

    pub fn detail_json(&self) -> String {
        Value::Object(self.detail.clone()).to_string()
    }
}

/// The longest text of an event, characters.
const LONGEST: usize = 256;

/// A text without line breaks, terminal sequences, NUL, and marks that turn the direction of writing: each is shown as its
/// code point, and a long text is cut (AUD-03).
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST));
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        if is_hostile(c) { out.push_str(&format!("<{:04X}>", u32::from(c))) } else { out.push(c) }
    }
    out
}

/// What changes how the text around it is shown, without being seen itself.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
}

fn harmless_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(harmless(&text)),
        Value::Array(list) => list.into_iter().map(harmless_value).collect(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (harmless(&name), harmless_value(value))).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(actor: &str) -> Source {
        Source { actor: actor.to_owned(), ip: "192.0.2.1".to_owned(), request_id: "r1".to_owned() }
    }

    // AUD-01
    #[test]
    fn every_event_has_a_name_of_its_own() {
        for event in Event::ALL {
            assert_eq!(event.as_str().parse(), Ok(*event));
        }
        assert_eq!("authn_token_reuse".parse(), Ok(Event::TokenReuse));
        assert!("authn_magic".parse::<Event>().is_err());
    }

    // AUD-05: ids sort by time, as text.
    #[test]
    fn ids_sort_by_time() {
        let id = |micros, random| {
            AuditEvent::new(Event::LoginFail, Timestamp::from_micros(micros), &source(Source::ANONYMOUS), random).id
        };
        let ids = [
            id(-5, [0; 8]),
            id(9, [255; 8]),
            id(10, [0; 8]),
            id(1_790_000_000_000_000, [255; 8]),
            id(1_790_000_000_000_001, [0; 8]),
            id(32_503_680_000_000_000, [0; 8]),
        ];
        assert!(ids.is_sorted(), "{ids:?}");
        assert!(ids.iter().all(|id| id.len() == 30));
    }

    // AUD-03
    #[test]
    fn a_hostile_name_forges_no_line() {
        let event = AuditEvent::new(Event::LoginFail, Timestamp::from_secs(1), &source("a\r\nb"), [0; 8])
            .user("x\u{1b}[2Ky")
            .with("device", "Mozilla\n2026 authn_login_success\0\u{202e}")
            .with("list", vec!["a\tb".to_owned()]);
        assert_eq!(event.source.actor, "a<000D><000A>b");
        assert_eq!(event.user_id.as_deref(), Some("x<001B>[2Ky"));
        assert_eq!(
            event.detail_json(),
            r#"{"device":"Mozilla<000A>2026 authn_login_success<0000><202E>","list":["a<0009>b"]}"#
        );
    }

    proptest! {
        // AUD-03
        #[test]
        fn no_text_stays_harmful_or_long(text in any::<String>()) {
            let out = harmless(&text);
            prop_assert!(!out.chars().any(char::is_control));
            prop_assert!(out.chars().count() <= LONGEST * 8 + 1);
            if text.chars().all(char::is_alphanumeric) && text.chars().count() <= LONGEST {
                prop_assert_eq!(out, text);
            }
        }
    }
}
