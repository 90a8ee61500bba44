//! Tokens that were verified a moment ago. A hit spares the signature and the parsing, and nothing else: whether the token
//! has expired, was revoked, or is judged by a view that is too old is asked every time.
//!
//! A table of small sets. A place is found by a keyed hash of the signature's last characters, and counts only if the whole
//! stored token equals the presented one, byte by byte. Reading takes no lock and changes nothing that others read.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::{claims::Checked, revocation::Keyed};

const WAYS: usize = 8;
const SMALLEST: usize = 64;
/// What the hash reads of a token's end.
const TAIL: usize = 16;
/// A longer token is checked anew each time, so that no few of them fill the memory.
const LONGEST: usize = 8 * 1024;

/// A bounded set of verified tokens.
#[derive(Debug)]
pub(crate) struct TokenCache {
    key: Keyed,
    table: ArcSwap<Table>,
    capacity: usize,
    growing: Mutex<()>,
}

#[derive(Debug)]
struct Table {
    sets: Box<[Set]>,
    used: AtomicUsize,
}

/// In two lines of memory, which processors fetch as a pair.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Set([Way; WAYS]);

/// The tag only saves the look at a token that cannot be meant; it may be behind the token for a moment.
#[derive(Debug, Default)]
struct Way {
    tag: AtomicU64,
    token: ArcSwapOption<Checked>,
}

impl TokenCache {
    /// For about so many tokens.
    pub(crate) fn new(capacity: usize) -> Self {
        let table = ArcSwap::from_pointee(Table::new(SMALLEST));
        Self { key: Keyed::random(), table, capacity, growing: Mutex::default() }
    }

    /// Looks a token up, and at what is known of it while it is there.
    #[inline]
    pub(crate) fn find<T>(&self, text: &str, look: impl FnOnce(&Arc<Checked>) -> T) -> Option<T> {
        let tag = self.tag(text)?;
        let table = self.table.load();
        for way in &table.set(tag).0 {
            if way.tag.load(Relaxed) == tag
                && let Some(checked) = &*way.token.load()
                && *checked.text == *text
            {
                return Some(look(checked));
            }
        }
        None
    }

    /// Keeps a token. `now` is in Unix seconds: an expired token makes room first.
    pub(crate) fn insert(&self, checked: &Arc<Checked>, now: i64) {
        let Some(tag) = self.tag(&checked.text) else { return };
        if checked.text.len() > LONGEST {
            return;
        }
        let table = self.table.load();
        let full = table.used.load(Relaxed) >= self.capacity;
        table.insert(tag, Arc::clone(checked), full, now);
        if !full && table.is_crowded() {
            drop(table);
            self.grow(now);
        }
    }

    /// Twice as many places. Whoever comes while somebody else does it goes on with what there is.
    fn grow(&self, now: i64) {
        let Ok(_growing) = self.growing.try_lock() else { return };
        let old = self.table.load_full();
        if !old.is_crowded() {
            return;
        }
        let larger = Table::new(old.sets.len() * 2);
        for checked in old.sets.iter().flat_map(|set| &set.0).filter_map(|way| way.token.load_full()) {
            if checked.exp() > now
                && let Some(tag) = self.tag(&checked.text)
            {
                larger.insert(tag, checked, false, now);
            }
        }
        self.table.store(Arc::new(larger));
    }

    #[inline]
    fn tag(&self, text: &str) -> Option<u64> {
        let tail = text.as_bytes().last_chunk::<TAIL>()?;
        let [a, b] = [0, 8].map(|at| {
            let mut word = [0; 8];
            word.copy_from_slice(&tail[at..at + 8]);
            u64::from_le_bytes(word)
        });
        // 0 marks an empty place.
        Some(self.key.fold(a, b).max(1))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.table.load().sets.iter().flat_map(|set| &set.0).filter(|way| way.token.load().is_some()).count()
    }
}

impl Table {
    fn new(sets: usize) -> Self {
        Self { sets: (0..sets).map(|_| Set::default()).collect(), used: AtomicUsize::new(0) }
    }

