//! Why a token or a request was refused, in words for the service's own log. What the remote caller hears is less:
//! see `http/answer.rs`.

use std::{borrow::Cow, fmt, time::Duration};

use countersign_jose::{self as jose, revocation::Kind};

use crate::{dpop::DpopFault, text::shown};

/// Why a request was refused. Compare by value, log with [`code`](Self::code), [`expected`](Self::expected),
/// [`got`](Self::got) and [`hint`](Self::hint); send [`response`](Self::response) to the caller, who learns less
/// (TOK-26). Text that a stranger wrote is shortened and escaped.
///
/// ```
/// use countersign_verify::Rejection;
///
/// let rejection = Rejection::Expired { exp: 1_790_000_000, now: 1_790_000_042 };
/// assert_eq!(rejection.code(), "expired");
/// assert_eq!(rejection.to_string(), "expired: expected a time before 1790000000, got 1790000042");
/// assert_eq!(rejection.status(), 401);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// No token where one is needed. 401 without an error code (RFC 6750 §3.1).
    Missing,
    /// More than one token, or one sent in more than one way. 400 (RFC 6750 §2).
    Unclear(Unclear),
    /// The access cookie came with a request that another site may have made. 403.
    CrossSite,
    /// Not a token by its text, header or claims: what the JOSE library says is inside.
    Malformed(jose::Error),
    /// The key that the token names is for another algorithm (RFC 8725 §3.1).
    Algorithm {
        /// What the key is for.
        expected: String,
        /// What the header says.
        got: String,
    },
    /// Another kind of token: an ID token, a logout token, a proof (RFC 8725 §3.11).
    Type {
        /// The header's `typ`; empty if absent.
        got: String,
    },
    /// The signature does not hold.
    Signature,
    /// The issuer has no such key, or the verifier has not seen it yet.
    UnknownKey {
        /// The header's `kid`; empty if absent.
        kid: String,
        /// The keys that the verifier has.
        known: String,
    },
    /// Another issuer's token; compared byte by byte (RFC 9068 §4).
    Issuer {
        /// This verifier's issuer.
        expected: String,
        /// The token's `iss`.
        got: String,
    },
    /// A token for another service (RFC 9068 §4).
    Audience {
        /// This verifier's audience.
        expected: String,
        /// The token's `aud`.
        got: String,
    },
    /// Past its `exp`, leeway included. Seconds since 1970.
    Expired {
        /// The token's `exp`.
        exp: i64,
        /// The verifier's clock.
        now: i64,
    },
    /// Before its `nbf`, or issued in the future, leeway included. Seconds since 1970.
    NotYet {
        /// The later of `nbf` and `iat`.
        from: i64,
        /// The verifier's clock.
        now: i64,
    },
    /// Valid for longer than the verifier's cap. Seconds.
    Lifetime {
        /// The cap.
        cap: i64,
        /// `exp` − `iat`.
        got: i64,
    },
    /// It was revoked: itself, its session, or everything older of its user, client or tenant.
    Revoked {
        /// What the revocation names.
        kind: Kind,
        /// The revocation's position in the log, in microseconds of the issuer's clock.
        rsn: i64,
    },
    /// Its signing key was revoked, whatever key set says otherwise.
    KilledKey {
        /// The header's `kid`.
        kid: String,
    },
    /// Older than anything that is still accepted: the issuer raised its floor, or this verifier had to drop its oldest
    /// revocations for lack of room. The client refreshes.
    BelowFloor {
        /// The token's position in the log.
        rsn: i64,
        /// The floor.
        floor: i64,
    },
    /// The issuer was asked (RFC 7662) and does not call it active.
    Inactive,
    /// It is bound to a key (RFC 9449) and was not presented as that asks for, or the proof beside it is not good. 401; 503 if
    /// no more proofs can be remembered.
    Dpop(DpopFault),
    /// The verifier has not heard from the issuer for longer than its bound, and could not ask. 503, never 401.
    Stale {
        /// How old its view of the revocation log is at most.
        age: Duration,
        /// How old it may be.
        bound: Duration,
    },
    /// The token is good and its scope is not enough. 403 (RFC 6750 §3.1).
    Scope {
        /// The scopes that are needed, separated by spaces.
        required: String,
        /// The token's `scope`.
        granted: String,
    },
    /// The token is good and its owner has none of the roles. 403.
    Role {
        /// The roles of which one is needed, separated by spaces.
        required: String,
        /// The token's `roles`.
        granted: String,
    },
    /// The token is good and no role of its owner permits this. 403.
    Permission {
        /// The permission that is needed.
        required: String,
        /// The token's `permissions`, separated by spaces.
        granted: String,
    },
    /// The token is good and does not speak for the organisation that the request is about. 403.
    Organisation {
        /// The organisation's id.
        required: String,
        /// The one that the token speaks for; empty: none.
        got: String,
    },
    /// The verifier cannot judge yet or any more: it has no keys of the issuer, or no revocation log. 503, never 401, so
    /// that no client throws away a good token.
    NotReady {
        /// When to try again, in seconds.
        retry_after: u64,
        /// What is missing, and why.
        cause: String,
    },
    /// A handler asked for claims on a route that no [`VerifyLayer`](crate::VerifyLayer) covers. 500: a mistake of the
    /// service, which stays closed.
    Unguarded,
}

