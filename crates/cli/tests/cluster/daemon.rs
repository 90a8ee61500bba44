//! Other people's servers: found, started in the foreground, and ended with the test, however that ends.

use std::{
    env,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use countersign_server::clock::Stopwatch;
use tempfile::TempDir;

/// Only so that a broken test ends.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A program that runs until this is dropped, or until this process is gone.
pub struct Daemon {
    /// The end of its standard input is the sign.
    keeper: Child,
}

impl Daemon {
    /// Starts a program; what it says goes to a file.
    pub fn start(program: &Path, arguments: &[&str], log: &Path) -> Self {
        Self::start_with_child(program, arguments, log, Path::new("/dev/null"))
    }

    /// The same for one that starts another one, which notes its id in the first line of this file: both end together.
    pub fn start_with_child(program: &Path, arguments: &[&str], log: &Path, child: &Path) -> Self {
        let script = "log=$1; child=$2; shift 2; \"$@\" </dev/null >>\"$log\" 2>&1 & read -r _; kill -9 $!; \
                      kill -9 $(head -n 1 \"$child\")";
        let mut command = as_server_user("sh");
        command.args(["-c", script, "keeper"]).args([log, child, program]).args(arguments);
        // In a group of its own, so that an interrupt from the keyboard does not end the keeper first.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Self { keeper: command.spawn().expect("cannot start sh") }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Servers of databases refuse to run as root; PostgreSQL's package brings a user for them.
pub fn as_server_user(program: &str) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", program]);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| rustix::process::geteuid().is_root())
}

/// A folder of the servers' user.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if is_root() {
        let status = Command::new("chown").arg("postgres:postgres").arg(folder.path()).status();
        assert!(status.unwrap().success());
    }
    folder
}

/// Writes a file that the servers' user may read.
pub fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(path, mode).unwrap();
}

/// A server's program: the one that `cargo xtask test` names, or where Debian puts it.
pub fn program(name: &str) -> PathBuf {
    let variable = format!("COUNTERSIGN_TEST_{}", name.to_uppercase());
    if let Some(named) = env::var_os(&variable) {
        return named.into();
    }
    let path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let folders = path.into_iter().chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} was not found; `cargo xtask test` installs it, or name it with {variable}"))
}

/// An address that nobody listens on at this moment.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until somebody listens there.
pub fn listening(address: SocketAddr, log: &Path) {
    wait(&|| format!("nobody listens on {address}: {}", std::fs::read_to_string(log).unwrap_or_default()), || {
        TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
    });
}

/// Waits until it is so; `what` is said if that takes too long.
#[track_caller]
pub fn wait(what: &dyn Fn() -> String, mut so: impl FnMut() -> bool) -> Duration {
    let begun = Stopwatch::start();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{}", what());
        thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

/// These tests keep every processor busy by themselves: one at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
