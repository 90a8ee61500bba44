//! `user import` and `user export`: accounts of other programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::rig::Rig;

/// Made by Django 5.2.
const DJANGO: &str = "bcrypt_sha256$$2b$12$DLJSX09bLQEKVfgIHyaPce2q.KjUOKUrUv1WHdN3xaJg5axAG7Bp6";
const DJANGO_PASSWORD: &str = "correct horse battery staple ü";

fn summary(out: &str) -> (u64, u64, u64) {
    let json: Value = serde_json::from_str(out).unwrap();
    let count = |name: &str| json[name].as_u64().unwrap();
    (count("added"), count("existing"), count("refused"))
}

fn import(rig: &Rig, code: i32, more: &[&str], lines: &str) -> ((u64, u64, u64), String) {
    let (out, err) = rig.expect(code, &[&["--json", "user", "import", "-"], more].concat(), lines);
    (summary(&out), err)
}

// LOG-01: who comes with another program's hash signs in with the password they have, and has a hash of ours from then on.
#[test]
fn accounts_come_with_their_passwords() {
    let rig = Rig::new();
    let server = rig.serve(&[]);
    let ada = json!({
        "email": "ada@example.com", "email_verified": true, "password_hash": DJANGO, "roles": ["buyer", "clerk@orders"],
        "attributes": { "plan": "gold" }, "created_at": "2019-03-01T12:00:00Z",
    });
    let bob = json!({ "email": "bob@example.com", "disabled": true });
    let lines = format!(
        "{ada}\n\n{bob}\n{{\n{}\n{}\n",
        json!({ "email": "no address" }),
        json!({
        "email": "eve@example.com", "password_hash": "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99" })
    );
    let (dry, _) = import(&rig, 1, &["--dry-run"], &lines);
    assert_eq!(dry, (2, 0, 3));
    rig.expect(1, &["user", "show", "ada@example.com"], "");
    let (done, err) = import(&rig, 1, &[], &lines);
    assert_eq!(done, (2, 0, 3));
    for said in ["line 4: no JSON", "line 5: email:", "line 6: password_hash: it is no hash that is known here"] {
        assert!(err.contains(said), "{err}");
    }
    assert!(!err.contains("md5"), "{err}");
    assert_eq!(import(&rig, 1, &[], &lines).0, (0, 2, 3), "again changes nothing");
    assert_eq!(import(&rig, 0, &["--from", "7"], &lines).0, (0, 0, 0));

    let (out, _) = rig.expect(0, &["--json", "user", "show", "ada@example.com"], "");
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&shown["roles"], &shown["attributes"]["plan"]), (&json!(["buyer", "clerk@orders"]), &json!("gold")));
    assert_eq!(shown["created_at"], "2019-03-01T12:00:00Z");
    let login = |password: &str| {
        let body = json!({ "email": "ada@example.com", "password": password });
        rig.json("/login", &body.to_string()).unwrap().0
    };
    assert_eq!(login("correct horse battery staple u"), 401);
    let (before, _) = rig.expect(0, &["user", "export", "--password-hashes"], "");
    assert!(before.contains(DJANGO), "a wrong password changes nothing");
    assert_eq!(login(DJANGO_PASSWORD), 200);
    let (after, _) = rig.expect(0, &["user", "export", "--password-hashes"], "");
    assert!(!after.contains(DJANGO) && after.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{after}");
    assert_eq!(login(DJANGO_PASSWORD), 200);
    let (plain, _) = rig.expect(0, &["user", "export"], "");
    assert!(!plain.contains("password_hash") && plain.lines().count() == 2, "{plain}");

    // What was exported is what another one takes, ids included; nobody's password changes by it.
    let other = Rig::new();
    let there = other.serve(&[]);
    assert_eq!(import(&other, 0, &[], &after).0, (2, 0, 0));
    assert_eq!(other.expect(0, &["user", "export", "--password-hashes"], "").0, after);
    let body = json!({ "email": "ada@example.com", "password": DJANGO_PASSWORD });
    assert_eq!(other.json("/login", &body.to_string()).unwrap().0, 200);
    drop((server, there));
}

// In batches, without a server, and what cannot be read is said with its line.
#[test]
fn many_accounts_come_in_batches() {
    let rig = Rig::new();
    drop(rig.serve(&[]));
    let mut lines = String::new();
    for n in 0..1_203 {
        writeln!(lines, "{}", json!({ "email": format!("user{n}@example.com"), "password_hash": DJANGO })).unwrap();
    }
    let file = rig.data().join("users.jsonl");
    std::fs::write(&file, &lines).unwrap();
    let path = file.to_str().unwrap();
    let (out, _) = rig.expect(0, &["user", "import", path], "");
    assert_eq!(out, "1203 added, 0 here already, 0 refused\n");
    let (out, _) = rig.expect(0, &["user", "import", path, "--from", "1000"], "");
    assert_eq!(out, "0 added, 204 here already, 0 refused\n");
    let (out, _) = rig.expect(0, &["user", "export"], "");
    assert_eq!(out.lines().count(), 1_203);
    rig.expect(2, &["user", "import", "nowhere.jsonl"], "");
    let (_, err) = rig.expect(2, &["user", "import", "-"], &format!("{{}}\n{}", "x".repeat(70_000)));
    assert!(err.contains("line 2 is longer"), "{err}");
}
