//! Replicas of one issuer: processes of the program, one database, one address in front.

use std::{
    fs::File,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::OpenOptionsExt,
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    balancer::Balancer,
    daemon::wait,
    rig::{PASSWORD, Rig, member},
};

/// What every replica is told. Hashing is cheap here: it is not what is tested.
const SETTINGS: [(&str, &str); 7] = [
    ("COUNTERSIGN_LIMITS_ADDRESS_PER_MINUTE", "1000000"),
    ("COUNTERSIGN_LIMITS_GLOBAL_PER_SECOND", "1000000"),
    ("COUNTERSIGN_PASSWORD_MEMORY_KIB", "7168"),
    ("COUNTERSIGN_PASSWORD_ITERATIONS", "1"),
    ("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1"),
    ("COUNTERSIGN_DATABASE_POOL", "16"),
    ("COUNTERSIGN_MAIL_VERIFICATION", "optional"),
];

pub struct Fleet {
    pub replicas: Vec<Replica>,
    pub front: SocketAddr,
    pub issuer: String,
    _balancer: Balancer,
    _keys: tempfile::TempDir,
}

/// One process; its address and data folder are its own, its keys and database are shared.
pub struct Replica {
    pub rig: Rig,
    settings: Vec<(String, String)>,
    process: Option<Child>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Fleet {
    /// Starts a replica for each of these databases' addresses, all at once, behind HAProxy.
    pub fn start(databases: &[&str], more: &[(&str, &str)]) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let kek = keys.path().join("kek");
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&kek).unwrap();
        file.write_all(countersign_jose::b64::encode([7; 32]).as_bytes()).unwrap();
        let rigs: Vec<Rig> = databases.iter().map(|_| Rig::new()).collect();
        let addresses: Vec<SocketAddr> = rigs.iter().map(|rig| rig.address).collect();
        let balancer = Balancer::of_replicas(&addresses);
        let issuer = format!("http://localhost:{}", balancer.address.port());
        let replicas = rigs.into_iter().zip(databases).map(|(rig, database)| {
            let own = [
                ("COUNTERSIGN_ISSUER", issuer.as_str()),
                ("COUNTERSIGN_KEYS_KEK_FILE", kek.to_str().unwrap()),
                ("COUNTERSIGN_DATABASE", database),
            ];
            let settings = SETTINGS.iter().chain(&own).chain(more);
            let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Replica { rig, settings, process: None }
        });
        let mut fleet = Self {
            replicas: replicas.collect(),
            front: balancer.address,
            issuer: issuer.clone(),
            _balancer: balancer,
            _keys: keys,
        };
        fleet.replicas.iter_mut().for_each(Replica::begin);
        fleet.replicas.iter_mut().for_each(Replica::ready);
        fleet.in_front();
        fleet
    }

    /// Waits until HAProxy sends requests to every replica.
    pub fn in_front(&self) {
        // It looks every half second.
        for _ in 0..self.replicas.len() * 4 {
            wait(&|| "HAProxy has no replica".to_owned(), || {
                self.ask("GET", "/readyz", &[], "").is_some_and(|a| a.status == 200)
            });
            std::thread::sleep(Duration::from_millis(150));
        }
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Option<Answer> {
        ask(self.front, method, path, headers, body)
    }

    /// Refreshes, wherever HAProxy sends it.
    pub fn refresh(&self, token: &str) -> Option<Answer> {
        refresh(self.front, token, &[])
    }

    /// Registers somebody.
    pub fn person(&self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD }).to_string();
        let answer = self.ask("POST", "/register", &[JSON], &body).unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    pub fn sign_in(&self, email: &str) -> Tokens {
        let body = json!({ "email": email, "password": PASSWORD }).to_string();
        let answer = self.ask("POST", "/login", &[JSON], &body).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        Tokens::of(&answer)
    }

    /// The sessions of somebody, as the command line shows them.
    pub fn sessions(&self, email: &str) -> Vec<Value> {
        let rig = &self.replicas[0].rig;
        let (out, _) = rig.expect(0, &["--json", "session", "list", email, "--limit", "500"], "");
        let page: Value = serde_json::from_str(&out).unwrap();
        page["items"].as_array().unwrap().clone()
    }
}

pub const JSON: &str = "content-type: application/json";
pub const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// What a sign-in brought.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub sid: String,
    pub access: String,
    pub refresh: String,
}

impl Tokens {
    pub fn of(answer: &Answer) -> Self {
        let text = |name| member(&answer.body, name);
        Self { sid: text("sid"), access: text("access_token"), refresh: text("refresh_token") }
    }
}

impl Replica {
    /// Starts it and does not wait.
    pub fn begin(&mut self) {
        let mut command = self.rig.command(&["serve"]);
        let log = File::options().append(true).create(true).open(self.rig.folder.path().join("log")).unwrap();
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        self.process = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// Waits until it says that it is ready.
    pub fn ready(&mut self) {
        let (address, log) = (self.rig.address, self.rig.folder.path().join("log"));
        let said = || format!("{address} is not ready: {}", std::fs::read_to_string(&log).unwrap_or_default());
        wait(&said, || {
            let ended = self.process.as_mut().is_some_and(|process| process.try_wait().unwrap().is_some());
            assert!(!ended, "{}", said());
            ask(address, "GET", "/readyz", &[], "").is_some_and(|answer| answer.status == 200)
        });
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Option<Answer> {
        ask(self.rig.address, method, path, headers, body)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        // What it said is worth something only if the test failed.
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.rig.folder.path().join("log")).unwrap_or_default();
            println!("{}:\n{log}", self.rig.address);
        }
    }
}

pub fn refresh(address: SocketAddr, token: &str, headers: &[&str]) -> Option<Answer> {
    let body = format!("grant_type=refresh_token&client_id=first-party&refresh_token={token}");
    ask(address, "POST", "/token", &[&[FORM], headers].concat(), &body)
}

/// One request on a connection of its own; `None` if that broke.
pub fn ask(address: SocketAddr, method: &str, path: &str, headers: &[&str], body: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let headers: String = headers.iter().flat_map(|line| [line, "\r\n"]).collect();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer { status: head.split(' ').nth(1)?.parse().ok()?, body: body.to_owned() })
}
