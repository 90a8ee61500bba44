//! The server is killed, and PostgreSQL stopped, amid revocations (I2, I-1, I-4): what was answered is in the log, whatever a
//! call ends it ends as a whole, a session has ended if and only if its entry is there, and a verifier that follows all
//! this accepts nothing after `effective_by`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, UNIX_EPOCH},
};

use countersign_jose::{
    b64,
    revocation::{DEFAULT_TENANT, EntryId, Kind, Scope},
};
use countersign_server::{
    clock::{Clock, Stopwatch},
    domain::time::Timestamp,
};
use countersign_verify::{Profile, Rejection, Verifier};
use serde_json::{Value, json};

use crate::{
    postgres::Cluster,
    rig::{PASSWORD, Rig, Server, kill, member},
};

const WRITERS: usize = 4;
/// Sessions of the one user, ended one by one.
const SESSIONS: usize = 80;
/// Tokens that one call ends.
const BULK: usize = 40;
/// So many calls, at least, are answered between two blows.
const CALLS: usize = 12;
/// Only so that a broken test ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens to the server, round by round.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// Killed at its n-th arrival there.
    At(&'static str, usize),
    /// Killed wherever it is.
    Anywhere,
    /// PostgreSQL is stopped at once and started again; the server stays.
    Database,
}

/// One call, and what is known of it.
struct Call {
    /// Of each entry that it should make.
    entries: Vec<String>,
    /// The position that the answer named.
    acknowledged: Option<i64>,
}

struct Session {
    sid: String,
    access: String,
    /// From when on no verifier may accept it; none before an answer.
    dead_from: Mutex<Option<Timestamp>>,
}

struct Work {
    rig: Rig,
    issuer: String,
    sessions: Vec<Session>,
    next_session: AtomicUsize,
    calls: Mutex<Vec<Call>>,
    answered: AtomicUsize,
    stop: AtomicBool,
}

impl Work {
    fn entry(&self, kind: Kind, id: &str) -> String {
        EntryId::of(kind, Scope { issuer: &self.issuer, tenant: DEFAULT_TENANT }, id).to_string()
    }

    /// One call; its outcome may stay unknown. Returns from when on no strict verifier accepts what it ended.
    fn call(&self, body: &Value, entries: Vec<String>) -> Option<Timestamp> {
        let answer = self.rig.admin("POST", "/api/admin/revocations", &body.to_string());
        let answer: Option<Value> = match answer {
            Some((200, answer)) => Some(serde_json::from_str(&answer).unwrap()),
            // Refused for now, or gone.
            Some((503, _)) | None => None,
            Some((status, answer)) => panic!("{status} {answer}"),
        };
        let acknowledged = answer.as_ref().map(|answer| answer["rsn"].as_i64().unwrap());
        self.calls.lock().unwrap().push(Call { entries, acknowledged });
        self.answered.fetch_add(usize::from(acknowledged.is_some()), Ordering::SeqCst);
        answer.map(|answer| {
            let by = humantime::parse_rfc3339(answer["effective_by"]["strict"].as_str().unwrap()).unwrap();
            Timestamp::from_micros(by.duration_since(UNIX_EPOCH).unwrap().as_micros().try_into().unwrap())
        })
    }

