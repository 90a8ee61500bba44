//! The whole system in one thread, repeatable by number: issuer replicas, a database that is synced or not, honest people with
//! two tabs, a thief, verifiers behind a bad network, clocks, crashes and a restored backup. The rules are those of the product
//! (`domain/` of the server, `revocation/` of the verifier); only time, disk and transport are made up.
//!
//! Every schedule is drawn from its seed. `COUNTERSIGN_SIMULATOR_SEED=n` runs that one alone and prints what happened.
#![cfg(test)]

mod database;
mod flaw;
mod keys;
mod people;
#[allow(dead_code, reason = "the models use the rest")]
#[path = "../../../server/tests/models/random.rs"]
mod random;
mod verifiers;
mod world;

use std::thread;

use flaw::Flaw;
use world::{Counts, World};

const SCHEDULES: u64 = 100_000;
const THREADS: u64 = 2;

/// Runs schedules until all are through or one fails; what they did, or the first that failed, with its trace.
fn run(flaw: Flaw, seeds: u64) -> Result<Counts, String> {
    let part = move |thread: u64| {
        let mut counts = Counts::default();
        for seed in (thread..seeds).step_by(usize::try_from(THREADS).unwrap()) {
            counts.add(&World::new(seed, flaw).play()?);
        }
        Ok::<_, String>(counts)
    };
    let threads: Vec<_> = (0..THREADS).map(|thread| thread::spawn(move || part(thread))).collect();
    let mut counts = Counts::default();
    for part in threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>() {
        counts.add(&part?);
    }
    Ok(counts)
}

// I-1 to I-8 as far as the rules carry them: nothing revoked is accepted late, nobody honest is signed out without a cause,
// what was acknowledged is durable; and when the faults stop, everybody goes on.
#[test]
fn every_schedule_is_safe_and_ends_well() {
    if let Ok(seed) = std::env::var("COUNTERSIGN_SIMULATOR_SEED") {
        let mut world = World::new(seed.parse().unwrap(), Flaw::None);
        world.talks = true;
        println!("{:#?}", world.play().unwrap_or_else(|failure| panic!("{failure}")));
        return;
    }
    let counts = run(Flaw::None, SCHEDULES).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{SCHEDULES} schedules: {counts:?}");
    // They are worth something only if all of it happened, and often.
    let Counts { refreshes, caught, accepted, dead, stale, crashes, restores, trimmed, activations, .. } = counts;
    let Counts { keys_revoked, rights_changed, lost, .. } = counts;
    let rare = [caught, crashes, restores, trimmed, activations, keys_revoked, rights_changed];
    for count in rare.into_iter().chain([refreshes, accepted, dead, stale, lost]) {
        assert!(count > SCHEDULES / 10, "{counts:?}");
    }
}

#[test]
fn a_schedule_repeats_from_its_seed() {
    for seed in 0..20 {
        assert_eq!(World::new(seed, Flaw::None).play(), World::new(seed, Flaw::None).play());
    }
}

// Each of these is one rule left out; a simulation that does not notice proves nothing.
#[test]
fn each_rule_left_out_is_noticed() {
    for flaw in Flaw::ALL {
        let failure = run(flaw, 5_000).expect_err(&format!("{flaw:?} was not noticed"));
        println!("{flaw:?}: {}", failure.lines().next().unwrap_or_default());
    }
}
