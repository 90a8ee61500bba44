//! `countersign plan`.

use serde_json::Value;

use crate::rig::Rig;

#[test]
fn a_deployment_is_planned_without_a_server() {
    let rig = Rig::new();
    let (out, _) = rig.expect(0, &["plan", "--users", "1000000", "--services", "3000"], "");
    for wanted in ["1,000,000 users, 3,000,000 sessions", "SQLite", "PostgreSQL", "refreshes/s", "3 relays"] {
        assert!(out.contains(wanted), "{wanted}: {out}");
    }
    let (out, _) = rig.expect(0, &["--json", "plan", "--users", "1000"], "");
    let plan: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(plan["rows"]["sessions"], 3000.0);
    assert!(plan["postgresql"]["database_cores"].as_f64().unwrap() > 0.0);
    for wrong in [&["--users", "0"][..], &["--users", "10", "--active", "120%"], &["--users", "10", "--ttl", "3d"], &[]]
    {
        rig.expect(2, &[&["plan"], wrong].concat(), "");
    }
    assert!(!rig.data().exists(), "a plan makes nothing");
}
