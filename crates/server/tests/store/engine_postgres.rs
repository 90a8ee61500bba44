//! What can only go wrong on PostgreSQL: other writers, lost connections, unknown outcomes, TLS.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use countersign_server::{
    secret::PlainSecret,
    store::{Store, StoreConfig, StoreError, Tx},
};
use tokio::sync::Barrier;

use crate::support::{
    databases::TestStore,
    postgres::{Cluster, execute},
};

const PUT: &str = "INSERT INTO meta (name, value) VALUES ($1, '0')";
const COUNT: &str = "UPDATE meta SET value = CAST(CAST(value AS bigint) + 1 AS text) WHERE name = $1";

async fn put(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    tx.execute(PUT, &[name.into()]).await.map(|_| ())
}

async fn rows(store: &Store) -> Vec<(String, String)> {
    let sql = "SELECT name, value FROM meta ORDER BY name";
    let rows = store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap();
    rows.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect()
}

fn is_unavailable<T>(result: &Result<T, StoreError>, unknown: bool) -> bool {
    matches!(result, Err(StoreError::Unavailable { unknown_outcome, .. }) if *unknown_outcome == unknown)
}

fn config(url: String) -> StoreConfig {
    StoreConfig::Postgres { url: PlainSecret::new(url), pool_size: 2 }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loser_of_a_deadlock_runs_again() {
    let test = TestStore::postgres().await;
    test.store
        .write(|tx| {
            Box::pin(async move {
                put(tx, "a").await?;
                put(tx, "b").await
            })
        })
        .await
        .unwrap();
    let both_hold_one = Arc::new(Barrier::new(2));
    let runs = Arc::new(AtomicUsize::new(0));
    let cross = |first: &'static str, second: &'static str| {
        let (store, barrier, runs) = (test.store.clone(), Arc::clone(&both_hold_one), Arc::clone(&runs));
        tokio::spawn(async move {
            let started = AtomicUsize::new(0);
            store
                .write(move |tx| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    let first_run = started.fetch_add(1, Ordering::SeqCst) == 0;
                    let barrier = Arc::clone(&barrier);
                    Box::pin(async move {
                        tx.execute(COUNT, &[first.into()]).await?;
                        if first_run {
                            barrier.wait().await;
                        }
                        tx.execute(COUNT, &[second.into()]).await
                    })
                })
                .await
        })
    };
    let (there, back) = (cross("a", "b"), cross("b", "a"));
    assert_eq!((there.await.unwrap(), back.await.unwrap()), (Ok(1), Ok(1)));
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    let two = |name: &str| (name.to_owned(), "2".to_owned());
    assert_eq!(rows(&test.store).await, [two("a"), two("b")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_have_an_end() {
    let test = TestStore::postgres().await;
    let lose = "CREATE FUNCTION lose() RETURNS bigint LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$";
    execute(test.url().unwrap(), lose).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let lost = test
        .store
        .write(move |tx| {
            counter.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                put(tx, "a").await?;
                tx.fetch_all("SELECT lose()", &[]).await.map(|_| ())
            })
        })
        .await;
    assert!(is_unavailable(&lost, false), "{lost:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 8);
    assert_eq!(rows(&test.store).await, []);
}

// Serializable engines refuse at COMMIT.
#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_at_commit_is_retried() {
    let test = TestStore::postgres().await;
    let trigger = "CREATE SEQUENCE attempts;
        CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('attempts') < 3 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON meta DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION lose();";
    execute(test.url().unwrap(), trigger).await;
    test.store.write(|tx| Box::pin(async move { put(tx, "a").await })).await.unwrap();
    assert_eq!(rows(&test.store).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_killed_in_a_transaction_is_unavailable_and_replaced() {
    let test = TestStore::postgres().await;
    let url = test.url().unwrap().to_owned();
    let killed = test
        .store
        .write(move |tx| {
            let url = url.clone();
            Box::pin(async move {
                put(tx, "a").await?;
                let pid = tx.fetch_optional("SELECT pg_backend_pid()", &[]).await?;
                let pid: i64 = pid.ok_or(StoreError::Conflict)?.get(0)?;
                execute(&url, &format!("SELECT pg_terminate_backend({pid})")).await;
                put(tx, "b").await
            })
        })
        .await;
    assert!(is_unavailable(&killed, false), "{killed:?}");
    test.store.write(|tx| Box::pin(async move { put(tx, "c").await })).await.unwrap();
    assert_eq!(rows(&test.store).await.len(), 1, "only c");
}

async fn send(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    tx.send(PUT, &[name.into()]).await
}

// A statement that travels with others runs before them, and all of them or none.
#[tokio::test(flavor = "multi_thread")]
async fn statements_that_travel_together_keep_their_order() {
    let test = TestStore::postgres().await;
    let counted = test.store.write(|tx| {
        Box::pin(async move {
            for n in 0..40 {
                send(tx, &format!("n{n:02}")).await?;
            }
            tx.send(COUNT, &["n39".into()]).await?;
            let row = tx.fetch_optional("SELECT count(*) FROM meta", &[]).await?.ok_or(StoreError::Conflict)?;
            tx.send(COUNT, &["n39".into()]).await?;
            row.get::<i64>(0)
        })
    });
    assert_eq!(counted.await, Ok(40));
    let rows = rows(&test.store).await;
    assert_eq!((rows.len(), rows[39].1.as_str()), (40, "2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_committed_behind_a_statement_that_failed_on_the_way() {
    let test = TestStore::postgres().await;
    let refused = test.store.write(|tx| {
        Box::pin(async move {
            send(tx, "a").await?;
            send(tx, "a").await?;
            send(tx, "b").await
        })
    });
    assert_eq!(refused.await, Err(StoreError::Conflict));
    // It does not even leave this process: no text where a number belongs.
    let unsent = test.store.write(|tx| {
        Box::pin(async move {
            send(tx, "a").await?;
            tx.send("UPDATE tenants SET min_rsn = $1", &["x".into()]).await?;
            send(tx, "b").await
        })
    });
    assert!(matches!(unsent.await, Err(StoreError::Broken(_))));
    assert_eq!(rows(&test.store).await, []);
    test.store.write(|tx| Box::pin(async move { send(tx, "c").await })).await.unwrap();
    assert_eq!(rows(&test.store).await.len(), 1, "only c");
}

// BEGIN travels with what only reads, never with a statement that would commit by itself without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_died_in_the_pool_is_replaced_unnoticed() {
    let test = TestStore::postgres().await;
    for look_first in [false, true] {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        execute(test.url().unwrap(), kill).await;
        let write = test.store.write(move |tx| {
            Box::pin(async move {
                if look_first {
                    tx.fetch_all("SELECT name FROM meta", &[]).await?;
                }
                put(tx, if look_first { "a" } else { "b" }).await
            })
        });
        write.await.unwrap();
    }
    assert_eq!(rows(&test.store).await.len(), 2);
}

// I-8: whether a commit happened is known, or said to be unknown.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_during_the_commit_leaves_the_outcome_unknown() {
    let test = TestStore::postgres().await;
    let trigger = "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER die AFTER INSERT ON meta DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION die();";
    execute(test.url().unwrap(), trigger).await;
    let lost = test.store.write(|tx| Box::pin(async move { put(tx, "a").await })).await;
    assert!(is_unavailable(&lost, true), "{lost:?}");
    execute(test.url().unwrap(), "DROP TRIGGER die ON meta").await;
    test.store.write(|tx| Box::pin(async move { put(tx, "b").await })).await.unwrap();
}

// I-11, I-12.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_unavailable_until_it_is_back() {
    let cluster = Cluster::start("listen_addresses = ''\n");
    let test = TestStore::postgres_in(&cluster).await;
    test.store.write(|tx| Box::pin(async move { put(tx, "a").await })).await.unwrap();
    cluster.control("stop");
    assert!(is_unavailable(&test.store.ping().await, false));
    let opened = Store::open(&test.config).await.map(|_| ());
    assert!(is_unavailable(&opened, false), "{opened:?}");
    cluster.control("start");
    test.store.ping().await.unwrap();
    // Connections that died while they lay in the pool are not noticed by callers.
    cluster.control("restart");
    test.store.write(|tx| Box::pin(async move { put(tx, "b").await })).await.unwrap();
    assert_eq!(rows(&test.store).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_hangs_is_given_up() {
    let test = TestStore::postgres().await;
    let hung = test
        .store
        .write(|tx| {
            Box::pin(async move {
                put(tx, "a").await?;
                tx.fetch_all("SELECT CAST(pg_sleep(3600) AS text)", &[]).await.map(|_| ())
            })
        })
        .await;
    assert!(is_unavailable(&hung, false), "{hung:?}");
    assert_eq!(rows(&test.store).await, []);
}

/// Which server of several answers.
async fn server(store: &Store) -> Result<String, StoreError> {
    let sql = "SELECT current_setting('unix_socket_directories')";
    let row = store.read(move |tx| Box::pin(async move { tx.fetch_optional(sql, &[]).await })).await?;
    row.unwrap().get(0)
}

/// Both in one URL, by their sockets.
fn url_of(clusters: [&Cluster; 2], database: &str) -> String {
    let host = |cluster: &Cluster| -> String {
        form_urlencoded::byte_serialize(cluster.folder().as_os_str().as_encoded_bytes()).collect()
    };
    format!("postgres://postgres@{},{}/{database}", host(clusters[0]), host(clusters[1]))
}

// I-11
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_does_not_stand_before_the_others() {
    let cluster = Cluster::start("listen_addresses = ''\n");
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = cluster.create_database().await.replace('@', &format!("@{},", mute.local_addr().unwrap()));
    let store = Store::open(&config(url)).await.unwrap();
    put_alone(&store, "a").await;
}

async fn put_alone(store: &Store, name: &'static str) {
    store.write(move |tx| Box::pin(put(tx, name))).await.unwrap();
}

/// The former primary lives on and knows nothing of what was written since: nobody asks it any more (I-4).
#[tokio::test(flavor = "multi_thread")]
async fn connections_to_a_former_primary_are_given_up() {
    let (former, next) = (Cluster::start("listen_addresses = ''\n"), Cluster::start("listen_addresses = ''\n"));
    for cluster in [&former, &next] {
        execute(&cluster.url("postgres"), "CREATE DATABASE shared").await;
        Store::open(&config(cluster.url("shared"))).await.unwrap().close().await;
    }
    let url = PlainSecret::new(url_of([&former, &next], "shared"));
    let store = Store::open(&StoreConfig::Postgres { url, pool_size: 8 }).await.unwrap();
    // Several connections lie in the pool.
    let together = Arc::new(Barrier::new(4));
    let holders = [(); 4].map(|()| {
        let (store, together) = (store.clone(), Arc::clone(&together));
        tokio::spawn(async move {
            let read = store.read(move |tx| {
                let together = Arc::clone(&together);
                Box::pin(async move {
                    tx.fetch_optional("SELECT 1", &[]).await?;
                    together.wait().await;
                    Ok(())
                })
            });
            read.await
        })
    });
    for holder in holders {
        holder.await.unwrap().unwrap();
    }
    let place = |cluster: &Cluster| cluster.folder().to_str().unwrap().to_owned();
    assert_eq!(server(&store).await.unwrap(), place(&former));
    signal(&former, "-STOP");
    // Whoever meets the frozen one gives it up in the end, and then the other one is found.
    while server(&store).await.is_err() {}
    signal(&former, "-CONT");
    for _ in 0..20 {
        assert_eq!(server(&store).await.unwrap(), place(&next));
    }
}

fn signal(cluster: &Cluster, signal: &str) {
    let processes = cluster.processes().iter().map(u32::to_string).collect::<Vec<_>>();
    assert!(std::process::Command::new("kill").arg(signal).args(processes).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_migrate_once() {
    let url = Cluster::shared().create_database().await;
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let config = config(url.clone());
            tokio::spawn(async move { Store::open(&config).await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap().ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_that_is_not_utf8_is_refused() {
    let cluster = Cluster::shared();
    execute(&cluster.url("postgres"), "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0").await;
    let refused = Store::open(&config(cluster.url("ascii"))).await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("SQL_ASCII"), "{refused}");
}

#[tokio::test]
async fn a_wrong_database_is_named_without_the_password() {
    let url = Cluster::shared().url("no_such_database").replace("postgres@", "postgres:hunter2@");
    let config = config(url);
    let refused = Store::open(&config).await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("no_such_database"), "{refused}");
    for shown in [refused.to_string(), format!("{refused:?}"), format!("{config:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_verified_or_refused() {
    const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/tls/ca.pem");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cluster = Cluster::start_with_tls(
        port,
        include_str!("../support/tls/server.pem"),
        include_str!("../support/tls/server.key.pem"),
    );
    let open = async |rest: &str| Store::open(&config(format!("postgres://postgres@{rest}"))).await;

    let store = open(&format!("localhost:{port}/postgres?sslrootcert={AUTHORITY}")).await.unwrap();
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let row = store.read(move |tx| Box::pin(async move { tx.fetch_optional(encrypted, &[]).await })).await.unwrap();
    assert_eq!(row.unwrap().get::<i64>(0).unwrap(), 1);

    for (reason, refused) in [
        ("UnknownIssuer", open(&format!("localhost:{port}/postgres?sslmode=require")).await),
        ("not valid for name", open(&format!("127.0.0.1:{port}/postgres?sslrootcert={AUTHORITY}")).await),
        ("/no/such/file", open(&format!("localhost:{port}/postgres?sslrootcert=/no/such/file")).await),
    ] {
        let refused = refused.map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    drop(cluster);
}

// Whoever changes the schema is waited for, and nobody waits for a machine that is gone.
#[tokio::test(flavor = "multi_thread")]
async fn one_server_changes_the_schema_and_the_next_one_waits() {
    let url = Cluster::shared().create_database().await;
    let (other, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    other.batch_execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 7000").await.unwrap();
    other.batch_execute("SELECT pg_advisory_xact_lock(1129531214)").await.unwrap();
    let mut waiting = tokio::spawn(async move { Store::open(&config(url)).await });
    let early = tokio::time::timeout(std::time::Duration::from_millis(6_000), &mut waiting).await;
    assert!(early.is_err(), "it did not wait: {early:?}");
    // The other machine is gone: PostgreSQL ends what is silent for too long, the lock with it.
    let store = waiting.await.unwrap().unwrap();
    assert!(!other.query("SELECT 1", &[]).await.is_ok_and(|rows| !rows.is_empty()), "it was cut off");
    store.close().await;
}