    /// Ends sessions, and made-up tokens many at a time, until told to stop.
    fn write(&self, writer: usize) {
        for n in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let done = if n % 8 == 0 { self.end_session() } else { self.end_tokens(&format!("{writer}-{n}")) };
            if !done {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn end_session(&self) -> bool {
        let Some(session) = self.sessions.get(self.next_session.fetch_add(1, Ordering::SeqCst)) else { return false };
        let body = json!({ "kind": "session", "id": session.sid });
        let effective_by = self.call(&body, vec![self.entry(Kind::Session, &session.sid)]);
        *session.dead_from.lock().unwrap() = effective_by;
        effective_by.is_some()
    }

    fn end_tokens(&self, name: &str) -> bool {
        let jtis: Vec<String> = (0..BULK).map(|n| format!("{name}-{n}")).collect();
        let body: Vec<Value> = jtis.iter().map(|jti| json!({ "kind": "token", "id": jti })).collect();
        self.call(&json!(body), jtis.iter().map(|jti| self.entry(Kind::Token, jti)).collect()).is_some()
    }

    /// Waits until so many further calls were answered.
    fn progress(&self, calls: usize) {
        let (from, begun) = (self.answered.load(Ordering::SeqCst), Stopwatch::start());
        while self.answered.load(Ordering::SeqCst) < from + calls {
            assert!(begun.elapsed() < PATIENCE, "the server does not recover");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn settings(failpoint: Option<&str>) -> Vec<(&str, &str)> {
    let mut settings = vec![
        ("COUNTERSIGN_LIMITS_ADDRESS_PER_MINUTE", "1000000"),
        ("COUNTERSIGN_PASSWORD_MEMORY_KIB", "7168"),
        ("COUNTERSIGN_PASSWORD_ITERATIONS", "1"),
    ];
    settings.extend(failpoint.map(|failpoint| ("COUNTERSIGN_TEST_FAILPOINT", failpoint)));
    settings
}

fn begin(rig: Rig) -> (Arc<Work>, Server) {
    let server = rig.serve(&settings(None));
    let account = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    assert_eq!(rig.json("/register", &account).unwrap().0, 201);
    let sign_in = |_| {
        let (status, tokens) = rig.json("/login", &account).unwrap();
        assert_eq!(status, 200, "{tokens}");
        Session { sid: member(&tokens, "sid"), access: member(&tokens, "access_token"), dead_from: Mutex::new(None) }
    };
    let sessions = (0..SESSIONS).map(sign_in).collect();
    let issuer = format!("http://localhost:{}", rig.address.port());
    let work = Work {
        rig,
        issuer,
        sessions,
        next_session: AtomicUsize::new(0),
        calls: Mutex::default(),
        answered: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    };
    (Arc::new(work), server)
}

/// Checks every token whose end was answered, again and again. Returns the number of checks that counted.
fn watch(work: &Work, verifier: &Verifier) -> usize {
    let mut checks = 0;
    while !work.stop.load(Ordering::SeqCst) {
        for session in &work.sessions {
            let asked = Clock::System.now();
            let accepted = verifier.verify(&session.access).is_ok();
            let dead_from = *session.dead_from.lock().unwrap();
            if dead_from.is_some_and(|dead_from| asked > dead_from) {
                assert!(!accepted, "{} was accepted after effective_by", session.sid);
                checks += 1;
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    checks
}

fn play(rig: Rig, blows: &[Blow], cluster: Option<&Cluster>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (work, mut server) = begin(rig);
    let verifier = runtime.block_on(async {
        let verifier = Verifier::builder(&work.issuer).audience("api").profile(Profile::Strict).build().unwrap();
        verifier.ready().await.unwrap();
        verifier
    });
    let watcher = thread::spawn({
        let (work, verifier) = (Arc::clone(&work), verifier.clone());
        move || watch(&work, &verifier)
    });
    let writers = (0..WRITERS).map(|writer| {
        let work = Arc::clone(&work);
        thread::spawn(move || work.write(writer))
    });
    let writers: Vec<_> = writers.collect();
    for blow in blows {
        match blow {
            Blow::At(place, count) => {
                kill(server.child.id(), "-KILL");
                drop(server);
                let mut doomed = work.rig.serve(&settings(Some(&format!("{place}:{count}"))));
                doomed.child.wait().unwrap();
                server = work.rig.serve(&settings(None));
            }
            Blow::Anywhere => {
                work.progress(CALLS);
                kill(server.child.id(), "-KILL");
                drop(server);
                server = work.rig.serve(&settings(None));
            }
            Blow::Database => {
                work.progress(CALLS);
                let cluster = cluster.expect("there is a PostgreSQL");
                cluster.control("stop");
                cluster.control("start");
            }
        }
    }
    work.progress(CALLS);
    work.stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.join().unwrap();
    }
    let checks = watcher.join().unwrap();
    let log = log(&work);
    judge(&work, &log);
    settle(&work, &verifier, &log);
    let calls = work.calls.lock().unwrap();
    let known = calls.iter().filter(|call| call.acknowledged.is_some()).count();
    println!("{} calls, {known} answered, {checks} tokens refused after effective_by", calls.len());
    drop(server);
}

/// The whole feed: entries by their ids, each with its position. A replica may be told of a commit a moment after its answer
/// has left, so this waits for the last that was answered.
fn log(work: &Work) -> HashMap<String, i64> {
    let begun = Stopwatch::start();
    let answered = work.calls.lock().unwrap().iter().filter_map(|call| call.acknowledged).max().unwrap_or(0);
    loop {
        if let Some((200, text)) = work.rig.http("GET", "/revocations/0?after=0", "", "") {
            let (head, log) = read(&text);
            if head >= answered {
                return log;
            }
        }
        assert!(begun.elapsed() < PATIENCE, "the feed does not come back with what was answered");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The head, and the entries.
fn read(text: &str) -> (i64, HashMap<String, i64>) {
    let (mut head, mut positions) = (0, BTreeMap::new());
    // The answer may be in chunks: what is no line of the feed is not read.
    for line in text.lines().filter(|line| line.starts_with("eyJ")) {
        let claims: Value = serde_json::from_slice(&b64::decode(line.split('.').nth(1).unwrap()).unwrap()).unwrap();
        head = claims["h"].as_i64().unwrap().max(head);
        for entry in claims["e"].as_array().unwrap() {
            let (id, rsn) = (entry[1].as_str().unwrap().to_owned(), entry[2].as_i64().unwrap());
            let before = positions.insert(rsn, id.clone());
            assert!(before.is_none_or(|before| before == id), "two entries at {rsn}");
        }
    }
    (head, positions.into_iter().map(|(rsn, id)| (id, rsn)).collect())
}

fn judge(work: &Work, log: &HashMap<String, i64>) {
    for call in work.calls.lock().unwrap().iter() {
        let there = call.entries.iter().filter(|id| log.contains_key(*id)).count();
        assert!(there == 0 || there == call.entries.len(), "{there} of {} entries of one call", call.entries.len());
        if let Some(rsn) = call.acknowledged {
            assert_eq!(there, call.entries.len(), "an answered revocation is lost");
            assert!(call.entries.iter().all(|id| log[id] <= rsn));
        }
    }
    let (out, _) = work.rig.expect(0, &["--json", "session", "list", "ada@example.com", "--limit", "500"], "");
    let page: Value = serde_json::from_str(&out).unwrap();
    let rows = page["items"].as_array().unwrap();
    assert_eq!(rows.len(), SESSIONS);
    for row in rows {
        let entry = work.entry(Kind::Session, row["sid"].as_str().unwrap());
        assert_eq!(row["ended_at"].is_string(), log.contains_key(&entry), "half done: {row}");
    }
}

/// The verifier comes back by itself and then knows exactly what the log knows.
fn settle(work: &Work, verifier: &Verifier, log: &HashMap<String, i64>) {
    let begun = Stopwatch::start();
    for session in &work.sessions {
        let dead = log.contains_key(&work.entry(Kind::Session, &session.sid));
        loop {
            match (verifier.verify(&session.access), dead) {
                (Ok(_), false) | (Err(Rejection::Revoked { .. }), true) => break,
                (verdict, _) => assert!(begun.elapsed() < PATIENCE, "dead: {dead}, {verdict:?}"),
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// More of the same.
fn rounds(blows: &[Blow]) -> Vec<Blow> {
    let full = std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1");
    blows.repeat(if full { 10 } else { 1 })
}

#[test]
fn kills_lose_no_revocation_on_sqlite() {
    let blows = [
        Blow::At("revocation.appended", 3),
        Blow::At("revocation.committed", 5),
        Blow::Anywhere,
        Blow::At("revocation.appended", 1),
        Blow::Anywhere,
    ];
    play(Rig::new(), &rounds(&blows), None);
}

#[test]
fn kills_and_stops_of_the_database_lose_no_revocation_on_postgres() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cluster = Cluster::start("listen_addresses = ''\n");
    let url = runtime.block_on(cluster.create_database());
    let rig = Rig::new();
    std::fs::write(rig.folder.path().join("countersign.toml"), format!("database = \"{url}\"\n")).unwrap();
    let blows = [
        Blow::At("revocation.appended", 3),
        Blow::Database,
        Blow::At("revocation.committed", 5),
        Blow::Database,
        Blow::Anywhere,
    ];
    play(rig, &rounds(&blows), Some(&cluster));
}
