//! How many may read, and what happens to those who do not keep up.

use std::time::Duration;

use axum::body::Body;
use countersign_server::http::serve::Server;
use http::Response;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
};

use super::follower::{Events, FEED, Follower, logged, revoke, running};
use crate::rig::Rig;

async fn open(rig: &Rig, address: &str) -> Response<Body> {
    rig.get(FEED).header("accept", "text/event-stream").from(address).open().await
}

// NET-06
#[tokio::test]
async fn places_are_limited_per_address_and_altogether() {
    let rig = Rig::with(&[("feed.readers", "3"), ("feed.readers_per_address", "2")]).await;
    let _running = running(&rig).await;
    let first = open(&rig, "192.0.2.1").await;
    let second = open(&rig, "192.0.2.1").await;
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    let refused = rig.get(FEED).from("192.0.2.1").send().await.refused(429, "too-many-readers");
    assert!(refused.headers.contains_key("retry-after"));
    let third = open(&rig, "192.0.2.2").await;
    assert_eq!(third.status().as_u16(), 200);
    rig.get(FEED).from("192.0.2.3").send().await.refused(503, "overloaded");
    rig.get(FEED).local().send().await.expect(200);
    let metrics = rig.get("/metrics").local().send().await.expect(200).body;
    assert!(metrics.contains("countersign_feed_readers 3\n"), "{metrics}");
    drop(first);
    rig.get(FEED).from("192.0.2.1").send().await.expect(200);
    drop((second, third));
    assert_eq!(rig.app.feed.view().readers, 0, "every place is free again");
}

#[tokio::test]
async fn anchors_are_limited_per_address() {
    let rig = Rig::with(&[("feed.anchors_per_minute", "3")]).await;
    let path = format!("{FEED}/time?n=AAAAAAAAAAAAAAAAAAAAAA");
    for _ in 0..3 {
        rig.get(&path).from("192.0.2.1").send().await.expect(200);
    }
    let refused = rig.get(&path).from("192.0.2.1").send().await.refused(503, "overloaded");
    assert!(refused.headers.contains_key("retry-after"));
    rig.get(&path).from("192.0.2.2").send().await.expect(200);
    rig.advance(Duration::from_mins(1));
    rig.get(&path).from("192.0.2.1").send().await.expect(200);
}

#[tokio::test]
async fn who_falls_behind_is_told_and_has_lost_nothing_when_it_comes_back() {
    let rig = Rig::sqlite().await;
    let running = running(&rig).await;
    let mut stream = Events::open(&rig, 0).await;
    let mut follower = Follower::default();
    let line = stream.line().await;
    follower.take(&rig, &line).await;
    let mut witness = Events::open(&rig, 0).await;
    // More lines than anybody may fall behind.
    for n in 0..300 {
        let last = revoke(&rig.app, &[format!("s{n}")]).await;
        while witness.next().await.unwrap().id != last.to_string() {}
    }
    let event = stream.next().await.unwrap();
    assert_eq!((event.name.as_str(), event.data.as_str()), ("end", "too slow"));
    assert_eq!(stream.next().await, None);
    let mut stream = Events::resume(&rig, follower.head).await;
    while follower.positions() != logged(&rig.app).await {
        let line = stream.line().await;
        follower.take(&rig, &line).await;
    }
    assert_eq!(follower.gaps, 0);

    running.stop();
    let event = loop {
        let event = stream.next().await.unwrap();
        if !event.name.is_empty() {
            break event;
        }
    };
    assert_eq!(event.data, "closing");
    assert_eq!(stream.next().await, None);
}

// A reader that does not read at all holds its place no longer than the others take to be far ahead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_is_cut_off() {
    let rig = Rig::sqlite().await;
    let _running = running(&rig).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new(rig.front.clone(), rig.app.metrics.clone(), &rig.app.config.limits);
    tokio::spawn(server.tcp(listener, std::future::pending()));

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1024).unwrap();
    let mut deaf = socket.connect(address).await.unwrap();
    let request = format!("GET {FEED} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n");
    deaf.write_all(request.as_bytes()).await.unwrap();
    while rig.app.feed.view().readers == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Lines large enough to fill every buffer on the way, until the place is free.
    let large: Vec<String> = (0..2000).map(|n| format!("s{n}")).collect();
    let fill = async {
        while rig.app.feed.view().readers > 0 {
            revoke(&rig.app, &large).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(super::follower::PATIENCE, fill).await.expect("it is cut off");
    // What had been sent is there, and then the connection is over.
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(super::follower::PATIENCE, deaf.read_to_end(&mut rest)).await;
    ended.expect("the connection has ended").ok();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "not the end of a whole answer");
}
