//! Several replicas on one PostgreSQL: what one commits the others tell, and a cursor of one is good at the others.

use super::follower::{Events, FEED, Follower, logged, revoke, running};
use crate::{rig::Rig, support::postgres::Cluster};

// I1: on every replica, whichever of them commits and whichever is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_tell_the_same_log() {
    let url = Cluster::shared().create_database().await;
    let first = Rig::on(&url, &[]).await;
    // One key-encryption key for all replicas.
    let kek = first.folder.path().join("data/kek").display().to_string();
    let second = Rig::on(&url, &[("keys.kek_file", &kek)]).await;
    let rigs = [&first, &second];
    let _running = (running(&first).await, running(&second).await);

    let mut streams = [Events::open(&first, 0).await, Events::open(&second, 0).await];
    let mut followers = [Follower::default(), Follower::default()];
    let mut last = 0;
    for n in 0..10 {
        last = revoke(&rigs[n % 2].app, &[format!("s{n}")]).await;
        for at in 0..2 {
            while followers[at].head < last {
                let line = streams[at].line().await;
                followers[at].take(rigs[at], &line).await;
            }
        }
    }
    assert_eq!(followers[0].entries, followers[1].entries);
    assert_eq!(followers[0].positions(), logged(&first.app).await);
    assert_eq!((followers[0].gaps, followers[1].gaps), (0, 0));

    // Readers change places, with their cursors.
    let more = revoke(&first.app, &["x".to_owned(), "y".to_owned()]).await;
    for (at, follower) in followers.iter_mut().enumerate() {
        let rig = rigs[1 - at];
        let mut stream = Events::resume(rig, last).await;
        while follower.head < more {
            let line = stream.line().await;
            follower.take(rig, &line).await;
        }
        assert_eq!(follower.gaps, 0);
    }

    // One of them raises the time, both show it, and it never runs back, whoever is asked.
    let (mut t, mut moves) = (0, 0);
    while moves < 6 {
        for rig in rigs {
            let mut seen = Follower::default();
            seen.take_all(rig, &rig.get(&format!("{FEED}?after=0&wait_ms=200")).send().await.expect(200).body).await;
            assert_eq!(seen.head, more);
            moves += usize::from(seen.t > t);
            t = t.max(seen.t);
        }
    }
}
