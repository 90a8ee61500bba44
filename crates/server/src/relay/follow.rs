//! Following the upstream: every line is verified, and passed on as the same bytes.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use countersign_jose::{
    Error, JwkSet, KeySet, Policy, Verifier,
    limits::{MAX_FEED_BATCH_BYTES, MAX_JWK_SET_BYTES},
    profile::FeedBatch,
};
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::{
    FEED,
    upstream::{Events, Upstream, UpstreamError},
};
use crate::{
    domain::{feed::LINE_ENTRIES, rsn::Rsn, time::Timestamp},
    feed::{HEARTBEAT, Hub, Line},
};

/// A stream that says nothing for this long is dead: ten heartbeats.
const SILENCE: Duration = HEARTBEAT.saturating_mul(10);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Short, so that a feed that returns is followed within a second.
const LONGEST_PAUSE: Duration = Duration::from_millis(800);
/// How often the keys are fetched anew, and the lines if they have become too many or old.
const RENEW: Duration = Duration::from_mins(5);
/// Lines beyond what full ones would need, before the joined ones are fetched.
const LOOSE_LINES: usize = 1024;
/// How often it is asked whether all readers have a new key: far below the time that it is published before it signs.
const ASK_KEYS: Duration = Duration::from_secs(1);
/// The largest feed that is fetched at once: 2 million entries and more.
const MAX_FEED: usize = 256 * MAX_FEED_BATCH_BYTES;

/// The feed's keys as they were fetched last.
#[derive(Debug)]
pub struct Keys {
    set: KeySet,
    /// The upstream's own text, for the children.
    pub body: Bytes,
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("the upstream is silent")]
    Silent,
    #[error("a line was refused: {0}")]
    Refused(#[from] Error),
    #[error("a line is missing")]
    Gap,
    #[error("the upstream has lost what it had committed")]
    Lost,
}

/// See the module.
#[derive(Debug)]
pub struct Follower {
    upstream: Arc<Upstream>,
    hub: Arc<Hub>,
    policy: Policy<FeedBatch>,
    keys: Arc<ArcSwapOption<Keys>>,
    head: Rsn,
    time: Timestamp,
    /// The parts of the first snapshot, until it is whole.
    begun: Option<Vec<Arc<Line>>>,
}

impl Follower {
    pub fn new(upstream: Arc<Upstream>, hub: Arc<Hub>, issuer: &str, keys: Arc<ArcSwapOption<Keys>>) -> Self {
        let policy = Verifier::<FeedBatch>::builder().issuer(issuer).policy();
        let (head, time) = (Rsn::default(), Timestamp::default());
        Self { upstream, hub, policy, keys, head, time, begun: Some(Vec::new()) }
    }

    /// Never returns.
    pub async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let before = self.time;
            let broken = self.session().await;
            self.hub.darken();
            if self.time > before {
                pause = FIRST_PAUSE;
                info!(%broken, "the upstream broke off; asking again");
            } else {
                debug!(%broken, "the upstream cannot be followed; asking again");
            }
            if matches!(broken, Broken::Lost) {
                warn!("the upstream has lost revocations that it had committed; beginning anew");
                (self.head, self.begun) = (Rsn::default(), Some(Vec::new()));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn session(&mut self) -> Broken {
        match self.follow().await {
            Ok(never) => match never {},
            Err(broken) => broken,
        }
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, Broken> {
        self.fetch_keys().await?;
        let mut known = self.hub.known_to_all();
        let mut events = self.upstream.events(self.head, known.as_deref()).await?;
        let mut renew = Box::pin(sleep(RENEW));
        let mut ask_keys = tokio::time::interval(ASK_KEYS);
        ask_keys.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                text = next(&mut events) => self.take(&text?).await?,
                // What is known is said with a question, so the stream is asked for anew.
                _ = ask_keys.tick() => {
                    let now_known = self.hub.known_to_all();
                    if now_known != known {
                        events = self.upstream.events(self.head, now_known.as_deref()).await?;
                        known = now_known;
                    }
                }
                () = &mut renew => {
                    self.renew().await?;
                    renew = Box::pin(sleep(RENEW));
                }
            }
        }
    }

    async fn take(&mut self, text: &str) -> Result<(), Broken> {
        let line = Arc::new(self.verified(text).await?);
        if line.previous > self.head {
            return Err(Broken::Gap);
        }
        if line.head < self.head && line.time > self.time {
            return Err(Broken::Lost);
        }
        // What ends below the head was passed on before.
        let fresh = line.head > self.head || line.is_heartbeat();
        self.head = self.head.max(line.head);
        if !line.more {
            self.time = self.time.max(line.time);
        }
        match self.begun.take() {
            Some(mut lines) => {
                if !line.is_heartbeat() {
                    lines.push(Arc::clone(&line));
                }
                if line.more { self.begun = Some(lines) } else { self.hub.restart(lines, line) }
            }
            None if fresh => self.hub.publish(line),
            None => {}
        }
        Ok(())
    }

    async fn verified(&self, text: &str) -> Result<Line, Broken> {
        match self.verify(text) {
            Err(Error::UnknownKey { .. }) => {
                self.fetch_keys().await?;
                Ok(self.verify(text)?)
            }
            outcome => Ok(outcome?),
        }
    }

    fn verify(&self, text: &str) -> Result<Line, Error> {
        let line = self.policy.parse(text)?;
        let kid = line.kid().unwrap_or_default().to_owned();
        let keys = self.keys.load();
        let unknown = || Error::UnknownKey { kid: Some(kid.clone()) };
        let key = keys.as_ref().ok_or_else(unknown)?.set.pick(line.kid(), line.alg())?;
        let claims = self.policy.verify_with(key, line, 0)?;
        Ok(Line::new(&kid, &claims, text))
    }

    async fn fetch_keys(&self) -> Result<(), Broken> {
        let body = self.upstream.whole(&format!("{FEED}/jwks.json"), MAX_JWK_SET_BYTES).await?;
        let set = JwkSet::parse(&body)?.verifying_keys().collect();
        self.keys.store(Some(Arc::new(Keys { set, body })));
        Ok(())
    }

    /// The keys; and the lines, if they have become too many, or were signed by a key that is gone.
    async fn renew(&mut self) -> Result<(), Broken> {
        self.fetch_keys().await?;
        let (lines, view) = (self.hub.lines(), self.hub.view());
        let keys = self.keys.load_full();
        let gone = |kid: &str| keys.iter().all(|keys| keys.set.iter().all(|key| key.kid() != Some(kid)));
        let crowded = lines.len() > view.entries / LINE_ENTRIES + LOOSE_LINES;
        if !crowded && !lines.iter().any(|line| gone(&line.kid)) {
            return Ok(());
        }
        let text = self.upstream.whole(FEED, MAX_FEED).await?;
        let text = std::str::from_utf8(&text).map_err(|error| UpstreamError::NoFeed(error.to_string()))?;
        let mut chain: Vec<Arc<Line>> = Vec::new();
        for text in text.lines() {
            let line = self.verified(text).await?;
            // What is newer than what was passed on comes on the stream.
            if line.head <= self.head && !line.is_heartbeat() {
                chain.push(Arc::new(line));
            }
        }
        let end = chain.last().map_or(Rsn::default(), |line| line.head);
        let old = lines.iter().take_while(|line| line.head <= end).count();
        self.hub.replace(old, chain);
        Ok(())
    }
}

async fn next(events: &mut Events) -> Result<String, Broken> {
    Ok(timeout(SILENCE, events.next()).await.map_err(|_| Broken::Silent)??)
}
