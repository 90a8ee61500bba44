//! The revocation log: its order, its positions, its marks.

use std::time::Duration;

use countersign_server::{
    domain::{
        revocation::{Entry, Scope},
        rsn::Rsn,
        time::Timestamp,
    },
    store::{Store, StoreError, StoreKind, revocations},
};

use crate::both_databases;

const SCOPE: Scope<'static> = Scope { issuer: "https://id.example", tenant: "default" };
const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const TTL: Duration = Duration::from_secs(600);

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
}
