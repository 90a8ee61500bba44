//! Proofs that were used: remembered for as long as they could be used again (RFC 9449 §11.1), in bounded room. What cannot
//! be remembered is not accepted.

use std::{
    collections::{HashMap, HashSet},
    hash::BuildHasher,
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use super::DpopFault;
use crate::revocation::Keyed;

/// A power of two.
const SHARDS: usize = 16;

/// The ids of used proofs. Keys are spread over shards, each behind a lock of its own; a proof's signature costs a thousand times
/// what is done under it.
#[derive(Debug)]
pub(super) struct Spent {
    hash: Keyed,
    shards: [Mutex<Shard>; SHARDS],
    kept: AtomicUsize,
    most: usize,
    most_of_key: usize,
    /// The longest time for which a proof is good.
    era: Duration,
}

/// Two eras: an id is found for at least one full era after it came, and gone after three; mostly after two, but nobody looks at the
/// clock while nobody asks.
#[derive(Debug)]
struct Shard {
    turned_at: Duration,
    young: Era,
    old: Era,
}

#[derive(Debug)]
struct Era {
    ids: HashSet<u128, Keyed>,
    of_key: HashMap<u128, usize, Keyed>,
}

impl Era {
    fn new(hash: Keyed) -> Self {
        Self { ids: HashSet::with_hasher(hash), of_key: HashMap::with_hasher(hash) }
    }

    fn of_key(&self, key: u128) -> usize {
        self.of_key.get(&key).copied().unwrap_or(0)
    }
}

impl Spent {
    /// Room for so many, and for so many of one key, for proofs that are good for at most `era`.
    pub(super) fn new(most: usize, most_of_key: usize, era: Duration) -> Self {
        let hash = Keyed::random();
        let shard = |_| {
            let (young, old) = (Era::new(hash), Era::new(hash));
            Mutex::new(Shard { turned_at: Duration::ZERO, young, old })
        };
        let shards = std::array::from_fn(shard);
        Self { hash, shards, kept: AtomicUsize::new(0), most, most_of_key, era }
    }

    /// Remembers a proof. `now` is of the clock that nobody sets.
    ///
    /// # Errors
    /// [`DpopFault::Replayed`], [`DpopFault::Full`].
    pub(super) fn spend(&self, id: &[u8; 32], key: &str, now: Duration) -> Result<(), DpopFault> {
        let (id, key) = (first_half(id), self.name(key));
        if self.kept.load(Relaxed) >= self.most {
            self.forget(now);
        }
        let at = usize::try_from(self.hash.hash_one(key) >> 32).unwrap_or(0) % SHARDS;
        let mut shard = lock(&self.shards[at]);
        self.turn(&mut shard, now);
        if shard.young.ids.contains(&id) || shard.old.ids.contains(&id) {
            return Err(DpopFault::Replayed);
        }
        let of_key = shard.young.of_key(key) + shard.old.of_key(key);
        if of_key >= self.most_of_key || self.kept.fetch_add(1, Relaxed) >= self.most {
            if of_key < self.most_of_key {
                self.kept.fetch_sub(1, Relaxed);
            }
            return Err(DpopFault::Full);
        }
        shard.young.ids.insert(id);
        *shard.young.of_key.entry(key).or_default() += 1;
        Ok(())
    }

    /// A thumbprint is a hash already; its text is made short.
    fn name(&self, thumbprint: &str) -> u128 {
        let bytes = countersign_jose::b64::decode(thumbprint).unwrap_or_default();
        bytes
            .first_chunk::<16>()
            .map_or_else(|| self.hash.hash_one(thumbprint).into(), |half| u128::from_le_bytes(*half))
    }

    fn forget(&self, now: Duration) {
        for shard in &self.shards {
            self.turn(&mut lock(shard), now);
        }
    }

    fn turn(&self, shard: &mut Shard, now: Duration) {
        let age = now.saturating_sub(shard.turned_at);
        if age < self.era {
            return;
        }
        let mut gone = mem::replace(&mut shard.old, mem::replace(&mut shard.young, Era::new(self.hash))).ids.len();
        if age >= self.era.saturating_mul(2) {
            gone += mem::replace(&mut shard.old, Era::new(self.hash)).ids.len();
        }
        shard.turned_at = now;
        self.kept.fetch_sub(gone, Relaxed);
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Half of a SHA-256 still tells any two proofs apart.
fn first_half(id: &[u8; 32]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&id[..16]);
    u128::from_le_bytes(half)
}

#[cfg(test)]
mod tests {
    use countersign_jose::b64;
    use proptest::prelude::*;

    use super::*;

    const ERA: Duration = Duration::from_secs(80);

    fn id(n: u8) -> [u8; 32] {
        [n; 32]
    }

    fn key(n: u8) -> String {
        b64::encode([n; 32])
    }

    fn at(secs: u64) -> Duration {
        Duration::from_secs(1_000 + secs)
    }

    // TOK-25, RFC 9449 §11.1
    #[test]
    fn a_proof_is_used_once_for_as_long_as_it_is_good() {
        let spent = Spent::new(100, 100, ERA);
        assert_eq!(spent.spend(&id(1), &key(1), at(0)), Ok(()));
        for later in [0, 1, 79] {
            assert_eq!(spent.spend(&id(1), &key(1), at(later)), Err(DpopFault::Replayed), "{later}");
        }
        assert_eq!(spent.spend(&id(2), &key(1), at(79)), Ok(()));
        assert_eq!(spent.spend(&id(2), &key(1), at(158)), Err(DpopFault::Replayed));
        // Long after, its age is refused before anybody asks here.
        assert_eq!(spent.spend(&id(1), &key(1), at(400)), Ok(()));
    }

    // TOK-25: full is refused, never accepted, and room comes back.
    #[test]
    fn what_cannot_be_remembered_is_refused() {
        let spent = Spent::new(3, 100, ERA);
        for n in 0..3 {
            assert_eq!(spent.spend(&id(n), &key(n), at(0)), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(spent.spend(&id(9), &key(9), at(1)), Err(DpopFault::Full));
        }
        assert_eq!(spent.spend(&id(0), &key(0), at(1)), Err(DpopFault::Replayed), "known ones are still known");
        assert_eq!(spent.spend(&id(9), &key(9), at(200)), Ok(()));
        assert_eq!(spent.kept.load(Relaxed), 1);
    }

    #[test]
    fn no_key_takes_the_room_of_the_others() {
        let spent = Spent::new(100, 2, ERA);
        assert_eq!(spent.spend(&id(1), &key(1), at(0)), Ok(()));
        assert_eq!(spent.spend(&id(2), &key(1), at(80)), Ok(()));
        assert_eq!(spent.spend(&id(3), &key(1), at(81)), Err(DpopFault::Full));
        assert_eq!(spent.spend(&id(4), &key(2), at(81)), Ok(()));
        assert_eq!(spent.spend(&id(5), &key(1), at(161)), Ok(()), "the first is forgotten");
    }

    #[test]
    fn of_many_at_once_one_is_accepted() {
        let spent = Spent::new(10_000, 10_000, ERA);
        let accepted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..100).filter(|n| spent.spend(&id(*n), &key(1), at(0)).is_ok()).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(accepted, 100);
    }

    proptest! {
        /// Against a list that forgets nothing: no proof is accepted twice within an era, never more are kept than there is
        /// room for, and with room for all none is refused for lack of it.
        #[test]
        fn it_agrees_with_a_list(steps in prop::collection::vec((0..6_u8, 0..3_u8, 0..60_u64), 1..60), most in 1..80_usize) {
            let spent = Spent::new(most, most, ERA);
            let (mut now, mut list) = (Duration::from_secs(5), Vec::new());
            for (n, k, wait) in steps {
                now += Duration::from_secs(wait);
                let used = list.iter().any(|(id, key, when): &(u8, u8, Duration)| (*id, *key) == (n, k) && now - *when < ERA);
                // An id belongs to its key: it is a hash of it, among others.
                let mut whole = id(n);
                whole[0] = k;
                match spent.spend(&whole, &key(k), now) {
                    Ok(()) => {
                        prop_assert!(!used);
                        list.push((n, k, now));
                    }
                    Err(DpopFault::Replayed) => prop_assert!(list.iter().any(|(id, key, when)| (*id, *key) == (n, k) && now - *when < 3 * ERA)),
                    Err(fault) => prop_assert!(fault == DpopFault::Full && most < 60, "{:?}", fault),
                }
                prop_assert!(spent.kept.load(Relaxed) <= most);
            }
        }
    }
}
