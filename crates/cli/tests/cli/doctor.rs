//! `countersign doctor`: what it says of things that are really wrong.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::{
    live::{Live, certificates::Authority, wait},
    postgres::Cluster,
    rig::Rig,
};

/// The line of one finding, and the whole.
#[track_caller]
fn line(rig: &Rig, code: i32, what: &str) -> String {
    let (out, _) = rig.expect(code, &["doctor"], "");
    let found = out.lines().find(|line| line.get(6..26).is_some_and(|name| name.trim() == what));
    found.unwrap_or_else(|| panic!("nothing about {what}: {out}")).to_owned()
}

#[test]
fn certificates_that_do_not_fit_or_were_not_taken_over_are_named() {
    let authority = Authority::new();
    let configuration = "issuer = \"https://localhost:PORT\"\ntls.certificate = \"FOLDER/cert.pem\"\ntls.key = \"FOLDER/key.pem\"\nmail.folder = \"FOLDER/mails\"\n";
    let live = Live::prepared(
        |rig| {
            authority.issue(rig.folder.path(), &["localhost"]);
        },
        configuration,
    );
    // Without a mail server something is wrong in any case.
    let certificate = |live: &Live| line(&live.rig, 1, "certificate");
    assert!(certificate(&live).starts_with("ok"), "{}", certificate(&live));
    assert!(line(&live.rig, 1, "listener").starts_with("ok"));
    authority.issue_until(live.rig.folder.path(), &["localhost"], 2040);
    assert!(certificate(&live).contains("systemctl reload"), "{}", certificate(&live));
    live.hang_up();
    assert!(certificate(&live).starts_with("ok"));
    authority.issue_until(live.rig.folder.path(), &["localhost"], 2020);
    assert!(certificate(&live).contains("has expired"));
    authority.issue(live.rig.folder.path(), &["id.example"]);
    assert!(certificate(&live).contains("not for the issuer's host"));
    fs::set_permissions(live.path("key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(certificate(&live).contains("chmod o-rwx"));
}

#[test]
fn mail_servers_proxies_and_folders_are_looked_at() {
    let rig = Rig::new();
    let _server = rig.serve(&[]);
    wait(|| rig.run(&["doctor"], "").status.success().then_some(())).expect("all is well");
    assert!(line(&rig, 0, "disk").contains("MiB free"));
    assert!(line(&rig, 0, "revocation log").contains("entries"));
    let wrong = |settings: &[&str], what: &str| {
        let set: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).chain(["doctor"]).collect();
        let (out, _) = rig.expect(1, &set, "");
        let wrong = |line: &&str| line.starts_with("WRONG") && line.contains(what);
        out.lines().find(wrong).unwrap_or_else(|| panic!("{what}: {out}")).to_owned()
    };
    let said = wrong(&["mail.smtp=smtp://127.0.0.1:1"], "mail server");
    assert!(said.contains("127.0.0.1:1") && said.contains("docs/mail.md"), "{said}");
    assert!(wrong(&["issuer=https://id.example.com"], "proxy").contains("trusted_proxies"));
    assert!(wrong(&["listen=127.0.0.1:1"], "listener").contains("nobody answers"));
    fs::set_permissions(rig.data(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(line(&rig, 1, "data folder").contains("run: chmod go-rwx"));
}

#[test]
fn a_backup_that_is_late_is_named() {
    let rig = Rig::new();
    let _server = rig.serve(&[]);
    wait(|| rig.run(&["doctor"], "").status.success().then_some(())).expect("all is well");
    assert!(line(&rig, 0, "backup").contains("none was made"));
    let file = rig.folder.path().join("a.db");
    rig.expect(0, &["backup", file.to_str().unwrap()], "");
    let said = line(&rig, 0, "backup");
    assert!(said.contains("a.db") && said.contains("0 days old"), "{said}");
    fs::write(rig.data().join("last-backup"), format!("1700000000 {}\n", file.display())).unwrap();
    let said = line(&rig, 1, "backup");
    assert!(said.starts_with("WRONG") && said.contains("does what makes them still run?"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_named_with_its_version_and_what_it_may_lose() {
    let url = Cluster::shared().create_database().await;
    let rig = Rig::new();
    let _server = rig.serve(&[("COUNTERSIGN_DATABASE", &url)]);
    // The database of the tests gives durability away, to be fast.
    let said = line(&rig, 1, "database");
    assert!(said.starts_with("WRONG") && said.contains("PostgreSQL 1") && said.contains("set fsync = on"), "{said}");
}

/// Ready by the socket, whatever the listener speaks.
#[test]
fn ready_answers_by_its_exit_code() {
    let rig = Rig::new();
    rig.expect(1, &["ready"], "");
    let server = rig.serve(&[]);
    assert!(rig.expect(0, &["ready"], "").0.contains("ready, SQLite"));
    drop(server);
    rig.expect(1, &["ready"], "");
}
