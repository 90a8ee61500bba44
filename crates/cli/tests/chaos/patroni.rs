//! A PostgreSQL with a synchronous standby: two servers, a Patroni for each, and the etcd in which they agree on who leads.
//! All on loopback, in one folder, and gone when the test is.

use std::{fs, net::SocketAddr, path::PathBuf, process::Command, thread, time::Duration};

use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::{
    daemon::{Daemon, folder, free_address, listening, program, wait, write},
    postgres::binaries,
    wire::Request,
};

/// A leader that is dead keeps its place for `ttl` seconds at most.
const AGREED: &str = "{ ttl: 15, loop_wait: 1, retry_timeout: 5, primary_start_timeout: 0, synchronous_mode: true, \
    postgresql: { use_pg_rewind: true, parameters: { max_connections: 200, shared_buffers: 32MB, wal_log_hints: 'on', \
    wal_keep_size: 64MB } } }";

pub struct Patroni {
    nodes: [Node; 2],
    _etcd: Daemon,
    _folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

struct Node {
    server: SocketAddr,
    rest: SocketAddr,
    configuration: PathBuf,
    data: PathBuf,
    log: PathBuf,
    patroni: Option<Daemon>,
}

impl Patroni {
    /// Both servers run, and the standby is synchronous.
    pub fn start() -> Self {
        let folder = folder();
        let (etcd, client) = etcd(&folder);
        let nodes = [0, 1].map(|number| Node::new(&folder, number, client));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut patroni = Self { nodes, _etcd: etcd, _folder: folder, runtime };
        patroni.start_node(0);
        patroni.start_node(1);
        patroni.wait_for_standby();
        patroni
    }

    /// Both servers in one URL.
    pub fn url(&self, database: &str) -> String {
        let [one, other] = &self.nodes;
        format!("postgres://postgres@{},{}/{database}?target_session_attrs=read-write", one.server, other.server)
    }

    /// The server that takes writes.
    pub fn primary(&self) -> Option<usize> {
        let leads = "SELECT CASE WHEN pg_is_in_recovery() THEN 'no' ELSE 'yes' END";
        (0..self.nodes.len()).find(|number| self.ask(*number, leads).is_some_and(|answer| answer == "yes"))
    }

    /// Waits until one leads, and the other has everything that is acknowledged: as Patroni has noted where it looks after the
    /// next death, and as the server says.
    pub fn wait_for_standby(&self) {
        let logs = || self.nodes.each_ref().map(|node| fs::read_to_string(&node.log).unwrap_or_default()).join("\n");
        wait(&|| format!("there is no synchronous standby: {}", logs()), || {
            thread::sleep(Duration::from_millis(200));
            let Some(primary) = self.primary() else { return false };
            let noted = Request { line: "GET /cluster", ..Request::default() }.send(self.nodes[primary].rest);
            let noted = noted.map(|answer| answer.json()).unwrap_or_default();
            let members = noted["members"].as_array().map(Vec::as_slice).unwrap_or_default();
            let synchronous = "SELECT CAST(count(*) AS text) FROM pg_stat_replication \
                               WHERE state = 'streaming' AND sync_state = 'sync'";
            members.iter().any(|member| member["role"] == "sync_standby")
                && self.ask(primary, synchronous).is_some_and(|count| count == "1")
        });
    }

    fn ask(&self, number: usize, sql: &str) -> Option<String> {
        let url = format!("postgres://postgres@{}/postgres?connect_timeout=2", self.nodes[number].server);
        self.runtime.block_on(async {
            let asked = async {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await.ok()?;
                tokio::spawn(connection);
                client.query_one(sql, &[]).await.ok()?.try_get(0).ok()
            };
            tokio::time::timeout(Duration::from_secs(5), asked).await.ok().flatten()
        })
    }

    /// The machine is gone: Patroni and its server.
    pub fn kill_node(&mut self, number: usize) {
        self.nodes[number].patroni = None;
    }

    /// The server alone; Patroni finds it dead.
    pub fn kill_server(&self, number: usize) {
        let file = fs::read_to_string(self.nodes[number].data.join("postmaster.pid")).unwrap();
        let status = Command::new("kill").args(["-9", file.lines().next().unwrap().trim()]).status();
        assert!(status.unwrap().success());
    }

    pub fn start_node(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let (configuration, pid) = (node.configuration.to_str().unwrap(), node.data.join("postmaster.pid"));
        node.patroni = Some(Daemon::start_with_child(&program("patroni"), &[configuration], &node.log, &pid));
    }
}

impl Node {
    fn new(folder: &TempDir, number: usize, etcd: SocketAddr) -> Self {
        let (server, rest, folder) = (free_address(), free_address(), folder.path());
        let (configuration, data) = (folder.join(format!("node{number}.yml")), folder.join(format!("data{number}")));
        let text = format!(
            "scope: countersign
name: node{number}
restapi: {{ listen: '{rest}', connect_address: '{rest}' }}
etcd3: {{ hosts: '{etcd}' }}
watchdog: {{ mode: 'off' }}
bootstrap:
  dcs: {AGREED}
  initdb: [ {{ encoding: UTF8 }}, {{ locale: C }}, {{ auth: trust }}, no-sync ]
postgresql:
  listen: '{server}'
  connect_address: '{server}'
  data_dir: '{}'
  pgpass: '{}'
  bin_dir: '{}'
  authentication: {{ superuser: {{ username: postgres }}, replication: {{ username: postgres }}, rewind: {{ username: postgres }} }}
  pg_hba: [ local all all trust, host all all 127.0.0.1/32 trust, host replication all 127.0.0.1/32 trust ]
  parameters: {{ unix_socket_directories: '{}' }}
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
  basebackup: [ {{ checkpoint: fast }} ]
",
            data.display(),
            folder.join(format!("pgpass{number}")).display(),
            binaries().display(),
            folder.display()
        );
        write(&configuration, &text);
        Self { server, rest, configuration, data, log: folder.join(format!("log{number}")), patroni: None }
    }
}

fn etcd(folder: &TempDir) -> (Daemon, SocketAddr) {
    let (client, peer, folder) = (free_address(), free_address(), folder.path());
    let (data, log) = (folder.join("etcd"), folder.join("etcd.log"));
    let (clients, peers) = (format!("http://{client}"), format!("http://{peer}"));
    let alone = format!("default={peers}");
    let arguments = [
        ["--data-dir", data.to_str().unwrap()],
        ["--listen-client-urls", &clients],
        ["--advertise-client-urls", &clients],
        ["--listen-peer-urls", &peers],
        ["--initial-advertise-peer-urls", &peers],
        ["--initial-cluster", &alone],
    ];
    let daemon = Daemon::start(&program("etcd"), arguments.as_flattened(), &log);
    listening(client, &log);
    (daemon, client)
}
