//! A PostgreSQL of the test's own: a temporary cluster, reached through a socket in its folder, started once per test
//! program. It is removed when the program ends, however it ends.

use std::{
    env, fs,
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio_postgres::NoTls;

const MISSING: &str = "PostgreSQL's server programs were not found. These tests start a temporary PostgreSQL and never \
                       skip it. Install it (Debian, Ubuntu: apt-get install postgresql), or put initdb and pg_ctl into PATH";

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    binaries: PathBuf,
    databases: AtomicU32,
    /// Holds the other end of the keeper's standard input: when this process is gone, the keeper reads the end of it,
    /// stops the server and removes the folder.
    _keeper: Child,
}

impl Cluster {
    /// The one cluster of this test program.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("listen_addresses = ''\n"))
    }

    /// A new cluster with further lines for `postgresql.conf`.
    pub fn start(settings: &str) -> Self {
        let cluster = Self::prepare();
        cluster.configure(settings);
        cluster.control("start");
        cluster
    }

    /// A new cluster that also listens on a port of the loopback interface, with TLS.
    pub fn start_with_tls(port: u16, certificate: &str, key: &str) -> Self {
        let cluster = Self::prepare();
        let (certificate, key) = (cluster.install("server.pem", certificate), cluster.install("server.key", key));
        cluster.configure(&format!(
            "listen_addresses = 'localhost'\nport = {port}\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
            certificate.display(),
            key.display()
        ));
        cluster.control("start");
        cluster
    }

    fn prepare() -> Self {
        let binaries = binaries();
        let folder = output(server_user("mktemp").args(["-d", "--tmpdir", "countersign-pg-XXXXXXXX"]));
        let folder = PathBuf::from(folder.trim());
        let keeper = keeper(&folder, &binaries);
        output(server_user(binaries.join("initdb")).arg("-D").arg(folder.join("data")).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        Self { folder, binaries, databases: AtomicU32::new(0), _keeper: keeper }
    }

    fn configure(&self, settings: &str) {
        // Durability is the product's promise and PostgreSQL's work; these tests kill connections, not machines.
        let text = format!(
            "unix_socket_directories = '{}'\nmax_connections = 300\nshared_buffers = 32MB\nfsync = off\n\
             deadlock_timeout = 100ms\n{settings}",
            self.folder.display()
        );
        fs::OpenOptions::new()
            .append(true)
            .open(self.folder.join("data/postgresql.conf"))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .expect("cannot configure PostgreSQL");
    }

    /// `pg_ctl start`, `stop`, `restart`, … ; waits until it is done.
    pub fn control(&self, verb: &str) {
        let (data, log) = (self.folder.join("data"), self.folder.join("log"));
        let mut command = server_user(self.binaries.join("pg_ctl"));
        command.arg(verb).arg("-D").arg(data).arg("-l").arg(&log).args(["-w", "-m", "immediate"]);
        // The server inherits the standard streams and would keep a pipe open for ever.
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let done = status.is_ok_and(|status| status.success());
        assert!(done, "pg_ctl {verb} failed: {}", fs::read_to_string(log).unwrap_or_default());
    }

    /// Writes a file that only the server may read; returns its path.
    pub fn install(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.join(name);
        let mut command = server_user("sh");
        command.args(["-c", "umask 077; cat > \"$1\"", "install"]).arg(&path).stdin(Stdio::piped());
        let mut child = command.spawn().expect("cannot start sh");
        child.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        path
    }

    /// One of its programs: `pg_dump`, …
    #[allow(dead_code, reason = "one test program uses it")]
    pub fn program(&self, name: &str) -> Command {
        server_user(self.binaries.join(name))
    }

    /// Where its socket is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The URL of a new, empty database.
    pub async fn create_database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        execute(&self.url("postgres"), &format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// The same at a port of the loopback interface, where `listen_addresses` says so.
    #[allow(dead_code, reason = "one test program uses it")]
    pub fn url_at(&self, port: u16, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{database}")
    }

    /// The server and its children, by their ids.
    #[allow(dead_code, reason = "one test program uses it")]
    pub fn processes(&self) -> Vec<u32> {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        let Some(server) = file.lines().next().and_then(|line| line.trim().parse::<u32>().ok()) else {
            return Vec::new();
        };
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).chain([server]).collect()
    }

    /// The URL of a database, through the socket, as the superuser.
    pub fn url(&self, database: &str) -> String {
        let host: String = form_urlencoded::byte_serialize(self.folder.as_os_str().as_encoded_bytes()).collect();
        format!("postgres://postgres@{host}/{database}")
    }
}

/// Runs statements on a connection of their own.
pub async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// The folder that `cargo xtask test` or a person names, otherwise the newest PostgreSQL of this machine.
pub fn binaries() -> PathBuf {
    if let Some(named) = env::var_os("COUNTERSIGN_TEST_PG_BIN") {
        return named.into();
    }
    let configured = Command::new("pg_config")
        .arg("--bindir")
        .output()
        .ok()
        .map(|out| PathBuf::from(String::from_utf8_lossy(&out.stdout).trim()));
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    packaged.sort_by_key(|path| {
        path.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse::<u32>().ok()).unwrap_or(0)
    });
    let in_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let candidates = configured.into_iter().chain(packaged.into_iter().rev()).chain(in_path);
    let found =
        candidates.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file());
    found.expect(MISSING)
}

/// PostgreSQL refuses to run as root; its package brings a user for it.
fn server_user(program: impl AsRef<std::ffi::OsStr>) -> Command {
    static ROOT: OnceLock<bool> = OnceLock::new();
    let root = *ROOT.get_or_init(|| output(Command::new("id").arg("-u")).trim() == "0");
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // Not the caller's folder: the server's user may not be allowed to enter it.
    command.current_dir("/");
    command
}

/// A process that outlives this one by as long as it takes to clean up. In a group of its own, so that an interrupt from
/// the keyboard does not end it first.
fn keeper(folder: &Path, binaries: &Path) -> Child {
    let script = "read -r _; \"$1\"/pg_ctl stop -D \"$2\"/data -m immediate; rm -rf \"$2\"";
    let mut command = server_user("sh");
    command.args(["-c", script, "keeper"]).arg(binaries).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn().expect("cannot start sh")
}

fn output(command: &mut Command) -> String {
    let out = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}
