//! The database: what was committed, what of it is on the disk, and what a crash or a restored backup leaves.

use std::{rc::Rc, time::Duration};

use countersign_jose::{
    FeedClaims, FeedEntry,
    revocation::{DEFAULT_TENANT, Scope},
};
use countersign_server::domain::{
    key_ring::RingKey,
    mark::Mark,
    refresh::Session,
    revocation::Entry,
    rsn::{Rsn, TokenRsn},
    time::Timestamp,
};

pub const ISSUER: &str = "https://id.test";
pub const SCOPE: Scope<'_> = Scope { issuer: ISSUER, tenant: DEFAULT_TENANT };
/// The longest life of an access token.
pub const TTL: Duration = Duration::from_secs(600);

/// What a user may do, and from which position on tokens know it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rights {
    /// Counts the changes.
    pub version: u32,
    pub token_rsn: TokenRsn,
}

/// One state of the database. A copy shares what has not changed since.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub sessions: Rc<Vec<Session>>,
    /// One per session: each client is a user of their own.
    pub rights: Rc<Vec<Rights>>,
    pub log: Rc<Vec<(Rsn, Entry)>>,
    pub head: Rsn,
    /// The log's time.
    pub t: Timestamp,
    pub floor: Rsn,
    /// Until when time is known to have passed.
    pub passed: Timestamp,
    pub keys: Rc<Vec<RingKey>>,
}

impl Rows {
    /// Appends to the log.
    pub fn append(&mut self, entry: Entry, clock: Timestamp) -> Rsn {
        self.head = Rsn::new((self.head.get() + 1).max(clock.micros()));
        Rc::make_mut(&mut self.log).push((self.head, entry));
        self.head
    }

    pub fn session(&mut self, at: usize) -> &mut Session {
        &mut Rc::make_mut(&mut self.sessions)[at]
    }

    pub fn tick(&mut self, clock: Timestamp) {
        self.t = Timestamp::from_micros((self.t.micros() + 1).max(clock.micros()));
    }

    /// What a verifier with this cursor is sent.
    pub fn batch(&self, cursor: i64) -> FeedClaims {
        let entry = |(rsn, entry): &(Rsn, Entry)| FeedEntry {
            kind: i64::from(entry.kind.number()),
            id: entry.id.to_string(),
            rsn: rsn.get(),
            exp: entry.exp,
        };
        FeedClaims {
            iss: ISSUER.into(),
            previous: cursor.min(self.head.get()),
            head: self.head.get(),
            time: self.t.micros(),
            floor: self.floor.get(),
            entries: self.log.iter().filter(|(rsn, _)| rsn.get() > cursor).map(entry).collect(),
            ..FeedClaims::default()
        }
    }

    pub fn mark(&self) -> Mark {
        Mark { rsn: self.head, t: self.t }
    }
}

/// The rows as statements see them, as the disk has them, a backup, and the mark outside.
#[derive(Debug, Default)]
pub struct Database {
    pub rows: Rows,
    pub durable: Rows,
    pub backup: Rows,
    pub mark: Mark,
    /// Counts restarts: a connection from before one is broken.
    pub life: u64,
}

impl Database {
    pub fn sync(&mut self) {
        self.durable.clone_from(&self.rows);
        self.mark = self.mark.raised(self.durable.mark());
    }

    /// What was not synced is lost.
    pub fn crash(&mut self) {
        self.rows.clone_from(&self.durable);
        self.life += 1;
    }

    /// The backup in place of everything. True if the mark tells.
    pub fn restore(&mut self) -> bool {
        self.durable.clone_from(&self.backup);
        self.crash();
        self.mark.is_above(self.rows.mark())
    }

    /// Somebody accepts that the database lost something: all older sessions and tokens end.
    pub fn accept(&mut self, clock: Timestamp) {
        let above = self.mark.above_all();
        self.rows.head = self.rows.head.max(above);
        self.rows.floor = self.rows.head;
        self.rows.t = self.rows.t.max(self.mark.t);
        let head = self.rows.head;
        for session in Rc::make_mut(&mut self.rows.sessions) {
            session.min_rsn.tenant = head;
        }
        self.rows.tick(clock);
        self.sync();
    }
}
