//! An issuer's folder, and the real program running on it, if need be under something that makes its life hard.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use countersign_server::clock::Stopwatch;
use tempfile::TempDir;

/// Only so that a broken test ends.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// So that many clients fit into a short time: their address is one, and hashing is not what is tried here.
const SETTINGS: [(&str, &str); 7] = [
    ("COUNTERSIGN_LIMITS_ADDRESS_PER_MINUTE", "1000000"),
    ("COUNTERSIGN_LIMITS_GLOBAL_PER_SECOND", "100000"),
    ("COUNTERSIGN_LIMITS_ACCOUNT_FREE", "100"),
    ("COUNTERSIGN_PASSWORD_MEMORY_KIB", "7168"),
    ("COUNTERSIGN_PASSWORD_ITERATIONS", "1"),
    ("COUNTERSIGN_REFRESH_GRACE", "300ms"),
    ("COUNTERSIGN_LOG_LEVEL", "info"),
];

/// `refresh.grace` above.
pub const GRACE: Duration = Duration::from_millis(300);

/// The program, or another build of it.
pub fn binary() -> PathBuf {
    std::env::var_os("COUNTERSIGN_TEST_CHAOS_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_countersign").into(), PathBuf::from)
}

/// A folder, an address, settings.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
    pub address: SocketAddr,
    settings: Vec<(String, String)>,
    starts: AtomicU32,
}

/// How a server is started.
#[derive(Debug, Default, Clone)]
pub struct Start {
    /// A program with its arguments that runs the server.
    pub under: Vec<String>,
    pub variables: Vec<(String, String)>,
    /// Where its log goes, if not into a file of its own.
    pub log: Option<PathBuf>,
}

/// A running server; killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: PathBuf,
}

/// Why there is none.
#[derive(Debug)]
pub struct NotStarted {
    pub status: ExitStatus,
    pub log: String,
}

impl Start {
    pub fn failpoint(place: &str, count: usize) -> Self {
        Self::default().with("COUNTERSIGN_TEST_FAILPOINT", &format!("{place}:{count}"))
    }

    /// Under `strace`, which does this to the system calls that are named in it: `inject=fdatasync:error=EIO:when=3`.
    /// The server stays our child: strace is its grandchild.
    pub fn strace(trace: &str, inject: &str) -> Self {
        Self::traced(Path::new("/dev/null"), trace, &["-e", inject])
    }

    pub fn traced(out: &Path, trace: &str, more: &[&str]) -> Self {
        let out = out.to_str().unwrap();
        let first = ["strace", "-D", "-f", "-qq", "-o", out, "-e", trace];
        let under = first.iter().chain(more).map(|word| (*word).to_owned()).collect();
        Self { under, ..Self::default() }
    }

    /// Under these words.
    pub fn under(words: &[&str]) -> Self {
        Self { under: words.iter().map(|word| (*word).to_owned()).collect(), ..Self::default() }
    }

    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl Site {
    /// SQLite in a folder of its own, unless the settings say otherwise.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), settings)
    }

    /// The same in this folder.
    pub fn in_folder(folder: TempDir, settings: &[(&str, &str)]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let all = SETTINGS.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { folder, address, settings: all.collect(), starts: AtomicU32::new(0) }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn database(&self) -> PathBuf {
        self.data().join("countersign.db")
    }

    pub fn socket(&self) -> PathBuf {
        self.data().join("admin.sock")
    }

    pub fn issuer(&self) -> String {
        let configured = self.settings.iter().rev().find(|(name, _)| name == "COUNTERSIGN_ISSUER");
        configured.map_or_else(|| format!("http://localhost:{}", self.address.port()), |(_, value)| value.clone())
    }

    fn command(&self, start: &Start, words: &[&str]) -> Command {
        let mut line = start.under.iter().map(PathBuf::from).chain([binary()]);
        let mut command = Command::new(line.next().unwrap());
        command.args(line).arg("--data").arg(self.data()).args(words).current_dir(self.folder.path());
        command.env("COUNTERSIGN_LISTEN", self.address.to_string()).envs(self.settings.iter().cloned());
        command.envs(start.variables.iter().cloned());
        command
    }

    /// A command to its end: exit code, standard output and standard error in one.
    pub fn run(&self, start: &Start, words: &[&str]) -> (Option<i32>, String) {
        let out = self.command(start, words).stdin(Stdio::null()).output().unwrap();
        let text = [out.stdout, out.stderr].concat();
        (out.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// A server that is ready.
    #[track_caller]
    pub fn serve(&self, start: &Start) -> Server {
        self.try_serve(start).unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    /// A server that is ready, or why it ended before.
    ///
    /// # Errors
    /// It has ended.
    pub fn try_serve(&self, start: &Start) -> Result<Server, NotStarted> {
        let number = self.starts.fetch_add(1, Ordering::SeqCst);
        let log = start.log.clone().unwrap_or_else(|| self.folder.path().join(format!("log-{number}")));
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = self.command(start, &["serve"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready = lines.into_iter().any(|line| line.starts_with("Stop with"));
        let mut server = Server { child, log };
        if ready {
            return Ok(server);
        }
        let status = server.ended();
        Err(NotStarted { status, log: server.log() })
    }
}

impl Server {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: &str) {
        // It may be gone already; then nothing is to be done.
        let _ = Command::new("kill").args([signal, &self.pid().to_string()]).stderr(Stdio::null()).status();
    }

    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop, and waits until it has: the exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.ended().code()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        self.ended_within(PATIENCE).unwrap_or_else(|| panic!("the server does not end: {}", self.log()))
    }

    pub fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Stopwatch::start();
        while begun.elapsed() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }

    pub fn log(&self) -> String {
        // A device like `/dev/full` has no end.
        if !self.log.is_file() {
            return String::new();
        }
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Resident memory in KiB, as the kernel says.
    pub fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already; that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether it was killed, as by `kill -9`.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}
