//! A batch of the feed whose signature held.

use countersign_jose::{
    FeedClaims,
    revocation::{EntryId, Kind},
};

/// An expiry that never comes; the wire writes 0.
pub(crate) const NEVER: i64 = i64::MAX;

/// The one stream there is.
const STREAM: i64 = 0;

/// What one line of the feed says. Positions and times are microseconds of the issuer's database clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// It continues from here: with what came up to this position, it is all there is up to `head`.
    pub(crate) previous: i64,
    pub(crate) head: i64,
    /// Everything committed before this time is at or below `head`.
    pub(crate) time: i64,
    pub(crate) floor: i64,
    /// Further parts of a snapshot follow.
    pub(crate) more: bool,
    pub(crate) entries: Vec<Entry>,
}

/// One revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) id: u128,
    pub(crate) rsn: i64,
    /// Unix seconds; [`NEVER`] if it never expires.
    pub(crate) exp: i64,
}

impl Batch {
    /// # Errors
    /// In words for the log: another stream, or an id that is none.
    pub(crate) fn read(claims: &FeedClaims) -> Result<Self, &'static str> {
        if claims.stream != STREAM {
            return Err("a batch of another stream");
        }
        let mut entries = Vec::with_capacity(claims.entries.len());
        for entry in &claims.entries {
            // A kind of the future names something that no token of today has.
            let Some(kind) = Kind::from_number(entry.kind) else { continue };
            let id = EntryId::of_entry(entry).map_err(|_| "a batch with a malformed id")?;
            let exp = if entry.exp == 0 { NEVER } else { entry.exp };
            entries.push(Entry { kind, id: number(id), rsn: entry.rsn, exp });
        }
        Ok(Self {
            previous: claims.previous,
            head: claims.head,
            time: claims.time,
            floor: claims.floor,
            more: claims.more,
            entries,
        })
    }
}

/// An id as the key of a table.
pub(crate) fn number(id: EntryId) -> u128 {
    u128::from_le_bytes(*id.as_bytes())
}
