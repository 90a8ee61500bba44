//! The view that everybody reads, what it tells whoever waits for news, and what is counted.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::{broadcast, watch};

use super::{
    batch::Batch,
    event::{RevocationEvent, RevocationStatus},
    lease::{Anchor, Beyond, Lease, micros},
    marks::{Cleared, Marks},
    published::Published,
    state::{Applied, Dead, State},
    sync::Guard,
};
use crate::{clock::Moment, rejection::Rejection};

/// How many events a slow listener may fall behind.
const EVENTS: usize = 256;

/// The revocations of one issuer.
#[derive(Debug)]
pub(crate) struct Revocations {
    view: Published<State>,
    max_entries: usize,
    /// Counts up whenever something has died.
    deaths: watch::Sender<u64>,
    events: broadcast::Sender<RevocationEvent>,
    connected: AtomicBool,
    was_stale: AtomicBool,
    counts: Counts,
    last_error: Mutex<Option<String>>,
    /// Counts up with each failed try to follow the feed.
    failures: AtomicU64,
    /// Something changed that whoever waits for the first snapshot should look at.
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicU64,
    batches: AtomicU64,
    accepted_stale: AtomicU64,
    refused_stale: AtomicU64,
    alarms: AtomicU64,
}

/// How an accepted token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    /// Not known to be dead, by a view that is too old to say so.
    Unsure,
}

impl Revocations {
    pub(crate) fn new(max_entries: usize) -> Self {
        Self {
            view: Published::new(State::new()),
            max_entries,
            deaths: watch::Sender::new(0),
            events: broadcast::Sender::new(EVENTS),
            connected: AtomicBool::new(false),
            was_stale: AtomicBool::new(true),
            counts: Counts::default(),
            last_error: Mutex::default(),
            failures: AtomicU64::new(0),
            changed: watch::Sender::new(()),
        }
    }

