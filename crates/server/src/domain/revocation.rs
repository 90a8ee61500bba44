//! Entries of the revocation log: what they name, and until when they count.

use std::time::Duration;

pub use countersign_jose::revocation::{EntryId, Kind, Scope};

use super::time::Timestamp;

/// Verifiers accept a token for at most this long after its `exp`; an entry lives as long.
const LEEWAY: Duration = Duration::from_secs(60);
/// An entry that never expires.
const NEVER: i64 = 0;

/// How long after a commit no verifier with this profile accepts what it ended, whatever the network does: the bound of its
/// lease. One that is connected knows within a second.
const STRICT: Duration = Duration::from_secs(1);
const BALANCED: Duration = Duration::from_secs(10);
/// For a check that was under way.
const EPSILON: Duration = Duration::from_millis(250);

/// When an end has reached every verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveBy {
    /// Verifiers with the profile `strict`.
    pub strict: Timestamp,
    /// Verifiers with the profile `balanced`, the default.
    pub balanced: Timestamp,
}

impl EffectiveBy {
    /// For what was committed at this time at the latest.
    pub fn after(committed_at: Timestamp) -> Self {
        let within = |bound: Duration| committed_at.plus(bound + EPSILON);
        Self { strict: within(STRICT), balanced: within(BALANCED) }
    }
}

/// One entry before it has its place (`rsn`) in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub id: EntryId,
    /// Unix seconds; 0: never expires.
    pub exp: i64,
}

impl Entry {
    /// Ends one access token; `exp` is its own, in Unix seconds.
    pub fn token(scope: Scope<'_>, jti: &str, exp: i64) -> Self {
        Self::until(Kind::Token, scope, jti, exp)
    }

    /// Ends one session; `at_exp` is the latest `exp` of its access tokens, in Unix seconds.
    pub fn session(scope: Scope<'_>, sid: &str, at_exp: i64) -> Self {
        Self::until(Kind::Session, scope, sid, at_exp)
    }

    /// Ends what a user holds now; `ttl_cap` is the longest life of any access token.
    pub fn user(scope: Scope<'_>, user_id: &str, now: Timestamp, ttl_cap: Duration) -> Self {
        Self::until(Kind::User, scope, user_id, now.plus(ttl_cap).secs())
    }

    /// Ends what a client holds now.
    pub fn client(scope: Scope<'_>, client_id: &str, now: Timestamp, ttl_cap: Duration) -> Self {
        Self::until(Kind::Client, scope, client_id, now.plus(ttl_cap).secs())
    }

    /// Ends what everybody in a tenant holds now.
    pub fn tenant(scope: Scope<'_>, now: Timestamp, ttl_cap: Duration) -> Self {
        Self::until(Kind::Tenant, scope, scope.tenant, now.plus(ttl_cap).secs())
    }

    /// Ends a signing key, for ever.
    pub fn key(scope: Scope<'_>, kid: &str) -> Self {
        Self { kind: Kind::Key, id: EntryId::of(Kind::Key, scope, kid), exp: NEVER }
    }

    fn until(kind: Kind, scope: Scope<'_>, value: &str, exp: i64) -> Self {
        let leeway = i64::try_from(LEEWAY.as_secs()).unwrap_or(i64::MAX);
        // Never 0 by accident: that would mean never.
        Self { kind, id: EntryId::of(kind, scope, value), exp: exp.saturating_add(leeway).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> = Scope { issuer: "https://id.example", tenant: "default" };

    #[test]
    fn entries_outlive_what_they_end() {
        let now = Timestamp::from_secs(1_000);
        assert_eq!(Entry::session(SCOPE, "s", 2_000).exp, 2_060);
        assert_eq!(Entry::user(SCOPE, "u", now, Duration::from_secs(600)).exp, 1_660);
        assert_eq!(Entry::key(SCOPE, "k").exp, 0);
        assert_ne!(Entry::token(SCOPE, "t", -60).exp, 0);
    }
}
