//! A server's life: stopped under load, rolled back, upgraded half-way.

use std::{fs, thread, time::Duration};

use countersign_server::clock::Stopwatch;

use crate::{
    history::{Call, Given, Outcome},
    people::Crowd,
    round::{Follower, Round, world, world_of},
    site::{PATIENCE, Site, Start},
};

/// SIGTERM under load: what is open is answered, the exit code is 0, the next server goes on.
pub fn stop(round: &mut Round) {
    let (site, follower) = (Site::default(), Follower::new());
    let mut server = site.serve(&Start::default());
    let world = world_of(&[&site], Some(follower.follow(&site.issuer())));
    let crowd = Crowd::begin(&world, 6, &mut round.dice(0));
    for iteration in 0..round.iterations {
        round.expect(crowd.progress(25), "I-11: nothing is answered any more");
        thread::sleep(round.dice(1 + iteration).millis(0, 40));
        let code = server.stop();
        round.expect(code == Some(0), format!("it stopped with {code:?}"));
        // Tidy: the log was written back into the file.
        let log = fs::metadata(site.data().join("countersign.db-wal")).map_or(0, |log| log.len());
        round.expect(log == 0, format!("{log} bytes of log are left"));
        server = site.serve(&Start::default());
    }
    round.settle(crowd, &world);
}

/// The database's file is copied while nobody serves, and put back later: nobody serves it before it is accepted, and then
/// nothing of before is alive.
pub fn rollback(round: &mut Round) {
    for iteration in 0..round.iterations {
        let (site, mut dice) = (Site::default(), round.dice(iteration));
        let world = world(&site);
        let server = site.serve(&Start::default());
        let crowd = Crowd::begin(&world, 4, &mut dice);
        round.expect(crowd.progress(30 + dice.below(40)), "nothing is answered");
        let people = crowd.pause();
        round.expect(server.stop() == Some(0), "it did not stop well");
        let backup = site.folder().join("backup.db");
        fs::copy(site.database(), &backup).unwrap();
        let server = site.serve(&Start::default());
        let crowd = Crowd::resume(&world, people);
        round.expect(crowd.progress(30 + dice.below(40)), "nothing is answered");
        // Something must have been revoked since, or nothing can come back.
        let ended = Outcome::Done(Given::Nothing);
        let people = crowd.pause();
        let seen = fs::read(site.data().join("high-water")).unwrap();
        let (code, said) = site.run(&Start::default(), &["revoke", "user", "user0@example.com"]);
        round.expect(code == Some(0), said);
        // The mark follows the log within a second; a copy that is younger is not noticed, which SECURITY.md says.
        let followed = wait_until(|| fs::read(site.data().join("high-water")).unwrap_or_default() != seen);
        round.expect(followed, "the mark does not follow the log");
        world.history.note(Call::EndUser { user: "user0".to_owned() }, ended.clone());
        if dice.percent(50) {
            server.kill();
        } else {
            let code = server.stop();
            round.expect(code == Some(0), format!("it stopped with {code:?}"));
        }
        let _ = fs::remove_file(site.data().join("countersign.db-wal"));
        let _ = fs::remove_file(site.data().join("countersign.db-shm"));
        fs::copy(&backup, site.database()).unwrap();
        let noticed = site.try_serve(&Start::default());
        let outcome = match noticed {
            Ok(_) => ended.clone(),
            Err(refused) => {
                let named = refused.log.contains("countersign restore --accept");
                round.expect(named, format!("it does not say what to do: {}", refused.log));
                Outcome::Refused("older".to_owned())
            }
        };
        world.history.note(Call::StartOnOld, outcome);
        let (code, said) = site.run(&Start::default(), &["restore", "--accept"]);
        round.expect(code == Some(0), said);
        world.history.note(Call::EndAll, ended);
        // The passwords are those of the backup, which is a change that nobody answered.
        let server = site.serve(&Start::default());
        for person in people {
            person.try_what_is_over(12);
        }
        round.judge(&world.history);
        drop(server);
    }
}

/// What changes the disk at a first start, and about how often a thread does it.
const STEPS: [(&str, usize); 8] = [
    ("pwrite64", 450),
    ("fdatasync", 12),
    ("fsync", 8),
    ("write", 25),
    ("rename", 3),
    ("unlink", 6),
    ("ftruncate", 4),
    ("openat", 40),
];

/// The first start is killed at any of its writes: the next one makes the database whole.
pub fn upgrade(round: &mut Round) {
    let (mut killed, mut whole) = (0, 0);
    for iteration in 0..round.iterations {
        let (site, mut dice) = (Site::default(), round.dice(iteration));
        let (call, most) = STEPS[dice.below(STEPS.len())];
        let count = 1 + dice.below(most);
        let blow = Start::strace(&format!("trace={call}"), &format!("inject={call}:signal=SIGKILL:when={count}"));
        match site.try_serve(&blow) {
            Ok(server) => {
                whole += 1;
                server.kill();
            }
            Err(_) => killed += 1,
        }
        let world = world(&site);
        match site.try_serve(&Start::default()) {
            Ok(_server) => {
                let crowd = Crowd::begin(&world, 2, &mut dice);
                round.expect(crowd.progress(6), format!("{call} {count}: nothing is answered"));
                round.settle(crowd, &world);
            }
            Err(refused) => round.expect(false, format!("killed at {call} {count}, it starts no more: {refused:?}")),
        }
    }
    round.note(format!("{killed} killed before they were ready, {whole} after"));
}

fn wait_until(mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Stopwatch::start();
    while !is_so() {
        if begun.elapsed() > PATIENCE {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}
