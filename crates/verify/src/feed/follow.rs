//! The loop that follows the feed. Time and transport are given to it, so that the simulation of the tests drives this
//! very code.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use countersign_jose::{KeySet, b64};
use tokio::{select, sync::Notify};

use super::{FeedError, signed::Signed};
use crate::{
    clock::{Clock, Moment},
    random::Random,
    revocation::{Anchor, Batch, Revocations, micros},
};

/// A connection may be silent for this many heartbeats, and this long at least.
const SILENT_HEARTBEATS: u32 = 4;
const SHORTEST_SILENCE: Duration = Duration::from_millis(800);
/// While a try has no answer, the next one is begun after this: what was sent into a network that swallows everything never
/// comes back, and a feed that returns is to be followed within a second.
const BETWEEN_TRIES: Duration = Duration::from_millis(500);
/// After a failure the next try begins this long after the one that failed, then twice as long, up to the longest. The
/// longest is short for the same reason.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);
/// An issuer without a feed will not have one a moment later.
const NO_FEED_PAUSE: Duration = Duration::from_secs(30);
const SHORTEST_NUDGED: Duration = Duration::from_millis(200);
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);
const TIME_TIMEOUT: Duration = Duration::from_secs(2);
/// The steady clock drifts: the time is asked for again after this.
const RENEW_AFTER: Duration = Duration::from_secs(3_600);
/// The feed's own keys are fetched again with the first question for the time after this.
const KEYS_FOR: Duration = Duration::from_secs(300);
/// Between two questions for the time, however urgent.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(500);

/// How the feed is reached.
pub(crate) trait Transport: Send + Sync + 'static {
    type Lines: Lines;

    /// Opens the feed after this position.
    fn open(&self, after: i64) -> impl Future<Output = Result<Self::Lines, FeedError>> + Send;

    /// The signed answer to what time it is.
    fn time(&self, nonce: &str) -> impl Future<Output = Result<String, FeedError>> + Send;

    /// The keys that sign the feed.
    fn keys(&self) -> impl Future<Output = Result<KeySet, FeedError>> + Send;

    /// How often the feed says something even if there is no news.
    fn heartbeat(&self) -> Duration;

    /// These brought a batch that continued what is known.
    fn worked(&self, _lines: &Self::Lines) {}

    /// Whether what the issuer is told with the question holds for as long as these last.
    fn told_once(&self, _lines: &Self::Lines) -> bool {
        false
    }

    /// Waits until there is something else to tell than was told with the last question.
    fn untold(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// An open feed.
pub(crate) trait Lines: Send {
    /// The next batch, as it was signed; `after` is the position that is reached by now. `None`: it ended.
    fn next(&mut self, after: i64) -> impl Future<Output = Result<Option<String>, FeedError>> + Send;
}

/// What a follower shares with its verifier.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    /// The smallest bound that any route of the verifier asks for, in microseconds.
    pub(crate) tightest: AtomicU64,
    /// Somebody saw a token from beyond the head: try again now.
    pub(crate) nudge: Notify,
}

impl Settings {
    pub(crate) fn tightest(&self) -> Duration {
        Duration::from_micros(self.tightest.load(Relaxed))
    }
}

/// Follows one issuer's feed for as long as it is polled.
#[derive(Debug)]
pub(crate) struct Follower<T> {
    transport: T,
    settings: Arc<Settings>,
    signed: Signed,
    keys: Mutex<Option<FetchedKeys>>,
    renew: Notify,
}

#[derive(Debug, Clone)]
struct FetchedKeys {
    set: Arc<KeySet>,
    at: Moment,
}

impl<T: Transport> Follower<T> {
    pub(crate) fn new(transport: T, settings: Arc<Settings>, issuer: &str) -> Self {
        Self { transport, settings, signed: Signed::by(issuer), keys: Mutex::default(), renew: Notify::new() }
    }

    /// Never returns.
    pub(crate) async fn run(&self) {
        tokio::join!(self.follow(), self.keep_anchor(), self.watch_age());
    }

