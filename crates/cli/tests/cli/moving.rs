//! From SQLite to PostgreSQL and back, killed on the way: nobody is signed out, and what was revoked stays dead (I-2, I-4).

use std::{fs, process::Stdio};

use serde_json::Value;

use crate::{
    postgres::Cluster,
    rig::{PASSWORD, Rig, Server, kill, member},
    terminal::shown_on_error,
};

struct Held {
    access: String,
    refresh: String,
}

fn sign_in(rig: &Rig, name: &str) -> Held {
    let (status, tokens) =
        rig.json("/login", &format!("{{\"email\":\"{name}@example.com\",\"password\":\"{PASSWORD}\"}}")).unwrap();
    assert_eq!(status, 200, "{tokens}");
    Held { access: member(&tokens, "access_token"), refresh: member(&tokens, "refresh_token") }
}

fn register(rig: &Rig, name: &str) -> Held {
    let account = format!("{{\"email\":\"{name}@example.com\",\"password\":\"{PASSWORD}\"}}");
    assert_eq!(rig.json("/register", &account).unwrap().0, 201);
    sign_in(rig, name)
}

fn refresh(rig: &Rig, held: &mut Held) -> u16 {
    let body = format!("grant_type=refresh_token&client_id=first-party&refresh_token={}", held.refresh);
    let (status, tokens) = rig.http("POST", "/token", "application/x-www-form-urlencoded", &body).unwrap();
    if status == 200 {
        *held = Held { access: member(&tokens, "access_token"), refresh: member(&tokens, "refresh_token") };
    }
    status
}

fn stop(mut server: Server) {
    kill(server.child.id(), "-TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

fn head(rig: &Rig) -> i64 {
    let (out, _) = rig.expect(0, &["--json", "floor", "show"], "");
    serde_json::from_str::<Value>(&out).unwrap()["head"].as_i64().unwrap()
}

/// Killed at its n-th page, again and again, until it comes to its end.
fn copied_however_often_it_is_killed(rig: &Rig, from: &str, to: &str) {
    let mut kills = 0;
    loop {
        let mut command = rig.command(&["--json", "store", "copy", from, to]);
        command.env("COUNTERSIGN_TEST_FAILPOINT", "copy.page:4").stdout(Stdio::piped());
        let output = command.output().unwrap();
        if output.status.success() {
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(answer["same"], true, "{answer}");
            assert_eq!(answer["resumed_after"].as_i64().unwrap() > 0, kills > 0, "{answer}");
            break;
        }
        assert_eq!(output.status.code(), None, "{}", String::from_utf8_lossy(&output.stderr));
        kills += 1;
        assert!(kills < 100);
    }
    // Without failpoints it is not killed at all.
    assert!(kills > 1 || !cfg!(feature = "failpoints"), "{kills}");
}

// I-2, I-4
#[test]
fn nobody_is_signed_out_there_or_back() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(Cluster::shared().create_database());
    let rig = Rig::new();
    let (file, configuration) = (rig.data().join("countersign.db"), rig.folder.path().join("countersign.toml"));
    let (path, toml) = (file.to_str().unwrap(), format!("database = \"{url}\"\n"));

    let server = rig.serve(&[]);
    let (mut ada, mut eve) = (register(&rig, "ada"), register(&rig, "eve"));
    let mut others: Vec<Held> = (0..5).map(|number| register(&rig, &format!("user{number}"))).collect();
    rig.expect(0, &["revoke", "user", "eve@example.com"], "");
    assert_eq!((rig.session(&ada.access), rig.session(&eve.access)), (Some(200), Some(401)));
    let before = head(&rig);
    // While it is served, nothing moves.
    let (_, err) = rig.expect(3, &["store", "copy", path, &url], "");
    assert!(err.contains("in use by another Countersign"), "{err}");
    stop(server);

    copied_however_often_it_is_killed(&rig, path, &url);
    fs::write(&configuration, &toml).unwrap();
    let server = rig.serve(&[]);
    assert!(head(&rig) >= before);
    assert_eq!((rig.session(&ada.access), rig.session(&eve.access)), (Some(200), Some(401)));
    for held in others.iter_mut().chain([&mut ada]) {
        assert_eq!(refresh(&rig, held), 200);
    }
    assert_eq!(refresh(&rig, &mut eve), 400);
    // What is revoked here is above everything that was there, and stays dead on the way back.
    let mut mallory = others.pop().unwrap();
    rig.expect(0, &["revoke", "user", "user4@example.com"], "");
    assert_eq!((rig.session(&mallory.access), refresh(&rig, &mut mallory)), (Some(401), 400));
    let between = head(&rig);
    assert!(between > before);
    stop(server);

    // The old file is behind the mark, should somebody serve it by mistake.
    fs::remove_file(&configuration).unwrap();
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("older than it has been"), "{err}");
    let (_, err) = rig.expect(1, &["store", "copy", &url, path], "");
    assert!(err.contains("not empty"), "{err}");
    fs::rename(&file, rig.folder.path().join("old.db")).unwrap();
    copied_however_often_it_is_killed(&rig, &url, path);
    let (out, _) = rig.expect(0, &["store", "copy", "--verify", path, &url], "");
    assert!(out.contains("sessions") && !out.contains("DIFFERS"), "{out}");
    let server = rig.serve(&[]);
    for dead in [&mut eve, &mut mallory] {
        assert_eq!((rig.session(&dead.access), refresh(&rig, dead)), (Some(401), 400));
    }
    for held in others.iter_mut().chain([&mut ada]) {
        assert_eq!(rig.session(&held.access), Some(200));
        assert_eq!(refresh(&rig, held), 200);
    }
    assert!(head(&rig) >= between);
    stop(server);
    let (out, _) = rig.expect(1, &["store", "copy", "--verify", path, &url], "");
    assert!(out.contains("DIFFERS"), "{out}");
}

