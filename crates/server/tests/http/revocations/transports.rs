//! Three ways to read one resource; nothing is lost on any of them.

use std::sync::atomic::{AtomicBool, Ordering};

use countersign_server::{
    domain::revocation::Entry,
    store::{StoreError, revocations},
};

use super::{
    anchor::now,
    follower::{Events, FEED, Follower, PATIENCE, SCOPE, logged, revoke, running},
};
use crate::{both, rig::Rig};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("sid{n}")).collect()
}

both! {
    async fn every_transport_says_the_same(rig: Rig) {
        let before = revoke(&rig.app, &names(3)).await;
        let _running = running(&rig).await;
        let last = revoke(&rig.app, &names(2)).await;
        let mut stream = Events::open(&rig, 0).await;
        let mut told = Follower::default();
        while told.head < last {
            let line = stream.line().await;
            told.take(&rig, &line).await;
        }
        let plain = rig.get(FEED).header("if-none-match", "*").send().await.expect(200);
        assert_eq!(plain.headers["cache-control"], "no-store");
        assert_eq!(plain.headers["content-type"], "text/plain; charset=us-ascii");
        let mut read = Follower::default();
        read.take_all(&rig, &plain.body).await;
        let mut waited = Follower::default();
        waited.take_all(&rig, &rig.get(&format!("{FEED}?after=0&wait_ms=1000")).send().await.expect(200).body).await;
        for follower in [&told, &read, &waited] {
            assert_eq!((follower.head, follower.gaps, follower.entries.len()), (last, 0, 5));
            assert_eq!(follower.entries, told.entries);
            assert!(follower.t > 0, "it knows until when that is complete");
        }
        let id = Entry::session(SCOPE, "sid0", 0).id;
        assert_eq!(told.entries[&(before - 2)], (2, countersign_jose::b64::encode(id.as_bytes())));

        // From a cursor: what is above it, and the time.
        let mut rest = Follower { head: before, ..Follower::default() };
        rest.take_all(&rig, &rig.get(&format!("{FEED}?after={before}")).send().await.expect(200).body).await;
        assert_eq!((rest.head, rest.gaps), (last, 0));
        assert!(rest.positions().ends_with(&[last - 1, last]));
        let ahead = rig.get(&format!("{FEED}?after={}", last + 5)).send().await.expect(200).body;
        assert_eq!(ahead.lines().count(), 1, "a reader from the future hears the time");
    }

    async fn a_long_poll_answers_with_news_or_with_the_time(rig: Rig) {
        let _running = running(&rig).await;
        let mut follower = Follower::default();
        let mut last = 0;
        for round in 0..3 {
            let before = follower.t;
            let waiting = rig.get(&format!("{FEED}?after={last}&wait_ms=60000")).send();
            let sids = [format!("s{round}")];
            let (answer, appended) = tokio::join!(waiting, revoke(&rig.app, &sids));
            last = appended;
            follower.take_all(&rig, &answer.expect(200).body).await;
            assert!(follower.t >= before);
            while follower.head < last {
                let ask = rig.get(&format!("{FEED}?after={}&wait_ms=60000", follower.head));
                follower.take_all(&rig, &ask.send().await.expect(200).body).await;
            }
        }
        assert_eq!(follower.positions(), logged(&rig.app).await);
        assert_eq!(follower.gaps, 0);
    }

    // The tick: a heartbeat names the head, has no entries, and its time never runs back or ahead of the database's clock.
    async fn heartbeats_carry_the_time_until_which_the_head_is_complete(rig: Rig) {
        let _running = running(&rig).await;
        let last = revoke(&rig.app, &names(1)).await;
        let mut stream = Events::open(&rig, last).await;
        let (mut beats, mut t) = (0, 0);
        while beats < 5 {
            let event = stream.next().await.unwrap();
            let line = Follower::read(&rig, &event.data).await;
            assert_eq!(event.id, line.head.to_string());
            assert!(line.time >= t, "{line:?} after {t}");
            let later = now(&rig).await;
            assert!(later >= line.time, "{later} {line:?}");
            if line.head == last && line.entries.is_empty() && line.time > t {
                assert_eq!((line.previous, line.head, line.more, line.floor), (last, last, false, 0));
                beats += 1;
            }
            t = line.time;
        }
    }

    // I1: 64 writers, some of whom fail; a stream that is torn off again and again and resumed; a reader that polls.
    async fn nothing_is_lost_under_sixty_four_writers(rig: Rig) {
        let _running = running(&rig).await;
        let done = AtomicBool::new(false);
        let writing = async {
            let writers: Vec<_> = (0..64).map(|writer| tokio::spawn(write(rig.app.clone(), writer))).collect();
            for writer in writers {
                writer.await.unwrap();
            }
            done.store(true, Ordering::SeqCst);
        };
        let streaming = async {
            let mut follower = Follower::default();
            let mut stream = Events::open(&rig, 0).await;
            let mut lines = 0;
            loop {
                let ended = done.load(Ordering::SeqCst);
                let line = stream.line().await;
                follower.take(&rig, &line).await;
                lines += 1;
                if lines % 3 == 0 {
                    // Torn off in the middle of whatever comes next.
                    stream = Events::resume(&rig, follower.head).await;
                }
                if ended && follower.positions() == logged(&rig.app).await {
                    return follower;
                }
            }
        };
        let polling = async {
            let mut follower = Follower::default();
            loop {
                let ended = done.load(Ordering::SeqCst);
                let ask = rig.get(&format!("{FEED}?after={}&wait_ms=200", follower.head));
                follower.take_all(&rig, &ask.send().await.expect(200).body).await;
                if ended && follower.positions() == logged(&rig.app).await {
                    return follower;
                }
            }
        };
        let all = async { tokio::join!(writing, streaming, polling) };
        let ((), streamed, polled) =
            tokio::time::timeout(PATIENCE, all).await.expect("the readers saw everything");
        assert_eq!((streamed.gaps, polled.gaps), (0, 0));
        assert_eq!(streamed.entries, polled.entries);
        assert_eq!(streamed.entries.len(), kept());
    }

    // Many short lines become few, and nothing is lost by it; a new reader and an old one are told the same.
    async fn lines_are_joined_behind_the_readers(rig: Rig) {
        let _running = running(&rig).await;
        let mut stream = Events::open(&rig, 0).await;
        let mut follower = Follower::default();
        let mut last = 0;
        for n in 0..140 {
            last = revoke(&rig.app, &[format!("s{n}")]).await;
            while follower.head < last {
                let line = stream.line().await;
                follower.take(&rig, &line).await;
            }
        }
        loop {
            let text = rig.get(FEED).send().await.expect(200).body;
            if text.lines().count() < 100 {
                let mut fresh = Follower::default();
                fresh.take_all(&rig, &text).await;
                assert_eq!((fresh.head, fresh.gaps), (last, 0));
                assert_eq!(fresh.entries, follower.entries);
                let middle = fresh.positions()[70];
                let mut old = Follower { head: middle, ..Follower::default() };
                old.take_all(&rig, &rig.get(&format!("{FEED}?after={middle}")).send().await.expect(200).body).await;
                assert_eq!((old.head, old.gaps), (last, 0), "any line that begins at or below the cursor is good");
                return;
            }
            let line = stream.line().await;
            follower.take(&rig, &line).await;
        }
    }
}

