//! Relays: the same bytes, two levels deep, and an end that is seen as one.

use std::net::SocketAddr;

use countersign_jose::b64;
use countersign_server::{
    feed::Seats,
    http::serve::Server,
    relay::{RelayConfig, relay},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use super::follower::{FEED, Follower, PATIENCE, logged, revoke, running};
use crate::rig::{ISSUER, Rig};

/// A server that was started for the test; it stops with the sender.
struct Started {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Started {
    async fn stop(&mut self) {
        drop(self.stop.take());
        (&mut self.task).await.unwrap();
    }
}

async fn issuer(rig: &Rig, address: &str) -> Started {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(rig.front.clone(), rig.app.metrics.clone(), &rig.app.config.limits);
    let task = tokio::spawn(server.tcp(listener, async {
        let _ = stopped.await;
    }));
    Started { address, stop: Some(stop), task }
}

async fn relay_of(upstream: SocketAddr, issuer: &str) -> Started {
    let config = RelayConfig {
        upstream: format!("http://{upstream}"),
        issuer: issuer.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        url: None,
        credentials: None,
        seats: Seats { all: 10, per_address: 10 },
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, address) = oneshot::channel();
    let task = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        relay(config, stopped, |address| ready.send(address).unwrap()).await.unwrap();
    });
    Started { address: address.await.unwrap(), stop: Some(stop), task }
}

/// One request, its status and body; HTTP/1.0, so that the end of the connection is the end of the body.
async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: relay\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Reads until the relay has told everything up to `head`.
async fn follow(rig: &Rig, address: SocketAddr, follower: &mut Follower, head: i64) {
    let all = async {
        while follower.head < head {
            let (status, body) = get(address, &format!("{FEED}?after={}&wait_ms=200", follower.head)).await;
            if status == 200 {
                follower.take_all(rig, &body).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("the relay passes everything on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_levels_pass_on_the_same_bytes_and_the_time_uncached() {
    let rig = Rig::sqlite().await;
    let _running = running(&rig).await;
    revoke(&rig.app, &["before".to_owned()]).await;
    let server = issuer(&rig, "127.0.0.1:0").await;
    let first = relay_of(server.address, ISSUER).await;
    let second = relay_of(first.address, ISSUER).await;
    let mut follower = Follower::default();
    for n in 0..5 {
        let last = revoke(&rig.app, &[format!("a{n}"), format!("b{n}")]).await;
        follow(&rig, second.address, &mut follower, last).await;
    }
    assert_eq!((follower.positions(), follower.gaps), (logged(&rig.app).await, 0));

    let own = rig.get(FEED).send().await.expect(200).body;
    let (_, passed) = get(second.address, FEED).await;
    let entries = |text: &str| text.lines().filter(|line| line.len() > 300).map(str::to_owned).collect::<Vec<_>>();
    assert!(entries(&passed).iter().all(|line| own.contains(line.as_str())), "not one line is the relay's own");

    let (status, keys) = get(second.address, &format!("{FEED}/jwks.json")).await;
    assert_eq!((status, keys), (200, rig.get(&format!("{FEED}/jwks.json")).send().await.body));
    let mut before = 0;
    for n in 0..3 {
        let nonce = b64::encode([n; 16]);
        let (status, anchor) = get(second.address, &format!("{FEED}/time?n={nonce}")).await;
        assert_eq!(status, 200);
        let now = super::anchor::checked(&rig, &anchor, &nonce).await;
        assert!(now >= follower.t && now >= before);
        before = now;
    }
    assert_eq!(get(second.address, &format!("{FEED}/time?n=short")).await.0, 400);
    assert_eq!(get(second.address, "/revocations/1").await.0, 404);

    let (status, metadata) = get(second.address, "/.well-known/oauth-authorization-server").await;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!((status, metadata["issuer"].as_str()), (200, Some(ISSUER)));
    assert_eq!(metadata["revocation_feed_uri"], format!("http://{}{FEED}", second.address));
}

// I9: what another issuer signed is passed on by nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_another_issuer_are_not_passed_on() {
    let rig = Rig::sqlite().await;
    let _running = running(&rig).await;
    let server = issuer(&rig, "127.0.0.1:0").await;
    let wrong = relay_of(server.address, "https://other.example").await;
    let right = relay_of(server.address, ISSUER).await;
    let mut follower = Follower::default();
    for n in 0..5 {
        let last = revoke(&rig.app, &[format!("s{n}")]).await;
        follow(&rig, right.address, &mut follower, last).await;
        assert_eq!(get(wrong.address, FEED).await.0, 503);
        assert_eq!(get(wrong.address, "/readyz").await.0, 503);
    }
    assert_eq!(get(wrong.address, "/.well-known/openid-configuration").await.0, 502);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_cut_off_says_so_and_catches_up() {
    let rig = Rig::sqlite().await;
    let first_run = running(&rig).await;
    let mut server = issuer(&rig, "127.0.0.1:0").await;
    let mut relay = relay_of(server.address, ISSUER).await;
    let mut follower = Follower::default();
    let last = revoke(&rig.app, &["a".to_owned()]).await;
    follow(&rig, relay.address, &mut follower, last).await;

    first_run.stop();
    server.stop().await;
    let dark = async { while get(relay.address, "/readyz").await.0 == 200 {} };
    tokio::time::timeout(PATIENCE, dark).await.expect("the relay notices");
    assert_eq!(get(relay.address, &format!("{FEED}?after=0&wait_ms=200")).await.0, 503);
    assert_eq!(get(relay.address, &format!("{FEED}/time?n=AAAAAAAAAAAAAAAAAAAAAA")).await.0, 503);

    let missed = revoke(&rig.app, &["b".to_owned()]).await;
    let _second_run = running(&rig).await;
    let mut server = issuer(&rig, &server.address.to_string()).await;
    follow(&rig, relay.address, &mut follower, missed).await;
    assert_eq!((follower.positions(), follower.gaps), (logged(&rig.app).await, 0));
    relay.stop().await;
    server.stop().await;
}