#[cfg(feature = "failpoints")]
#[test]
fn half_a_copy_is_not_served() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(Cluster::shared().create_database());
    let rig = Rig::new();
    stop(rig.serve(&[]));
    let killed = rig
        .command(&["store", "copy", rig.data().to_str().unwrap(), &url])
        .env("COUNTERSIGN_TEST_FAILPOINT", "copy.page:2")
        .status()
        .unwrap();
    assert_eq!(killed.code(), None);
    fs::write(rig.folder.path().join("countersign.toml"), format!("database = \"{url}\"\n")).unwrap();
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("half a copy") && err.contains("countersign store copy"), "{err}");
}

#[test]
fn a_bar_on_a_terminal_lines_elsewhere_and_clear_words() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cluster = Cluster::shared();
    let rig = Rig::new();
    stop(rig.serve(&[]));
    let data = rig.data();
    let arguments = |url: &str| ["store".to_owned(), "copy".to_owned(), data.display().to_string(), url.to_owned()];
    let url = runtime.block_on(cluster.create_database());
    let bar = shown_on_error(rig.command(&arguments(&url).each_ref().map(String::as_str)));
    assert!(bar.contains("[###") && bar.contains("100 %") && bar.contains("comparing"), "{bar}");
    let url = runtime.block_on(cluster.create_database());
    let (out, err) = rig.expect(0, &arguments(&url).each_ref().map(String::as_str), "");
    assert!(err.contains("copying") && !err.contains('\u{1b}'), "{err}");
    assert!(out.contains("rev_head") && out.contains("Nobody is signed out"), "{out}");
    rig.expect(2, &["store", "copy", "nowhere.db", &url], "");
    rig.expect(2, &["store", "copy", &url, &url], "");
    let (_, err) = rig.expect(2, &["store", "copy", data.to_str().unwrap(), "postgres://u:hunter2@localhost/db"], "");
    assert!(err.contains("env:VARIABLE") && !err.contains("hunter2"), "{err}");
}
