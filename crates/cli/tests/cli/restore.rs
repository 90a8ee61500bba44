//! A database that was restored from an older backup: the server does not start on it, and what was revoked since stays
//! dead once it is accepted (I-5).

use std::{fs, time::Duration};

use serde_json::Value;

use crate::{
    postgres::{Cluster, execute},
    rig::{PASSWORD, Rig, Server, kill, member},
};

struct User {
    access: String,
    refresh: String,
}

fn sign_in(rig: &Rig, name: &str) -> User {
    let (status, tokens) =
        rig.json("/login", &format!("{{\"email\":\"{name}@example.com\",\"password\":\"{PASSWORD}\"}}")).unwrap();
    assert_eq!(status, 200, "{tokens}");
    User { access: member(&tokens, "access_token"), refresh: member(&tokens, "refresh_token") }
}

fn register(rig: &Rig, name: &str) -> User {
    let account = format!("{{\"email\":\"{name}@example.com\",\"password\":\"{PASSWORD}\"}}");
    assert_eq!(rig.json("/register", &account).unwrap().0, 201);
    sign_in(rig, name)
}

fn refresh(rig: &Rig, token: &str) -> u16 {
    let body = format!("grant_type=refresh_token&client_id=first-party&refresh_token={token}");
    rig.http("POST", "/token", "application/x-www-form-urlencoded", &body).unwrap().0
}

fn stop(mut server: Server) {
    kill(server.child.id(), "-TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

fn kids(rig: &Rig) -> Vec<Value> {
    let read = |path| {
        let keys: Value = serde_json::from_str(&rig.http("GET", path, "", "").unwrap().1).unwrap();
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    [read("/.well-known/jwks.json"), read("/revocations/0/jwks.json")].concat()
}

/// A backup is made, a user signed out, the backup put back.
fn an_older_database_is_noticed_and_resurrects_nothing(rig: &Rig, copy: &dyn Fn(), put_back: &dyn Fn()) {
    let server = rig.serve(&[]);
    let (ada, bob) = (register(rig, "ada"), register(rig, "bob"));
    let old_keys = kids(rig);
    stop(server);
    rig.expect(0, &["restore"], "");
    copy();

    let server = rig.serve(&[]);
    rig.expect(0, &["revoke", "user", "ada@example.com"], "");
    assert_eq!((rig.session(&ada.access), rig.session(&bob.access)), (Some(401), Some(200)));
    stop(server);
    put_back();

    // Nobody can use it by mistake.
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("older than it has been") && err.contains("countersign restore --accept"), "{err}");
    let (_, err) = rig.expect(3, &["user", "list"], "");
    assert!(err.contains("older than it has been"), "{err}");
    let (out, _) = rig.expect(1, &["--json", "restore"], "");
    assert!(out.contains("\"older\": true"), "{out}");
    let (out, _) = rig.expect(0, &["restore", "--accept"], "");
    assert!(out.contains("accepted") && out.contains("passwords"), "{out}");

    let server = rig.serve(&[]);
    // The revoked stays revoked, and so does everything else that the backup takes for alive.
    for user in [&ada, &bob] {
        assert_eq!(rig.session(&user.access), Some(401));
        assert_eq!(refresh(rig, &user.refresh), 400);
    }
    let new_keys = kids(rig);
    assert!(!new_keys.is_empty() && new_keys.iter().all(|kid| !old_keys.contains(kid)), "{old_keys:?} {new_keys:?}");
    let again = sign_in(rig, "ada");
    assert_eq!((rig.session(&again.access), refresh(rig, &again.refresh)), (Some(200), 200));
    let (out, _) = rig.expect(0, &["--json", "floor", "show"], "");
    let floor: Value = serde_json::from_str(&out).unwrap();
    assert!(floor["floor"].as_i64().unwrap() > 1_700_000_000_000_000, "{floor}");
    stop(server);
    rig.expect(0, &["restore"], "");
    drop(rig.serve(&[]));
}

#[test]
fn sqlite_from_a_copy_of_its_file() {
    let rig = Rig::new();
    let (database, backup) = (rig.data().join("countersign.db"), rig.folder.path().join("backup.db"));
    an_older_database_is_noticed_and_resurrects_nothing(
        &rig,
        &|| {
            fs::copy(&database, &backup).unwrap();
        },
        &|| {
            let _ = fs::remove_file(rig.data().join("countersign.db-wal"));
            let _ = fs::remove_file(rig.data().join("countersign.db-shm"));
            fs::copy(&backup, &database).unwrap();
        },
    );
}

#[test]
fn postgres_from_a_copied_database() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cluster = Cluster::shared();
    let url = runtime.block_on(cluster.create_database());
    let name = url.rsplit('/').next().unwrap().to_owned();
    let rig = Rig::new();
    fs::write(rig.folder.path().join("countersign.toml"), format!("database = \"{url}\"\n")).unwrap();
    let run = |sql: &str| {
        for sql in sql.split(';') {
            runtime.block_on(execute(&cluster.url("postgres"), sql));
        }
    };
    an_older_database_is_noticed_and_resurrects_nothing(
        &rig,
        &|| run(&format!("CREATE DATABASE {name}_backup TEMPLATE {name}")),
        &|| run(&format!("DROP DATABASE {name} WITH (FORCE);ALTER DATABASE {name}_backup RENAME TO {name}")),
    );
}

/// The database is put back under a running server, or a failover lost what it had committed.
#[test]
fn a_database_that_falls_behind_a_running_server_stops_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(Cluster::shared().create_database());
    let rig = Rig::new();
    fs::write(rig.folder.path().join("countersign.toml"), format!("database = \"{url}\"\n")).unwrap();
    let mut server = rig.serve(&[]);
    register(&rig, "ada");
    let mark = || fs::read(rig.data().join("high-water")).unwrap();
    let before = mark();
    rig.expect(0, &["revoke", "user", "ada@example.com"], "");
    let followed = (0..3_000).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        mark() != before
    });
    assert!(followed, "the mark follows the log");
    runtime.block_on(execute(&url, "UPDATE rev_head SET rsn = 1"));
    assert_eq!(server.child.wait().unwrap().code(), Some(1));
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("older than it has been"), "{err}");
}

