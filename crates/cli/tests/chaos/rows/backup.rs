//! The restore drill: a backup is made under load, much happens after it, the database is lost, the backup is put back. Nobody
//! serves it before it is accepted; then nothing of before is alive, at no verifier, and everybody is at home again.

use std::{fs, path::PathBuf, process::Command, thread, time::Duration};

use countersign_server::clock::Stopwatch;
use countersign_verify::Verifier;
use serde_json::json;

use crate::{
    dice::Dice,
    history::{Call, Given, Outcome},
    people::{Crowd, Person, World},
    postgres::{Cluster, execute},
    round::{Follower, Round, world_of},
    site::{PATIENCE, Site, Start},
    wire::Request,
};

const PEOPLE: usize = 4;
/// Past the bound of a strict verifier: from then on it must have heard of the acceptance, or say that it cannot judge.
const HEARD: Duration = Duration::from_millis(1_700);

pub fn drill(round: &mut Round) {
    for iteration in 0..round.iterations {
        let mut dice = round.dice(iteration);
        match iteration % 2 {
            0 => play(round, &mut dice, &File::new()),
            _ => play(round, &mut dice, &Dump::new()),
        }
    }
}

/// What is backed up, lost, and put back.
trait Home {
    fn site(&self) -> &Site;
    /// While the server runs.
    fn back_up(&self, round: &mut Round);
    fn lose(&self);
    fn put_back(&self, round: &mut Round, dice: &mut Dice);
}

fn play(round: &mut Round, dice: &mut Dice, home: &dyn Home) {
    let (site, follower) = (home.site(), Follower::new());
    let mut server = site.serve(&Start::default());
    let lived = follower.follow(&site.issuer());
    let world = world_of(&[site], Some(lived.clone()));
    let crowd = Crowd::begin(&world, PEOPLE, dice);
    round.expect(crowd.progress(30 + dice.below(40)), "nothing is answered");
    home.back_up(round);
    round.expect(crowd.progress(30 + dice.below(40)), "nothing is answered after the backup");
    revoked_since(round, site, &world);
    server.kill();
    let people = crowd.pause();

    home.lose();
    nobody_serves(round, site, &world, "an empty database");
    home.put_back(round, dice);
    nobody_serves(round, site, &world, "a backup");
    let (code, said) = site.run(&Start::default(), &["restore", "--accept"]);
    round.expect(code == Some(0), said);
    world.history.note(Call::EndAll, Outcome::Done(Given::Nothing));

    server = site.serve(&Start::default());
    it_was_written_down(round, site);
    let new = follower.follow(&site.issuer());
    both_accept_a_new_session(round, site, [&lived, &new]);
    thread::sleep(HEARD);
    let worlds = [world.clone(), World { verifier: Some(new), ..world.clone() }];
    let people: Vec<Person> = people.into_iter().map(|person| person.try_everything(&worlds)).collect();
    round.judge(&world.history);

    // A history of its own: the passwords are those of the backup.
    let after = world_of(&[site], Some(lived));
    let people: Vec<Person> = people.into_iter().map(|person| person.come_back(&after)).collect();
    let crowd = Crowd::resume(&after, people);
    round.expect(crowd.progress(30), "I-11: nothing is answered after the restore");
    round.settle(crowd, &after);
    drop(server);
}

/// Somebody is signed out everywhere after the backup, and the mark has seen it.
fn revoked_since(round: &mut Round, site: &Site, world: &World) {
    let mark = || fs::read(site.data().join("high-water")).unwrap_or_default();
    let seen = mark();
    world.history.call(Call::EndUser { user: "user0".to_owned() }, || {
        let (code, said) = site.run(&Start::default(), &["revoke", "user", "user0@example.com"]);
        round.expect(code == Some(0), said);
        (Outcome::Done(Given::Nothing), ())
    });
    let begun = Stopwatch::start();
    while mark() == seen && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(10));
    }
    round.expect(mark() != seen, "the mark does not follow the log");
}

fn nobody_serves(round: &mut Round, site: &Site, world: &World, what: &str) {
    let outcome = match site.try_serve(&Start::default()) {
        Ok(_) => Outcome::Done(Given::Nothing),
        Err(refused) => {
            let named = refused.log.contains("countersign restore --accept");
            round.expect(named, format!("{what}: it does not say what to do: {}", refused.log));
            Outcome::Refused("older".to_owned())
        }
    };
    world.history.note(Call::StartOnOld, outcome);
}