    async fn follow(&self) {
        let mut failures = 0;
        loop {
            let begun = self.now();
            let mut taken = 0_u64;
            let ended = self.session(&mut taken).await;
            self.settings.revocations.disconnected(ended.to_string());
            failures = if taken > 0 { 0 } else { failures + 1 };
            tracing::debug!(reason = %ended, failures, "the revocation feed broke off");
            let pause = if ended == FeedError::NotAdvertised { NO_FEED_PAUSE } else { pause(failures) };
            let rest = self.rest(begun, pause);
            // Requests that come from beyond the head may shorten a pause, however many they are, to no less than this.
            let least = rest.min(SHORTEST_NUDGED);
            self.settings.clock.sleep_until(self.now().saturating_add(least)).await;
            self.sleep_or(rest.saturating_sub(least), &self.settings.nudge).await;
        }
    }

    /// One connection, until it ends. Counts the batches that continued what is known.
    async fn session(&self, taken: &mut u64) -> FeedError {
        let (mut lines, mut batch) = match self.hedged(OPEN_TIMEOUT, || self.open()).await {
            Ok(opened) => opened,
            Err(error) => return error,
        };
        let silence = SHORTEST_SILENCE.max(self.transport.heartbeat() * SILENT_HEARTBEATS);
        loop {
            if self.settings.revocations.apply(&batch, self.settings.clock.now()).gap {
                return FeedError::Gap;
            }
            *taken += 1;
            if *taken == 1 {
                self.transport.worked(&lines);
                self.settings.revocations.connected();
                // Whoever was cut off does not know how long: the clock may have stood still.
                self.renew.notify_one();
            }
            let told_once = self.transport.told_once(&lines);
            let next = select! {
                biased;
                next = self.within(silence, self.next(&mut lines)) => next,
                // The old connection goes only when the new one has brought something: nobody was cut off meanwhile.
                () = self.transport.untold(), if told_once => {
                    self.hedged(OPEN_TIMEOUT, || self.open()).await.map(|(reopened, batch)| {
                        lines = reopened;
                        self.transport.worked(&lines);
                        batch
                    })
                }
            };
            batch = match next {
                Ok(batch) => batch,
                Err(FeedError::TimedOut) => return FeedError::Silent(silence),
                Err(error) => return error,
            };
        }
    }

    /// A connection and the first batch that it brought: one that brings nothing is none.
    async fn open(&self) -> Result<(T::Lines, Batch), FeedError> {
        let mut lines = self.transport.open(self.cursor()).await?;
        let batch = self.next(&mut lines).await?;
        Ok((lines, batch))
    }

    async fn next(&self, lines: &mut T::Lines) -> Result<Batch, FeedError> {
        let text = lines.next(self.cursor()).await?.ok_or(FeedError::Ended)?;
        self.read(&text).await
    }

    async fn read(&self, text: &str) -> Result<Batch, FeedError> {
        let keys = self.keys().await?;
        match self.signed.batch(text, &keys) {
            Err(FeedError::UnknownKey) => self.signed.batch(text, &*self.fetch_keys().await?),
            outcome => outcome,
        }
    }

    async fn keep_anchor(&self) {
        let mut failures = 0_u32;
        loop {
            let asked_at = self.now();
            match self.hedged(TIME_TIMEOUT, || self.ask_time()).await {
                Ok(()) => {
                    failures = 0;
                    self.settings.clock.sleep_until(self.now().saturating_add(BETWEEN_QUESTIONS)).await;
                    self.until_anchor_is_due(asked_at).await;
                }
                Err(error) => {
                    tracing::debug!(%error, "the issuer's time is not known");
                    failures += 1;
                    let rest = self.rest(asked_at, pause(failures));
                    self.settings.clock.sleep_until(self.now().saturating_add(rest)).await;
                }
            }
        }
    }

    /// An hour later, after a reconnection, or when the view looks half as old as it may get: it may be the bound that
    /// has grown, and not the age.
    async fn until_anchor_is_due(&self, asked_at: Duration) {
        loop {
            let (now, bound) = (self.now(), self.settings.tightest());
            let half = micros(bound / 2);
            let looks_old = self.settings.revocations.current().age(now).is_some_and(|age| age > half);
            if looks_old || now.saturating_sub(asked_at) >= RENEW_AFTER {
                return;
            }
            if self.sleep_or(bound / 4, &self.renew).await == Woken::Notified {
                return;
            }
        }
    }

    async fn ask_time(&self) -> Result<(), FeedError> {
        let nonce = b64::encode(self.settings.random.bytes().ok_or(FeedError::Random)?);
        let keys = self.refreshed_keys().await?;
        let sent_at = self.now();
        let text = self.transport.time(&nonce).await?;
        let now = match self.signed.time(&text, &nonce, &keys) {
            Err(FeedError::UnknownKey) => self.signed.time(&text, &nonce, &*self.fetch_keys().await?)?,
            outcome => outcome?,
        };
        self.settings.revocations.anchor(Anchor { now, sent_at }, self.settings.clock.now());
        Ok(())
    }

