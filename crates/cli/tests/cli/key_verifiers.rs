//! `countersign key list` shows which services have a new key, whether they follow the issuer or a relay (KEY-02); a revoked
//! key's tokens die everywhere (KEY-04).

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Stdio},
    time::Duration,
};

use countersign_jose::b64;
use countersign_server::clock::Stopwatch;
use countersign_verify::{Rejection, Verifier};
use serde_json::Value;

use crate::rig::{PASSWORD, Rig, member};

/// Only so that a broken test ends.
const PATIENCE: Duration = Duration::from_secs(30);

struct Relay {
    child: Child,
    address: std::net::SocketAddr,
}

impl Relay {
    fn start(rig: &Rig) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let upstream = format!("http://{}", rig.address);
        let issuer = format!("http://localhost:{}", rig.address.port());
        let mut command =
            rig.command(&["relay", "--upstream", &upstream, "--issuer", &issuer, "--listen", &address.to_string()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        Self { child, address }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many have the key that is published, and how many lack it.
fn known(rig: &Rig) -> (u64, u64) {
    let (out, _) = rig.expect(0, &["--json", "key", "list"], "");
    let page: Value = serde_json::from_str(&out).unwrap();
    let mut items = page["items"].as_array().unwrap().iter();
    let waiting = items.find(|key| key["state"] == "published" && key["purpose"] == "token").expect("a published key");
    let count = |member: &str| waiting["verifiers"][member].as_u64().unwrap();
    (count("knowing"), count("lagging"))
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Stopwatch::start();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A token that names a key which nobody has makes the verifier fetch the key set.
async fn fetch(verifier: &Verifier) {
    let header = b64::encode(r#"{"alg":"ES256","typ":"at+jwt","kid":"nobody"}"#);
    let token = format!("{header}.{}.{}", b64::encode("{}"), b64::encode([7; 64]));
    let begun = Stopwatch::start();
    while !matches!(verifier.verify_online(&token).await, Err(Rejection::UnknownKey { .. })) {
        assert!(begun.elapsed() < PATIENCE, "the keys are never fetched");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_waits_for_whoever_follows_the_feed() {
    let rig = Rig::new();
    let _server = rig.serve(&[]);
    let relay = Relay::start(&rig);
    let issuer = format!("http://localhost:{}", rig.address.port());
    let builder = || Verifier::builder(&issuer).audience("api").refetch_cooldown(Duration::from_secs(1));
    let near = builder().build().unwrap();
    let far = builder().revocation_feed(format!("http://{}/revocations/0", relay.address)).build().unwrap();
    near.ready().await.unwrap();
    far.ready().await.unwrap();

    rig.expect(0, &["key", "rotate"], "");
    until("both lag", || known(&rig) == (0, 2)).await;
    let (out, _) = rig.expect(0, &["key", "list"], "");
    assert!(out.contains("0 have it, waiting for 2: 127.0.0.1"), "{out}");
    fetch(&far).await;
    until("the relay has told", || known(&rig) == (1, 1)).await;
    fetch(&near).await;
    until("both have it", || known(&rig) == (2, 0)).await;
    assert!(near.status().ready && far.status().ready, "nobody was cut off for that");

    let account = format!("{{\"email\":\"ada@example.com\",\"password\":\"{PASSWORD}\"}}");
    rig.json("/register", &account).unwrap();
    let token = member(&rig.json("/login", &account).unwrap().1, "access_token");
    assert!(near.verify_online(&token).await.is_ok() && far.verify_online(&token).await.is_ok());
    let header: Value = serde_json::from_slice(&b64::decode(token.split('.').next().unwrap()).unwrap()).unwrap();
    rig.expect(0, &["key", "revoke", header["kid"].as_str().unwrap(), "--reason", "copied"], "y\n");
    for verifier in [&near, &far] {
        let begun = Stopwatch::start();
        while !matches!(verifier.verify(&token), Err(Rejection::KilledKey { .. })) {
            assert!(begun.elapsed() < PATIENCE, "{:?}", verifier.verify(&token));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let (_, body) = rig.json("/login", &account).unwrap();
    assert!(near.verify_online(&member(&body, "access_token")).await.is_ok(), "the successor signs at once");
}
