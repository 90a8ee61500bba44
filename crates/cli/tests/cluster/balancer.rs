//! HAProxy in front of the replicas, with the configuration of `docs/clusters.md`.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::PathBuf,
};

use tempfile::TempDir;

use crate::daemon::{Daemon, folder, free_address, listening, program, write};

pub struct Balancer {
    pub address: SocketAddr,
    admin: PathBuf,
    _daemon: Daemon,
    _folder: TempDir,
}

impl Balancer {
    /// Requests go to the replicas in turn, to those alone that say they are ready.
    pub fn of_replicas(replicas: &[SocketAddr]) -> Self {
        let mut servers = String::new();
        for (number, replica) in replicas.iter().enumerate() {
            writeln!(servers, "    server replica{number} {replica}").unwrap();
        }
        Self::start(|address, admin| {
            format!(
                "global
    stats socket {admin} mode 600 level user
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    # Only what was not sent to anybody is sent again, to another replica.
    retries 3
    retry-on conn-failure
    option redispatch 1
frontend issuer
    bind {address}
    default_backend replicas
backend replicas
    balance roundrobin
    option forwardfor
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
    http-check expect status 200
    default-server check inter 500ms fall 1 rise 1
{servers}"
            )
        })
    }

    fn start(configuration: impl Fn(SocketAddr, &str) -> String) -> Self {
        let (folder, address) = (folder(), free_address());
        let (file, log) = (folder.path().join("haproxy.cfg"), folder.path().join("log"));
        let admin = folder.path().join("admin.sock");
        write(&file, &configuration(address, admin.to_str().unwrap()));
        let daemon = Daemon::start(&program("haproxy"), &["-db", "-f", file.to_str().unwrap()], &log);
        listening(address, &log);
        Self { address, admin, _daemon: daemon, _folder: folder }
    }

    /// Whether it sends requests to this replica.
    pub fn sends_to(&self, replica: usize) -> bool {
        let mut socket = UnixStream::connect(&self.admin).unwrap();
        socket.write_all(b"show stat\n").unwrap();
        let mut table = String::new();
        socket.read_to_string(&mut table).unwrap();
        let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let status = lines.next().unwrap().iter().position(|column| *column == "status").unwrap();
        let name = format!("replica{replica}");
        let line = lines.find(|line| line.get(1) == Some(&name.as_str())).unwrap_or_else(|| panic!("{table}"));
        line[status] == "UP"
    }
}
