//! `role`, `group`, `org`: who may do what, from the command line.

use serde_json::Value;

use crate::rig::{PASSWORD, Rig};

fn json(rig: &Rig, arguments: &[&str]) -> Value {
    let (out, _) = rig.expect(0, &[&["--json"], arguments].concat(), "");
    serde_json::from_str(&out).unwrap()
}

// ADM-01
#[test]
fn roles_and_groups_are_kept_from_the_command_line() {
    let rig = Rig::new();
    drop(rig.serve(&[]));
    rig.expect(0, &["user", "add", "ada@example.com"], &format!("{PASSWORD}\n"));
    rig.expect(0, &["audience", "update", "api", "--permissions", "true"], "");
    let (out, _) = rig.expect(
        0,
        &["role", "add", "clerk", "--description", "Counter", "--permission", "read", "--permission", "refund@api"],
        "",
    );
    assert_eq!(out, "added clerk\n");
    rig.expect(1, &["role", "add", "clerk"], "");
    rig.expect(0, &["role", "update", "clerk", "--add", "close", "--remove", "read"], "");
    assert_eq!(json(&rig, &["role", "show", "clerk"])["permissions"], serde_json::json!(["close", "refund@api"]));
    rig.expect(0, &["role", "update", "clerk", "--required-acr", "2"], "");
    assert_eq!(json(&rig, &["role", "show", "clerk"])["required_acr"], "2");
    rig.expect(0, &["role", "update", "clerk", "--required-acr", "1"], "");
    let (out, _) = rig.expect(0, &["role", "list"], "");
    assert!(out.contains("clerk") && out.contains("Counter") && out.contains("refund@api"), "{out}");

    rig.expect(0, &["group", "add", "staff", "--role", "clerk"], "");
    rig.expect(0, &["group", "join", "staff", "ada@example.com"], "");
    let (out, _) = rig.expect(0, &["group", "members", "staff"], "");
    assert!(out.contains("ada@example.com"), "{out}");
    rig.expect(0, &["group", "grant", "staff", "porter@api", "reader"], "");
    rig.expect(0, &["group", "withdraw", "staff", "clerk"], "");
    let group = json(&rig, &["group", "show", "staff"]);
    assert_eq!(
        (&group["roles"], &group["members"]),
        (&serde_json::json!(["reader", "porter@api"]), &serde_json::json!(1))
    );
    assert_eq!(json(&rig, &["group", "list"])["items"][0]["group"], "staff");
    rig.expect(0, &["group", "leave", "staff", "ada@example.com"], "");
    rig.expect(1, &["group", "leave", "staff", "ada@example.com"], "");

    // What destroys is said twice.
    for what in ["role", "group"] {
        let name = if what == "role" { "clerk" } else { "staff" };
        rig.expect(2, &[what, "remove", name], "");
        rig.expect(0, &[what, "remove", name, "--yes"], "");
        rig.expect(1, &[what, "show", name], "");
    }
    rig.expect(0, &["user", "roles", "ada@example.com", "--add", "buyer", "--add", "buyer@api"], "");
    assert_eq!(json(&rig, &["user", "show", "ada@example.com"])["roles"], serde_json::json!(["buyer", "buyer@api"]));
}

// ADM-01
#[test]
fn organisations_are_kept_from_the_command_line() {
    let rig = Rig::new();
    drop(rig.serve(&[]));
    rig.expect(0, &["user", "add", "ada@example.com"], &format!("{PASSWORD}\n"));
    let (out, _) = rig.expect(0, &["org", "add", "acme", "--name", "Acme Inc."], "");
    assert_eq!(out, "added acme\n");
    rig.expect(0, &["org", "add-member", "acme", "ada@example.com", "--role", "owner"], "");
    rig.expect(0, &["org", "grant", "acme", "ada@example.com", "manager@api", "owner"], "");
    let (out, _) = rig.expect(0, &["org", "withdraw", "acme", "ada@example.com", "owner"], "");
    assert_eq!(out, "manager@api\n");
    let (out, _) = rig.expect(0, &["org", "members", "acme"], "");
    assert!(out.contains("ada@example.com") && out.contains("manager@api"), "{out}");
    rig.expect(1, &["org", "grant", "acme", "ada@example.com", "admin"], "");
    let invited = json(&rig, &["org", "invite", "acme", "bob@example.com", "--role", "guest"]);
    let (out, _) = rig.expect(0, &["org", "invitations", "acme"], "");
    assert!(out.contains("bob@example.com") && out.contains("guest"), "{out}");
    rig.expect(0, &["org", "uninvite", "acme", invited["invitation"].as_str().unwrap()], "");
    rig.expect(1, &["org", "uninvite", "acme", invited["invitation"].as_str().unwrap()], "");
    rig.expect(0, &["org", "rename", "acme", "Acme"], "");
    let shown = json(&rig, &["org", "show", "acme"]);
    assert_eq!((&shown["name"], &shown["members"]), (&serde_json::json!("Acme"), &serde_json::json!(1)));
    assert_eq!(json(&rig, &["org", "list"])["items"][0]["organisation"], "acme");
    rig.expect(0, &["org", "remove-member", "acme", "ada@example.com"], "");
    rig.expect(1, &["org", "remove-member", "acme", "ada@example.com"], "");
    rig.expect(2, &["org", "remove", "acme"], "");
    rig.expect(0, &["org", "remove", "acme", "--yes"], "");
    rig.expect(1, &["org", "show", "acme"], "");
}
