//! Key stores, each for real: OpenBao, SoftHSM, and moto in AWS's place. What they guard, what happens while they are down, and
//! moving between them.

mod bao;
mod down;
mod kms;
mod moving;
mod pkcs11;
mod transit;

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use countersign_jose::{AccessClaims, JwkSet, Verifier, VerifyingKey, profile::AccessToken};

use crate::rig::{BINARY, PASSWORD, Rig, Server, member, text};

const REGISTERED: &str = r#"{"email":"ada@example.com","password":"correct horse battery staple"}"#;

/// A server's folder whose configuration is a file, as an operator writes it.
pub struct House {
    pub rig: Rig,
    variables: Vec<(&'static str, String)>,
}

/// What an application holds.
#[derive(Debug, Clone)]
pub struct Held {
    pub access: String,
    pub refresh: String,
}

/// An answer with its headers.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl House {
    pub fn new() -> Self {
        Self { rig: Rig::new(), variables: Vec::new() }
    }

    /// Sets an environment variable of the server and of commands that open the store themselves.
    pub fn variable(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    /// Writes the configuration.
    pub fn configure(&self, keys: &[&str]) {
        fs::write(self.rig.folder.path().join("countersign.toml"), keys.concat()).unwrap();
    }

    pub fn serve(&self) -> Server {
        let variables: Vec<_> = self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.rig.serve(&variables)
    }

    /// A command that must end with this exit code; both of its outputs.
    #[track_caller]
    pub fn expect(&self, code: i32, arguments: &[&str]) -> String {
        // A server that starts where it must not is ended.
        let mut command = Command::new("timeout");
        command.arg("120").arg(BINARY).arg("--data").arg(self.rig.data()).args(arguments);
        command.current_dir(self.rig.folder.path()).env("COUNTERSIGN_LISTEN", self.rig.address.to_string());
        let output = command.envs(self.variables.iter().map(|(name, value)| (*name, value))).output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{told}");
        told
    }

    pub fn secret(&self, name: &str, value: &str) -> PathBuf {
        let path = self.rig.folder.path().join(name);
        write_private(&path, value);
        path
    }

    /// A new account, signed in.
    #[track_caller]
    pub fn enter(&self) -> Held {
        assert_eq!(self.rig.json("/register", REGISTERED).unwrap().0, 201);
        self.sign_in()
    }

    #[track_caller]
    pub fn sign_in(&self) -> Held {
        let answer = self.try_sign_in();
        assert_eq!(answer.status, 200, "{answer:?}");
        held(&answer.body)
    }

    pub fn try_sign_in(&self) -> Answer {
        let body = format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}"}}"#);
        self.ask("POST", "/login", "application/json", &body)
    }

    #[track_caller]
    pub fn refresh(&self, held: &Held) -> Held {
        let answer = self.try_refresh(held);
        assert_eq!(answer.status, 200, "{answer:?}");
        self::held(&answer.body)
    }

    pub fn try_refresh(&self, held: &Held) -> Answer {
        let form = format!("grant_type=refresh_token&client_id=first-party&refresh_token={}", held.refresh);
        self.ask("POST", "/token", "application/x-www-form-urlencoded", &form)
    }

    /// A token that is signed with this algorithm.
    #[track_caller]
    pub fn token_by(&self, alg: &str) -> String {
        let made = self.expect(0, &["--json", "client", "add", &alg.to_lowercase(), "--audience", "api", "--alg", alg]);
        let (id, secret) = (member(&made, "client_id"), member(&made, "client_secret"));
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let answer = self.ask("POST", "/token", "application/x-www-form-urlencoded", &form);
        assert_eq!(answer.status, 200, "{alg}: {answer:?}");
        member(&answer.body, "access_token")
    }

    /// Checks a token as a service does that only has the published keys.
    #[track_caller]
    pub fn verify(&self, access: &str) -> AccessClaims {
        let answer = self.ask("GET", "/.well-known/jwks.json", "", "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let set = JwkSet::parse(answer.body.as_bytes()).unwrap();
        let keys = set.keys.iter().map(|jwk| VerifyingKey::from_jwk(jwk).unwrap());
        let verifier = Verifier::<AccessToken>::builder().issuer(self.issuer()).audience("api").keys(keys);
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let verified = verifier.build().verify(access, i64::try_from(now).unwrap()).unwrap();
        (*verified).clone()
    }

    fn issuer(&self) -> String {
        format!("http://localhost:{}", self.rig.address.port())
    }

    pub fn ask(&self, method: &str, path: &str, kind: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.rig.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Asks until it works again, as a client does that is told to try again.
    #[track_caller]
    pub fn until_refreshed(&self, held: &Held) -> Held {
        // Two minutes, which only end a broken test.
        for _ in 0..600 {
            let answer = self.try_refresh(held);
            if answer.status == 200 {
                return self::held(&answer.body);
            }
            answer.is_key_store();
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("no new token");
    }

    pub fn kek(&self) -> PathBuf {
        self.rig.data().join("kek")
    }

    /// `kid` to state and store, of the keys that sign tokens.
    pub fn token_keys(&self) -> Vec<(String, String, Option<String>)> {
        let listed: serde_json::Value = serde_json::from_str(&self.expect(0, &["key", "list", "--json"])).unwrap();
        let keys = listed["items"].as_array().unwrap().iter().filter(|key| key["purpose"] == "token");
        let word = |key: &serde_json::Value, name: &str| key[name].as_str().map(str::to_owned);
        keys.map(|key| (word(key, "kid").unwrap(), word(key, "state").unwrap(), word(key, "store"))).collect()
    }

    /// The store of the key that signs.
    pub fn signing_store(&self) -> Option<String> {
        let active = self.token_keys().into_iter().find(|(_, state, _)| state == "active");
        active.unwrap().2
    }
}

impl Answer {
    /// The clear error of a key store that is away (I-12).
    #[track_caller]
    pub fn is_key_store(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        assert!(self.body.contains("key-store-unavailable"), "{self:?}");
        assert!(self.head.contains("\r\nretry-after: "), "{self:?}");
    }
}

#[track_caller]
pub fn held(body: &str) -> Held {
    Held { access: member(body, "access_token"), refresh: member(body, "refresh_token") }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where `cargo xtask test` has put OpenBao and moto.
pub fn installed() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/keystores");
    assert!(
        folder.join("installed").is_file(),
        "{} is missing: these tests run real key stores, which `cargo xtask test` installs; they never skip them. \
         Once: cargo xtask test -- -p countersign -- keystores",
        folder.display()
    );
    folder
}

pub fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

/// Runs a program that must succeed; what it said.
#[track_caller]
pub fn done(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}
