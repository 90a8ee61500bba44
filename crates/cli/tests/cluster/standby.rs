//! A standby that follows asynchronously: whatever is answered may be lost with the primary, and the server says so.

use std::{path::Path, process::Stdio};

use crate::{
    daemon::{Daemon, alone, as_server_user, folder, free_address, wait},
    fleet::Fleet,
    postgres::{Cluster, binaries, execute},
};

const MAY_LOSE: &str = "the strict promise does not hold";

/// A copy of the primary that follows it.
struct Standby {
    _daemon: Daemon,
    _folder: tempfile::TempDir,
}

impl Standby {
    fn of(primary: &Path, url: &str) -> Self {
        let (folder, port) = (folder(), free_address().port());
        let data = folder.path().join("data");
        let mut copy = as_server_user(binaries().join("pg_basebackup").to_str().unwrap());
        copy.arg("-h").arg(primary).args(["-U", "postgres", "-X", "stream", "-c", "fast", "-R", "-D"]).arg(&data);
        let made = copy.stdout(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let settings = [
            format!("port={port}"),
            format!("unix_socket_directories={}", folder.path().display()),
            "listen_addresses=".to_owned(),
        ];
        let arguments: Vec<&str> = ["-D", data.to_str().unwrap()]
            .into_iter()
            .chain(settings.iter().flat_map(|setting| ["-c", setting.as_str()]))
            .collect();
        let daemon = Daemon::start(&binaries().join("postgres"), &arguments, &folder.path().join("log"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let follows = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'walreceiver'";
        wait(&|| "the standby does not follow".to_owned(), || {
            runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
                tokio::spawn(connection);
                client.query_one(follows, &[]).await.unwrap().get::<_, i64>(0) == 1
            })
        });
        Self { _daemon: daemon, _folder: folder }
    }
}

// I-4
#[test]
fn a_standby_that_follows_asynchronously_is_told_of() {
    let _alone = alone();
    // The other settings of this cluster are those of tests: fsync is off.
    let cluster = Cluster::start("listen_addresses = ''\nfsync = on\n");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let admin = cluster.url("postgres");
    for sql in ["CREATE ROLE countersign LOGIN", "CREATE DATABASE countersign OWNER countersign"] {
        runtime.block_on(execute(&admin, sql));
    }
    // Whoever serves is nobody special in the database.
    let url = cluster.url("countersign").replace("postgres@", "countersign@");
    let fleet = Fleet::start(&[url.as_str()], &[]);
    let replica = &fleet.replicas[0];
    let (_, out) = replica.run(&["doctor"]);
    assert!(out.contains("ok    database") && !replica.log().contains(MAY_LOSE), "{out}");
    assert!(replica.metrics().contains("countersign_database_may_lose_commits 0\n"));

    let standby = Standby::of(cluster.folder(), &admin);
    let (code, out) = replica.run(&["doctor"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("WRONG database") && out.contains(MAY_LOSE), "{out}");
    // At the start, and in the metrics.
    replica.signal("-TERM");
    assert_eq!(replica.ended(), Some(0));
    replica.begin(&[]);
    replica.ready();
    wait(&|| format!("it does not say so: {}", replica.log()), || replica.log().contains(MAY_LOSE));
    wait(&|| "the metrics do not say so".to_owned(), || {
        replica.metrics().contains("countersign_database_may_lose_commits 1\n")
    });

    // Mended without a restart of either.
    for sql in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
        runtime.block_on(execute(&admin, sql));
    }
    wait(&|| "doctor does not find it well".to_owned(), || replica.run(&["doctor"]).1.contains("ok    database"));
    drop(standby);
}
