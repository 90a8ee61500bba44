//! Several replicas on one PostgreSQL: what one commits the others tell, and a cursor of one is good at the others.

use countersign_server::{
    app::App,
    domain::{revocation::Entry, rsn::Rsn},
    store::{StoreError, revocations},
};

use super::follower::{Events, FEED, Follower, SCOPE, logged, revoke, running};
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

/// Appends `count` entries, or fails after it has; the position of the last that was kept.
async fn append(app: &App, name: String, count: usize, fails: bool) -> Option<Rsn> {
    let now = app.clock.now();
    let write = app.store.write(move |tx| {
        let sids: Vec<String> = (0..count).map(|n| format!("{name}-{n}")).collect();
        Box::pin(async move {
            let entries: Vec<Entry> = sids.iter().map(|sid| Entry::session(SCOPE, sid, 4_000_000_000)).collect();
            let last = revocations::append(tx, now, &entries).await?;
            if fails { Err(StoreError::Conflict) } else { Ok(last) }
        })
    });
    let written = write.await;
    assert_eq!(written.is_err(), fails, "{written:?}");
    written.ok()
}

// I1: a reader of any replica that sees a position sees every committed entry below it, whatever 64 writers at three
// replicas do, a fifth of which is rolled back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_tell_one_order_of_what_64_writers_do() {
    const WRITERS: usize = 64;
    const ROUNDS: usize = 5;
    let url = Cluster::shared().create_database().await;
    let first = Rig::on(&url, &[]).await;
    let kek = first.folder.path().join("data/kek").display().to_string();
    let rigs =
        [Rig::on(&url, &[("keys.kek_file", &kek)]).await, Rig::on(&url, &[("keys.kek_file", &kek)]).await, first];
    let mut publishers = Vec::new();
    let mut streams = Vec::new();
    for rig in &rigs {
        publishers.push(running(rig).await);
        streams.push(Events::open(rig, 0).await);
    }
    let writers = (0..WRITERS).map(|writer| {
        let app = rigs[writer % rigs.len()].app.clone();
        tokio::spawn(async move {
            let (mut kept, mut last) = (0, Rsn::default());
            for round in 0..ROUNDS {
                let (count, fails) = (1 + (writer + round) % 3, (writer + round) % 5 == 0);
                if let Some(rsn) = append(&app, format!("{writer}-{round}"), count, fails).await {
                    assert!(rsn > last, "what follows an answer is above it");
                    (kept, last) = (kept + count, rsn);
                }
            }
            (kept, last)
        })
    });
    let writers: Vec<_> = writers.collect();
    let (mut kept, mut last) = (0, 0);
    for writer in writers {
        let (count, rsn) = writer.await.unwrap();
        (kept, last) = (kept + count, rsn.get().max(last));
    }
    let log = logged(&rigs[0].app).await;
    assert_eq!(log.len(), kept);
    for (rig, stream) in rigs.iter().zip(&mut streams) {
        let mut follower = Follower::default();
        while follower.head < last {
            let line = stream.line().await;
            follower.take(rig, &line).await;
            // Whatever the head says is known is known.
            let below = log.iter().take_while(|rsn| **rsn <= follower.head).count();
            assert_eq!(follower.entries.range(..=follower.head).count(), below);
        }
        assert_eq!((follower.positions(), follower.gaps), (log.clone(), 0));
    }
}
