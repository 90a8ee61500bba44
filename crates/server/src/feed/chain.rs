//! Making lines: of what the log says, and of older lines.

use std::{ops::Range, sync::Arc};

use countersign_jose::{Error, FeedClaims, FeedEntry, SigningKey, b64, profile::FeedBatch, sign};

use super::line::Line;
use crate::{
    domain::{feed::counts, rsn::Rsn, time::Timestamp},
    store::revocations::{FeedPage, LogEntry},
};

/// Who says it: what is the same in every line.
#[derive(Debug, Clone)]
pub struct Voice {
    pub issuer: Arc<str>,
    pub key: Arc<SigningKey>,
}

/// The number of the one stream.
const STREAM: i64 = 0;

impl Voice {
    /// A page of the log as one line that continues from `previous`. `more`: it is a part of a snapshot, and the line that
    /// says until when the feed is complete follows. It must be true if the page has not all there is.
    ///
    /// # Errors
    /// The key fails.
    pub fn page(&self, previous: Rsn, page: &FeedPage, more: bool) -> Result<Line, Error> {
        let last = page.entries.last().map_or(page.head, |entry| entry.rsn);
        let head = if page.more { last } else { page.head };
        let entries = page.entries.iter().filter(|entry| counts(entry.exp, page.t.secs())).map(entry).collect();
        self.line(&FeedClaims {
            previous: previous.get(),
            head: head.get(),
            time: page.t.micros(),
            floor: page.floor.get(),
            more: more || page.more,
            entries,
            ..self.claims()
        })
    }

    /// That nothing has happened: the head stands, and it is this late.
    ///
    /// # Errors
    /// The key fails.
    pub fn heartbeat(&self, head: Rsn, floor: Rsn, t: Timestamp) -> Result<Line, Error> {
        self.line(&FeedClaims {
            previous: head.get(),
            head: head.get(),
            time: t.micros(),
            floor: floor.get(),
            ..self.claims()
        })
    }

    /// One line for a run of neighbours, without what has expired at `now` (the feed's time). It is a part of a snapshot: what
    /// it says of the time is as old as its last member.
    ///
    /// # Errors
    /// The key fails.
    pub fn join(&self, lines: &[Arc<Line>], now: Timestamp) -> Result<Line, Error> {
        let mut joined = FeedClaims { more: true, ..self.claims() };
        for (at, line) in lines.iter().enumerate() {
            let claims = line.claims()?;
            if at == 0 {
                joined.previous = claims.previous;
            }
            joined.head = claims.head;
            joined.time = claims.time;
            joined.floor = joined.floor.max(claims.floor);
            joined.entries.extend(claims.entries.into_iter().filter(|entry| counts(entry.exp, now.secs())));
        }
        self.line(&joined)
    }

    /// The chain with these runs replaced by one line each.
    ///
    /// # Errors
    /// The key fails.
    pub fn rewrite(&self, lines: &[Arc<Line>], runs: &[Range<usize>], now: Timestamp) -> Result<Vec<Arc<Line>>, Error> {
        let (mut chain, mut from) = (Vec::with_capacity(lines.len()), 0);
        for run in runs {
            chain.extend_from_slice(&lines[from..run.start]);
            chain.push(Arc::new(self.join(&lines[run.clone()], now)?));
            from = run.end;
        }
        chain.extend_from_slice(&lines[from..]);
        Ok(chain)
    }

    fn claims(&self) -> FeedClaims {
        FeedClaims { iss: self.issuer.to_string(), stream: STREAM, ..FeedClaims::default() }
    }

    fn line(&self, claims: &FeedClaims) -> Result<Line, Error> {
        let jws = sign::<FeedBatch>(&self.key, claims)?;
        Ok(Line::new(self.key.kid(), claims, &jws))
    }
}

fn entry(entry: &LogEntry) -> FeedEntry {
    FeedEntry { kind: i64::from(entry.kind), id: b64::encode(entry.id), rsn: entry.rsn.get(), exp: entry.exp }
}
