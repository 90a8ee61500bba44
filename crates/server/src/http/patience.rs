//! How long a connection may let us wait for the head of a request (NET-03).
//!
//! hyper wants a timer for each head. One of the runtime's, set and taken back at every request, is a noticeable part of a
//! small answer; and hyper asks for none before the first byte, so that a silent connection would stay for ever. Here hyper
//! only notes when it will be out of patience, from the first moment on, and one sleep per connection looks after that.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};

use crate::clock::Stopwatch;

/// One connection's. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Patience(Arc<Waiting>);

#[derive(Debug)]
struct Waiting {
    opened: Stopwatch,
    limit: Duration,
    /// Microseconds after `opened` until which the head must have arrived; [`NOT_WAITING`] while a request is answered.
    until: AtomicU64,
}

const NOT_WAITING: u64 = u64::MAX;

impl Patience {
    /// The first head is due `limit` from now.
    pub fn new(limit: Duration) -> Self {
        Self(Arc::new(Waiting { opened: Stopwatch::start(), limit, until: AtomicU64::new(micros(limit)) }))
    }

    /// A request has arrived.
    pub fn heard(&self) {
        self.0.until.store(NOT_WAITING, Ordering::Relaxed);
    }

    /// Ready once a head is overdue.
    pub async fn over(&self) {
        while let Some(time) = self.left(self.0.opened.elapsed()) {
            tokio::time::sleep(time).await;
        }
    }

    /// How long to sleep at this age of the connection before looking again; `None` if a head is overdue.
    fn left(&self, age: Duration) -> Option<Duration> {
        match self.0.until.load(Ordering::Relaxed) {
            // A head that is waited for from the next moment on is overdue after that, too.
            NOT_WAITING => Some(self.0.limit),
            until => until.checked_sub(micros(age)).filter(|left| *left > 0).map(Duration::from_micros),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(NOT_WAITING - 1)
}

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        let until = self.0.opened.elapsed().saturating_add(duration);
        self.0.until.store(micros(until), Ordering::Relaxed);
        Box::pin(Noted(self.clone()))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }
}

/// What hyper holds while it waits for a head.
struct Noted(Patience);

impl Future for Noted {
    type Output = ();

    /// Never ready: whoever awaits [`Patience::over`] ends the connection.
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Sleep for Noted {}

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.heard();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(15);

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    // NET-03
    #[test]
    fn a_silent_connection_is_overdue_and_one_that_was_heard_is_not() {
        let patience = Patience::new(LIMIT);
        assert_eq!(patience.left(secs(5)), Some(secs(10)));
        assert_eq!(patience.left(LIMIT), None);
        patience.heard();
        assert_eq!(patience.left(secs(100)), Some(LIMIT));
    }

    // NET-03
    #[test]
    fn each_head_has_its_own_time_however_old_the_connection_is() {
        let patience = Patience::new(LIMIT);
        let head = patience.sleep(secs(40));
        let left = patience.left(secs(39)).unwrap();
        assert!(left >= secs(1) && left < secs(40), "{left:?}");
        drop(head);
        assert_eq!(patience.left(secs(1_000)), Some(LIMIT));
    }
}
