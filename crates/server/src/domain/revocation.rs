//! Entries of the revocation log: what they name, and until when they count.

use std::time::Duration;

use aws_lc_rs::digest;

use super::time::Timestamp;

/// Verifiers accept a token for at most this long after its `exp`; an entry lives as long.
const LEEWAY: Duration = Duration::from_secs(60);
/// An entry that never expires.
const NEVER: i64 = 0;

/// What an entry ends. The numbers are those of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One access token, by its `jti`.
    Token = 1,
    /// One session, by its `sid`.
    Session = 2,
    /// A user's tokens and sessions older than the entry.
    User = 3,
    /// A client's tokens and sessions older than the entry.
    Client = 4,
    /// A tenant's tokens and sessions older than the entry.
    Tenant = 5,
    /// Everything signed by one key, by its `kid`.
    Key = 6,
}

impl Kind {
    /// The number of the feed and of the database.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a number; `None` if there is none.
    pub const fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Token,
            2 => Self::Session,
            3 => Self::User,
            4 => Self::Client,
            5 => Self::Tenant,
            6 => Self::Key,
            _ => return None,
        })
    }

    /// Whether only what is older than the entry is dead, since the id lives on.
    pub const fn is_conditional(self) -> bool {
        matches!(self, Self::User | Self::Client | Self::Tenant)
    }
}

/// Where ids are unique: the issuer (`iss`) and the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    pub issuer: &'a str,
    pub tenant: &'a str,
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

/// The name of what an entry ends: a hash, so that the log itself names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId([u8; 16]);

impl EntryId {
    /// The first 16 bytes of SHA-256 over a label, the kind, and issuer, tenant and value with their lengths.
    pub fn of(kind: Kind, scope: Scope<'_>, value: &str) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"countersign-revocation");
        hash.update(&[kind.number()]);
        for part in [scope.issuer, scope.tenant, value] {
            // Lengths beyond four bytes cannot reach here: every part is a bounded claim.
            hash.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finish().as_ref()[..16]);
        Self(id)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> = Scope { issuer: "https://id.example", tenant: "default" };

    /// Computed apart from this code:
    /// `printf 'countersign-revocation\2\0\0\0\22https://id.example\0\0\0\7default\0\0\0\3abc' | sha256sum`
    #[test]
    fn the_id_of_an_entry_is_the_published_hash() {
        let id = EntryId::of(Kind::Session, SCOPE, "abc");
        let hex: String = id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "e6ca97cfb8902fdbfb4ab5001ccd73fe");
    }

    #[test]
    fn no_two_things_share_an_id() {
        let a = EntryId::of(Kind::Token, SCOPE, "x");
        assert_ne!(a, EntryId::of(Kind::Session, SCOPE, "x"));
        assert_ne!(a, EntryId::of(Kind::Token, Scope { tenant: "other", ..SCOPE }, "x"));
        // The lengths keep the parts apart.
        assert_ne!(
            EntryId::of(Kind::Token, Scope { issuer: "i", tenant: "ab" }, "c"),
            EntryId::of(Kind::Token, Scope { issuer: "i", tenant: "a" }, "bc"),
        );
    }

    #[test]
    fn entries_outlive_what_they_end() {
        let now = Timestamp::from_secs(1_000);
        assert_eq!(Entry::session(SCOPE, "s", 2_000).exp, 2_060);
        assert_eq!(Entry::user(SCOPE, "u", now, Duration::from_secs(600)).exp, 1_660);
        assert_eq!(Entry::key(SCOPE, "k").exp, 0);
        assert_ne!(Entry::token(SCOPE, "t", -60).exp, 0);
    }

    #[test]
    fn kinds_have_their_numbers() {
        for number in 1..=6 {
            assert_eq!(Kind::from_number(number).map(|kind| i64::from(kind.number())), Some(number));
        }
        assert_eq!(Kind::from_number(0).or(Kind::from_number(7)), None);
    }
}
