//! Partition trials. The shipped follower, view and lease run against a simulated issuer, network and machine; only time
//! and transport are injected, and everything repeats from its seed.
//!
//! Each trial draws a schedule of faults: cuts, held-back and replayed answers, reordering, duplicates, a lagging replica, a
//! zombie primary behind which another one accepts revocations, unanswered questions for the time, and a machine that is
//! suspended. Whatever happens, a token that was revoked at T is not accepted after T + the bound.

mod machine;
mod network;
mod server;
mod trial;

use std::time::Duration;

use trial::{Brain, Late, Outcome, run};

/// A seed per trial, so that a failure names one that repeats it.
const FIRST_SEED: u64 = 0x5EED_0000;
const THREADS: u64 = 2;

fn trials() -> u64 {
    match std::env::var("COUNTERSIGN_TEST_TRIALS").ok().and_then(|text| text.parse().ok()) {
        Some(count) => count,
        None if super::full() => 100_000,
        None => 10_000,
    }
}

/// Every trial of a brain, on all cores, added up.
fn run_all(brain: Brain, count: u64) -> Outcome {
    let part = move |thread: u64| {
        let mut sum = Outcome::default();
        for seed in (0..count).skip(usize::try_from(thread).unwrap()).step_by(usize::try_from(THREADS).unwrap()) {
            sum.add(run(FIRST_SEED + seed, brain));
        }
        sum
    };
    let threads: Vec<_> = (0..THREADS).map(|thread| std::thread::spawn(move || part(thread))).collect();
    let mut sum = Outcome::default();
    threads.into_iter().for_each(|thread| sum.add(thread.join().unwrap()));
    sum
}

// I3, I4, I5, I7, I14
#[test]
fn no_token_is_accepted_after_its_lease_whatever_the_network_does() {
    let count = trials();
    let outcome = run_all(Brain::Shipped, count);
    println!("{count} trials from seed {FIRST_SEED:#x} on: {outcome:?}");
    assert_eq!(outcome.late, Vec::<Late>::new(), "accepted after the lease; the seeds repeat it");
    assert_eq!(outcome.slow, Vec::<Late>::new(), "connected, and accepted a second after the revocation");
    assert_eq!(outcome.unsure, 0, "accepted silently although stale");
    assert_eq!(outcome.deaf, Vec::<Late>::new(), "the network healed, and the verifier did not within a second");
    // The trials are worth something only if tokens were accepted, died, and met a stale view.
    assert!(outcome.accepted > count && outcome.dead > count && outcome.stale > count / 2, "{outcome:?}");
}

// I14: a clock that stands still while the machine sleeps is found out.
#[test]
fn a_clock_that_sleeps_would_be_caught() {
    caught(Brain::SleepingClock);
}

// I9: counting from the arrival of a batch, instead of from what it says, is found out.
#[test]
fn freshness_by_arrival_would_be_caught() {
    caught(Brain::ByArrival);
}

// The machine's own clock in place of the anchor is found out.
#[test]
fn a_view_without_an_anchor_would_be_caught() {
    caught(Brain::LocalClock);
}

// I7: a time that is taken from a batch which does not continue what is known is found out.
#[test]
fn time_taken_across_a_gap_would_be_caught() {
    caught(Brain::IgnoresGaps);
}

fn caught(brain: Brain) {
    let outcome = run_all(brain, 200);
    println!("{brain:?}: {} late accepts in 200 trials, first {:?}", outcome.late.len(), outcome.late.first());
    assert!(!outcome.late.is_empty(), "the simulation does not notice {brain:?}: {outcome:?}");
}

#[test]
fn a_trial_repeats_from_its_seed() {
    for seed in 0..5 {
        assert_eq!(run(seed, Brain::Shipped), run(seed, Brain::Shipped));
    }
}

/// Microseconds of the true time.
type Micros = i64;

fn micros(duration: Duration) -> Micros {
    i64::try_from(duration.as_micros()).unwrap()
}

/// SplitMix64: the randomness of a trial.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.below(u64::try_from(high - low).unwrap().max(1))).unwrap()
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
