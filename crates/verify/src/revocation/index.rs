//! Every entry, by its kind. Most entries end sessions, so that for most tokens only one of the looks goes to a table that no
//! processor's cache holds.

use countersign_jose::revocation::Kind;

use super::{
    batch::Entry,
    entries::{Entries, Mark},
};

/// Kinds that have a table here; killed keys are kept elsewhere.
const KINDS: usize = 5;

/// Immutable once published, like what it is made of.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    kinds: [Entries; KINDS],
    base: u64,
}

impl Index {
    pub(crate) fn new() -> Self {
        let empty = Entries::new();
        Self { kinds: [(); KINDS].map(|()| empty.clone()), base: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.iter().map(Entries::len).sum()
    }

    /// The number of what lies below the news of all kinds; see [`Entries::number`].
    #[inline]
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// `news_only`: for who has looked at what lies below before.
    #[inline]
    pub(crate) fn get(&self, kind: Kind, id: u128, news_only: bool) -> Option<Mark> {
        let entries = &self.kinds[place(kind)?];
        if news_only { entries.news(id) } else { entries.get(id) }
    }

    /// With the news merged in, by maximum. Returns how many marks changed.
    pub(crate) fn merge(&mut self, news: &[Entry]) -> usize {
        let mut changed = 0;
        for (at, entries) in self.kinds.iter_mut().enumerate() {
            let own = news.iter().filter(|entry| place(entry.kind) == Some(at));
            changed += entries.merge(own.map(|entry| (entry.id, Mark { rsn: entry.rsn, exp: entry.exp })));
        }
        self.renumber();
        changed
    }

    /// Without what has expired at `time`, Unix seconds of the issuer's signed clock; now and then.
    pub(crate) fn forget_expired(&mut self, time: i64) {
        self.kinds.iter_mut().for_each(|entries| entries.forget_expired(time));
        self.renumber();
    }

    /// As [`forget_expired`](Self::forget_expired), at once.
    pub(crate) fn sweep(&mut self, time: i64) {
        self.kinds.iter_mut().for_each(|entries| entries.sweep(time));
        self.renumber();
    }

    /// Keeps the `keep` newest of all kinds and returns the position of the newest that was dropped; `None` if there are no
    /// more.
    pub(crate) fn shed(&mut self, keep: usize) -> Option<i64> {
        let excess = self.len().checked_sub(keep).filter(|excess| *excess > 0)?;
        let mut positions: Vec<i64> = self.kinds.iter().flat_map(Entries::positions).collect();
        let (_, newest_dropped, _) = positions.select_nth_unstable(excess - 1);
        let newest_dropped = *newest_dropped;
        self.kinds.iter_mut().for_each(|entries| entries.drop_up_to(newest_dropped));
        self.renumber();
        Some(newest_dropped)
    }

    /// A base that is new has a greater number than any before it.
    fn renumber(&mut self) {
        self.base = self.kinds.iter().map(Entries::number).max().unwrap_or(0);
    }

    #[cfg(test)]
    pub(crate) fn table_bytes(&self) -> usize {
        self.kinds.iter().map(Entries::table_bytes).sum()
    }
}

#[inline]
const fn place(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Session => Some(0),
        Kind::Token => Some(1),
        Kind::User => Some(2),
        Kind::Client => Some(3),
        Kind::Tenant => Some(4),
        Kind::Key => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind, rsn: i64) -> Entry {
        Entry { kind, id: u128::from(rsn.unsigned_abs()), rsn, exp: 999 }
    }

    // I8
    #[test]
    fn shedding_drops_the_oldest_of_all_kinds() {
        let kinds = [Kind::Token, Kind::Session, Kind::User, Kind::Client, Kind::Tenant];
        let news: Vec<Entry> = (0..100).map(|n| entry(kinds[usize::try_from(n).unwrap() % 5], n)).collect();
        let mut index = Index::new();
        assert_eq!(index.merge(&news), 100);
        assert_eq!(index.shed(100), None);
        assert_eq!((index.shed(40), index.len()), (Some(59), 40));
        for it in news {
            let kept = index.get(it.kind, it.id, false).map(|mark| mark.rsn);
            assert_eq!(kept, (it.rsn > 59).then_some(it.rsn), "{:?}", it.kind);
        }
    }

    #[test]
    fn kinds_do_not_mix_and_keys_are_elsewhere() {
        let mut index = Index::new();
        assert_eq!(index.merge(&[entry(Kind::User, 7), entry(Kind::Key, 8)]), 1);
        assert!(index.get(Kind::User, 7, false).is_some());
        assert_eq!((index.get(Kind::Client, 7, false), index.get(Kind::Key, 8, false), index.len()), (None, None, 1));
    }
}
