//! A verifier's view of the revocation log. Pure: a batch and a time go in, the next view comes out.

use std::{collections::HashSet, sync::Arc, time::Duration};

use countersign_jose::revocation::Kind;

use super::{
    batch::{Batch, Entry},
    index::Index,
    keyed::Keyed,
    lease::{Anchor, micros},
    marks::Marks,
};

/// Immutable once published; the next one shares what has not changed. Positions and times are microseconds of the
/// issuer's database clock.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// Tokens below it are dead: the issuer says so.
    pub(crate) floor: i64,
    /// Tokens below it are dead: entries were dropped for lack of room.
    pub(crate) local_floor: i64,
    /// The newest position that was ever reached.
    pub(crate) head: i64,
    /// From where to read on. It is the head, unless the server has lost commits: then what it appends anew may lie
    /// below the head.
    pub(crate) cursor: i64,
    /// Everything committed before this time is known; 0 before the first snapshot is whole.
    pub(crate) time: i64,
    /// The latest time that any continuing batch showed, parts of a snapshot included.
    latest: i64,
    /// When a batch last came, on the steady clock.
    pub(crate) seen_at: Duration,
    pub(crate) anchor: Option<Anchor>,
    entries: Index,
    killed: Arc<HashSet<u128, Keyed>>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    /// Something is dead that was not before.
    pub(crate) news: bool,
    /// The batch does not continue from what is known: read again from the cursor on.
    pub(crate) gap: bool,
    /// The server has less than it had.
    pub(crate) lost_commits: bool,
    /// Entries had to be dropped; older tokens are refused instead.
    pub(crate) overflow: bool,
}

/// Why a token is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dead {
    /// Below the floor, which is this.
    BelowFloor(i64),
    /// By an entry of this kind at this position.
    Revoked(Kind, i64),
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            floor: 0,
            local_floor: 0,
            head: 0,
            cursor: 0,
            time: 0,
            latest: 0,
            seen_at: Duration::ZERO,
            anchor: None,
            entries: Index::new(),
            killed: Arc::new(HashSet::with_hasher(Keyed::random())),
        }
    }

    /// Takes a batch in. What it ends is ended whatever its order and age: that is always safe, and doing it twice does
    /// nothing. It counts as fresh only if it continues from what is known.
    pub(crate) fn apply(&mut self, batch: &Batch, seen_at: Duration, max_entries: usize) -> Applied {
        let mut applied = Applied { news: self.merge(&batch.entries), ..Applied::default() };
        self.seen_at = seen_at;
        if batch.previous > self.cursor {
            applied.gap = true;
        } else {
            self.advance(batch, &mut applied);
        }
        self.entries.forget_expired(self.time / 1_000_000);
        if self.entries.len() > max_entries {
            self.entries.sweep(self.time / 1_000_000);
        }
        // Some room at once, so that not every further entry sheds another.
        if self.entries.len() > max_entries
            && let Some(dropped) = self.entries.shed(max_entries - max_entries / 8)
        {
            self.local_floor = self.local_floor.max(dropped.saturating_add(1));
            applied.overflow = true;
            applied.news = true;
        }
        applied
    }

    fn advance(&mut self, batch: &Batch, applied: &mut Applied) {
        if batch.floor > self.floor {
            self.floor = batch.floor;
            applied.news = true;
        }
        if batch.head >= self.cursor {
            self.cursor = batch.head;
        } else if batch.time > self.latest && !batch.more {
            // With an older time it would only be a slower replica.
            applied.lost_commits = true;
            self.cursor = batch.head;
        }
        self.head = self.head.max(batch.head);
        self.latest = self.latest.max(batch.time);
        if !batch.more {
            self.time = self.time.max(batch.time);
        }
    }

    fn merge(&mut self, entries: &[Entry]) -> bool {
        let changed = self.entries.merge(entries);
        let keys = entries.iter().filter(|entry| entry.kind == Kind::Key).map(|entry| entry.id);
        let new_keys: Vec<u128> = keys.filter(|id| !self.killed.contains(id)).collect();
        if !new_keys.is_empty() {
            Arc::make_mut(&mut self.killed).extend(&new_keys);
        }
        changed > 0 || !new_keys.is_empty()
    }

    /// Takes an answer to the question for the time.
    pub(crate) fn set_anchor(&mut self, anchor: Anchor, now: Duration) {
        self.anchor = Some(self.anchor.map_or(anchor, |known| known.tighter(anchor, now)));
    }

    /// Whether a token is dead (rule R4). Its own expiry and the age of this view are judged elsewhere.
    #[cfg(any(test, feature = "test-issuer"))]
    pub(crate) fn check(&self, marks: &Marks) -> Result<(), Dead> {
        self.check_again(marks, false)
    }

    /// As [`check`](Self::check). `known`: it held by an earlier view with the same [`base`](Self::base), so that the news since
    /// then are all that can end the token.
    #[inline]
    pub(crate) fn check_again(&self, marks: &Marks, known: bool) -> Result<(), Dead> {
        let floor = self.floor.max(self.local_floor);
        if marks.rsn < floor {
            return Err(Dead::BelowFloor(floor));
        }
        if self.is_killed(marks.key) {
            return Err(Dead::Revoked(Kind::Key, self.head));
        }
        // Ids that are never used again: any entry ends the token.
        for (kind, id) in [(Kind::Token, marks.token), (Kind::Session, marks.session)] {
            if let Some(mark) = self.entries.get(kind, id, known) {
                return Err(Dead::Revoked(kind, mark.rsn));
            }
        }
        // Ids that live on: what is older than the entry.
        for (kind, id) in [(Kind::User, marks.user), (Kind::Client, marks.client), (Kind::Tenant, marks.tenant)] {
            if let Some(mark) = self.entries.get(kind, id, known).filter(|mark| marks.rsn < mark.rsn) {
                return Err(Dead::Revoked(kind, mark.rsn));
            }
        }
        Ok(())
    }

    /// The number of what this view knew before its news; a later view with this number has only more news.
    #[inline]
    pub(crate) fn base(&self) -> u64 {
        self.entries.base()
    }

    /// Whether a signing key was revoked. No key set brings it back.
    #[inline]
    pub(crate) fn is_killed(&self, key: u128) -> bool {
        !self.killed.is_empty() && self.killed.contains(&key)
    }

    /// Whether tokens can be judged: a whole snapshot is there, and the issuer has said what time it is.
    pub(crate) fn is_ready(&self) -> bool {
        self.anchor.is_some() && self.time > 0
    }

    /// How old this view is at most, by the issuer's clock, in microseconds; `None` before there is a whole snapshot and
    /// an answer to what time it is.
    #[inline]
    pub(crate) fn age(&self, now: Duration) -> Option<i64> {
        let anchor = self.anchor.filter(|_| self.time > 0)?;
        Some(anchor.upper_bound(now).saturating_sub(self.time).max(0))
    }

    /// When the age will exceed `bound`, on the steady clock (a little early, never late).
    pub(crate) fn stale_at(&self, bound: Duration, now: Duration) -> Duration {
        let left = self.age(now).map_or(0, |age| micros(bound).saturating_sub(age).max(0));
        // The bound grows faster than time by the drift.
        let left = left.saturating_sub(left / 4_000);
        now.saturating_add(Duration::from_micros(left.unsigned_abs()))
    }

    /// How many entries there are, killed keys not counted.
    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(crate) fn table_bytes(&self) -> usize {
        self.entries.table_bytes()
    }

    /// How many signing keys are known to be killed.
    pub(crate) fn killed_keys(&self) -> usize {
        self.killed.len()
    }
}
