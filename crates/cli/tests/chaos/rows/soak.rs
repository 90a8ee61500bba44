//! The soak: a storm of refreshes at two replicas on one PostgreSQL, and every five seconds a fault that the dice choose. Not
//! one of the rows that are always played: `cargo xtask chaos soak --minutes 60`.

use std::{fs, net::TcpListener, process::Command, thread, time::Duration};

use countersign_jose::b64;
use countersign_server::clock::Stopwatch;

use crate::{
    dice::Dice,
    people::{Crowd, World},
    postgres::Cluster,
    proxy::{Mode, Proxy},
    round::{Follower, Round, done, world_of},
    site::{Server, Site, Start},
    wire::Request,
};

/// From one fault to the next.
const EVERY: Duration = Duration::from_secs(5);
const PEOPLE: usize = 6;
/// How much larger the replica that is never restarted may be at the end than in the middle, KiB.
const GROWTH: u64 = 8 * 1024;

/// Two replicas: one that dies often, and one that lives from the beginning to the end, whose memory is looked at. The
/// second one's way to the database leads over a proxy.
struct Stage {
    cluster: Cluster,
    proxy: Proxy,
    mortal: Site,
    lasting: Site,
    server: Option<Server>,
    lasting_server: Server,
}

/// What is broken next.
#[derive(Debug, Clone, Copy)]
enum Fault {
    KillReplica,
    KillAtFailpoint,
    StopReplica,
    FreezeReplica,
    FreezeLastingReplica,
    FreezeDatabase,
    RestartDatabase,
    CutConnections,
    SlowDatabase,
    LoseAnswersOfCommits,
    HideDatabase,
}

const FAULTS: [Fault; 11] = [
    Fault::KillReplica,
    Fault::KillAtFailpoint,
    Fault::StopReplica,
    Fault::FreezeReplica,
    Fault::FreezeLastingReplica,
    Fault::FreezeDatabase,
    Fault::RestartDatabase,
    Fault::CutConnections,
    Fault::SlowDatabase,
    Fault::LoseAnswersOfCommits,
    Fault::HideDatabase,
];

/// `iterations` are minutes here.
pub fn play(round: &mut Round) {
    let length = Duration::from_secs(60 * round.iterations as u64);
    let mut dice = round.dice(0);
    let mut stage = Stage::build();
    let follower = Follower::new();
    let mut world = world_of(&[&stage.mortal, &stage.lasting], Some(follower.follow(&stage.mortal.issuer())));
    world.pace = pace();
    let crowd = Crowd::begin(&world, PEOPLE, &mut dice);
    round.expect(crowd.progress(100), "nothing is answered");
    let begun = Stopwatch::start();
    let mut memory = vec![(Duration::ZERO, stage.memory())];
    let (mut faults, mut shown) = (0, 0);
    while begun.elapsed() < length {
        let fault = *dice.pick(&FAULTS);
        stage.blow(fault, &mut dice);
        faults += 1;
        thread::sleep(EVERY);
        round.expect(crowd.progress(1), format!("I-11: nothing is answered after {fault:?}"));
        let minute = begun.elapsed().as_secs() / 60;
        if minute > shown {
            shown = minute;
            memory.push((begun.elapsed(), stage.memory()));
            println!(
                "soak: minute {minute}, {faults} faults, {} calls done, memory {} KiB, {} entries in the feed",
                done(&world),
                stage.memory(),
                stage.entries()
            );
        }
    }
    memory.push((begun.elapsed(), stage.memory()));
    finish(round, crowd, &world, &memory, faults);
    drop(stage);
}

fn finish(round: &mut Round, crowd: Crowd, world: &World, memory: &[(Duration, u64)], faults: usize) {
    round.settle(crowd, world);
    let at = |n: usize| memory.get(n).map_or(0, |(_, kib)| *kib);
    let (first, middle, last) = (at(1.min(memory.len() - 1)), at(memory.len() / 2), at(memory.len() - 1));
    round.expect(last <= middle + GROWTH, format!("memory grows: {middle} KiB in the middle, {last} KiB at the end"));
    round.note(format!("{faults} faults"));
    round.note(format!(
        "memory {} KiB when it was ready, {first} after a minute, {middle} in the middle, {last} at the end",
        at(0)
    ));
}

/// Between two calls of one person: `COUNTERSIGN_TEST_CHAOS_PACE` in milliseconds.
fn pace() -> Duration {
    let told = std::env::var("COUNTERSIGN_TEST_CHAOS_PACE").ok().and_then(|millis| millis.parse().ok());
    Duration::from_millis(told.unwrap_or(20))
}

