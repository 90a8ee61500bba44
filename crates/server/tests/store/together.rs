//! Transactions of many callers in one, on PostgreSQL: all of them, or each for itself, and never one twice.

use std::sync::Arc;

use countersign_server::store::{Store, StoreError, Tx, TxFuture};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::support::{databases::TestStore, postgres::execute};

const PUT: &str = "INSERT INTO meta (name, value) VALUES ($1, '0')";
const COUNT: &str = "UPDATE meta SET value = CAST(CAST(value AS bigint) + 1 AS text) WHERE name = $1";
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

type Outcomes = Vec<Result<String, StoreError>>;

async fn put(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    tx.execute(PUT, &[name.into()]).await.map(|_| ())
}

async fn count(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    tx.execute(COUNT, &[name.into()]).await.map(|_| ())
}

async fn names(store: &Store) -> Vec<String> {
    let sql = "SELECT name FROM meta ORDER BY name";
    let rows = store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

/// The transaction that a statement runs in, as PostgreSQL calls it.
async fn transaction(tx: &mut Tx) -> Result<String, StoreError> {
    let row = tx.fetch_optional("SELECT CAST(pg_current_xact_id() AS text)", &[]).await?;
    row.ok_or(StoreError::Conflict)?.get(0)
}

/// One that runs alone, under way until it is let go: whoever comes meanwhile waits, though not for long.
struct Busy {
    gate: Arc<Semaphore>,
    task: JoinHandle<Result<(), StoreError>>,
}

impl Busy {
    async fn writer(store: &Store) -> Self {
        let (gate, entered) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (store, opened, held) = (store.clone(), Arc::clone(&entered), Arc::clone(&gate));
        let task = tokio::spawn(async move {
            let wait = store.write_together(move |tx| {
                let (gate, entered) = (Arc::clone(&held), Arc::clone(&opened));
                Box::pin(async move {
                    transaction(tx).await?;
                    entered.add_permits(1);
                    gate.acquire().await.unwrap().forget();
                    Ok(())
                })
            });
            wait.await
        });
        entered.acquire().await.unwrap().forget();
        Self { gate, task }
    }

    async fn end(self) {
        self.gate.add_permits(1);
        self.task.await.unwrap().unwrap();
    }
}

/// Starts these while another one is under way, so that they share a transaction; what each came to, in their order.
async fn share<F>(store: &Store, f: F) -> Outcomes
where
    F: for<'a> Fn(&'a mut Tx, &'static str) -> TxFuture<'a, ()> + Copy + Send + Sync + 'static,
{
    // On this runtime of one thread all of them have come before the first has its answer.
    let first = {
        let store = store.clone();
        tokio::spawn(async move { store.write_together(|tx| Box::pin(transaction(tx))).await })
    };
    let start = |name: &'static str| {
        let store = store.clone();
        tokio::spawn(async move {
            let write = store.write_together(move |tx| {
                Box::pin(async move {
                    let id = transaction(tx).await?;
                    f(tx, name).await.map(|()| id)
                })
            });
            write.await
        })
    };
    let tasks: Vec<_> = NAMES.map(start).into();
    first.await.unwrap().unwrap();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

/// Every task that can run has run: on this runtime of one thread, after a few turns.
async fn wait_until_queued() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn distinct(outcomes: &Outcomes) -> usize {
    let mut all: Vec<_> = outcomes.iter().flatten().collect();
    all.sort();
    all.dedup();
    all.len()
}

#[tokio::test]
async fn those_who_wait_share_one_transaction() {
    let test = TestStore::postgres().await;
    let outcomes = share(&test.store, |tx, name| Box::pin(put(tx, name))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(distinct(&outcomes), 1);
    assert_eq!(names(&test.store).await, NAMES);
}

#[tokio::test]
async fn statements_that_nobody_waited_for_are_committed_with_them() {
    let test = TestStore::postgres().await;
    let outcomes = share(&test.store, |tx, name| Box::pin(async move { tx.send(PUT, &[name.into()]).await })).await;
    assert_eq!(distinct(&outcomes), 1, "{outcomes:?}");
    assert_eq!(names(&test.store).await, NAMES);
}

#[tokio::test]
async fn one_that_fails_fails_alone() {
    let test = TestStore::postgres().await;
    test.store.write(|tx| Box::pin(async move { put(tx, "c").await })).await.unwrap();
    let outcomes = share(&test.store, |tx, name| Box::pin(put(tx, name))).await;
    for (name, outcome) in NAMES.iter().zip(&outcomes) {
        match *name {
            "c" => assert_eq!(*outcome, Err(StoreError::Conflict)),
            _ => assert!(outcome.is_ok(), "{name}: {outcome:?}"),
        }
    }
    assert_eq!(distinct(&outcomes), NAMES.len() - 1, "each by itself");
    assert_eq!(names(&test.store).await, NAMES);
}

#[tokio::test]
async fn one_that_panics_takes_nobody_with_it() {
    let test = TestStore::postgres().await;
    let outcomes = share(&test.store, |tx, name| {
        Box::pin(async move {
            assert_ne!(name, "d", "on purpose");
            put(tx, name).await
        })
    });
    let outcomes = outcomes.await;
    assert!(matches!(&outcomes[3], Err(StoreError::Broken(why)) if why.contains("on purpose")), "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), NAMES.len() - 1);
    assert_eq!(names(&test.store).await.len(), NAMES.len() - 1);
}

// A row that somebody has locked holds up those who want it, and nobody else.
#[tokio::test]
async fn who_meets_a_locked_row_waits_alone() {
    let test = TestStore::postgres().await;
    test.store.write(|tx| Box::pin(async move { put(tx, "locked").await })).await.unwrap();
    let (gate, holds) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let holder = {
        let (store, gate, holds) = (test.store.clone(), Arc::clone(&gate), Arc::clone(&holds));
        tokio::spawn(async move {
            let hold = store.write(move |tx| {
                let (gate, holds) = (Arc::clone(&gate), Arc::clone(&holds));
                Box::pin(async move {
                    tx.execute(COUNT, &["locked".into()]).await?;
                    holds.add_permits(1);
                    gate.acquire().await.unwrap().forget();
                    Ok(())
                })
            });
            hold.await
        })
    };
    holds.acquire().await.unwrap().forget();
    let store = test.store.clone();
    let shared = tokio::spawn(async move {
        share(&store, |tx, name| {
            Box::pin(async move {
                let name = if name == "b" { "locked" } else { name };
                let counted = tx.execute(COUNT, &[name.into()]).await?;
                if counted == 0 { put(tx, name).await } else { Ok(()) }
            })
        })
        .await
    });
    // The others are done while the lock is held.
    while names(&test.store).await.len() < NAMES.len() {
        tokio::task::yield_now().await;
    }
    assert!(!shared.is_finished());
    gate.add_permits(1);
    holder.await.unwrap().unwrap();
    assert!(shared.await.unwrap().iter().all(Result::is_ok));
    let value = "SELECT value FROM meta WHERE name = 'locked'";
    let row = test.store.read(move |tx| Box::pin(async move { tx.fetch_optional(value, &[]).await })).await.unwrap();
    assert_eq!(row.unwrap().get::<String>(0).unwrap(), "2");
}

// Who holds a place and waits itself, for a row or a disk, does not hold up the others for long.
#[tokio::test]
async fn others_do_not_wait_for_one_that_takes_its_time() {
    let test = TestStore::postgres().await;
    let busy = Busy::writer(&test.store).await;
    for round in 0..3 {
        let put = |name: &'static str| {
            let store = test.store.clone();
            let put = async move { store.write_together(move |tx| Box::pin(count(tx, name))).await };
            tokio::spawn(put)
        };
        let tasks: Vec<_> = NAMES.map(put).into();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert!(!busy.task.is_finished(), "round {round}");
    }
    busy.end().await;
}

// I-8: whether a commit happened is known, or said to be unknown; nobody is run again then.
#[tokio::test]
async fn a_commit_of_unknown_outcome_is_unknown_to_all() {
    let test = TestStore::postgres().await;
    let trigger = "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER die AFTER INSERT ON meta DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION die();";
    execute(test.url().unwrap(), trigger).await;
    let outcomes = share(&test.store, |tx, name| Box::pin(put(tx, name))).await;
    for outcome in &outcomes {
        assert!(matches!(outcome, Err(StoreError::Unavailable { unknown_outcome: true, .. })), "{outcome:?}");
    }
    execute(test.url().unwrap(), "DROP TRIGGER die ON meta").await;
    test.store.write_together(|tx| Box::pin(async move { put(tx, "g").await })).await.unwrap();
    assert_eq!(names(&test.store).await, ["g"]);
}

// Serializable engines refuse at COMMIT.
#[tokio::test]
async fn a_group_that_is_refused_at_commit_is_done_again_one_by_one() {
    let test = TestStore::postgres().await;
    let trigger = "CREATE SEQUENCE attempts;
        CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('attempts') < 2 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON meta DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION lose();";
    execute(test.url().unwrap(), trigger).await;
    let outcomes = share(&test.store, |tx, name| Box::pin(put(tx, name))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(distinct(&outcomes), NAMES.len());
    assert_eq!(names(&test.store).await, NAMES);
}

#[tokio::test]
async fn a_group_replaces_a_connection_that_died_in_the_pool() {
    let test = TestStore::postgres().await;
    // Several connections, all idle when they die.
    let busy = Busy::writer(&test.store).await;
    test.store.ping().await.unwrap();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
                AND pid <> pg_backend_pid() AND state = 'idle'";
    execute(test.url().unwrap(), kill).await;
    busy.end().await;
    let outcomes = share(&test.store, |tx, name| Box::pin(put(tx, name))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(names(&test.store).await, NAMES);
}

// Whoever waits hears of it, and nothing goes round for ever.
#[test]
fn a_runtime_that_ends_takes_those_who_wait_with_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (store, _test) = runtime.block_on(async {
        let test = TestStore::postgres().await;
        let _busy = Busy::writer(&test.store).await;
        for name in NAMES {
            let store = test.store.clone();
            tokio::spawn(async move { store.write_together(move |tx| Box::pin(put(tx, name))).await });
        }
        wait_until_queued().await;
        (test.store.clone(), test)
    });
    drop(runtime);
    drop(store);
}

#[tokio::test]
async fn reads_share_one_snapshot_and_cannot_write() {
    let test = TestStore::postgres().await;
    test.store.write(|tx| Box::pin(async move { put(tx, "a").await })).await.unwrap();
    let read = |_| {
        let store = test.store.clone();
        tokio::spawn(async move {
            let read = store.read_together(|tx| {
                Box::pin(async move {
                    let sql = "SELECT CAST(pg_backend_pid() AS text) || ' ' || CAST(pg_current_snapshot() AS text) || ' ' || name FROM meta";
                    tx.fetch_optional(sql, &[]).await?.ok_or(StoreError::Conflict)?.get::<String>(0)
                })
            });
            read.await
        })
    };
    // One runs alone; the others wait for it.
    let tasks: Vec<_> = (0..8).map(read).collect();
    let mut seen: Outcomes = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap());
    }
    assert!(seen.iter().flatten().all(|seen| seen.ends_with(" a")) && seen.iter().all(Result::is_ok), "{seen:?}");
    assert!(distinct(&seen) < 8, "{seen:?}");
    let write = test.store.read_together(|tx| Box::pin(async move { put(tx, "b").await }));
    assert!(write.await.is_err());
}
