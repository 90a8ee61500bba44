//! Readers while somebody writes: each sees one whole view, and views never go back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use countersign_jose::revocation::Kind;

use super::{super::Revocations, batch, claims, forever, marks};
use crate::clock::Clock;

// I7
#[test]
fn readers_see_whole_views_that_only_move_on() {
    const ROUNDS: i64 = 3_000;
    let (clock, revocations, done) =
        (Clock::manual(1_000), Arc::new(Revocations::new(1_000_000)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (revocations, done) = (Arc::clone(&revocations), Arc::clone(&done));
            thread::spawn(move || {
                let (mut head, mut looks) = (0, 0_u64);
                while !done.load(Relaxed) || looks == 0 {
                    let state = revocations.current();
                    assert!(state.head >= head, "the head went back");
                    head = state.head;
                    assert_eq!(state.time, head, "a torn view");
                    // Whoever is named at or below the head of the same view is dead in it.
                    if head > 0 {
                        let mut token = claims(0);
                        token.sid = Some((head - i64::try_from(looks % 7).unwrap_or(0)).max(1).to_string());
                        assert!(state.check(&marks(&token)).is_err(), "{:?} at {head}", token.sid);
                    }
                    looks += 1;
                }
            })
        })
        .collect();
    for n in 1..=ROUNDS {
        let news = vec![forever(Kind::Session, &n.to_string(), n)];
        revocations.apply(&batch(n - 1, n, n, news), clock.now());
    }
    done.store(true, Relaxed);
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(revocations.current().entries(), usize::try_from(ROUNDS).unwrap());
}
