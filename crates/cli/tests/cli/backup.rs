//! `countersign backup` and `countersign restore FILE` as commands. What they are worth is the row `backup` of the faults
//! (`chaos/rows/backup.rs`), on both databases.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use serde_json::Value;

use crate::{
    rig::{PASSWORD, Rig, Server, kill, member, mode},
    terminal::shown_on_error,
};

fn sign_in(rig: &Rig, name: &str) -> String {
    let (status, tokens) =
        rig.json("/login", &format!("{{\"email\":\"{name}@example.com\",\"password\":\"{PASSWORD}\"}}")).unwrap();
    assert_eq!(status, 200, "{tokens}");
    member(&tokens, "access_token")
}

fn register(rig: &Rig, name: &str) -> String {
    let account = format!("{{\"email\":\"{name}@example.com\",\"password\":\"{PASSWORD}\"}}");
    assert_eq!(rig.json("/register", &account).unwrap().0, 201);
    sign_in(rig, name)
}

fn stop(mut server: Server) {
    kill(server.child.id(), "-TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

fn names(folder: &Path, begin: &str) -> Vec<String> {
    let all = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = all.filter(|name| name.starts_with(begin)).collect();
    names.sort();
    names
}

#[test]
fn a_backup_is_whole_private_checked_and_replaces_nothing_unasked() {
    let rig = Rig::new();
    let file = rig.folder.path().join("backup.db");
    let name = file.to_str().unwrap();
    let (_, err) = rig.expect(3, &["backup", name], "");
    assert!(err.contains("there is no database"), "{err}");
    let server = rig.serve(&[]);
    register(&rig, "ada");
    let (out, _) = rig.expect(0, &["backup", name], "");
    assert!(out.contains("schema 1") && out.contains("data/kek") && out.contains("countersign restore"), "{out}");
    assert_eq!(mode(&file), 0o600);
    // One file: neither a log nor a draft is beside it.
    assert_eq!(names(rig.folder.path(), "backup"), ["backup.db"]);
    let first = fs::read(&file).unwrap();
    let (_, err) = rig.expect(1, &["backup", name], "");
    assert!(err.contains("exists already") && fs::read(&file).unwrap() == first, "{err}");
    let (_, err) = rig.expect(2, &["backup", "--replace", "data/countersign.db"], "");
    assert!(err.contains("is the database itself"), "{err}");
    register(&rig, "bob");
    let (out, err) = rig.expect(0, &["--json", "backup", "--replace", name], "");
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((said["bytes"].as_u64().unwrap(), err.as_str()), (fs::metadata(&file).unwrap().len(), ""));
    assert!(fs::read(&file).unwrap() != first);
    // A folder gets a file with the time as its name.
    let folder = rig.folder.path().join("many");
    fs::create_dir(&folder).unwrap();
    let bar = shown_on_error(rig.command(&["backup", folder.to_str().unwrap()]));
    assert!(bar.contains("[###") && bar.contains("100 %"), "{bar}");
    assert!(matches!(&names(&folder, "")[..], [one] if one.starts_with("countersign-20") && one.ends_with("Z.db")));
    stop(server);
    // Without a server it is the same.
    rig.expect(0, &["backup", "cold.db"], "");
}

#[cfg(feature = "failpoints")]
#[test]
fn what_was_interrupted_leaves_what_was_there_and_is_done_again() {
    let killed = |rig: &Rig, place: &str, arguments: &[&str]| {
        let mut command = rig.command(arguments);
        let status = command.env("COUNTERSIGN_TEST_FAILPOINT", format!("{place}:1")).output().unwrap().status;
        assert_eq!(status.code(), None);
    };
    let rig = Rig::new();
    let server = rig.serve(&[]);
    register(&rig, "ada");
    rig.expect(0, &["backup", "backup.db"], "");
    let whole = fs::read(rig.folder.path().join("backup.db")).unwrap();
    register(&rig, "bob");
    killed(&rig, "backup.draft", &["backup", "--replace", "backup.db"]);
    assert!(fs::read(rig.folder.path().join("backup.db")).unwrap() == whole);
    killed(&rig, "backup.draft", &["backup", "other.db"]);
    let (_, err) = rig.expect(1, &["backup", "other.db"], "");
    assert!(err.contains("other.db.part exists already"), "{err}");
    rig.expect(0, &["backup", "--replace", "other.db"], "");
    rig.expect(0, &["backup", "--replace", "backup.db"], "");
    assert_eq!(names(rig.folder.path(), "backup"), ["backup.db"]);
    stop(server);

    killed(&rig, "backup.aside", &["restore", "backup.db"]);
    // Nothing is there, and nothing is served in its place.
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("older than it has been"), "{err}");
    rig.expect(0, &["restore", "--accept", "backup.db"], "");
    let server = rig.serve(&[]);
    sign_in(&rig, "bob");
    stop(server);
}

/// Nobody waits for a backup: what is asked while many are made one after the other is answered.
#[test]
fn a_server_goes_on_while_it_is_backed_up() {
    let rig = Rig::new();
    let server = rig.serve(&[]);
    register(&rig, "ada");
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                sign_in(&rig, "ada");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut made = 0;
        while made < 5 || answered.load(Ordering::Relaxed) < 5 {
            rig.expect(0, &["backup", "--replace", "backup.db"], "");
            made += 1;
        }
        over.store(true, Ordering::Relaxed);
    });
    stop(server);
}