impl Stage {
    fn build() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Cluster::start(&format!("listen_addresses = '127.0.0.1'\nport = {port}\n"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(crate::postgres::execute(&cluster.url_at(port, "postgres"), "CREATE DATABASE soak"));
        let proxy = Proxy::start(([127, 0, 0, 1], port).into());
        let kek = tempfile::tempdir().unwrap();
        let file = kek.path().join("kek");
        fs::write(&file, b64::encode([0x5A; 32])).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let kek_file = file.to_str().unwrap().to_owned();
        // Both lie in the first one's folder, which lives as long as both.
        let direct = format!("postgres://postgres@127.0.0.1:{port}/soak");
        let mortal =
            Site::in_folder(kek, &[("COUNTERSIGN_DATABASE", &direct), ("COUNTERSIGN_KEYS_KEK_FILE", &kek_file)]);
        let proxied = format!("postgres://postgres@127.0.0.1:{}/soak", proxy.address.port());
        let issuer = mortal.issuer();
        let lasting = Site::new(&[
            ("COUNTERSIGN_DATABASE", &proxied),
            ("COUNTERSIGN_KEYS_KEK_FILE", &kek_file),
            ("COUNTERSIGN_ISSUER", &issuer),
        ]);
        let server = mortal.serve(&Start::default());
        let lasting_server = lasting.serve(&Start::default());
        Self { cluster, proxy, mortal, lasting, server: Some(server), lasting_server }
    }

    fn memory(&self) -> u64 {
        self.lasting_server.memory().unwrap_or_default()
    }

    /// What the feed keeps in memory: each end until no token that it is about can be alive.
    fn entries(&self) -> String {
        let status = Request { line: "GET /api/admin/status", ..Request::default() };
        let status = status.send_locally(&self.lasting.socket()).map(|answer| answer.json()).unwrap_or_default();
        status["feed"]["entries"].to_string()
    }

    fn blow(&mut self, fault: Fault, dice: &mut Dice) {
        match fault {
            Fault::KillReplica => {
                drop(self.server.take());
                self.revive();
            }
            Fault::KillAtFailpoint => self.fail_at(dice),
            Fault::StopReplica => {
                assert_eq!(self.server.take().and_then(Server::stop), Some(0));
                self.revive();
            }
            Fault::FreezeReplica => freeze(&[self.server.as_ref().unwrap().pid()], dice.millis(300, 2_500)),
            Fault::FreezeLastingReplica => freeze(&[self.lasting_server.pid()], dice.millis(300, 2_500)),
            Fault::FreezeDatabase => freeze(&self.cluster.processes(), dice.millis(300, 3_500)),
            Fault::RestartDatabase => {
                self.cluster.control("stop");
                thread::sleep(dice.millis(0, 1_500));
                self.cluster.control("start");
            }
            Fault::CutConnections => self.proxy.cut(),
            Fault::SlowDatabase => self.through(Mode::Slow(dice.millis(5, 80)), dice),
            Fault::LoseAnswersOfCommits => self.through(Mode::LoseCommits, dice),
            Fault::HideDatabase => self.through(Mode::Refuse, dice),
        }
    }

    fn through(&self, mode: Mode, dice: &mut Dice) {
        self.proxy.set(mode);
        thread::sleep(dice.millis(300, 3_000));
        self.proxy.set(Mode::Pass);
    }

    /// It dies between the commit of a refresh, or of a revocation, and its answer.
    fn fail_at(&mut self, dice: &mut Dice) {
        drop(self.server.take());
        let place = if dice.percent(70) { "refresh.committed" } else { "revocation.committed" };
        if let Ok(mut doomed) = self.mortal.try_serve(&Start::failpoint(place, 1 + dice.below(6))) {
            let _ = doomed.ended_within(Duration::from_secs(4));
        }
        self.revive();
    }

    /// The database may be on its way back, too.
    fn revive(&mut self) {
        for _ in 0..20 {
            match self.mortal.try_serve(&Start::default()) {
                Ok(server) => {
                    self.server = Some(server);
                    return;
                }
                Err(_) => thread::sleep(Duration::from_millis(500)),
            }
        }
        panic!("the replica does not start any more");
    }
}

/// Nothing of these processes runs for a while.
pub fn freeze(pids: &[u32], pause: Duration) {
    signal("-STOP", pids);
    thread::sleep(pause);
    signal("-CONT", pids);
}

pub fn signal(signal: &str, pids: &[u32]) {
    let pids = pids.iter().map(u32::to_string);
    // One of them may be gone: connections end.
    let _ = Command::new("kill").arg(signal).args(pids).stderr(std::process::Stdio::null()).status();
}
