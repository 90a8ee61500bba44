//! The revocation log: its order, its positions, its marks.

use std::time::Duration;

use countersign_server::{
    clock::Clock,
    domain::{
        revocation::{Entry, Scope},
        rsn::Rsn,
        time::Timestamp,
    },
    store::{
        Store, StoreError, StoreKind,
        dialect::now_us,
        revocations::{self, FeedPage, LogEntry, Ticked},
    },
};

use crate::both_databases;

const SCOPE: Scope<'static> = Scope { issuer: "https://id.example", tenant: "default" };
const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const TTL: Duration = Duration::from_secs(600);
const STEP: Duration = Duration::from_millis(100);

async fn page(store: &Store, after: i64, limit: u32) -> FeedPage {
    page_at(store, NOW, after, limit).await
}

async fn page_at(store: &Store, now: Timestamp, after: i64, limit: u32) -> FeedPage {
    let after = Rsn::new(after);
    store.read(move |tx| Box::pin(revocations::feed_page(tx, now, after, limit))).await.unwrap()
}

async fn tick(store: &Store, now: Timestamp, seen: Timestamp) -> Ticked {
    tick_by(store, now, seen, STEP).await
}

async fn tick_by(store: &Store, now: Timestamp, seen: Timestamp, step: Duration) -> Ticked {
    store.write(move |tx| Box::pin(revocations::tick(tx, now, seen, step))).await.unwrap()
}

async fn time(store: &Store, now: Timestamp) -> Timestamp {
    store.read(move |tx| Box::pin(revocations::time(tx, now))).await.unwrap()
}

/// The clock that counts: the database's, or the process's where it has none.
async fn database_time(store: &Store) -> Timestamp {
    let now = Clock::System.now();
    store.read(move |tx| Box::pin(async move { now_us(tx, now).await.map(Timestamp::from_micros) })).await.unwrap()
}

async fn append(store: &Store, now: Timestamp, entries: &'static [&'static str]) -> Rsn {
    store
        .write(move |tx| {
            Box::pin(async move {
                let entries: Vec<Entry> = entries.iter().map(|sid| Entry::session(SCOPE, sid, 1)).collect();
                revocations::append(tx, now, &entries).await
            })
        })
        .await
        .unwrap()
}

async fn head(store: &Store) -> Rsn {
    store.read(|tx| Box::pin(revocations::head(tx))).await.unwrap().rsn
}

