//! A key store that tokens are signed in, and that goes away: what stops, what goes on, and how soon all is well again.

use super::{Held, House, bao::Bao, kms::Moto};
use crate::rig::kill;

/// While the store is away: no new tokens, a clear error, and everything else as before (I-12, KEY-08).
#[track_caller]
fn only_signing_stops(house: &House, held: &Held) {
    for _ in 0..3 {
        house.try_refresh(held).is_key_store();
        house.try_sign_in().is_key_store();
    }
    let metrics = house.rig.admin("GET", "/metrics", "").unwrap().1;
    assert!(metrics.contains("countersign_key_store_breaker"), "{metrics}");
    assert!(metrics.contains("outcome=\"failed\"") && metrics.contains("outcome=\"spared\""), "{metrics}");
    // Offline verification, the published keys, the metadata, and whoever asks the issuer.
    house.verify(&held.access);
    assert_eq!(house.rig.session(&held.access), Some(200));
    assert_eq!(house.ask("GET", "/.well-known/openid-configuration", "", "").status, 200);
    // The feed is signed by a key that is here: a revocation is heard of as ever (I-7).
    let feed = house.ask("GET", "/revocations/0?after=0&wait_ms=0", "", "");
    assert_eq!(feed.status, 200, "{feed:?}");
    let told = house.expect(1, &["doctor"]);
    assert!(told.contains("WRONG key store") && told.contains("does not answer"), "{told}");
}

fn ends_are_heard(house: &House) {
    let other = house.sign_in();
    assert_eq!(house.rig.session(&other.access), Some(200));
}

#[test]
fn a_store_that_hangs_is_killed_or_sealed_signs_nobody_out() {
    let mut bao = Bao::start();
    let house = House::new();
    let token = house.secret("token", &bao.token());
    let section = bao.section(&token);
    let section = section.replace("[keys]\n", "[keys]\nstore = \"transit\"\nsign = \"there\"\ntimeout = \"500ms\"\n");
    house.configure(&[&section]);
    let server = house.serve();
    let mut held = house.enter();
    house.verify(&held.access);

    kill(bao.pid(), "-STOP");
    only_signing_stops(&house, &held);
    kill(bao.pid(), "-CONT");
    held = house.until_refreshed(&held);
    house.verify(&held.access);

    bao.kill();
    only_signing_stops(&house, &held);
    bao.run();
    // It answers, and is sealed.
    house.try_refresh(&held).is_key_store();
    bao.unseal();
    held = house.until_refreshed(&held);

    bao.ask(&["operator", "seal"]);
    only_signing_stops(&house, &held);
    bao.unseal();
    held = house.until_refreshed(&held);
    house.verify(&held.access);
    ends_are_heard(&house);
    // A new token for the store is read without a restart.
    super::write_private(&token, "s.revoked");
    house.try_refresh(&held).is_key_store();
    super::write_private(&token, &bao.token());
    house.until_refreshed(&held);
    drop(server);
}

#[test]
fn aws_that_hangs_signs_nobody_out() {
    let moto = Moto::start();
    let house = House::new();
    house.configure(&[&moto.section(&house, "store = \"kms\"\nsign = \"there\"\ntimeout = \"3s\"\n")]);
    let server = house.serve();
    let held = house.enter();
    kill(moto.pid(), "-STOP");
    only_signing_stops(&house, &held);
    kill(moto.pid(), "-CONT");
    house.verify(&house.until_refreshed(&held).access);
    drop(server);
}
