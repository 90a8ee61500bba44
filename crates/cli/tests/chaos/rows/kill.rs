//! `kill -9` at every step: at a failpoint, at the n-th write or sync of the process, or wherever it is.

use crate::{
    dice::Dice,
    people::{Crowd, World},
    round::{Follower, Round, world_of},
    site::{Site, Start, was_killed},
};

/// Where the product says that a kill is of interest.
const PLACES: [&str; 3] = ["refresh.committed", "revocation.committed", "revocation.appended"];
/// System calls that change what is on the disk or make it durable.
const CALLS: [&str; 7] = ["pwrite64", "write", "fdatasync", "fsync", "ftruncate", "rename", "unlink"];
const PEOPLE: usize = 5;
/// Calls that must be done between two kills.
const CALLS_BETWEEN: usize = 25;

pub fn play(round: &mut Round) {
    let (site, follower) = (Site::default(), Follower::new());
    let mut server = site.serve(&Start::default());
    let world = World { links: true, codes: true, ..world_of(&[&site], Some(follower.follow(&site.issuer()))) };
    let crowd = Crowd::begin(&world, PEOPLE, &mut round.dice(0));
    let mut hits = 0;
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        round.expect(crowd.progress(CALLS_BETWEEN), "I-11: nothing is answered any more");
        server.kill();
        let blow = blow(&mut dice);
        // One that dies while it starts is a good kill, too.
        if let Ok(mut doomed) = site.try_serve(&blow) {
            let wait = dice.millis(100, 1_500);
            let status = match doomed.ended_within(wait) {
                Some(status) => status,
                None => {
                    doomed.signal("-KILL");
                    doomed.ended()
                }
            };
            hits += usize::from(was_killed(status));
        } else {
            hits += 1;
        }
        server = site.serve(&Start::default());
    }
    round.note(format!("{hits} kills"));
    round.settle(crowd, &world);
    drop(server);
}

fn blow(dice: &mut Dice) -> Start {
    match dice.below(5) {
        0 | 1 => Start::failpoint(PLACES[dice.below(PLACES.len())], 1 + dice.below(12)),
        2 | 3 => {
            let (call, most) = (CALLS[dice.below(CALLS.len())], if dice.percent(50) { 8 } else { 120 });
            let count = 1 + dice.below(most);
            Start::strace(&format!("trace={call}"), &format!("inject={call}:signal=SIGKILL:when={count}"))
        }
        _ => Start::default(),
    }
}
