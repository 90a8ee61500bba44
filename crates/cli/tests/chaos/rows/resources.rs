//! What a process lives on runs out: randomness, descriptors, memory, processor time, the place for its log.

use std::{fs, process::Command, thread, time::Duration};

use countersign_server::clock::Stopwatch;

use crate::{
    people::{self, Crowd},
    round::{Round, done, world},
    site::{Site, Start},
    wire::Request,
};

/// The operating system's random source fails, from the n-th call on. What needed randomness is refused or the process ends;
/// no weak value is made.
pub fn random(round: &mut Round) {
    let (mut refused, mut ended) = (0, 0);
    let site = Site::default();
    let world = world(&site);
    let mut server = site.serve(&Start::default());
    let crowd = Crowd::begin(&world, 4, &mut round.dice(0));
    round.expect(crowd.progress(20), "nothing is answered");
    for iteration in 0..round.iterations {
        let count = 1 + round.dice(1 + iteration).below(40);
        server.kill();
        let blow = Start::strace("trace=getrandom", &format!("inject=getrandom:error=EIO:when={count}+"));
        match site.try_serve(&blow) {
            Err(_) => refused += 1,
            Ok(mut server) => ended += usize::from(server.ended_within(Duration::from_secs(1)).is_some()),
        }
        server = site.serve(&Start::default());
        round.expect(crowd.progress(10), "I-11: nothing is answered any more");
    }
    round.note(format!("{refused} did not start, {ended} ended"));
    round.settle(crowd, &world);
}

/// The place of the log is full: nobody is refused for that.
pub fn log(round: &mut Round) {
    for iteration in 0..round.iterations {
        let site = Site::default();
        let world = world(&site);
        // Every line of the log fails with "no space left".
        let full = Start { log: Some("/dev/full".into()), ..Start::default() };
        let mut server = site.serve(&full.with("COUNTERSIGN_LOG_LEVEL", "debug"));
        let crowd = Crowd::begin(&world, 4, &mut round.dice(iteration));
        round.expect(crowd.progress(60), "nothing is answered while the log is full");
        round.settle(crowd, &world);
        round.expect(server.is_running(), "it ended because its log is full");
        let code = server.stop();
        round.expect(code == Some(0), format!("it stopped with {code:?}"));
    }
}

/// A few descriptors only, and somebody who holds connections open.
pub fn descriptors(round: &mut Round) {
    for iteration in 0..round.iterations {
        let (site, mut dice) = (Site::default(), round.dice(iteration));
        let world = world(&site);
        let most = 40 + dice.below(25);
        let server = site.serve(&Start::under(&["prlimit", &format!("--nofile={most}:{most}")]));
        let crowd = Crowd::begin(&world, 3, &mut dice);
        round.expect(crowd.progress(15), "nothing is answered");
        let held: Vec<_> = (0..most + 20).filter_map(|_| std::net::TcpStream::connect(site.address).ok()).collect();
        thread::sleep(dice.millis(300, 900));
        drop(held);
        round.expect(crowd.progress(15), "I-11: nothing is answered after the descriptors are free again");
        round.settle(crowd, &world);
        drop(server);
    }
}

/// So little address space that hashing passwords cannot have its memory at times.
pub fn memory(round: &mut Round) {
    let mut ended = 0;
    for iteration in 0..round.iterations {
        let (site, mut dice) = (Site::default(), round.dice(iteration));
        let world = world(&site);
        let mut server = site.serve(&Start::default());
        let crowd = Crowd::begin(&world, 4, &mut dice);
        round.expect(crowd.progress(15), "nothing is answered");
        let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
        let now: u64 = size.split_whitespace().next().unwrap().parse().unwrap();
        let limit = now * 1024 + dice.next() % (6 << 20);
        assert!(limit_memory(server.pid(), &limit.to_string()));
        // It may answer, refuse, or end: Rust aborts where memory for a few bytes is refused.
        let _ = people::progress(&world, 200, Duration::from_secs(2));
        if server.is_running() {
            // False: it ended at this moment, and is noticed below.
            let _ = limit_memory(server.pid(), "unlimited");
        } else {
            ended += 1;
            server = site.serve(&Start::default());
        }
        round.expect(crowd.progress(15), "I-11: nothing is answered after the memory is there again");
        round.settle(crowd, &world);
        drop(server);
    }
    round.note(format!("{ended} ended"));
}

fn limit_memory(pid: u32, bytes: &str) -> bool {
    let limit = [format!("--pid={pid}"), format!("--as={bytes}:unlimited")];
    Command::new("prlimit").args(limit).status().is_ok_and(|status| status.success())
}

/// Others take the processor: the server gets the least share, beside busy loops.
pub fn processor(round: &mut Round) {
    let site = Site::default();
    let world = world(&site);
    let server = site.serve(&Start::under(&["nice", "-n", "19"]));
    let crowd = Crowd::begin(&world, 4, &mut round.dice(0));
    round.expect(crowd.progress(20), "nothing is answered");
    for _ in 0..round.iterations {
        let busy: Vec<_> =
            (0..3).map(|_| Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap()).collect();
        let (before, begun) = (done(&world), Stopwatch::start());
        while begun.elapsed() < Duration::from_secs(2) {
            // The keys and the process's own health go on.
            let keys =
                Request { line: "GET /.well-known/jwks.json", kind: "", ..Request::default() }.send(site.address);
            round.expect(keys.is_some_and(|keys| keys.status == 200), "I-12: the keys are not answered");
            thread::sleep(Duration::from_millis(100));
        }
        for mut loops in busy {
            loops.kill().unwrap();
            loops.wait().unwrap();
        }
        let during = done(&world) - before;
        round.note(format!("{during} calls while starved"));
        round.expect(crowd.progress(20), "I-11: nothing is answered any more");
    }
    round.settle(crowd, &world);
    drop(server);
}
