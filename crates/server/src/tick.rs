//! The tick where the process's own clock is it: on SQLite. It is never turned back while the process runs, and a note in
//! the database now and then keeps it from being turned back between two starts. On PostgreSQL the feed raises `rev_head.t`
//! by a committed write.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tracing::warn;

use crate::{
    app::App,
    clock::{Clock, Stopwatch},
    domain::time::Timestamp,
    store::{
        StoreError, StoreKind,
        revocations::{self, floor},
    },
};

/// How often the time is noted.
const EVERY: Duration = Duration::from_secs(10);

/// The process's clock, made steady: while it is behind what it has said before, time goes on at half its speed, so that
/// it is neither turned back nor ever ahead of a clock that was right.
#[derive(Debug, Default)]
pub struct Steady(Mutex<Option<Said>>);

#[derive(Debug, Clone, Copy)]
struct Said {
    time: Timestamp,
    watch: Stopwatch,
}

impl Steady {
    /// Now, and never before what was said before.
    pub fn now(&self, clock: &Clock) -> Timestamp {
        let now = clock.now();
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let time = match *said {
            Some(before) if before.time > now => before.time.plus(before.watch.elapsed() / 2),
            _ => now,
        };
        *said = Some(Said { time, watch: Stopwatch::start() });
        time
    }
}

/// Lets the log's position follow the clock until `stop`, and on SQLite notes the time; on PostgreSQL the feed's own tick is
/// such a note.
pub async fn keep_noting(app: App, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut seen = Timestamp::default();
    loop {
        match note(&app, seen).await {
            Ok(t) => seen = t,
            Err(error) => warn!(%error, "the time of the revocation log could not be noted; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = &mut stop => return,
        }
    }
}

async fn note(app: &App, seen: Timestamp) -> Result<Timestamp, StoreError> {
    let (now, told) = (app.steady_now(), app.feed.highest());
    let write = app.store.write(move |tx| {
        Box::pin(async move {
            floor::follow(tx, now, EVERY, told).await?;
            match tx.kind() {
                StoreKind::Sqlite => revocations::tick(tx, now, seen, EVERY / 2).await.map(|ticked| ticked.t),
                StoreKind::Postgres => Ok(seen),
            }
        })
    });
    write.await
}

#[cfg(test)]
mod tests {
    use super::*;

    // I-6
    #[test]
    fn a_clock_that_is_set_back_turns_nothing_back() {
        let clock = Clock::manual(Timestamp::from_secs(1_000));
        let steady = Steady::default();
        let first = steady.now(&clock);
        assert_eq!(first, clock.now());
        let Clock::Manual(at) = &clock else { unreachable!() };
        at.store(Timestamp::from_secs(400).micros(), std::sync::atomic::Ordering::SeqCst);
        let second = steady.now(&clock);
        assert!(second >= first && second < first.plus(Duration::from_secs(300)), "{second:?}");
        assert!(steady.now(&clock) >= second);
        at.store(Timestamp::from_secs(2_000).micros(), std::sync::atomic::Ordering::SeqCst);
        assert_eq!(steady.now(&clock), Timestamp::from_secs(2_000));
    }
}
