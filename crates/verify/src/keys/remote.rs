//! The issuer's key set, kept fresh in the background. Readers never wait: they load the current set from an atomic
//! pointer; whoever finds it lacking may ask for a fetch, and at most one runs at a time (KEY-07).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use http::HeaderValue;
use tokio::{runtime::Handle, sync::watch, task::AbortHandle};

use super::{
    fetch::{FetchError, Fetched, Fetcher},
    schedule::{Permit, Reason, Schedule},
    set::Keys,
    told::Teller,
};
use crate::clock::{Clock, Moment};

/// How the cache behaves; the builder sets it.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) cooldown: Duration,
    pub(crate) max_stale: Duration,
    pub(crate) max_wait: Duration,
}

/// The keys of one issuer, from one address. Dropping it stops its task.
#[derive(Debug)]
pub(crate) struct Remote {
    fetcher: Fetcher,
    clock: Clock,
    limits: Limits,
    teller: Teller,
    current: ArcSwapOption<Loaded>,
    state: Mutex<State>,
}

/// A set and when it came.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) keys: Arc<Keys>,
    pub(super) fetched_at: Moment,
    pub(super) fresh_for: Duration,
    etag: Option<HeaderValue>,
}

#[derive(Debug)]
struct State {
    schedule: Schedule,
    /// The running fetch. It changes when it lands, well or not; it closes without a change if its task dies.
    flight: Option<watch::Receiver<()>>,
    keeper: Option<AbortHandle>,
    /// The runtime that the verifier was last used in, for callers that have none.
    runtime: Option<Handle>,
}

/// What asking for a fetch led to.
#[derive(Debug)]
pub(super) enum Asked {
    Flight(watch::Receiver<()>),
    NotBefore(Duration),
    Absent,
    NoRuntime,
}

