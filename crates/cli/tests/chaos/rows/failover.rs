//! The primary of a PostgreSQL with a synchronous standby is killed under load, and the standby takes its place.

use std::{fs, thread, time::Duration};

use countersign_jose::b64;
use countersign_server::clock::Stopwatch;
use serde_json::json;

use crate::{
    patroni::Patroni,
    people::Crowd,
    postgres::execute,
    round::{Follower, Round, done, world_of},
    site::{PATIENCE, Site, Start},
    wire::Request,
};

const PEOPLE: usize = 6;
/// Calls between the last death and the next.
const CALLS_BETWEEN: usize = 60;
/// Whoever is killed, everybody can sign in again this much later.
const BACK_WITHIN: Duration = Duration::from_secs(30);
const KEPT: [&str; 3] = ["GET /.well-known/jwks.json", "GET /.well-known/openid-configuration", "GET /healthz"];

pub fn killed(round: &mut Round) {
    let mut patroni = Patroni::start();
    tokio::runtime::Runtime::new().unwrap().block_on(execute(&patroni.url("postgres"), "CREATE DATABASE chaos"));
    let sites = replicas(&patroni.url("chaos"));
    let _servers = sites.each_ref().map(|site| site.serve(&Start::default()));
    register(&sites[0]);
    let follower = Follower::new();
    let world = world_of(&sites.each_ref(), Some(follower.follow(&sites[0].issuer())));
    let crowd = Crowd::begin(&world, PEOPLE, &mut round.dice(0));
    let mut back = Vec::new();
    for iteration in 0..round.iterations {
        patroni.wait_for_standby();
        round.expect(crowd.progress(CALLS_BETWEEN), "I-11: nothing is answered any more");
        let primary = patroni.primary().unwrap();
        thread::sleep(round.dice(1 + iteration).millis(0, 400));
        let dead = Stopwatch::start();
        // Its machine, or the server alone, which is noticed earlier.
        let machine = iteration % 2 == 0;
        if machine {
            patroni.kill_node(primary);
        } else {
            patroni.kill_server(primary);
        }
        goes_on(round, &sites);
        for site in &sites {
            round.expect(signs_in(site), "I-11: nobody can sign in any more");
        }
        let took = dead.elapsed();
        round.expect(took < BACK_WITHIN, format!("I-11: back after {took:?}"));
        back.push(format!("{:.1} s", took.as_secs_f64()));
        round.expect(patroni.primary() == Some(1 - primary), "the standby has not taken over");
        if machine {
            patroni.start_node(primary);
        }
    }
    round.note(format!("{} calls done, back after {}", done(&world), back.join(" ")));
    round.settle(crowd, &world);
}

/// Two replicas of one issuer on this database.
fn replicas(url: &str) -> [Site; 2] {
    let folder = tempfile::tempdir().unwrap();
    let kek = folder.path().join("kek");
    fs::write(&kek, b64::encode([0x5A; 32])).unwrap();
    fs::set_permissions(&kek, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let kek = kek.to_str().unwrap().to_owned();
    let shared = [("COUNTERSIGN_DATABASE", url), ("COUNTERSIGN_KEYS_KEK_FILE", kek.as_str())];
    let first = Site::in_folder(folder, &shared);
    let issuer = first.issuer();
    let second = Site::new(&[shared[0], shared[1], ("COUNTERSIGN_ISSUER", &issuer)]);
    [first, second]
}

/// I-12: what needs no database goes on without it.
fn goes_on(round: &mut Round, sites: &[Site]) {
    for site in sites {
        for line in KEPT {
            let answer = Request { line, ..Request::default() }.send(site.address);
            round.expect(answer.is_some_and(|answer| answer.status == 200), format!("I-12: {line} is not answered"));
        }
    }
}

fn credentials() -> String {
    json!({ "email": "watch@example.com", "password": "correct horse battery staple" }).to_string()
}

fn post(site: &Site, line: &str) -> Option<u16> {
    let request = Request { line, kind: "application/json", body: &credentials(), ..Request::default() };
    request.send(site.address).map(|answer| answer.status)
}

fn register(site: &Site) {
    assert_eq!(post(site, "POST /register"), Some(201));
}

/// Tries until it works.
fn signs_in(site: &Site) -> bool {
    let begun = Stopwatch::start();
    while begun.elapsed() < PATIENCE {
        if post(site, "POST /login") == Some(200) {
            return true;
        }
        thread::sleep(Duration::from_millis(100));
    }
    false
}
