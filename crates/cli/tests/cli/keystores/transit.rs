//! OpenBao's transit engine.

use std::fs;

use super::{House, bao::Bao, write_private};
use crate::rig::kill;

/// A house whose key-encryption key OpenBao wraps.
fn house(bao: &Bao, more: &str) -> House {
    let house = House::new();
    let token = house.secret("token", &bao.token());
    house.configure(&[&bao.section(&token).replace("[keys]\n", &format!("[keys]\nstore = \"transit\"\n{more}"))]);
    house
}

// KEY-01, KEY-08
#[test]
fn a_new_database_is_opened_by_the_store_alone() {
    let bao = Bao::start();
    let house = house(&bao, "");
    let server = house.serve();
    let held = house.enter();
    house.verify(&held.access);
    assert!(!house.kek().exists(), "no file opens it");
    assert_eq!(house.signing_store(), None, "tokens are signed here unless keys.sign says there");
    let told = house.expect(0, &["doctor"]);
    assert!(told.contains("transit (https://127.0.0.1"), "{told}");
    drop(server);

    // The same again, with the same keys.
    let server = house.serve();
    let held = house.refresh(&held);
    // What the store unwrapped at the start is in memory: nothing stops while it is away, and it is not asked.
    kill(bao.pid(), "-STOP");
    house.verify(&house.refresh(&held).access);
    house.verify(&house.sign_in().access);
    kill(bao.pid(), "-CONT");
    drop(server);

    // A file in the place of the store opens nothing, and nothing is made anew.
    let configured = fs::read_to_string(house.rig.folder.path().join("countersign.toml")).unwrap();
    house.configure(&[]);
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("is guarded by transit") && !house.kek().exists(), "{told}");
    // Another key of the store opens nothing either.
    bao.ask(&["write", "-f", "transit/keys/countersign-other"]);
    house.configure(&[&configured, "key = \"countersign-other\"\n"]);
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("refuses"), "{told}");
    // A token that may not.
    write_private(&house.rig.folder.path().join("token"), "s.wrong");
    house.configure(&[&configured]);
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("permission denied") && !told.contains("s.wrong"), "{told}");
    // One that others may read.
    let token = house.secret("token", &bao.token());
    fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("chmod 600"), "{told}");
    fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let _server = house.serve();
    house.sign_in();
}

// KEY-08: a key that nobody made on purpose guards nothing.
#[test]
fn a_missing_or_exportable_key_guards_no_new_database() {
    let bao = Bao::start();
    let house = house(&bao, "");
    bao.ask(&["write", "transit/keys/countersign/config", "deletion_allowed=true"]);
    bao.ask(&["delete", "transit/keys/countersign"]);
    house.expect(1, &["serve"]);
    bao.ask(&["write", "transit/keys/countersign", "exportable=true"]);
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("not exportable"), "{told}");
}

// KEY-01, I-9: the private half never leaves the store, whatever the algorithm.
#[test]
fn tokens_are_signed_there_with_every_algorithm_that_it_has() {
    let bao = Bao::start();
    let house = house(&bao, "sign = \"there\"\n");
    let _server = house.serve();
    house.verify(&house.enter().access);
    assert_eq!(house.signing_store().as_deref(), Some("transit"));
    for alg in ["Ed25519", "ES384", "ES512", "RS256", "PS384"] {
        house.verify(&house.token_by(alg));
    }
    assert!(house.token_keys().iter().all(|(_, _, store)| store.as_deref() == Some("transit")));
    let told = house.expect(1, &["client", "add", "x", "--audience", "api", "--alg", "ML-DSA-44"]);
    assert!(told.contains("makes no keys for ML-DSA-44"), "{told}");
    house.verify(&house.sign_in().access);
    // A rotation makes the next key there, too; tokens of both hold.
    let before = house.sign_in();
    house.expect(0, &["key", "rotate", "--alg", "ES256", "--now"]);
    let after = house.refresh(&before);
    house.verify(&before.access);
    house.verify(&after.access);
    assert_eq!(house.signing_store().as_deref(), Some("transit"));
}
