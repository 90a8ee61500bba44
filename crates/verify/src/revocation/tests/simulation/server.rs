//! The issuer: one log, a primary that ticks, views of it that lag, and a zombie.

use countersign_jose::{
    Algorithm, FeedClaims, FeedEntry, FeedTimeClaims, KeySet, SigningKey, VerifyingKey,
    profile::{FeedBatch, FeedTime},
    revocation::{DEFAULT_TENANT, EntryId, Kind, Scope},
    sign,
};

use super::{super::ISSUER, Micros};

pub const TICK: Micros = 200_000;
const SECRET: [u8; 32] = [7; 32];

/// The state of the log at one tick or commit.
#[derive(Debug, Clone, Copy)]
struct Snapshot {
    at: Micros,
    head: i64,
    t: i64,
}

/// Which state of the log a node shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    Primary,
    /// A standby that is this far behind.
    Lagging(Micros),
    /// What was the primary until then. It cannot commit, so that its `t` stands still; its clock goes on.
    Zombie(Micros),
}

/// What a node shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    pub head: i64,
    pub t: i64,
}

#[derive(Debug)]
pub struct Server {
    key: SigningKey,
    history: Vec<Snapshot>,
    entries: Vec<FeedEntry>,
}

impl Server {
    pub fn new(at: Micros) -> Self {
        // A shared secret signs a hundred times faster than a key pair; the code that checks it is the same.
        let key = SigningKey::hmac(Algorithm::HS256, "feed-1", &SECRET).unwrap();
        Self { key, history: vec![Snapshot { at, head: 0, t: at }], entries: Vec::new() }
    }

    pub fn keys() -> KeySet {
        [VerifyingKey::hmac(Algorithm::HS256, "feed-1", &SECRET).unwrap()].into_iter().collect()
    }

    /// Raises `t` by a committed write.
    pub fn tick(&mut self, now: Micros) {
        let last = self.last();
        self.history.push(Snapshot { at: now, head: last.head, t: (last.t + 1).max(now) });
    }

    /// Commits a revocation at `now`.
    pub fn revoke(&mut self, kind: Kind, value: &str, now: Micros) {
        let last = self.last();
        let rsn = (last.head + 1).max(now);
        let scope = Scope { issuer: ISSUER, tenant: DEFAULT_TENANT };
        let id = EntryId::of(kind, scope, value).to_string();
        self.entries.push(FeedEntry { kind: i64::from(kind.number()), id, rsn, exp: 0 });
        self.history.push(Snapshot { at: now, head: rsn, t: last.t });
    }

    pub fn view(&self, node: Node, now: Micros) -> View {
        let until = match node {
            Node::Primary => now,
            Node::Lagging(by) => now - by,
            Node::Zombie(since) => since.min(now),
        };
        let shown = self.history.iter().rev().find(|it| it.at <= until).unwrap_or(&self.history[0]);
        View { head: shown.head, t: shown.t }
    }

    /// A batch of the entries after `previous` up to `head`.
    pub fn batch(&self, previous: i64, head: i64, t: i64, more: bool) -> String {
        let entries = self.entries.iter().filter(|it| previous < it.rsn && it.rsn <= head).cloned().collect();
        let claims = FeedClaims { iss: ISSUER.into(), previous, head, time: t, more, entries, ..FeedClaims::default() };
        sign::<FeedBatch>(&self.key, &claims).unwrap()
    }

    /// The positions of the entries after `after` that a node shows.
    pub fn positions(&self, after: i64, view: View) -> Vec<i64> {
        self.entries.iter().map(|it| it.rsn).filter(|rsn| after < *rsn && *rsn <= view.head).collect()
    }

    /// `now = max(rev_head.t, the clock)`; every node has a clock that goes on.
    pub fn time(&self, nonce: &str, view: View, now: Micros) -> String {
        let claims = FeedTimeClaims {
            iss: ISSUER.into(),
            nonce: nonce.into(),
            now: now.max(view.t),
            ..FeedTimeClaims::default()
        };
        sign::<FeedTime>(&self.key, &claims).unwrap()
    }

    fn last(&self) -> Snapshot {
        self.history[self.history.len() - 1]
    }
}
