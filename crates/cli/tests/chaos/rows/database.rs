//! PostgreSQL: down, slow, hanging, cut off, and commits of which nobody hears.

use std::{fs, thread, time::Duration};

use countersign_jose::b64;

use crate::{
    dice::Dice,
    people::{Crowd, World},
    postgres::{Cluster, execute},
    proxy::{Mode, Proxy},
    round::{Follower, Round, world_of},
    rows::soak::freeze,
    site::{Server, Site, Start},
    wire::Request,
};

const PEOPLE: usize = 5;

/// Two replicas of one issuer; the second one's way to the database leads over a proxy.
struct Pair {
    cluster: Cluster,
    proxy: Proxy,
    sites: [Site; 2],
    _servers: [Server; 2],
}

impl Pair {
    fn new() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Cluster::start(&format!("listen_addresses = '127.0.0.1'\nport = {port}\n"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(execute(&cluster.url_at(port, "postgres"), "CREATE DATABASE chaos"));
        let proxy = Proxy::start(([127, 0, 0, 1], port).into());
        let folder = tempfile::tempdir().unwrap();
        let kek = folder.path().join("kek");
        fs::write(&kek, b64::encode([0x5A; 32])).unwrap();
        fs::set_permissions(&kek, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let kek = kek.to_str().unwrap().to_owned();
        let url = |port: u16| format!("postgres://postgres@127.0.0.1:{port}/chaos");
        let (direct, proxied) = (url(port), url(proxy.address.port()));
        let first = [("COUNTERSIGN_DATABASE", direct.as_str()), ("COUNTERSIGN_KEYS_KEK_FILE", kek.as_str())];
        let first = Site::in_folder(folder, &first);
        let issuer = first.issuer();
        let second = Site::new(&[
            ("COUNTERSIGN_DATABASE", &proxied),
            ("COUNTERSIGN_KEYS_KEK_FILE", &kek),
            ("COUNTERSIGN_ISSUER", &issuer),
        ]);
        let servers = [first.serve(&Start::default()), second.serve(&Start::default())];
        Self { cluster, proxy, sites: [first, second], _servers: servers }
    }

    /// People at these replicas, while `blow` breaks something and mends it again.
    fn play(&self, round: &mut Round, at: &[&Site], blow: impl Fn(&Self, &mut Dice, &mut Round)) {
        let follower = Follower::new();
        let world = World { links: true, codes: true, ..world_of(at, Some(follower.follow(&self.sites[0].issuer()))) };
        let crowd = Crowd::begin(&world, PEOPLE, &mut round.dice(0));
        for iteration in 0..round.iterations {
            round.expect(crowd.progress(20), "I-11: nothing is answered any more");
            blow(self, &mut round.dice(1 + iteration), round);
        }
        round.settle(crowd, &world);
    }

    /// I-12: what needs no database goes on without it.
    fn goes_on(&self, round: &mut Round) {
        for line in ["GET /.well-known/jwks.json", "GET /.well-known/openid-configuration", "GET /healthz"] {
            let answer = Request { line, ..Request::default() }.send(self.sites[1].address);
            round.expect(answer.is_some_and(|answer| answer.status == 200), format!("I-12: {line} is not answered"));
        }
    }

    fn through(&self, mode: Mode, pause: Duration) {
        self.proxy.set(mode);
        thread::sleep(pause);
        self.proxy.set(Mode::Pass);
    }
}

/// PostgreSQL is stopped at once, or frozen, or slow, or takes connections and says nothing.
pub fn trouble(round: &mut Round) {
    let pair = Pair::new();
    pair.play(round, &[&pair.sites[0], &pair.sites[1]], |pair, dice, round| match dice.below(4) {
        0 => {
            pair.cluster.control("stop");
            thread::sleep(dice.millis(100, 1_500));
            pair.goes_on(round);
            pair.cluster.control("start");
        }
        1 => freeze(&pair.cluster.processes(), dice.millis(500, 4_000)),
        2 => pair.through(Mode::Slow(dice.millis(10, 150)), dice.millis(500, 2_000)),
        _ => {
            pair.proxy.set(Mode::Hang);
            thread::sleep(dice.millis(500, 4_000));
            pair.goes_on(round);
            pair.proxy.set(Mode::Pass);
        }
    });
}

/// COMMIT arrives and is done; the connection breaks before its answer.
pub fn unknown(round: &mut Round) {
    let pair = Pair::new();
    pair.play(round, &[&pair.sites[1]], |pair, dice, _| pair.through(Mode::LoseCommits, dice.millis(300, 1_500)));
}

/// One replica is cut off from the database, the other goes on; a verifier follows the first.
pub fn partition(round: &mut Round) {
    let pair = Pair::new();
    pair.play(round, &[&pair.sites[0], &pair.sites[1]], |pair, dice, _| {
        let mode = if dice.percent(50) { Mode::Refuse } else { Mode::Hang };
        pair.through(mode, dice.millis(300, 2_500));
        pair.proxy.cut();
    });
}
