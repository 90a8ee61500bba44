//! The verifier's machine: its clock, which drifts, and its process, which is polled by hand.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
    time::Duration,
};

use tokio::sync::Notify;

use super::{super::ISSUER, Dice, Micros, network::Wire};
use crate::{
    clock::Clock,
    feed::{Follower, Settings},
    random::Random,
    revocation::Revocations,
};

pub struct Machine {
    pub clock: Clock,
    pub revocations: Arc<Revocations>,
    /// Parts per million that the clock runs fast or slow.
    drift: i64,
    /// What the drift has not yet given or taken.
    owed: i64,
    process: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

impl Machine {
    pub fn new(wire: Wire, bound: Duration, dice: &mut Dice) -> Self {
        // Its wall clock is anything.
        let clock = Clock::manual(1_700_000_000 + dice.below(100_000_000));
        let revocations = Arc::new(Revocations::new(1_000));
        let settings = Arc::new(Settings {
            revocations: Arc::clone(&revocations),
            clock: clock.clone(),
            random: Random::Seeded(AtomicU64::new(dice.next())),
            tightest: AtomicU64::new(super::micros(bound).unsigned_abs()),
            nudge: Notify::new(),
        });
        let follower = Follower::new(wire, settings, ISSUER);
        let process = Box::pin(async move { follower.run().await });
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { clock, revocations, drift: dice.between(-150, 151), owed: 0, process, woken }
    }

    /// Time passes on the machine.
    pub fn pass(&mut self, by: Micros) {
        let exact = by * 1_000_000 + by * self.drift + self.owed;
        let shown = exact.div_euclid(1_000_000);
        self.owed = exact.rem_euclid(1_000_000);
        self.clock.advance(Duration::from_micros(shown.unsigned_abs()));
    }

    /// The process runs until it waits.
    pub fn work(&mut self) {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut context = Context::from_waker(&waker);
        while self.woken.0.swap(false, SeqCst) {
            let polled = self.process.as_mut().poll(&mut context);
            assert!(polled.is_pending(), "it follows for ever");
        }
    }
}
