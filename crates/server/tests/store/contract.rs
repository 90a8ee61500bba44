//! What every caller may rely on, on both databases.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

use countersign_server::{
    domain::time::Timestamp,
    store::{
        Param, Row, Store, StoreError, Tx,
        dialect::{RowKey, lock_rows, now_us},
    },
};

use crate::both_databases;

const PUT: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)";
const GET: &str = "SELECT value FROM meta WHERE name = $1";

/// Columns of every type; the optional ones may be null.
type Case = (&'static str, Option<Vec<u8>>, Option<&'static str>, i64, Option<i64>);

async fn put(tx: &mut Tx, name: &str) -> Result<u64, StoreError> {
    tx.execute(PUT, &[name.into(), "x".into()]).await
}

async fn names(store: &Store) -> Vec<String> {
    let list = "SELECT name FROM meta ORDER BY name";
    let rows = store.read(move |tx| Box::pin(async move { tx.fetch_all(list, &[]).await })).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

fn broken<T: std::fmt::Debug>(result: &Result<T, StoreError>) -> &str {
    match result {
        Err(StoreError::Broken(reason)) => reason,
        other => panic!("not Broken: {other:?}"),
    }
}

both_databases! {
    async fn a_commit_is_seen_and_an_error_rolls_back(store: Store) {
        store.write(|tx| Box::pin(async move { put(tx, "kept").await })).await.unwrap();
        let refused: Result<(), _> = store
            .write(|tx| Box::pin(async move {
                put(tx, "lost").await?;
                Err(StoreError::Broken("changed its mind".into()))
            }))
            .await;
        assert_eq!(refused, Err(StoreError::Broken("changed its mind".into())));
        assert_eq!(names(&store).await, ["kept"]);
    }

    // A replayed refresh token revokes its session and is refused: the refusal is a value, and its write stays.
    async fn a_refusal_that_writes_is_kept(store: Store) {
        let answer: Result<Result<(), &str>, StoreError> = store
            .write(|tx| Box::pin(async move {
                put(tx, "revoked").await?;
                Ok(Err("invalid_grant"))
            }))
            .await;
        assert_eq!(answer, Ok(Err("invalid_grant")));
        assert_eq!(names(&store).await, ["revoked"]);
    }

    async fn a_second_row_with_the_same_key_is_a_conflict(store: Store) {
        store.write(|tx| Box::pin(async move { put(tx, "a").await })).await.unwrap();
        let again = store.write(|tx| Box::pin(async move { put(tx, "b").await?; put(tx, "a").await })).await;
        assert_eq!(again, Err(StoreError::Conflict));
        let quiet = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let ignored = store
            .write(move |tx| Box::pin(async move { tx.execute(quiet, &["a".into(), "y".into()]).await }))
            .await;
        assert_eq!(ignored, Ok(0));
        assert_eq!(names(&store).await, ["a"]);
    }

    // PostgreSQL would turn the COMMIT into a silent roll-back; SQLite would keep the first row.
    async fn a_swallowed_failure_cannot_commit(store: Store) {
        store.write(|tx| Box::pin(async move { put(tx, "a").await })).await.unwrap();
        let swallowed = store
            .write(|tx| Box::pin(async move {
                put(tx, "b").await?;
                let _ = put(tx, "a").await;
                Ok(())
            }))
            .await;
        assert!(broken(&swallowed).contains("had failed"));
        let continued = store
            .write(|tx| Box::pin(async move {
                let _ = put(tx, "a").await;
                put(tx, "c").await
            }))
            .await;
        assert!(broken(&continued).contains("failed before"));
        assert_eq!(names(&store).await, ["a"]);
    }

    async fn values_come_back_as_they_went_in(store: Store) {
        const INSERT: &str = "INSERT INTO keys (kid, purpose, alg, state, sealed, public_jwk, created_at, published_at) \
                              VALUES ($1, $2, 'ES256', 'staged', $3, $4, $5, $6)";
        const SELECT: &str = "SELECT purpose, sealed, public_jwk, created_at, published_at, created_at = $1 FROM keys \
                              WHERE kid = $2";
        let large = vec![0xA5_u8; 200_000];
        let cases: [Case; 4] = [
            ("plain", Some(vec![0, 255, 128]), Some("{}"), 0, Some(-1)),
            ("", Some(Vec::new()), Some(""), i64::MAX, Some(i64::MIN)),
            ("Ünïcödé 🔑 'quoted' \"twice\" $1", Some(large), Some("\u{7f}\t\n"), i64::MIN, Some(i64::MAX)),
            ("nulls", None, None, 1, None),
        ];
        for (index, (purpose, sealed, jwk, created, published)) in cases.into_iter().enumerate() {
            let kid = format!("k{index}");
            let row: Row = store
                .write({
                    let (kid, sealed) = (kid.clone(), sealed.clone());
                    move |tx| {
                        let (kid, sealed) = (kid.clone(), sealed.clone());
                        Box::pin(async move {
                            let params: [Param<'_>; 6] = [
                                (&kid).into(), purpose.into(), sealed.as_ref().into(), jwk.into(), created.into(),
                                published.into(),
                            ];
                            assert_eq!(tx.execute(INSERT, &params).await?, 1);
                            let row = tx.fetch_optional(SELECT, &[created.into(), (&kid).into()]).await?;
                            row.ok_or_else(|| StoreError::Broken("no row".into()))
                        })
                    }
                })
                .await
                .unwrap();
            assert_eq!(row.get::<String>(0).unwrap(), purpose);
            assert_eq!(row.get::<Option<Vec<u8>>>(1).unwrap(), sealed);
            assert_eq!(row.get::<Option<String>>(2).unwrap().as_deref(), jwk);
            assert_eq!(row.get::<Timestamp>(3).unwrap().micros(), created);
            assert_eq!(row.get::<Option<i64>>(4).unwrap(), published);
            assert_eq!(row.get::<i64>(5).unwrap(), 1, "a comparison is 1 or 0");
        }
    }

    async fn mistakes_of_the_program_are_broken_and_harm_nothing(store: Store) {
        let wrong: [(&'static str, &'static [Param<'static>]); 6] = [
            ("SELECT name FROM no_such_table", &[]),
            ("SELEKT", &[]),
            (GET, &[]),
            (GET, &[Param::Text("a"), Param::Text("b")]),
            (GET, &[Param::Text("a\0b")]),
            ("INSERT INTO meta (name, value) VALUES ($1, $2)", &[Param::Text("a"), Param::Null]),
        ];
        for (sql, params) in wrong {
            let result = store.write(move |tx| Box::pin(async move { tx.fetch_all(sql, params).await })).await;
            broken(&result);
        }
        store.write(|tx| Box::pin(async move { put(tx, "a").await?; put(tx, "b").await })).await.unwrap();
        let two = store
            .read(|tx| Box::pin(async move { tx.fetch_optional("SELECT name FROM meta", &[]).await }))
            .await;
        assert!(broken(&two).contains("2 rows"));
        let missing = store
            .read(|tx| Box::pin(async move { tx.fetch_optional(GET, &["zzz".into()]).await }))
            .await;
        assert_eq!(missing, Ok(None));
    }

    async fn a_read_cannot_write(store: Store) {
        let result = store.read(|tx| Box::pin(async move { put(tx, "a").await })).await;
        assert!(result.is_err(), "{result:?}");
        assert_eq!(names(&store).await, Vec::<String>::new());
    }

    async fn a_read_sees_one_snapshot(store: Store) {
        let (started, is_started) = mpsc::channel::<()>();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new((started, may_go_on)));
        let reading = tokio::spawn({
            let store = store.clone();
            async move {
                store
                    .read(move |tx| {
                        let gate = Arc::clone(&gate);
                        Box::pin(async move {
                            let before = tx.fetch_all(GET, &["a".into()]).await?.len();
                            tokio::task::block_in_place(|| {
                                let gate = gate.lock().unwrap();
                                gate.0.send(()).unwrap();
                                gate.1.recv().unwrap();
                            });
                            Ok((before, tx.fetch_all(GET, &["a".into()]).await?.len()))
                        })
                    })
                    .await
            }
        });
        tokio::task::spawn_blocking(move || is_started.recv().unwrap()).await.unwrap();
        store.write(|tx| Box::pin(async move { put(tx, "a").await })).await.unwrap();
        go_on.send(()).unwrap();
        assert_eq!(reading.await.unwrap(), Ok((0, 0)));
        assert_eq!(names(&store).await, ["a"]);
    }

    async fn sixty_four_writers_lose_no_count(store: Store) {
        const WRITERS: i64 = 64;
        const ROUNDS: i64 = 10;
        // One guarded statement, and load-decide-save under a lock, count alike.
        const BUMP: &str = "UPDATE rev_head SET t = t + 1 WHERE stream = 0 RETURNING t";
        const LOAD: &str = "SELECT min_rsn FROM tenants WHERE tenant = $1";
        const SAVE: &str = "UPDATE tenants SET min_rsn = $1 WHERE tenant = $2";
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    for _ in 0..ROUNDS {
                        store.write(|tx| Box::pin(async move {
                                lock_rows(tx, &mut [RowKey::Tenant("default")]).await?;
                                let loaded = tx.fetch_optional(LOAD, &["default".into()]).await?;
                                let loaded: i64 = loaded.ok_or(StoreError::Conflict)?.get(0)?;
                                tx.execute(SAVE, &[(loaded + 1).into(), "default".into()]).await?;
                                tx.fetch_optional(BUMP, &[]).await.map(|_| ())
                            })).await.unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        const COUNTS: &str = "SELECT t, min_rsn FROM rev_head, tenants WHERE stream = 0 AND tenant = $1";
        let row = store.read(|tx| Box::pin(async move { tx.fetch_optional(COUNTS, &["default".into()]).await })).await;
        let row = row.unwrap().unwrap();
        assert_eq!((row.get::<i64>(0).unwrap(), row.get::<i64>(1).unwrap()), (WRITERS * ROUNDS, WRITERS * ROUNDS));
    }

    async fn members_that_fail_take_nobody_with_them(store: Store) {
        let writers: Vec<_> = (0..60)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move {
                    store.write(move |tx| Box::pin(async move {
                            put(tx, &format!("n{number:02}")).await?;
                            match number % 4 {
                                0 => Err(StoreError::Broken("refused".into())),
                                1 => put(tx, &format!("n{number:02}")).await.map(|_| ()),
                                2 => panic!("poisoned input"),
                                _ => Ok(()),
                            }
                        })).await
                })
            })
            .collect();
        for (number, writer) in writers.into_iter().enumerate() {
            let result = writer.await.unwrap();
            match number % 4 {
                0 => assert_eq!(broken(&result), "refused"),
                1 => assert_eq!(result, Err(StoreError::Conflict)),
                2 => assert!(broken(&result).contains("poisoned input"), "{result:?}"),
                _ => assert_eq!(result, Ok(())),
            }
        }
        let kept: Vec<String> = (0..60).filter(|number| number % 4 == 3).map(|number| format!("n{number:02}")).collect();
        assert_eq!(names(&store).await, kept);
    }

    // A client that hangs up must not leave a transaction open behind it.
    async fn a_caller_that_goes_away_leaves_nothing_half_done(store: Store) {
        let runs = Arc::new(AtomicUsize::new(0));
        for number in 0..50 {
            let runs = Arc::clone(&runs);
            let write = store.write(move |tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                Box::pin(async move {
                    put(tx, &format!("a{number:02}")).await?;
                    put(tx, &format!("b{number:02}")).await
                })
            });
            // Polled once, then dropped.
            let _ = futures_util::future::select(Box::pin(write), std::future::ready(())).await;
        }
        store.ping().await.unwrap();
        let names = names(&store).await;
        let (a, b) = (|n: &&String| n.starts_with('a'), |n: &&String| n.starts_with('b'));
        assert_eq!(names.iter().filter(a).count(), names.iter().filter(b).count());
    }

    async fn the_database_tells_the_time_where_it_has_a_clock(store: Store) {
        let process = Timestamp::from_micros(5);
        let now = store.read(move |tx| Box::pin(now_us(tx, process))).await.unwrap();
        match store.kind() {
            countersign_server::store::StoreKind::Sqlite => assert_eq!(now, 5),
            countersign_server::store::StoreKind::Postgres => assert!(now > 1_700_000_000_000_000, "{now}"),
        }
    }

    async fn a_closed_store_says_so(store: Store) {
        store.ping().await.unwrap();
        store.write(|tx| Box::pin(async move { put(tx, "a").await })).await.unwrap();
        store.close().await;
        for refused in [store.ping().await, store.read(|tx| Box::pin(async move { put(tx, "b").await.map(|_| ()) })).await] {
            assert!(matches!(refused, Err(StoreError::Unavailable { unknown_outcome: false, .. })), "{refused:?}");
        }
        store.close().await;
    }
}