/// How a request left open which token it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unclear {
    /// `Authorization` occurs more than once.
    TwoHeaders,
    /// The header and the cookie both carry a token.
    TwoMethods,
    /// Two cookies of the same name (CSR-02); the answer clears them.
    TwoCookies {
        /// The `Set-Cookie` value that does so.
        clear: &'static str,
    },
}

impl Rejection {
    /// A stable word for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unclear(Unclear::TwoHeaders) => "two_headers",
            Self::Unclear(Unclear::TwoMethods) => "two_methods",
            Self::Unclear(Unclear::TwoCookies { .. }) => "two_cookies",
            Self::CrossSite => "cross_site",
            Self::Malformed(_) => "malformed",
            Self::Algorithm { .. } => "algorithm",
            Self::Type { .. } => "type",
            Self::Signature => "signature",
            Self::UnknownKey { .. } => "unknown_key",
            Self::Issuer { .. } => "issuer",
            Self::Audience { .. } => "audience",
            Self::Expired { .. } => "expired",
            Self::NotYet { .. } => "not_yet",
            Self::Lifetime { .. } => "lifetime",
            Self::Revoked { .. } => "revoked",
            Self::KilledKey { .. } => "killed_key",
            Self::BelowFloor { .. } => "below_floor",
            Self::Inactive => "inactive",
            Self::Dpop(fault) => fault.code(),
            Self::Stale { .. } => "stale",
            Self::Scope { .. } => "scope",
            Self::Role { .. } => "role",
            Self::Permission { .. } => "permission",
            Self::Organisation { .. } => "organisation",
            Self::NotReady { .. } => "not_ready",
            Self::Unguarded => "unguarded",
        }
    }

    /// What would have been accepted.
    pub fn expected(&self) -> Cow<'_, str> {
        match self {
            Self::Missing => "a bearer token".into(),
            Self::Unclear(_) => "one token".into(),
            Self::CrossSite => "a request of the issuer's own origin".into(),
            Self::Malformed(_) => "a signed access token (RFC 9068)".into(),
            Self::Algorithm { expected, .. } | Self::Issuer { expected, .. } | Self::Audience { expected, .. } => {
                expected.into()
            }
            Self::Type { .. } => "at+jwt".into(),
            Self::Signature => "a signature by the key that the token names".into(),
            Self::UnknownKey { known, .. } => format!("one of the keys {known}").into(),
            Self::Expired { exp, .. } => format!("a time before {exp}").into(),
            Self::NotYet { from, .. } => format!("a time from {from} on").into(),
            Self::Lifetime { cap, .. } => format!("at most {cap} s").into(),
            Self::Revoked { .. } | Self::Inactive => "a token that stands".into(),
            Self::KilledKey { .. } => "a key that stands".into(),
            Self::Dpop(fault) => fault.expected().into(),
            Self::BelowFloor { floor, .. } => format!("an rsn from {floor} on").into(),
            Self::Stale { bound, .. } => format!("news of the issuer within {} ms", bound.as_millis()).into(),
            Self::Scope { required, .. } => format!("the scope {required}").into(),
            Self::Role { required, .. } => format!("one of the roles {required}").into(),
            Self::Permission { required, .. } => format!("the permission {required}").into(),
            Self::Organisation { required, .. } => format!("a token for the organisation {}", shown(required)).into(),
            Self::NotReady { .. } => "the issuer's keys and revocations".into(),
            Self::Unguarded => "a VerifyLayer around this route".into(),
        }
    }

    /// What came instead.
    pub fn got(&self) -> Cow<'_, str> {
        match self {
            Self::Missing => "none".into(),
            Self::Unclear(Unclear::TwoHeaders) => "two Authorization headers".into(),
            Self::Unclear(Unclear::TwoMethods) => "one in the header and one in the cookie".into(),
            Self::Unclear(Unclear::TwoCookies { .. }) => "two cookies of one name".into(),
            Self::CrossSite => "a cookie without a matching Origin".into(),
            Self::Malformed(error) => shown(&error.to_string()).into(),
            Self::Signature => "another signature".into(),
            Self::Algorithm { got, .. }
            | Self::Type { got }
            | Self::UnknownKey { kid: got, .. }
            | Self::KilledKey { kid: got }
            | Self::Issuer { got, .. }
            | Self::Audience { got, .. }
            | Self::Scope { granted: got, .. }
            | Self::Role { granted: got, .. }
            | Self::Permission { granted: got, .. }
            | Self::Organisation { got, .. }
            | Self::NotReady { cause: got, .. } => or_nothing(got),
            Self::Expired { now, .. } | Self::NotYet { now, .. } => now.to_string().into(),
            Self::Lifetime { got, .. } => format!("{got} s").into(),
            Self::Revoked { kind, rsn } => format!("its {} was revoked at {rsn}", noun(*kind)).into(),
            Self::BelowFloor { rsn, .. } => rsn.to_string().into(),
            Self::Inactive => "the issuer calls it inactive".into(),
            Self::Dpop(fault) => fault.got(),
            Self::Stale { age, .. } => format!("none for {} ms", age.as_millis()).into(),
            Self::Unguarded => "none".into(),
        }
    }

    /// What whoever runs the service may do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing => "send `Authorization: Bearer <access token>`",
            Self::Unclear(_) => "send the token once: in the header, or in the cookie, not in both",
            Self::CrossSite => "a page of another origin must use the header, not the cookie",
            Self::Malformed(_) => "was it copied whole? Refresh and opaque tokens are not for services",
            Self::Algorithm { .. } => "the token's header contradicts its key: treat it as forged",
            Self::Type { .. } => "send the access token, not the ID token or another kind",
            Self::Signature => "the token was altered, or another issuer signed it with a key of the same id",
            Self::UnknownKey { .. } => "does it come from this issuer? New keys are fetched, at most every 30 s",
            Self::Issuer { .. } => "the builder's issuer must equal the token's `iss` to the letter, slash included",
            Self::Audience { .. } => "ask for a token for this audience, or correct audience() in the builder",
            Self::Expired { .. } => "the client must refresh; if it has just done so, compare the clocks",
            Self::NotYet { .. } => "compare the clocks of the issuer and of this machine",
            Self::Lifetime { .. } => "raise max_lifetime() to the issuer's cap, or shorten its access_token_ttl",
            Self::Revoked { .. } | Self::Inactive => {
                "the client must refresh; if that fails, its user has to sign in again"
            }
            Self::KilledKey { .. } => "the issuer revoked its signing key; the client must refresh",
            Self::Dpop(fault) => fault.hint(),
            Self::BelowFloor { .. } => "the client must refresh; if it happens a lot, raise max_entries()",
            Self::Stale { .. } => "is the issuer's revocation feed reachable from here? See revocation_status()",
            Self::Scope { .. } => "the client must ask for this scope, and its owner consent",
            Self::Role { .. } => "an administrator can grant the role; the next refresh carries it",
            Self::Permission { .. } => {
                "an administrator can give one of the owner's roles the permission; does the audience ask for permissions?"
            }
            Self::Organisation { .. } => "the client must sign in, or refresh, with `organization`",
            Self::NotReady { .. } => {
                "is the issuer reachable from here: /.well-known/jwks.json, and its revocation feed?"
            }
            Self::Unguarded => "add `.layer(VerifyLayer::new(verifier))` to the router, outside of this route",
        }
    }

    /// What a key, a signature or a claim was refused for.
    pub(crate) fn of_token(error: jose::Error, known: impl FnOnce() -> String) -> Self {
        use jose::Error as E;
        match error {
            E::AlgorithmMismatch { expected, got } => {
                Self::Algorithm { expected: expected.to_string(), got: got.to_string() }
            }
            E::Type { got, .. } => Self::Type { got: got.as_deref().map(shown).unwrap_or_default() },
            E::UnknownKey { kid } => {
                Self::UnknownKey { kid: kid.as_deref().map(shown).unwrap_or_default(), known: known() }
            }
            E::Signature => Self::Signature,
            E::Issuer { expected, got } => Self::Issuer { expected, got: shown(&got) },
            E::Audience { expected, got } => Self::Audience { expected, got: shown(&got) },
            E::Expired { exp, now } => Self::Expired { exp, now },
            E::NotYet { nbf: from, now } | E::IssuedInFuture { iat: from, now } => Self::NotYet { from, now },
            E::Lifetime { limit, got } => Self::Lifetime { cap: limit, got },
            error => Self::Malformed(error),
        }
    }

    /// What no grammar of a token allows, from the byte `at` on.
    pub(crate) fn not_a_token(at: usize) -> Self {
        Self::Malformed(jose::Error::Character { at })
    }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Token => "id",
        Kind::Session => "session",
        Kind::User => "user",
        Kind::Client => "client",
        Kind::Tenant => "tenant",
        Kind::Key => "key",
    }
}

fn or_nothing(text: &str) -> Cow<'_, str> {
    if text.is_empty() { "none".into() } else { text.into() }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.code(), self.expected(), self.got())
    }
}

impl std::error::Error for Rejection {}
