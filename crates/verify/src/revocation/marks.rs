//! What of a token the log may name. Hashed once per token, not at each look.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use countersign_jose::{
    AccessClaims, Basis,
    revocation::{DEFAULT_TENANT, EntryId, Kind, Scope},
};

use super::batch::number;

/// A name that a token does not have. No entry has it: it would be a hash whose every bit is zero.
const NOTHING: u128 = 0;

/// By which base of a view a token and all that it rests on was last found good: each look after that is at the news alone,
/// which a processor's cache holds.
#[derive(Debug, Default)]
pub(crate) struct Cleared(AtomicU64);

impl Cleared {
    #[inline]
    pub(super) fn by(&self, base: u64) -> bool {
        self.0.load(Relaxed) == base
    }

    /// Whoever notes an older base at the same time costs one look too many, later.
    #[cold]
    pub(super) fn note(&self, base: u64) {
        self.0.store(base, Relaxed);
    }
}

/// The names of one token in the log, and its place in it. Without gaps, so that they are read from as few lines of memory as
/// can be, and the session first: what ends sessions is the one large table, and the look into it takes longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Marks {
    /// [`NOTHING`] if it belongs to none.
    pub(super) session: u128,
    pub(super) token: u128,
    pub(super) user: u128,
    pub(super) client: u128,
    pub(super) tenant: u128,
    /// [`NOTHING`] if nobody knows its key's name.
    pub(super) key: u128,
    pub(super) rsn: i64,
}

impl Marks {
    /// Those of a token that the key `kid` has signed.
    pub(crate) fn of(claims: &AccessClaims, kid: Option<&str>) -> Self {
        let scope = Scope { issuer: &claims.iss, tenant: claims.tid.as_deref().unwrap_or(DEFAULT_TENANT) };
        let id = |kind, value: &str| number(EntryId::of(kind, scope, value));
        Self {
            token: id(Kind::Token, &claims.jti),
            session: claims.sid.as_deref().map_or(NOTHING, |sid| id(Kind::Session, sid)),
            user: id(Kind::User, &claims.sub),
            client: id(Kind::Client, &claims.client_id),
            tenant: id(Kind::Tenant, scope.tenant),
            key: kid.map_or(NOTHING, |kid| of_key(&claims.iss, kid)),
            // A token of an issuer that numbers nothing: the beginning of its second, so that whatever happened within
            // that second ends it (the error is on the side of refusing).
            rsn: claims.rsn.unwrap_or_else(|| claims.iat.saturating_mul(1_000_000)),
        }
    }

    /// Those of a token that another one, with these claims, rests on.
    pub(crate) fn of_basis(basis: &Basis, claims: &AccessClaims) -> Self {
        let scope = Scope { issuer: &claims.iss, tenant: claims.tid.as_deref().unwrap_or(DEFAULT_TENANT) };
        let id = |kind, value: &str| number(EntryId::of(kind, scope, value));
        Self {
            token: id(Kind::Token, &basis.jti),
            session: basis.sid.as_deref().map_or(NOTHING, |sid| id(Kind::Session, sid)),
            user: id(Kind::User, &basis.sub),
            client: id(Kind::Client, &basis.client_id),
            tenant: id(Kind::Tenant, scope.tenant),
            key: basis.kid.as_deref().map_or(NOTHING, |kid| of_key(&claims.iss, kid)),
            rsn: basis.rsn,
        }
    }

    /// The token's position in the log.
    pub(crate) fn rsn(&self) -> i64 {
        self.rsn
    }
}

/// The name of a signing key. Keys belong to the issuer, not to a tenant.
pub(crate) fn of_key(issuer: &str, kid: &str) -> u128 {
    number(EntryId::of(Kind::Key, Scope { issuer, tenant: DEFAULT_TENANT }, kid))
}