    #[inline]
    fn set(&self, tag: u64) -> &Set {
        let mask = self.sets.len() - 1;
        // The number of sets is a power of two; the low bits are as good as any.
        &self.sets[usize::try_from(tag & u64::try_from(mask).unwrap_or(0)).unwrap_or(0)]
    }

    /// Sets of which a quarter is in use hardly ever overflow.
    fn is_crowded(&self) -> bool {
        self.used.load(Relaxed) > self.sets.len() * WAYS / 4
    }

    /// In a full table a token takes the place of another of its set, unless it is the first there.
    fn insert(&self, tag: u64, checked: Arc<Checked>, full: bool, now: i64) {
        let ways = &self.set(tag).0;
        let same = |way: &&Way| way.token.load().as_ref().is_some_and(|other| other.text == checked.text);
        let may_fill = !full || ways[0].tag.load(Relaxed) == 0;
        let empty = |way: &&Way| may_fill && way.tag.load(Relaxed) == 0;
        let expired = |way: &&Way| way.token.load().as_ref().is_some_and(|other| other.exp() <= now);
        // Any other otherwise, chosen by bits that nobody outside knows.
        let used = ways.iter().take_while(|way| way.tag.load(Relaxed) != 0).count().max(1);
        let victim = usize::try_from(tag >> 56).unwrap_or(0) % used;
        let way = ways
            .iter()
            .find(same)
            .or_else(|| ways.iter().find(empty))
            .or_else(|| ways.iter().find(expired))
            .unwrap_or(&ways[victim]);
        if way.tag.swap(tag, Relaxed) == 0 {
            self.used.fetch_add(1, Relaxed);
        }
        way.token.store(Some(checked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;

    /// Tokens that were good, whatever their texts are here.
    fn checked(texts: &[String]) -> Vec<Arc<Checked>> {
        let issuer = crate::TestIssuer::new("https://id.test");
        let claims = issuer.verifier().verify(&issuer.token().sign()).unwrap();
        let (claims, keys) = (&claims.checked().claims, Arc::new(Keys::public(&issuer.jwks()).unwrap()));
        texts.iter().map(|text| Arc::new(Checked::new(claims.clone(), None, (text, &keys)))).collect()
    }

    /// As even as a signature (SplitMix64): the hash leaves the spreading to what it reads.
    fn scrambled(n: usize) -> u64 {
        let mut z = u64::try_from(n).expect("64 bits").wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn many(count: usize) -> (TokenCache, Vec<String>) {
        let cache = TokenCache::new(1_000);
        let texts: Vec<String> =
            (0..count).map(|n| format!("a.b.{:016x}{:016x}", scrambled(n), scrambled(!n))).collect();
        checked(&texts).iter().for_each(|checked| cache.insert(checked, 0));
        (cache, texts)
    }

    #[test]
    fn what_was_kept_is_found_and_nothing_else() {
        let (cache, texts) = many(1_000);
        let found = texts.iter().filter(|text| cache.find(text, |found| *found.text == ***text) == Some(true)).count();
        assert!(found > 990, "{found} of 1000");
        // The same end, another token: the whole text decides.
        assert!(cache.find(&format!("x{}", texts[0]), |_| ()).is_none());
        for short in ["", "a.b.c", "123456789012345"] {
            assert!(cache.find(short, |_| ()).is_none());
        }
    }

    #[test]
    fn it_is_bounded() {
        let (cache, texts) = many(50_000);
        // When it is full, each empty set still takes its first.
        let bound = 1_000 + cache.table.load().sets.len();
        assert!(bound < 2_000 && cache.len() <= bound, "{} places for 1000 tokens", cache.len());
        let last = texts.last().expect("many");
        assert!(cache.find(last, |_| ()).is_some(), "the newest always finds a place");
        let long = "x".repeat(LONGEST + 1);
        cache.insert(&checked(std::slice::from_ref(&long))[0], 0);
        assert!(cache.find(&long, |_| ()).is_none());
    }
}