/// A power failure in the middle of an acceptance: the next start knows, and another acceptance ends it.
#[cfg(feature = "failpoints")]
#[test]
fn an_interrupted_acceptance_is_noticed() {
    let rig = Rig::new();
    let server = rig.serve(&[]);
    let ada = register(&rig, "ada");
    stop(server);
    let killed = rig
        .command(&["restore", "--accept"])
        .env("COUNTERSIGN_TEST_FAILPOINT", "restore.keys:1")
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!killed.success());
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("begun") && err.contains("run it again"), "{err}");
    let (out, _) = rig.expect(1, &["--json", "restore"], "");
    assert!(out.contains("\"unfinished\": true"), "{out}");
    rig.expect(0, &["restore", "--accept"], "");
    let _server = rig.serve(&[]);
    assert_eq!(refresh(&rig, &ada.refresh), 400);
}

#[test]
fn an_unreadable_mark_stops_the_start_and_a_running_server_keeps_its_folder() {
    let rig = Rig::new();
    let server = rig.serve(&[]);
    let (_, err) = rig.expect(3, &["restore"], "");
    assert!(err.contains("in use by another Countersign"), "{err}");
    stop(server);
    fs::write(rig.data().join("high-water"), "AAAA").unwrap();
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("high-water") && err.contains("--accept"), "{err}");
    rig.expect(0, &["restore", "--accept"], "");
    drop(rig.serve(&[]));
}

/// The mark lies elsewhere, so that a backup of the whole data folder does not bring it back.
#[test]
fn a_mark_outside_the_data_folder_notices_a_restored_folder() {
    let rig = Rig::new();
    let mark = rig.folder.path().join("mark");
    let toml = format!("mark_file = \"{}\"\n", mark.display());
    fs::write(rig.folder.path().join("countersign.toml"), toml).unwrap();
    let server = rig.serve(&[]);
    register(&rig, "ada");
    stop(server);
    assert!(mark.exists() && !rig.data().join("high-water").exists());
    let backup = rig.folder.path().join("backup");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let _ = fs::remove_dir_all(to);
        let status = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(status.success());
    };
    copy(&rig.data(), &backup);
    let server = rig.serve(&[]);
    rig.expect(0, &["revoke", "user", "ada@example.com"], "");
    stop(server);
    copy(&backup, &rig.data());
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("older than it has been"), "{err}");
}
