//! A reader of the feed, written from the design alone: it verifies every line and keeps what it was told.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::body::Body;
use countersign_jose::{FeedClaims, JwkSet, Verifier, profile::FeedBatch};
use countersign_server::{
    app::App,
    domain::{
        revocation::{Entry, Scope},
        rsn::Rsn,
    },
    feed,
    store::{StoreKind, revocations},
};
use http_body_util::BodyExt;
use tokio::{sync::Notify, task::JoinHandle};

use crate::rig::{Ask, ISSUER, Rig};

pub const FEED: &str = "/revocations/0";
pub const SCOPE: Scope<'static> = Scope { issuer: ISSUER, tenant: "default" };
/// Only so that a failing test ends.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A publisher, and a clock that goes.
pub struct Running {
    stop: Arc<Notify>,
    pub publisher: JoinHandle<()>,
    clock: JoinHandle<()>,
}

impl Running {
    pub fn start(app: &App) -> Self {
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let publisher = tokio::spawn(feed::publish(app.clone(), async move { stopped.notified().await }));
        let clock = app.clock.clone();
        let clock = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                clock.advance(Duration::from_millis(5));
            }
        });
        Self { stop, publisher, clock }
    }

    pub fn stop(&self) {
        self.stop.notify_one();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.publisher.abort();
        self.clock.abort();
    }
}

/// Starts the feed and waits until it can be read.
pub async fn running(rig: &Rig) -> Running {
    let running = Running::start(&rig.app);
    // On PostgreSQL the time begins with the first tick.
    while rig.app.feed.latest().is_none_or(|line| line.time.micros() == 0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running
}

/// Ends sessions of these names; the position of the last.
pub async fn revoke(app: &App, sids: &[String]) -> i64 {
    let now = app.clock.now();
    // PostgreSQL has a clock of its own, which the test does not set.
    let exp = if app.store.kind() == StoreKind::Sqlite { now.secs() + 600 } else { 4_000_000_000 };
    let entries: Vec<Entry> = sids.iter().map(|sid| Entry::session(SCOPE, sid, exp)).collect();
    let append = app.store.write(move |tx| {
        let entries = entries.clone();
        Box::pin(async move { revocations::append(tx, now, &entries).await })
    });
    append.await.unwrap().get()
}

/// Positions in the database.
pub async fn logged(app: &App) -> Vec<i64> {
    let now = app.clock.now();
    let page = app.store.read(move |tx| Box::pin(revocations::feed_page(tx, now, Rsn::new(0), 1_000_000)));
    page.await.unwrap().entries.iter().map(|entry| entry.rsn.get()).collect()
}

/// Everything a verifier would know.
#[derive(Debug, Default)]
pub struct Follower {
    pub head: i64,
    pub t: i64,
    pub entries: BTreeMap<i64, (i64, String)>,
    pub kids: Vec<String>,
    /// Lines that continued from above the head: something would have been lost.
    pub gaps: usize,
}

impl Follower {
    /// Verifies a line with the keys that the feed publishes now.
    pub async fn read(rig: &Rig, line: &str) -> FeedClaims {
        let jwks = rig.get("/revocations/0/jwks.json").send().await.expect(200).body;
        let keys: Vec<_> = JwkSet::parse(jwks.as_bytes()).unwrap().verifying_keys().collect();
        let verifier = Verifier::<FeedBatch>::builder().issuer(ISSUER).keys(keys).build();
        verifier.verify(line, 0).unwrap_or_else(|error| panic!("{error}: {line}")).into_inner()
    }

    pub async fn take(&mut self, rig: &Rig, line: &str) -> FeedClaims {
        let claims = Self::read(rig, line).await;
        let header = countersign_jose::b64::decode(line.split('.').next().unwrap()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        self.kids.push(header["kid"].as_str().unwrap().to_owned());
        self.apply(&claims);
        claims
    }

    fn apply(&mut self, batch: &FeedClaims) {
        assert_eq!(batch.stream, 0);
        for entry in &batch.entries {
            assert!(entry.rsn > batch.previous && entry.rsn <= batch.head, "{entry:?} in {batch:?}");
            self.entries.insert(entry.rsn, (entry.kind, entry.id.clone()));
        }
        if batch.previous > self.head {
            self.gaps += 1;
            return;
        }
        self.head = self.head.max(batch.head);
        if !batch.more {
            self.t = self.t.max(batch.time);
        }
    }

    pub async fn take_all(&mut self, rig: &Rig, text: &str) {
        for line in text.lines() {
            self.take(rig, line).await;
        }
    }

    pub fn positions(&self) -> Vec<i64> {
        self.entries.keys().copied().collect()
    }
}

/// A stream of events.
pub struct Events {
    body: Body,
    text: String,
}

/// One event; `name` is empty for a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: String,
}

impl Events {
    pub async fn open(rig: &Rig, after: i64) -> Self {
        Self::of(rig.get(&format!("{FEED}?after={after}"))).await
    }

    pub async fn of(ask: Ask) -> Self {
        let response = ask.header("accept", "text/event-stream").open().await;
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { body: response.into_body(), text: String::new() }
    }

    pub async fn resume(rig: &Rig, seen: i64) -> Self {
        let ask = rig.get(FEED).header("accept", "text/event-stream");
        let response = ask.header("last-event-id", &seen.to_string()).open().await;
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event; none at the end of the stream.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (parse(event), rest.to_owned());
                self.text = rest;
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("the feed says something")?;
            let bytes = frame.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next line, which must be a message.
    pub async fn line(&mut self) -> String {
        let event = self.next().await.expect("the stream goes on");
        assert_eq!(event.name, "", "{event:?}");
        event.data
    }
}

fn parse(text: &str) -> Option<Event> {
    let mut event = Event::default();
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("id", value)) => value.clone_into(&mut event.id),
            Some(("event", value)) => value.clone_into(&mut event.name),
            Some(("data", value)) => value.clone_into(&mut event.data),
            _ => {}
        }
    }
    (!event.data.is_empty()).then_some(event)
}
