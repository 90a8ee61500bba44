//! The invariants of the view: rules one by one, a reference model over random sets, and a simulated network.

mod model;
mod rules;
mod simulation;
mod size;
mod swap;
mod turns;

use countersign_jose::{
    AccessClaims,
    revocation::{DEFAULT_TENANT, EntryId, Kind, Scope},
};

use super::{Batch, Entry, Marks, NEVER, number};

pub const ISSUER: &str = "https://id.test";

/// Whether the long counts are wanted (`cargo xtask test --full`).
pub fn full() -> bool {
    std::env::var_os("COUNTERSIGN_TEST_FULL").is_some_and(|value| value == "1")
}

pub fn entry(kind: Kind, value: &str, rsn: i64, exp: i64) -> Entry {
    let scope = Scope { issuer: ISSUER, tenant: DEFAULT_TENANT };
    Entry { kind, id: number(EntryId::of(kind, scope, value)), rsn, exp }
}

pub fn batch(previous: i64, head: i64, time: i64, entries: Vec<Entry>) -> Batch {
    Batch { previous, head, time, floor: 0, more: false, entries }
}

pub fn claims(rsn: i64) -> AccessClaims {
    AccessClaims {
        iss: ISSUER.into(),
        sub: "user".into(),
        client_id: "client".into(),
        jti: "token".into(),
        sid: Some("session".into()),
        rsn: Some(rsn),
        ..AccessClaims::default()
    }
}

pub fn marks(claims: &AccessClaims) -> Marks {
    Marks::of(claims, Some("key"))
}

pub fn forever(kind: Kind, value: &str, rsn: i64) -> Entry {
    entry(kind, value, rsn, NEVER)
}
