//! The revocations of one kind: an exact set, immutable once published. News goes into a small overlay that is copied at each
//! batch; now and then the overlay is merged into the base, which holds nearly everything.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{batch::NEVER, keyed::Keyed};

/// An overlay may grow to this part of the base before it is merged into it.
const OVERLAY_PART: usize = 32;
const SMALLEST_OVERLAY: usize = 1_024;
/// Seconds.
const BETWEEN_SWEEPS: i64 = 30;

/// How far an entry reaches and how long it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Its position in the log, in microseconds.
    pub(crate) rsn: i64,
    /// When it may be forgotten, Unix seconds; [`NEVER`] if it may not.
    pub(crate) exp: i64,
}

impl Mark {
    /// Both, as far as either reaches: merging in any order, and twice, gives the same.
    pub(crate) fn max(self, other: Self) -> Self {
        Self { rsn: self.rsn.max(other.rsn), exp: self.exp.max(other.exp) }
    }
}

type Map = HashMap<u128, Mark, Keyed>;

/// Bases are numbered, each once in a process; 0 is every base without entries.
static BASES: AtomicU64 = AtomicU64::new(1);

/// Entries by their id.
#[derive(Debug, Clone)]
pub(crate) struct Entries {
    base: Arc<Map>,
    /// No other base has this number, unless both are empty.
    number: u64,
    overlay: Arc<Map>,
    len: usize,
    /// No entry expires before this, Unix seconds.
    earliest: i64,
    swept_at: i64,
}