fn it_was_written_down(round: &mut Round, site: &Site) {
    let audit = Request { line: "GET /api/admin/audit", ..Request::default() }.send_locally(&site.socket());
    let events = audit.map(|answer| answer.json()).unwrap_or_default();
    let restored = events["items"].as_array().is_some_and(|items| {
        items.iter().any(|item| item["event"] == "sys_database_restored" && item["actor"] == "local")
    });
    round.expect(restored, format!("the acceptance is no security event: {events}"));
}

/// A verifier that lived through it is connected again, and both know the new keys.
fn both_accept_a_new_session(round: &mut Round, site: &Site, verifiers: [&Verifier; 2]) {
    let body = json!({ "email": "after@example.com", "password": "correct horse battery staple 0" }).to_string();
    let post =
        |line: &str| Request { line, kind: "application/json", body: &body, ..Request::default() }.send(site.address);
    let registered = post("POST /register").is_some_and(|answer| answer.status == 201);
    let access = post("POST /login").map(|answer| answer.member("access_token")).unwrap_or_default();
    round.expect(registered && !access.is_empty(), "I-11: nobody can register and sign in after the restore");
    for (verifier, what) in verifiers.iter().zip(["the verifier that lived through it", "a new verifier"]) {
        let begun = Stopwatch::start();
        while verifier.verify(&access).is_err() && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
        }
        let verdict = verifier.verify(&access);
        round.expect(verdict.is_ok(), format!("I-11: {what} does not accept a new session: {verdict:?}"));
    }
}

/// SQLite, by `countersign backup`.
struct File {
    site: Site,
    backup: PathBuf,
}

impl File {
    fn new() -> Self {
        let site = Site::default();
        let backup = site.folder().join("backup.db");
        Self { site, backup }
    }
}

impl Home for File {
    fn site(&self) -> &Site {
        &self.site
    }

    fn back_up(&self, round: &mut Round) {
        let (code, said) = self.site.run(&Start::default(), &["backup", self.backup.to_str().unwrap()]);
        round.expect(code == Some(0), said);
    }

    fn lose(&self) {
        for file in ["countersign.db", "countersign.db-wal", "countersign.db-shm"] {
            let _ = fs::remove_file(self.site.data().join(file));
        }
    }

    /// By the command, or by hand; and the mark may be lost, too: the backup itself knows what it is.
    fn put_back(&self, round: &mut Round, dice: &mut Dice) {
        if dice.percent(50) {
            fs::remove_file(self.site.data().join("high-water")).unwrap();
        }
        if dice.percent(50) {
            let (code, said) = self.site.run(&Start::default(), &["restore", self.backup.to_str().unwrap()]);
            round.expect(code == Some(1) && said.contains("it is a backup"), said);
        } else {
            self.lose();
            fs::copy(&self.backup, self.site.database()).unwrap();
        }
    }
}

/// PostgreSQL, by its own programs.
struct Dump {
    site: Site,
    cluster: &'static Cluster,
    url: String,
    name: String,
}

impl Dump {
    fn new() -> Self {
        let cluster = Cluster::shared();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let url = runtime.block_on(cluster.create_database());
        let name = url.rsplit('/').next().unwrap().to_owned();
        Self { site: Site::new(&[("COUNTERSIGN_DATABASE", &url)]), cluster, url, name }
    }

    fn file(&self) -> PathBuf {
        self.cluster.folder().join(format!("{}.dump", self.name))
    }
}

impl Home for Dump {
    fn site(&self) -> &Site {
        &self.site
    }

    fn back_up(&self, round: &mut Round) {
        let (code, said) = self.site.run(&Start::default(), &["backup", "x.db"]);
        round.expect(code == Some(2) && said.contains("pg_dump") && said.contains("pg_restore"), said);
        let mut dump = self.cluster.program("pg_dump");
        run(dump.args(["--format=custom", "--dbname", &self.url, "--file"]).arg(self.file()));
    }

    fn lose(&self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for sql in [format!("DROP DATABASE {} WITH (FORCE)", self.name), format!("CREATE DATABASE {}", self.name)] {
            runtime.block_on(execute(&self.cluster.url("postgres"), &sql));
        }
    }

    fn put_back(&self, _: &mut Round, _: &mut Dice) {
        self.lose();
        let mut restore = self.cluster.program("pg_restore");
        run(restore.args(["--exit-on-error", "--single-transaction", "--dbname", &self.url]).arg(self.file()));
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
