//! A server of our own on a free port, and plain HTTP to it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_countersign");
pub const PASSWORD: &str = "correct horse battery staple";

/// A data folder, and how to run commands on it.
pub struct Rig {
    pub folder: TempDir,
    pub address: SocketAddr,
}

/// A running server; killed when it is dropped.
pub struct Server {
    pub child: Child,
    pub greeting: String,
}

impl Server {
    /// Starts it and waits for its greeting, which it writes into a pipe.
    pub fn greeted(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            greeting.push_str(&line);
            greeting.push('\n');
            if line.starts_with("Stop with") {
                break;
            }
        }
        Self { child, greeting }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already; that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Rig {
    pub fn new() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { folder: tempfile::tempdir().unwrap(), address }
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// The command with this folder's settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(self.folder.path()).env("COUNTERSIGN_LISTEN", self.address.to_string());
        command.arg("--data").arg(self.data()).args(arguments);
        command
    }

    /// Runs a command; `input` is its standard input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that refuses its arguments reads nothing and may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs a command that must end with this exit code; its standard output and standard error.
    #[track_caller]
    pub fn expect(&self, code: i32, arguments: &[&str], input: &str) -> (String, String) {
        let output = self.run(arguments, input);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        (out, err)
    }

    /// Starts the server and waits for its greeting.
    pub fn serve(&self, variables: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve"]);
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::null());
        Server::greeted(command)
    }

    /// One request with one answer; `None` if the connection broke.
    pub fn http(&self, method: &str, path: &str, kind: &str, body: &str) -> Option<(u16, String)> {
        let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        exchange(stream, &format!("{method} {path}"), kind, "", body)
    }

    /// A request over the server's Unix socket.
    pub fn admin(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let stream = UnixStream::connect(self.data().join("admin.sock")).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        exchange(stream, &format!("{method} {path}"), "application/json", "", body)
    }

    /// What a service that is shown this access token would be answered: 200 while it is good.
    pub fn session(&self, access_token: &str) -> Option<u16> {
        let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        let bearer = format!("authorization: Bearer {access_token}\r\n");
        exchange(stream, "GET /session", "application/json", &bearer, "").map(|(status, _)| status)
    }

    pub fn json(&self, path: &str, body: &str) -> Option<(u16, String)> {
        self.http("POST", path, "application/json", body)
    }
}

/// One request with one answer; `headers` are whole lines.
fn exchange(
    mut stream: impl Read + Write,
    begin: &str,
    kind: &str,
    headers: &str,
    body: &str,
) -> Option<(u16, String)> {
    let length = body.len();
    write!(
        stream,
        "{begin} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A text member of a JSON object.
#[track_caller]
pub fn member(json: &str, name: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

pub fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

pub fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}