    /// Tells listeners when the view grows too old, and when it is fresh again.
    async fn watch_age(&self) {
        loop {
            let bound = self.settings.tightest();
            self.settings.revocations.note_age(self.settings.clock.now(), bound);
            let tick = (bound / 8).clamp(Duration::from_millis(50), Duration::from_secs(1));
            self.settings.clock.sleep_until(self.now().saturating_add(tick)).await;
        }
    }

    async fn keys(&self) -> Result<Arc<KeySet>, FeedError> {
        match self.known_keys() {
            Some(keys) => Ok(keys.set),
            None => self.fetch_keys().await,
        }
    }

    /// Keys that were good are used until there are newer ones.
    async fn refreshed_keys(&self) -> Result<Arc<KeySet>, FeedError> {
        let now = self.settings.clock.now();
        match self.known_keys() {
            Some(keys) if now.since(keys.at) > KEYS_FOR => Ok(self.fetch_keys().await.unwrap_or(keys.set)),
            _ => self.keys().await,
        }
    }

    async fn fetch_keys(&self) -> Result<Arc<KeySet>, FeedError> {
        let set = Arc::new(self.within(OPEN_TIMEOUT, self.transport.keys()).await?);
        let fetched = FetchedKeys { set: Arc::clone(&set), at: self.settings.clock.now() };
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
        Ok(set)
    }

    fn known_keys(&self) -> Option<FetchedKeys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn cursor(&self) -> i64 {
        self.settings.revocations.current().cursor
    }

    fn now(&self) -> Duration {
        self.settings.clock.now().steady()
    }

    /// What is left of a pause that is counted from the beginning of the try that failed.
    fn rest(&self, begun: Duration, pause: Duration) -> Duration {
        let random = &self.settings.random;
        random.jittered(pause).saturating_sub(self.now().saturating_sub(begun)).max(random.jittered(FIRST_PAUSE))
    }

    /// The first success among tries of the same that are begun one after the other while none has an answer.
    async fn hedged<O, W>(&self, limit: Duration, begin: impl Fn() -> W) -> Result<O, FeedError>
    where
        W: Future<Output = Result<O, FeedError>>,
    {
        let deadline = self.now().saturating_add(limit);
        let mut tries = Vec::new();
        while self.now() < deadline {
            tries.push(Box::pin(begin()));
            let next = self.now().saturating_add(BETWEEN_TRIES).min(deadline);
            select! {
                biased;
                outcome = first_of(&mut tries) => return outcome,
                () = self.settings.clock.sleep_until(next) => {}
            }
        }
        Err(FeedError::TimedOut)
    }

    async fn within<O>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<O, FeedError>>,
    ) -> Result<O, FeedError> {
        let deadline = self.now().saturating_add(limit);
        select! {
            biased;
            outcome = work => outcome,
            () = self.settings.clock.sleep_until(deadline) => Err(FeedError::TimedOut),
        }
    }

    async fn sleep_or(&self, pause: Duration, notify: &Notify) -> Woken {
        let deadline = self.now().saturating_add(pause);
        select! {
            biased;
            () = notify.notified() => Woken::Notified,
            () = self.settings.clock.sleep_until(deadline) => Woken::Rested,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    Notified,
    Rested,
}

/// The first success, or the last failure.
async fn first_of<O, W>(tries: &mut Vec<Pin<Box<W>>>) -> Result<O, FeedError>
where
    W: Future<Output = Result<O, FeedError>>,
{
    let poll_all = poll_fn(|context| {
        let mut at = 0;
        while at < tries.len() {
            match tries[at].as_mut().poll(context) {
                Poll::Pending => at += 1,
                Poll::Ready(Err(_)) if tries.len() > 1 => drop(tries.swap_remove(at)),
                Poll::Ready(outcome) => return Poll::Ready(outcome),
            }
        }
        Poll::Pending
    });
    poll_all.await
}

/// Before the next try, jitter not included.
fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(8)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_stay_below_a_second() {
        let millis: Vec<_> = (0..8).map(|failures| pause(failures).as_millis()).collect();
        assert_eq!(millis, [50, 50, 100, 200, 400, 800, 800, 800]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
