//! The test issuer's revocation log: kept in memory, shown to its own verifiers at once, and served to others as a feed.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use countersign_jose::{
    Algorithm, FeedClaims, FeedEntry, FeedTimeClaims, JwkSet, SigningKey,
    profile::{FeedBatch, FeedTime},
    revocation::{DEFAULT_TENANT, EntryId, Kind, Scope},
    sign,
};
use tokio::sync::watch;

use super::{must, new_key, public_half};
use crate::{
    clock::Moment,
    revocation::{Anchor, Batch, Revocations, State},
};

/// No test token lives longer than an hour.
const LONGEST_TOKEN: i64 = 3_600;
const LEEWAY: i64 = 60;

/// One test issuer's log.
#[derive(Debug)]
pub(crate) struct TestFeed {
    issuer: String,
    key: SigningKey,
    log: Mutex<Log>,
    cut: AtomicBool,
    /// The head, for whoever waits for news.
    head: watch::Sender<i64>,
}

#[derive(Debug, Default)]
struct Log {
    head: i64,
    floor: i64,
    entries: BTreeMap<i64, FeedEntry>,
}

impl TestFeed {
    pub(super) fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            key: new_key(Algorithm::Ed25519, "feed-test-1"),
            log: Mutex::default(),
            cut: AtomicBool::new(false),
            head: watch::Sender::new(0),
        }
    }

    /// The position of a token that is issued now.
    pub(super) fn rsn(&self, now: Moment) -> i64 {
        self.log().head.max(now.unix_micros())
    }

    /// Appends one entry and returns its position.
    pub(super) fn revoke(&self, kind: Kind, value: &str, now: Moment) -> i64 {
        let scope = Scope { issuer: &self.issuer, tenant: DEFAULT_TENANT };
        let exp = if kind == Kind::Key { 0 } else { now.unix_secs() + LONGEST_TOKEN + LEEWAY };
        let mut log = self.log();
        let rsn = (log.head + 1).max(now.unix_micros() + 1);
        let id = EntryId::of(kind, scope, value).to_string();
        log.entries.insert(rsn, FeedEntry { kind: i64::from(kind.number()), id, rsn, exp });
        log.head = rsn;
        drop(log);
        self.head.send_replace(rsn);
        rsn
    }

    /// Everything that was issued before now is dead.
    pub(super) fn raise_floor(&self, now: Moment) {
        let mut log = self.log();
        log.head = (log.head + 1).max(now.unix_micros() + 1);
        log.floor = log.head;
        let head = log.head;
        drop(log);
        self.head.send_replace(head);
    }

    /// Whether nobody hears from this log any more.
    pub(super) fn set_cut(&self, cut: bool) {
        self.cut.store(cut, Relaxed);
        self.head.send_modify(|_| {});
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Relaxed)
    }

    pub(super) fn news(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// Shows a verifier of this process what there is, as a feed without any delay would.
    pub(crate) fn pulse(&self, revocations: &Revocations, now: Moment) {
        if self.is_cut() {
            return;
        }
        let state = revocations.current();
        let (cursor, time) = (state.cursor, state.time);
        let claims = self.claims(cursor, now);
        if claims.head == cursor && claims.time == time {
            return;
        }
        let batch = must(Batch::read(&claims));
        revocations.anchor(Anchor { now: claims.time, sent_at: now.steady() }, now);
        revocations.apply(&batch, now);
    }

    /// Everything above `after`, signed.
    pub(super) fn line(&self, after: i64, now: Moment) -> (i64, String) {
        let claims = self.claims(after, now);
        (claims.head, must(sign::<FeedBatch>(&self.key, &claims)))
    }

    /// The answer to the question for the time.
    pub(super) fn time(&self, nonce: &str, now: Moment) -> String {
        let claims = FeedTimeClaims {
            iss: self.issuer.clone(),
            nonce: nonce.to_owned(),
            now: now.unix_micros(),
            ..FeedTimeClaims::default()
        };
        must(sign::<FeedTime>(&self.key, &claims))
    }

    pub(super) fn jwks(&self) -> JwkSet {
        JwkSet::from(vec![public_half(&self.key)])
    }

    /// The whole log as a verifier would hold it.
    pub(super) fn state(&self, now: Moment) -> State {
        let mut state = State::new();
        state.apply(&must(Batch::read(&self.claims(0, now))), now.steady(), usize::MAX);
        state
    }

    fn claims(&self, after: i64, now: Moment) -> FeedClaims {
        let log = self.log();
        FeedClaims {
            iss: self.issuer.clone(),
            previous: after.min(log.head),
            head: log.head,
            time: now.unix_micros().max(1),
            floor: log.floor,
            entries: log.entries.range(after + 1..).map(|(_, entry)| entry.clone()).collect(),
            ..FeedClaims::default()
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