async fn positions(store: &Store) -> Vec<i64> {
    let sql = "SELECT rsn FROM rev_log WHERE stream = 0 ORDER BY rsn";
    let rows = store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

async fn add_user(store: &Store) {
    const SQL: &str = "INSERT INTO users (user_id, tenant, email, email_key, created_at) \
                       VALUES ('u1', 'default', 'a@example', 'a@example', 0)";
    store.write(|tx| Box::pin(async move { tx.execute(SQL, &[]).await })).await.unwrap();
}

async fn marks(store: &Store) -> (Rsn, Rsn) {
    const SQL: &str = "SELECT min_rsn, token_rsn FROM users WHERE user_id = 'u1'";
    let row = store.read(|tx| Box::pin(async move { tx.fetch_optional(SQL, &[]).await })).await.unwrap().unwrap();
    (row.get(0).unwrap(), row.get(1).unwrap())
}

both_databases! {
    async fn entries_have_consecutive_positions_and_the_head_is_the_last(store: Store) {
        let last = append(&store, NOW, &["a", "b", "c"]).await;
        assert_eq!(head(&store).await, last);
        assert_eq!(positions(&store).await, [last.get() - 2, last.get() - 1, last.get()]);
        if store.kind() == StoreKind::Sqlite {
            assert_eq!(last.get(), NOW.micros(), "the clock, while it runs ahead of the log");
        }
        assert_eq!(append(&store, NOW, &[]).await, last, "nothing to say, nothing written");
        assert_eq!(positions(&store).await.len(), 3);
    }

    // I-6: a clock that steps back un-orders nothing.
    async fn positions_never_run_backwards(store: Store) {
        let first = append(&store, NOW, &["a"]).await;
        let second = append(&store, Timestamp::from_micros(0), &["b", "c"]).await;
        assert!(second.get() >= first.get() + 2);
        let all = positions(&store).await;
        assert_eq!(all.len(), 3);
        assert!(all.is_sorted());
    }

    // I1: a reader that sees a position sees every committed entry below it, whatever 64 writers do, some of which fail.
    async fn the_order_of_positions_is_the_order_of_commits(store: Store) {
        const WRITERS: usize = 64;
        const ROUNDS: usize = 5;
        let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let reader = tokio::spawn({
            let (store, done) = (store.clone(), std::sync::Arc::clone(&done));
            async move {
                // Follows the log by its cursor, as the feed does.
                let (mut cursor, mut seen) = (0_i64, Vec::new());
                loop {
                    let last_round = done.load(std::sync::atomic::Ordering::SeqCst);
                    let sql = "SELECT rsn FROM rev_log WHERE stream = 0 AND rsn > $1 ORDER BY rsn";
                    let rows = store
                        .read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[cursor.into()]).await }))
                        .await
                        .unwrap();
                    for row in &rows {
                        cursor = row.get(0).unwrap();
                        seen.push(cursor);
                    }
                    if last_round {
                        return seen;
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut kept = 0;
                    for round in 0..ROUNDS {
                        let count = 1 + (writer + round) % 3;
                        let fails = (writer + round) % 5 == 0;
                        let result: Result<(), StoreError> = store
                            .write(move |tx| Box::pin(async move {
                                let entries = vec![Entry::session(SCOPE, "s", 1); count];
                                revocations::append(tx, NOW, &entries).await?;
                                if fails { Err(StoreError::Conflict) } else { Ok(()) }
                            }))
                            .await;
                        assert_eq!(result.is_err(), fails);
                        kept += if fails { 0 } else { count };
                    }
                    kept
                })
            })
            .collect();
        let mut kept = 0;
        for writer in writers {
            kept += writer.await.unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        let seen = reader.await.unwrap();
        let all = positions(&store).await;
        assert_eq!(all.len(), kept);
        assert_eq!(seen, all, "the follower missed nothing and saw nothing twice");
    }

    async fn revoking_a_user_marks_and_logs_in_one_transaction(store: Store) {
        add_user(&store).await;
        let entry = Entry::user(SCOPE, "u1", NOW, TTL);
        let soft = store
            .write(move |tx| Box::pin(async move { revocations::outdate_user_tokens(tx, NOW, "u1", &entry).await }))
            .await
            .unwrap();
        assert_eq!(marks(&store).await, (Rsn::default(), soft));
        let hard = store
            .write(move |tx| Box::pin(async move { revocations::revoke_user(tx, NOW, "u1", &entry).await }))
            .await
            .unwrap();
        assert!(hard > soft);
        assert_eq!(marks(&store).await, (hard, soft));

        const LOGGED: &str = "SELECT kind, id, exp FROM rev_log WHERE rsn = $1";
        let logged = store
            .read(move |tx| Box::pin(async move { tx.fetch_optional(LOGGED, &[hard.into()]).await }))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(logged.get::<i64>(0).unwrap(), 3);
        assert_eq!(logged.get::<[u8; 16]>(1).unwrap(), *entry.id.as_bytes());
        assert_eq!(logged.get::<i64>(2).unwrap(), 1_000_660);

        // I2: a change that cannot be made leaves no entry.
        let unknown = store
            .write(move |tx| Box::pin(async move { revocations::revoke_user(tx, NOW, "nobody", &entry).await }))
            .await;
        assert!(matches!(unknown, Err(StoreError::Broken(_))), "{unknown:?}");
        assert_eq!(positions(&store).await.len(), 2);
        assert_eq!(head(&store).await, hard);
    }

    async fn clients_and_tenants_have_their_marks_too(store: Store) {
        const SQL: &str = "INSERT INTO clients (client_id, tenant, name, audiences, grants, created_at) \
                           VALUES ('c1', 'default', 'C', 'api', '', 0)";
        const MARKS: &str = "SELECT c.token_rsn, c.min_rsn, t.min_rsn FROM clients c, tenants t";
        store.write(|tx| Box::pin(async move { tx.execute(SQL, &[]).await })).await.unwrap();
        let rsns = store
            .write(|tx| Box::pin(async move {
                let client = Entry::client(SCOPE, "c1", NOW, TTL);
                let tenant = Entry::tenant(SCOPE, NOW, TTL);
                Ok([
                    revocations::outdate_client_tokens(tx, NOW, "c1", &client).await?,
                    revocations::revoke_client(tx, NOW, "c1", &client).await?,
                    revocations::revoke_tenant(tx, NOW, "default", &tenant).await?,
                ])
            }))
            .await
            .unwrap();
        let row = store.read(|tx| Box::pin(async move { tx.fetch_optional(MARKS, &[]).await })).await.unwrap().unwrap();
        assert_eq!([row.get::<Rsn>(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap()], rsns);
        assert!(rsns.is_sorted());
    }

    async fn a_page_is_the_log_above_a_cursor_with_its_head_and_time(store: Store) {
        let empty = page(&store, 0, 10).await;
        assert_eq!((empty.head, empty.entries.len(), empty.more), (Rsn::default(), 0, false));
        let last = append(&store, NOW, &["a", "b", "c"]).await;
        let first = last.get() - 2;

        let all = page(&store, 0, 3).await;
        assert_eq!((all.head, all.floor, all.more), (last, Rsn::default(), false));
        assert_eq!(all.entries.iter().map(|entry| entry.rsn.get()).collect::<Vec<_>>(), [first, first + 1, first + 2]);
        let a = Entry::session(SCOPE, "a", 1);
        assert_eq!(all.entries[0], LogEntry { kind: 2, id: *a.id.as_bytes(), rsn: Rsn::new(first), exp: a.exp });

        let part = page(&store, 0, 2).await;
        assert_eq!((part.head, part.entries.len(), part.more), (last, 2, true));
        let rest = page(&store, part.entries[1].rsn.get(), 2).await;
        assert_eq!((rest.entries.len(), rest.more), (1, false));
        for nothing in [last.get(), last.get() + 5] {
            assert!(page(&store, nothing, 2).await.entries.is_empty());
        }
        if store.kind() == StoreKind::Sqlite {
            assert_eq!(all.t, NOW, "SQLite: the process's clock is the tick");
        }
    }

    // Every width of statement: 1, 16, 256, and what is left over.
    async fn many_entries_keep_their_order(store: Store) {
        let names: Vec<String> = (0..256 * 2 + 16 * 3 + 5).map(|n| format!("s{n}")).collect();
        let entries: Vec<Entry> = names.iter().map(|sid| Entry::session(SCOPE, sid, 1)).collect();
        let appended = entries.clone();
        let last = store
            .write(move |tx| {
                let entries = appended.clone();
                Box::pin(async move { revocations::append(tx, NOW, &entries).await })
            })
            .await
            .unwrap();
        let all = page(&store, 0, 10_000).await;
        assert_eq!(all.entries.len(), entries.len());
        let count = i64::try_from(entries.len()).unwrap();
        for ((found, entry), rsn) in all.entries.iter().zip(&entries).zip(last.get() - count + 1..) {
            assert_eq!((found.id, found.rsn), (*entry.id.as_bytes(), Rsn::new(rsn)));
        }
    }

    async fn the_tick_is_raised_by_one_and_seen_by_the_others(store: Store) {
        let first = tick(&store, NOW, Timestamp::default()).await;
        assert!(first.raised && first.t >= NOW, "{first:?}");
        assert!(time(&store, NOW).await >= first.t);
        assert_eq!(page(&store, 0, 1).await.t, first.t);
        // A replica that saw what was before: it is fresh already.
        let late = tick(&store, NOW, Timestamp::default()).await;
        assert_eq!(late, Ticked { t: first.t, raised: false });
        // I-6: with the clock set back it still moves, forward.
        let second = tick(&store, Timestamp::from_micros(0), first.t).await;
        assert!(second.raised && second.t > first.t, "{second:?}");
        if store.kind() == StoreKind::Sqlite {
            assert_eq!(second.t, first.t.plus(STEP));
        }
        assert!(time(&store, Timestamp::from_micros(0)).await >= second.t, "the anchor is never before a tick");
    }

    // Sixteen replicas tick with the same knowledge: one raises `t`.
    async fn of_many_replicas_one_ticks(store: Store) {
        let replicas: Vec<_> = (0..16)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { tick(&store, NOW, Timestamp::default()).await })
            })
            .collect();
        let (mut raised, mut times) = (0, Vec::new());
        for replica in replicas {
            let ticked = replica.await.unwrap();
            raised += usize::from(ticked.raised);
            times.push(ticked.t);
        }
        assert_eq!(raised, 1);
        times.dedup();
        assert_eq!(times.len(), 1);
    }

    // I1, with the tick: what had been acknowledged before a page's `t` is at or below its head.
    async fn a_page_holds_everything_acknowledged_before_its_time(store: Store) {
        const WRITERS: usize = 16;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut acknowledged = Vec::new();
                    for round in 0..20 {
                        let fails = (writer + round) % 4 == 0;
                        let appended = store
                            .write(move |tx| Box::pin(async move {
                                let rsn = revocations::append(tx, NOW, &[Entry::session(SCOPE, "s", 1)]).await?;
                                if fails { Err(StoreError::Conflict) } else { Ok(rsn) }
                            }))
                            .await;
                        if let Ok(rsn) = appended {
                            acknowledged.push((database_time(&store).await, rsn));
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        let mut pages = Vec::new();
        let mut seen = Timestamp::default();
        while writers.iter().any(|writer| !writer.is_finished()) {
            // No time is known to have passed since the tick before.
            seen = tick_by(&store, database_time(&store).await, seen, Duration::ZERO).await.t;
            pages.push(page_at(&store, database_time(&store).await, i64::MAX, 1).await);
        }
        for writer in writers {
            for (at, rsn) in writer.await.unwrap() {
                for page in pages.iter().filter(|page| page.t > at) {
                    assert!(page.head >= rsn, "{page:?} does not hold {rsn}, acknowledged at {at:?}");
                }
            }
        }
    }
}