impl Remote {
    /// Starts fetching at once where a runtime is at hand, else with the first use in one.
    pub(super) fn start(fetcher: Fetcher, clock: Clock, (limits, teller): (Limits, Teller)) -> Arc<Self> {
        let schedule = Schedule::new(limits.cooldown);
        let remote = Arc::new(Self {
            fetcher,
            clock,
            limits,
            teller,
            current: ArcSwapOption::empty(),
            state: Mutex::new(State { schedule, flight: None, keeper: None, runtime: None }),
        });
        // Without a runtime nothing starts yet; that is no error of building.
        let _ = remote.ask(Reason::Stale);
        remote
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn max_wait(&self) -> Duration {
        self.limits.max_wait
    }

    /// The current set, unless it is older than the hard cap.
    pub(super) fn current(&self, now: Moment) -> Option<Arc<Loaded>> {
        self.current.load_full().filter(|loaded| now.since(loaded.fetched_at) <= self.limits.max_stale)
    }

    /// Whether these are the keys in use, and fresh. While the issuer cannot be reached, stale ones are as good as any.
    #[inline]
    pub(super) fn holds(&self, keys: &Arc<Keys>, now: Moment) -> bool {
        let current = self.current.load();
        let Some(loaded) = current.as_ref().filter(|loaded| Arc::ptr_eq(&loaded.keys, keys)) else { return false };
        let age = now.since(loaded.fetched_at);
        age <= loaded.fresh_for || (age <= self.limits.max_stale && self.is_failing())
    }

    /// Wants a fetch. Joins the one that runs, or starts one where the schedule permits.
    pub(super) fn ask(self: &Arc<Self>, reason: Reason<'_>) -> Asked {
        let mut state = self.state();
        let Some(runtime) = state.runtime() else { return Asked::NoRuntime };
        self.ensure_keeper(&mut state, &runtime);
        self.launch(&mut state, &runtime, |schedule, now| schedule.permit(reason, now))
    }

    /// As [`ask`](Self::ask), when the set's time has come.
    fn ask_when_due(self: &Arc<Self>) -> Asked {
        let mut state = self.state();
        let Some(runtime) = state.runtime() else { return Asked::NoRuntime };
        self.launch(&mut state, &runtime, |schedule, now| match self.due(schedule).saturating_sub(now.steady()) {
            Duration::ZERO => Permit::Fetch,
            rest => Permit::NotBefore(rest),
        })
    }

    pub(super) fn is_failing(&self) -> bool {
        self.state().schedule.is_failing()
    }

    pub(super) fn last_error(&self) -> Option<FetchError> {
        self.state().schedule.last_error().cloned()
    }

    /// Remembers that a fresh set does not have this key.
    pub(super) fn note_absent(&self, kid: &str) {
        self.state().schedule.note_absent(kid, self.clock.now());
    }

    fn launch(
        self: &Arc<Self>,
        state: &mut State,
        runtime: &Handle,
        permit: impl FnOnce(&Schedule, Moment) -> Permit,
    ) -> Asked {
        match &state.flight {
            Some(flight) if flight.has_changed().is_ok() => return Asked::Flight(flight.clone()),
            // It did not land, so it would have been cleared; its task died with its runtime.
            Some(_) => {
                state.flight = None;
                state.schedule.failed(FetchError::Stopped);
            }
            None => {}
        }
        let now = self.clock.now();
        match permit(&state.schedule, now) {
            Permit::NotBefore(rest) => Asked::NotBefore(rest),
            Permit::Absent => Asked::Absent,
            Permit::Fetch => {
                let (landed, flight) = watch::channel(());
                state.schedule.started(now);
                state.flight = Some(flight.clone());
                runtime.spawn(Arc::clone(self).fly(landed));
                Asked::Flight(flight)
            }
        }
    }

    /// One fetch. A task of its own, so that a caller who goes away does not stop it for the others.
    async fn fly(self: Arc<Self>, landed: watch::Sender<()>) {
        let before = self.current.load_full();
        let etag = before.as_ref().and_then(|loaded| loaded.etag.as_ref());
        let outcome = self.fetcher.fetch(etag).await.and_then(|fetched| self.accept(fetched, before.as_deref()));
        let mut state = self.state();
        match outcome {
            Ok(loaded) => {
                report_skipped(&loaded, before.as_deref());
                self.teller.tell(&loaded.keys);
                self.current.store(Some(Arc::new(loaded)));
                state.schedule.succeeded();
            }
            // Good keys stay whatever comes back.
            Err(error) => {
                tracing::warn!(%error, "the issuer's keys could not be fetched");
                state.schedule.failed(error);
            }
        }
        state.flight = None;
        drop(state);
        landed.send_replace(());
    }

    fn accept(&self, fetched: Fetched, before: Option<&Loaded>) -> Result<Loaded, FetchError> {
        let fetched_at = self.clock.now();
        match (fetched, before) {
            (Fetched::Body { bytes, etag, fresh_for }, _) => {
                Ok(Loaded { keys: Arc::new(Keys::parse(&bytes)?), fetched_at, fresh_for, etag })
            }
            (Fetched::Unchanged { fresh_for }, Some(before)) => {
                Ok(Loaded { keys: Arc::clone(&before.keys), fetched_at, fresh_for, etag: before.etag.clone() })
            }
            (Fetched::Unchanged { .. }, None) => Err(FetchError::Status(304)),
        }
    }

    /// Starts the background task, again if its runtime is gone.
    fn ensure_keeper(self: &Arc<Self>, state: &mut State, runtime: &Handle) {
        if state.keeper.as_ref().is_none_or(AbortHandle::is_finished) {
            let task = runtime.spawn(keep_fresh(Arc::downgrade(self), self.clock.clone()));
            state.keeper = Some(task.abort_handle());
        }
    }

    fn due(&self, schedule: &Schedule) -> Duration {
        schedule.next_due(self.current.load().as_ref().map(|loaded| (loaded.fetched_at, loaded.fresh_for)))
    }

    /// Nothing that holds the lock can leave the state half-changed, so a poisoned one is as good.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn runtime(&mut self) -> Option<Handle> {
        if let Ok(here) = Handle::try_current() {
            self.runtime = Some(here);
        }
        self.runtime.clone()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(keeper) = self.state().keeper.take() {
            keeper.abort();
        }
    }
}

impl Loaded {
    pub(super) fn is_stale(&self, now: Moment) -> bool {
        now.since(self.fetched_at) > self.fresh_for
    }
}

/// Fetches again before freshness ends, and after a failure when the back-off has passed. Holds the keys weakly, so
/// that it ends with the last verifier.
async fn keep_fresh(remote: Weak<Remote>, clock: Clock) {
    loop {
        let Some(due) = remote.upgrade().map(|remote| remote.due(&remote.state().schedule)) else { return };
        clock.sleep_until(due).await;
        let Some(asked) = remote.upgrade().map(|remote| remote.ask_when_due()) else { return };
        match asked {
            Asked::Flight(mut flight) => drop(flight.changed().await),
            // Somebody else fetched during the sleep.
            Asked::NotBefore(_) => {}
            Asked::Absent | Asked::NoRuntime => return,
        }
    }
}

/// Once per set, not at each refresh.
fn report_skipped(loaded: &Loaded, before: Option<&Loaded>) {
    if before.is_some_and(|before| before.keys.skipped() == loaded.keys.skipped()) {
        return;
    }
    for reason in loaded.keys.skipped() {
        tracing::warn!(reason, "a key of the issuer is not usable and was skipped");
    }
}
