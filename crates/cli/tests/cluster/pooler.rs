//! PgBouncer in transaction mode, with the configuration of `docs/clusters.md`: a transaction meets whichever connection is
//! free, and there are fewer of them than replicas would like.

use std::net::SocketAddr;

use tempfile::TempDir;

use crate::daemon::{Daemon, folder, free_address, listening, program, write};

pub struct Pooler {
    address: SocketAddr,
    _daemon: Daemon,
    _folder: TempDir,
}

impl Pooler {
    /// In front of a PostgreSQL whose socket is in this folder.
    pub fn start(socket: &str, connections: usize) -> Self {
        let (folder, address) = (folder(), free_address());
        let (file, log) = (folder.path().join("pgbouncer.ini"), folder.path().join("log"));
        let users = folder.path().join("users.txt");
        write(&users, "\"postgres\" \"\"\n");
        let text = format!(
            "[databases]
* = host={socket} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {}
unix_socket_dir =
auth_type = trust
auth_file = {}
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 1000
",
            address.port(),
            users.display()
        );
        write(&file, &text);
        let daemon = Daemon::start(&program("pgbouncer"), &[file.to_str().unwrap()], &log);
        listening(address, &log);
        Self { address, _daemon: daemon, _folder: folder }
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}?pooler=transaction", self.address)
    }
}