    /// Returns once tokens can be judged, or when a try to get there has failed.
    ///
    /// # Errors
    /// Why it failed.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        let mut changed = self.changed.subscribe();
        let failures = self.failures.load(Relaxed);
        loop {
            if self.view.read().is_ready() {
                return Ok(());
            }
            if self.failures.load(Relaxed) > failures {
                return Err(self.last_error().unwrap_or_default());
            }
            // The sender lives as long as this does.
            let _ = changed.changed().await;
        }
    }

    /// The view of this moment.
    #[inline]
    pub(crate) fn current(&self) -> Guard<Arc<State>> {
        self.view.read()
    }

    /// Takes a batch in that the caller has verified.
    pub(crate) fn apply(&self, batch: &Batch, now: Moment) -> Applied {
        let (applied, known, head, entries, floor) = self.view.change(|next| {
            let known = next.head;
            let applied = next.apply(batch, now.steady(), self.max_entries);
            (applied, known, next.head, next.entries(), next.local_floor)
        });
        self.changed.send_replace(());
        self.counts.batches.fetch_add(1, Relaxed);
        if applied.lost_commits {
            self.alarm(RevocationEvent::LostCommits { known, server: batch.head });
        }
        if applied.overflow {
            self.alarm(RevocationEvent::Overflow { floor });
        }
        if applied.news {
            self.deaths.send_modify(|count| *count += 1);
            self.tell(RevocationEvent::Revoked { head, entries });
        }
        applied
    }

    /// Takes an answer to the question for the time.
    pub(crate) fn anchor(&self, anchor: Anchor, now: Moment) {
        self.view.change(|next| next.set_anchor(anchor, now.steady()));
        self.changed.send_replace(());
    }

    /// Whether a token that is good otherwise is accepted, by its own marks and those of what it rests on. Revoked wins over stale.
    ///
    /// # Errors
    /// [`Rejection::Revoked`], [`Rejection::KilledKey`], [`Rejection::BelowFloor`], [`Rejection::Stale`],
    /// [`Rejection::NotReady`].
    #[inline]
    pub(crate) fn judge(
        &self,
        state: &State,
        (marks, rests_on, cleared): (&Marks, &[Marks], &Cleared),
        now: Moment,
        lease: Lease,
    ) -> Result<Standing, Rejection> {
        let known = cleared.by(state.base());
        state.check_again(marks, known).map_err(|dead| rejection(dead, marks))?;
        for basis in rests_on {
            state.check_again(basis, known).map_err(|dead| rejection(dead, basis))?;
        }
        if !known {
            cleared.note(state.base());
        }
        match state.age(now.steady()) {
            Some(age) if age <= micros(lease.bound) => Ok(Standing::Good),
            age => self.beyond(age, lease),
        }
    }

    #[cold]
    fn beyond(&self, age: Option<i64>, lease: Lease) -> Result<Standing, Rejection> {
        let Some(age) = age else {
            let cause = self.last_error().unwrap_or_else(|| "the revocation feed has not arrived yet".to_owned());
            return Err(Rejection::NotReady { retry_after: 1, cause });
        };
        match lease.beyond {
            Beyond::Known => Ok(Standing::Good),
            Beyond::Accept => {
                self.counts.accepted_stale.fetch_add(1, Relaxed);
                Ok(Standing::Unsure)
            }
            Beyond::Refuse => {
                self.counts.refused_stale.fetch_add(1, Relaxed);
                let age = Duration::from_micros(age.unsigned_abs());
                Err(Rejection::Stale { age, bound: lease.bound })
            }
        }
    }

    /// Waits for the next death; a change that was not looked at counts.
    pub(crate) fn deaths(&self) -> watch::Receiver<u64> {
        self.deaths.subscribe()
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<RevocationEvent> {
        self.events.subscribe()
    }

    /// Tells listeners when the view crosses the bound, in either direction.
    pub(crate) fn note_age(&self, now: Moment, bound: Duration) {
        let age = self.view.read().age(now.steady());
        let stale = age.is_none_or(|age| age > micros(bound));
        if self.was_stale.swap(stale, Relaxed) != stale {
            self.tell(if stale { RevocationEvent::Stale } else { RevocationEvent::Fresh });
        }
    }

    pub(crate) fn connected(&self) {
        self.counts.connections.fetch_add(1, Relaxed);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.connected.store(true, Relaxed);
        self.tell(RevocationEvent::Connected);
    }

    /// Whether lines come in by themselves at this moment.
    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }

    pub(crate) fn disconnected(&self, reason: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.clone());
        self.failures.fetch_add(1, Relaxed);
        self.changed.send_replace(());
        if self.connected.swap(false, Relaxed) {
            self.tell(RevocationEvent::Disconnected { reason });
        }
    }

    pub(crate) fn status(&self, now: Moment, bound: Duration) -> RevocationStatus {
        let state = self.view.read();
        let age = state.age(now.steady());
        RevocationStatus {
            ready: age.is_some(),
            connected: self.connected.load(Relaxed),
            stale: age.is_none_or(|age| age > micros(bound)),
            lag: age.map(|age| Duration::from_micros(age.unsigned_abs())),
            head: state.head,
            floor: state.floor.max(state.local_floor),
            entries: state.entries(),
            killed_keys: state.killed_keys(),
            connections: self.counts.connections.load(Relaxed),
            batches: self.counts.batches.load(Relaxed),
            accepted_stale: self.counts.accepted_stale.load(Relaxed),
            refused_stale: self.counts.refused_stale.load(Relaxed),
            alarms: self.counts.alarms.load(Relaxed),
            last_error: self.last_error(),
        }
    }

    fn alarm(&self, event: RevocationEvent) {
        self.counts.alarms.fetch_add(1, Relaxed);
        tracing::error!(?event, "revocation alarm");
        self.tell(event);
    }

    /// Nobody need listen.
    fn tell(&self, event: RevocationEvent) {
        let _ = self.events.send(event);
    }

    fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cold]
fn rejection(dead: Dead, marks: &Marks) -> Rejection {
    use countersign_jose::revocation::Kind;
    match dead {
        Dead::BelowFloor(floor) => Rejection::BelowFloor { floor, rsn: marks.rsn() },
        Dead::Revoked(Kind::Key, _) => Rejection::KilledKey { kid: String::new() },
        Dead::Revoked(kind, rsn) => Rejection::Revoked { kind, rsn },
    }
}