async fn write(app: countersign_server::app::App, writer: usize) {
    for round in 0..5 {
        let (count, fails) = (1 + (writer + round) % 3, (writer + round).is_multiple_of(5));
        let now = app.clock.now();
        let result: Result<(), StoreError> = app
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let entries = vec![Entry::session(SCOPE, "s", 4_000_000_000); count];
                    revocations::append(tx, now, &entries).await?;
                    if fails { Err(StoreError::Conflict) } else { Ok(()) }
                })
            })
            .await;
        assert_eq!(result.is_err(), fails);
    }
}

/// How many entries the writers leave.
fn kept() -> usize {
    let rounds = (0..64_usize).flat_map(|writer| (0..5_usize).map(move |round| writer + round));
    rounds.filter(|sum| !sum.is_multiple_of(5)).map(|sum| 1 + sum % 3).sum()
}

// I11: what nobody needs any more, and only that, is not told to new readers.
#[tokio::test]
async fn expired_entries_are_left_out_in_time() {
    let rig = Rig::sqlite().await;
    let _running = running(&rig).await;
    let last = revoke(&rig.app, &names(20)).await;
    let mut stream = Events::open(&rig, 0).await;
    let mut follower = Follower::default();
    while follower.head < last {
        let line = stream.line().await;
        follower.take(&rig, &line).await;
    }
    rig.advance(std::time::Duration::from_secs(700));
    loop {
        let mut fresh = Follower::default();
        fresh.take_all(&rig, &rig.get(FEED).send().await.expect(200).body).await;
        assert_eq!((fresh.head, fresh.gaps), (last, 0));
        if fresh.entries.is_empty() {
            return;
        }
        stream.line().await;
    }
}