// I-5
#[test]
fn a_backup_is_put_back_refused_and_accepted() {
    let rig = Rig::new();
    let server = rig.serve(&[]);
    let ada = register(&rig, "ada");
    rig.expect(0, &["backup", "backup.db"], "");
    let (_, err) = rig.expect(3, &["restore", "backup.db"], "");
    assert!(err.contains("in use by another Countersign"), "{err}");
    stop(server);
    for (content, says) in
        [("", "no database of Countersign"), ("no database at all, but many words", "not a database")]
    {
        fs::write(rig.folder.path().join("other.db"), content).unwrap();
        let (_, err) = rig.expect(1, &["restore", "other.db"], "");
        assert!(err.contains(says), "{err}");
    }
    let (_, err) = rig.expect(3, &["restore", "nowhere.db"], "");
    assert!(err.contains("there is no database"), "{err}");
    // Damage is noticed before anything was changed.
    let mut bytes = fs::read(rig.folder.path().join("backup.db")).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 64].fill(0xA5);
    fs::write(rig.folder.path().join("damaged.db"), bytes).unwrap();
    let (_, err) = rig.expect(1, &["restore", "damaged.db"], "");
    assert!(err.contains("not sound") || err.contains("malformed"), "{err}");
    assert_eq!(names(&rig.data(), "countersign.db"), ["countersign.db"]);

    // Also without a mark: the file knows what it is.
    fs::remove_file(rig.data().join("high-water")).unwrap();
    let (out, _) = rig.expect(1, &["restore", "backup.db"], "");
    assert!(out.contains("is in place") && out.contains("it is a backup"), "{out}");
    assert_eq!(mode(&rig.data().join("countersign.db")), 0o600);
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("a backup that nobody has accepted") && err.contains("restore --accept"), "{err}");
    let (out, _) = rig.expect(1, &["--json", "restore"], "");
    assert!(out.contains("\"backup\": true") && out.contains("\"older\": false"), "{out}");
    rig.expect(0, &["restore", "--accept"], "");
    let server = rig.serve(&[]);
    assert_eq!(rig.session(&ada), Some(401));
    assert_eq!(rig.session(&sign_in(&rig, "ada")), Some(200));
    stop(server);

    // In one go, over a server's files that a crash left: its log does not meet the new database.
    let mut server = rig.serve(&[]);
    register(&rig, "eve");
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(rig.data().join("countersign.db-wal").exists());
    let (out, _) = rig.expect(0, &["--json", "restore", "--accept", "backup.db"], "");
    let said: Value = serde_json::from_str(&out).unwrap();
    let aside = said["aside"].as_str().unwrap();
    assert!(Path::new(aside).exists() && Path::new(&format!("{aside}-wal")).exists(), "{said}");
    let server = rig.serve(&[]);
    sign_in(&rig, "ada");
    stop(server);
    // What was set aside is whole.
    fs::copy(aside, rig.folder.path().join("aside.db")).unwrap();
    fs::copy(format!("{aside}-wal"), rig.folder.path().join("aside.db-wal")).unwrap();
    rig.expect(0, &["restore", "--accept", "aside.db"], "");
    let server = rig.serve(&[]);
    sign_in(&rig, "eve");
    stop(server);
}
