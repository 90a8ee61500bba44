//! The swap of the view in every order in which threads can meet (loom). What runs is the shipped text, `published.rs` and
//! `shared.rs`, compiled once more: only the lock and the atomic pointer are loom's.

use std::{sync::Arc, time::Duration};

use countersign_jose::revocation::Kind;
use loom::{future::block_on, model, thread};

use super::{
    super::{Anchor, batch, event, lease, marks, state},
    claims, forever,
};
use crate::clock::{Clock, Moment};

#[path = "../published.rs"]
#[allow(clippy::duplicate_mod, reason = "that is the point")]
mod published;
#[path = "../shared.rs"]
#[allow(clippy::duplicate_mod, reason = "that is the point")]
#[allow(dead_code, reason = "what these tests do not call, the shipped copy does")]
mod shared;

mod sync {
    use std::{ops::Deref, sync::Arc};

    pub(super) use loom::sync::Mutex;

    /// As atomic as the real one.
    #[derive(Debug)]
    pub(super) struct ArcSwap<T>(Mutex<Arc<T>>);

    impl<T> ArcSwap<T> {
        pub(super) fn from_pointee(value: T) -> Self {
            Self(Mutex::new(Arc::new(value)))
        }

        pub(super) fn load(&self) -> Guard<Arc<T>> {
            Guard(Arc::clone(&self.0.lock().unwrap()))
        }

        pub(super) fn store(&self, value: Arc<T>) {
            *self.0.lock().unwrap() = value;
        }
    }

    #[derive(Debug)]
    pub(crate) struct Guard<A>(A);

    impl<A> Deref for Guard<A> {
        type Target = A;

        fn deref(&self) -> &A {
            &self.0
        }
    }
}

use shared::Revocations;

fn now() -> Moment {
    Clock::manual(1_000).now()
}

/// The feed brings a revocation of the session; its position and time are the number.
fn news(revocations: &Revocations, number: i64, now: Moment) {
    let news = vec![forever(Kind::Session, "session", number)];
    revocations.apply(&super::batch(number - 1, number, number, news), now);
}

fn time(revocations: &Revocations, now: Moment) {
    revocations.anchor(Anchor { now: 5, sent_at: Duration::ZERO }, now);
}

// I7: the feed and the clock change the view at the same time, and neither undoes what the other has done; a reader sees a
// whole view, before or after.
#[test]
fn no_change_is_lost_and_no_view_is_torn() {
    let (now, token) = (now(), super::marks(&claims(0)));
    model(move || {
        let revocations = Arc::new(Revocations::new(1_000));
        let feed = thread::spawn({
            let revocations = Arc::clone(&revocations);
            move || news(&revocations, 1, now)
        });
        let clock = thread::spawn({
            let revocations = Arc::clone(&revocations);
            move || time(&revocations, now)
        });
        let mut before = 0;
        for _ in 0..2 {
            let view = revocations.current();
            assert!(view.head >= before, "the head went back");
            before = view.head;
            assert_eq!((view.time, view.check(&token).is_err()), (view.head, view.head > 0), "a torn view");
        }
        feed.join().unwrap();
        clock.join().unwrap();
        let view = revocations.current();
        assert_eq!((view.head, view.entries(), view.is_ready()), (1, 1, true));
    });
}

// Whoever waits for the first snapshot is woken, whichever of the two that it needs comes last.
#[test]
fn readiness_is_never_missed() {
    let now = now();
    let feed = |revocations: &Revocations, now| news(revocations, 1, now);
    for (first, last) in [(feed as fn(&Revocations, Moment), time as fn(&Revocations, Moment)), (time, feed)] {
        model(move || {
            let revocations = Arc::new(Revocations::new(1_000));
            first(&revocations, now);
            let other = thread::spawn({
                let revocations = Arc::clone(&revocations);
                move || last(&revocations, now)
            });
            assert_eq!(block_on(revocations.ready()), Ok(()));
            other.join().unwrap();
        });
    }
}

// I13: a guard that has looked and waits for the next death is woken by it, and then sees it: the loop of `guard.rs`.
#[test]
fn a_death_is_never_missed() {
    let (now, token) = (now(), super::marks(&claims(0)));
    model(move || {
        let revocations = Arc::new(Revocations::new(1_000));
        let feed = thread::spawn({
            let revocations = Arc::clone(&revocations);
            move || news(&revocations, 1, now)
        });
        let mut deaths = revocations.deaths();
        block_on(async {
            loop {
                deaths.borrow_and_update();
                if revocations.current().check(&token).is_err() {
                    return;
                }
                deaths.changed().await.unwrap();
            }
        });
        feed.join().unwrap();
    });
}
