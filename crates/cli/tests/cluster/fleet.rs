//! Replicas of one issuer: processes of the program, one database, one address in front.

use std::{
    fs::File,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::OpenOptionsExt,
    process::{Child, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    balancer::Balancer,
    daemon::wait,
    rig::{PASSWORD, Rig, kill, member, text},
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
    balancer: Balancer,
    _keys: tempfile::TempDir,
}

/// One process; its address and data folder are its own, its keys and database are shared.
pub struct Replica {
    pub rig: Rig,
    settings: Vec<(String, String)>,
    process: Mutex<Option<Child>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// It says when to come back.
    pub retry_after: bool,
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
            Replica { rig, settings, process: Mutex::default() }
        });
        let fleet = Self {
            replicas: replicas.collect(),
            front: balancer.address,
            issuer: issuer.clone(),
            balancer,
            _keys: keys,
        };
        fleet.replicas.iter().for_each(|replica| replica.begin(&[]));
        fleet.replicas.iter().for_each(Replica::ready);
        for replica in 0..fleet.replicas.len() {
            fleet.wait_for(replica, true);
        }
        fleet
    }

    /// Waits until HAProxy sends requests to this replica, or sends it none any more.
    pub fn wait_for(&self, replica: usize, sends: bool) {
        let what = || format!("HAProxy sends requests to replica {replica}: {}", !sends);
        wait(&what, || self.balancer.sends_to(replica) == sends);
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
    /// Starts it, told more than at other times, and does not wait.
    pub fn begin(&self, more: &[(&str, &str)]) {
        let mut command = self.rig.command(&["serve"]);
        let log = File::options().append(true).create(true).open(self.rig.folder.path().join("log")).unwrap();
        command.envs(self.settings.iter().map(|(name, value)| (name, value))).envs(more.iter().copied());
        *self.process() = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// Waits until it says that it is ready.
    pub fn ready(&self) {
        wait(&|| format!("{} is not ready: {}", self.rig.address, self.log()), || {
            assert!(self.is_running(), "{}", self.log());
            self.ask("GET", "/readyz", &[], "").is_some_and(|answer| answer.status == 200)
        });
    }

    /// A command with the settings of the server: its exit code, and what it prints.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = self.rig.command(arguments);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        let output = command.stdin(Stdio::null()).output().unwrap();
        (output.status.code(), [text(&output.stdout), text(&output.stderr)].concat())
    }

    pub fn metrics(&self) -> String {
        self.rig.admin("GET", "/metrics", "").unwrap().1
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.rig.folder.path().join("log")).unwrap_or_default()
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Option<Answer> {
        ask(self.rig.address, method, path, headers, body)
    }

    pub fn signal(&self, signal: &str) {
        kill(self.process().as_ref().unwrap().id(), signal);
    }

    pub fn is_running(&self) -> bool {
        self.process().as_mut().is_some_and(|process| process.try_wait().unwrap().is_none())
    }

    /// Waits for its end: the exit code.
    pub fn ended(&self) -> Option<i32> {
        let mut process = self.process().take().unwrap();
        wait(&|| "it does not end".to_owned(), || process.try_wait().unwrap().is_some());
        process.wait().unwrap().code()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(mut process) = self.process().take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        // What it said is worth something only if the test failed.
        if std::thread::panicking() {
            println!("{}:\n{}", self.rig.address, self.log());
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
    // Longer than a server may take.
    stream.set_read_timeout(Some(Duration::from_secs(40))).ok()?;
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
    let retry_after = head.to_ascii_lowercase().contains("\r\nretry-after:");
    Some(Answer { status: head.split(' ').nth(1)?.parse().ok()?, retry_after, body: body.to_owned() })
}