impl Entries {
    pub(crate) fn new() -> Self {
        let empty = Arc::new(Map::with_hasher(Keyed::random()));
        Self { base: Arc::clone(&empty), number: 0, overlay: empty, len: 0, earliest: NEVER, swept_at: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, id: u128) -> Option<Mark> {
        if self.len == 0 {
            return None;
        }
        // An id in the overlay has the maximum of both there.
        self.news(id).or_else(|| self.base.get(&id).copied())
    }

    /// As [`get`](Self::get), among what has come since the base was made.
    #[inline]
    pub(crate) fn news(&self, id: u128) -> Option<Mark> {
        if self.overlay.is_empty() { None } else { self.overlay.get(&id).copied() }
    }

    /// Of the base. Whoever has found nothing there need look at the news alone, as long as it has this number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// With the news merged in, by maximum. Returns how many marks changed.
    pub(crate) fn merge(&mut self, news: impl Iterator<Item = (u128, Mark)>) -> usize {
        let mut news = news.peekable();
        if news.peek().is_none() {
            return 0;
        }
        let mut overlay = Map::clone(&self.overlay);
        let (mut changed, mut added) = (0, 0);
        for (id, mark) in news {
            let known = overlay.get(&id).or_else(|| self.base.get(&id)).copied();
            let merged = known.map_or(mark, |known| known.max(mark));
            if known == Some(merged) {
                continue;
            }
            overlay.insert(id, merged);
            self.earliest = self.earliest.min(merged.exp);
            changed += 1;
            added += usize::from(known.is_none());
        }
        if changed == 0 {
            return 0;
        }
        self.len += added;
        self.overlay = Arc::new(overlay);
        if self.overlay.len() > SMALLEST_OVERLAY.max(self.base.len() / OVERLAY_PART) {
            self.compact();
        }
        changed
    }

    /// Without what has expired at `time`, Unix seconds of the issuer's signed clock. Going through all of them costs
    /// milliseconds, so that it happens now and then.
    pub(crate) fn forget_expired(&mut self, time: i64) {
        if time >= self.swept_at.saturating_add(BETWEEN_SWEEPS) {
            self.sweep(time);
        }
    }

    /// As [`forget_expired`](Self::forget_expired), at once.
    pub(crate) fn sweep(&mut self, time: i64) {
        if self.earliest <= time {
            self.retain(|mark| mark.exp > time);
            self.swept_at = time;
        }
    }

    /// Where in the log each entry is, in no order.
    pub(crate) fn positions(&self) -> impl Iterator<Item = i64> {
        let older = self.base.iter().filter(|(id, _)| !self.overlay.contains_key(*id)).map(|(_, mark)| mark.rsn);
        older.chain(self.overlay.values().map(|mark| mark.rsn))
    }

    /// Without the entries at and below this position.
    pub(crate) fn drop_up_to(&mut self, position: i64) {
        if self.positions().any(|rsn| rsn <= position) {
            self.retain(|mark| mark.rsn > position);
        }
    }

    /// Bytes of both tables: a slot and a control byte per bucket, seven of eight buckets used at most.
    #[cfg(test)]
    pub(crate) fn table_bytes(&self) -> usize {
        let bytes = |map: &Map| {
            let buckets = (map.capacity() * 8).div_ceil(7);
            buckets * (size_of::<(u128, Mark)>() + 1)
        };
        bytes(&self.base) + bytes(&self.overlay)
    }

    fn retain(&mut self, keep: impl Fn(&Mark) -> bool) {
        let mut base = self.merged();
        base.retain(|_, mark| keep(mark));
        if base.len() < base.capacity() / 4 {
            base.shrink_to_fit();
        }
        self.replace(base);
    }

    fn compact(&mut self) {
        if !self.overlay.is_empty() {
            self.replace(self.merged());
        }
    }

    fn merged(&self) -> Map {
        let mut base = Map::clone(&self.base);
        base.extend(self.overlay.iter().map(|(id, mark)| (*id, *mark)));
        base
    }

    fn replace(&mut self, base: Map) {
        self.len = base.len();
        self.earliest = base.values().map(|mark| mark.exp).min().unwrap_or(NEVER);
        self.overlay = Arc::new(Map::with_hasher(*base.hasher()));
        self.base = Arc::new(base);
        self.number = BASES.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(rsn: i64, exp: i64) -> Mark {
        Mark { rsn, exp }
    }

    #[test]
    fn the_furthest_reach_wins_in_any_order() {
        let (a, b) = ((7, mark(1, 90)), (7, mark(5, 50)));
        for news in [vec![a, b], vec![b, a], vec![a, b, a, b, b]] {
            let mut entries = Entries::new();
            entries.merge(news.into_iter());
            assert_eq!((entries.get(7), entries.len()), (Some(mark(5, 90)), 1));
        }
    }

    #[test]
    fn what_is_known_already_changes_nothing() {
        let mut entries = Entries::new();
        assert_eq!(entries.merge([(1, mark(3, 9))].into_iter()), 1);
        assert_eq!(entries.merge([(1, mark(2, 8)), (1, mark(3, 9))].into_iter()), 0);
    }

    /// The base and the overlay together are one set, whatever was merged when.
    #[test]
    fn compaction_loses_nothing() {
        let mut entries = Entries::new();
        for n in 0..10_000_i64 {
            entries.merge([(u128::try_from(n % 7_000).unwrap(), mark(n, n))].into_iter());
        }
        assert_eq!(entries.len(), 7_000);
        assert!(entries.overlay.len() <= SMALLEST_OVERLAY, "merged on the way");
        for n in 0..7_000_i64 {
            let newest = if n < 3_000 { n + 7_000 } else { n };
            assert_eq!(entries.get(u128::try_from(n).unwrap()), Some(mark(newest, newest)));
        }
    }

    #[test]
    fn expired_entries_go_and_no_others() {
        let mut entries = Entries::new();
        entries.merge([(1, mark(1, 10)), (2, mark(2, 20)), (3, mark(3, NEVER))].into_iter());
        entries.forget_expired(9);
        assert_eq!(entries.len(), 3);
        entries.sweep(10);
        assert_eq!((entries.get(1), entries.len()), (None, 2));
        entries.forget_expired(30);
        assert_eq!(entries.len(), 2, "a little later is early enough");
        entries.forget_expired(i64::MAX - 1);
        assert_eq!((entries.get(3), entries.len()), (Some(mark(3, NEVER)), 1));
    }

    // The overlay's mark counts, not the base's older one.
    #[test]
    fn what_is_dropped_goes_by_its_newest_position() {
        let mut entries = Entries::new();
        entries.merge((0..2_000).map(|n| (u128::try_from(n).unwrap(), mark(n, 999))));
        entries.merge([(5, mark(5_000, 999))].into_iter());
        let mut positions: Vec<i64> = entries.positions().collect();
        positions.sort_unstable();
        assert_eq!((positions.len(), positions[5], positions[1_999]), (2_000, 6, 5_000));
        entries.drop_up_to(1_989);
        assert_eq!((entries.len(), entries.get(5), entries.get(1_989)), (11, Some(mark(5_000, 999)), None));
    }
}
