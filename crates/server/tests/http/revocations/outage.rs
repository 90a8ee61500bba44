//! The database is gone: nobody is told that nothing has happened.

use std::time::Duration;

use super::follower::{Events, FEED, Follower, PATIENCE, logged, revoke, running};
use crate::{rig::Rig, support::postgres::Cluster};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_database_there_are_no_heartbeats() {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start("listen_addresses = ''\n")).await.unwrap();
    let cluster = std::sync::Arc::new(cluster);
    let control = async |verb: &'static str| {
        let cluster = std::sync::Arc::clone(&cluster);
        tokio::task::spawn_blocking(move || cluster.control(verb)).await.unwrap();
    };
    let rig = Rig::on(&cluster.create_database().await, &[]).await;
    let _running = running(&rig).await;
    let before = revoke(&rig.app, &["a".to_owned()]).await;
    let mut stream = Events::open(&rig, 0).await;
    let mut follower = Follower::default();
    while follower.head < before {
        let line = stream.line().await;
        follower.take(&rig, &line).await;
    }

    control("stop").await;
    let dark = async {
        while rig.app.feed.is_fresh() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, dark).await.expect("the publisher notices");
    let latest = rig.app.feed.latest().unwrap();
    let refused = rig.get(FEED).send().await.refused(503, "unavailable");
    assert_eq!(refused.headers["retry-after"], "1");
    rig.get(&format!("{FEED}?after=0&wait_ms=100")).send().await.refused(503, "unavailable");
    rig.get(&format!("{FEED}/time?n=AAAAAAAAAAAAAAAAAAAAAA")).send().await.refused(503, "unavailable");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(std::sync::Arc::ptr_eq(&latest, &rig.app.feed.latest().unwrap()), "not one line was made meanwhile");

    control("start").await;
    // The same stream goes on by itself.
    let after = revoke_again(&rig).await;
    // The first line may still tell the time of before the outage: the tick moves it on.
    while follower.head < after || follower.t <= latest.time.micros() {
        let line = stream.line().await;
        follower.take(&rig, &line).await;
    }
    assert_eq!((follower.positions(), follower.gaps), (logged(&rig.app).await, 0));
}

/// Connections that died in the pool may cost a try.
async fn revoke_again(rig: &Rig) -> i64 {
    let ready = async {
        while rig.get("/readyz").send().await.status.as_u16() != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.expect("the database is back");
    revoke(&rig.app, &["b".to_owned()]).await
}
