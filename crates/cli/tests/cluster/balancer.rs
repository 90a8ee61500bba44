//! HAProxy in front of the replicas, with the configuration of `docs/clusters.md`.

use std::{fmt::Write, net::SocketAddr};

use tempfile::TempDir;

use crate::daemon::{Daemon, folder, free_address, listening, program, write};

pub struct Balancer {
    pub address: SocketAddr,
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
        Self::start(|address| {
            format!(
                "defaults
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

    fn start(configuration: impl Fn(SocketAddr) -> String) -> Self {
        let (folder, address) = (folder(), free_address());
        let (file, log) = (folder.path().join("haproxy.cfg"), folder.path().join("log"));
        write(&file, &configuration(address));
        let daemon = Daemon::start(&program("haproxy"), &["-db", "-f", file.to_str().unwrap()], &log);
        listening(address, &log);
        Self { address, _daemon: daemon, _folder: folder }
    }
}
