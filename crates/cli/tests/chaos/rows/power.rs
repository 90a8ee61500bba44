//! A power failure: the process is gone at any moment, and with it everything that it wrote and did not sync.

use std::{fs, thread, time::Duration};

use countersign_server::clock::Stopwatch;

use crate::{
    people::{Crowd, World},
    power::{self, CALLS, Record},
    round::{Follower, Round, world_of},
    site::{PATIENCE, Server, Site, Start},
};

const PEOPLE: usize = 4;

/// Every call that changes a file is written down by strace with its bytes. After the kill the folder gets what a disk would
/// hold: what was synced, and of the rest any sectors.
pub fn failure(round: &mut Round) {
    let (site, follower) = (Site::default(), Follower::new());
    let mut server = site.serve(&Start::default());
    let world = World { links: true, codes: true, ..world_of(&[&site], Some(follower.follow(&site.issuer()))) };
    let crowd = Crowd::begin(&world, PEOPLE, &mut round.dice(0));
    round.expect(crowd.progress(10), "nothing is answered");
    let mut syncs = 0;
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        // Before it is watched everything is on the disk: a tidy stop.
        let code = server.stop();
        round.expect(code == Some(0), format!("it stopped with {code:?}"));
        let out = site.folder().join(format!("strace-{iteration}"));
        let out_name = out.to_str().unwrap();
        let under = ["strace", "-D", "-f", "-y", "-xx", "-s", "1048576", "-o", out_name, "-e", CALLS];
        let mut before = power::files(&site.data());
        // Some failures come while the files of the last one are still being put right.
        for _ in 0..=dice.below(3) {
            let doomed = site.serve(&Start::under(&under));
            round.expect(crowd.progress(8 + dice.below(30)), "I-11: nothing is answered any more");
            let record = Record::parse(&killed(round, doomed, &out), &site.data());
            syncs += record.syncs();
            before = record.after_power_failure(&before, &mut dice);
            power::write(&site.data(), &before);
        }
        let (code, said) = site.run(&Start::default(), &["doctor"]);
        round.expect(code == Some(0), format!("doctor after a power failure: {said}"));
        server = site.serve(&Start::default());
    }
    round.note(format!("{syncs} syncs"));
    round.settle(crowd, &world);
    drop(server);
}

/// What strace has written once its process is gone.
fn killed(round: &mut Round, server: Server, out: &std::path::Path) -> String {
    let pid = server.pid().to_string();
    server.kill();
    let begun = Stopwatch::start();
    loop {
        let text = fs::read_to_string(out).unwrap_or_default();
        // A short number is followed by more than one space.
        let is_last = |line: &str| {
            line.split_once(' ').is_some_and(|(of, what)| of == pid && what.trim() == "+++ killed by SIGKILL +++")
        };
        if text.lines().any(is_last) || begun.elapsed() > PATIENCE {
            round.expect(begun.elapsed() <= PATIENCE, "strace did not end");
            let _ = fs::remove_file(out);
            return text;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
