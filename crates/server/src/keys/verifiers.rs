//! Waiting for verifiers: what the readers of this replica's feed have is told to the others by the store, and a key that
//! one of them lacks waits (KEY-02).

use std::{collections::HashMap, time::Duration};

use super::{KeyRing, KeyRingError, RELOAD_EVERY, Snapshot};
use crate::{
    domain::key_ring::{KeyState, Purpose, RingKey, SKEW},
    feed::{Hub, Knowing},
    store::{
        StoreError,
        key_verifiers::{self, Report},
    },
};

/// How long a replica's word is good: its clock may be ahead or behind. The readers of one that is gone come back at another.
const WORD_GOOD_FOR: Duration = SKEW.saturating_add(RELOAD_EVERY.saturating_mul(5));

impl KeyRing {
    /// Tells the other replicas which of this one's readers have a key that is about to sign. To be called with [`KeyRing::tick`].
    ///
    /// # Errors
    /// The store failed.
    pub async fn report(&self, feed: &Hub) -> Result<(), KeyRingError> {
        let until = self.clock.now().plus(WORD_GOOD_FOR);
        for key in self.snapshot().ring().iter().filter(|key| is_waiting(key)) {
            let Knowing { knowing, lagging, who } = feed.knowing(&key.kid);
            let (report, replica) = (Report { kid: key.kid.clone(), knowing, lagging, who }, self.replica.clone());
            let write = self.store.write(move |tx| {
                let (report, replica) = (report.clone(), replica.clone());
                Box::pin(async move { key_verifiers::put(tx, &replica, &report, until).await })
            });
            write.await?;
        }
        Ok(())
    }

    /// The keys that some verifier of some replica has not fetched yet.
    pub(super) async fn lagging(&self, snapshot: &Snapshot) -> Result<Vec<String>, StoreError> {
        let known = self.known(snapshot.ring()).await?;
        Ok(known.into_iter().filter(|(_, knowing)| knowing.lagging > 0).map(|(kid, _)| kid).collect())
    }

    /// Who has which of the keys that wait, over all replicas.
    pub(super) async fn known(&self, keys: &[RingKey]) -> Result<HashMap<String, Knowing>, StoreError> {
        let mut known: HashMap<_, _> =
            keys.iter().filter(|key| is_waiting(key)).map(|key| (key.kid.clone(), Knowing::default())).collect();
        if known.is_empty() {
            return Ok(known);
        }
        let now = self.clock.now();
        for report in self.store.read(move |tx| Box::pin(key_verifiers::all(tx, now))).await? {
            if let Some(sum) = known.get_mut(&report.kid) {
                sum.knowing += report.knowing;
                sum.lagging += report.lagging;
                sum.who.extend(report.who);
            }
        }
        Ok(known)
    }
}

/// Verifiers have said nothing yet of a key that they are not told of, and nothing more matters once it signs.
fn is_waiting(key: &RingKey) -> bool {
    key.slot.purpose == Purpose::Token && matches!(key.state, KeyState::Published { .. })
}
