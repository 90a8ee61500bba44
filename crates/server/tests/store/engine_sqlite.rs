//! What can only go wrong on SQLite: groups, a full disk, the queue, the file.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use countersign_server::store::{DataDirLock, LockError, Store, StoreConfig, StoreError, Tx, check_file};
use tokio::task::JoinHandle;

use crate::support::databases::TestStore;

const PUT: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)";

async fn put(tx: &mut Tx, name: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(PUT, &[name.into(), value.into()]).await.map(|_| ())
}

async fn names(store: &Store) -> Vec<String> {
    let list = "SELECT name FROM meta ORDER BY name";
    let rows = store.read(move |tx| Box::pin(async move { tx.fetch_all(list, &[]).await })).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

/// Keeps the writer busy until it is released, so that what is queued meanwhile becomes one group.
struct Gate {
    release: mpsc::Sender<()>,
    held: JoinHandle<Result<(), StoreError>>,
}

impl Gate {
    async fn close(store: &Store) -> Self {
        let (started, is_started) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let channels = Arc::new(Mutex::new((started, released)));
        let store = store.clone();
        let held = tokio::spawn(async move {
            store
                .write(move |_| {
                    let channels = Arc::clone(&channels);
                    Box::pin(async move {
                        let channels = channels.lock().unwrap();
                        channels.0.send(()).unwrap();
                        channels.1.recv().unwrap();
                        Ok(())
                    })
                })
                .await
        });
        tokio::task::spawn_blocking(move || is_started.recv().unwrap()).await.unwrap();
        Self { release, held }
    }

    async fn open(self) {
        self.release.send(()).unwrap();
        self.held.await.unwrap().unwrap();
    }
}

/// A queued write that counts its runs. It is in the queue when this returns.
async fn queue(
    store: &Store,
    name: &'static str,
    size: usize,
) -> (JoinHandle<Result<(), StoreError>>, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let (queued, is_queued) = tokio::sync::oneshot::channel();
    let task = tokio::spawn({
        let (store, runs) = (store.clone(), Arc::clone(&runs));
        async move {
            let mut write = Box::pin(store.write(move |tx| {
                runs.fetch_add(1, Ordering::SeqCst);
                Box::pin(async move { put(tx, name, &"x".repeat(size)).await })
            }));
            // The first poll queues it.
            let early = futures_util::future::select(&mut write, std::future::ready(())).await;
            assert!(matches!(early, futures_util::future::Either::Right(_)), "the gate is closed");
            queued.send(()).unwrap();
            write.await
        }
    });
    is_queued.await.unwrap();
    (task, runs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_commits_together_and_its_failing_member_alone_fails() {
    let test = TestStore::sqlite().await;
    let gate = Gate::close(&test.store).await;
    let mut members = Vec::new();
    for name in ["a", "b", "b", "c"] {
        members.push(queue(&test.store, name, 1).await);
    }
    gate.open().await;
    let mut results = Vec::new();
    for (task, runs) in members {
        results.push((task.await.unwrap(), runs.load(Ordering::SeqCst)));
    }
    // Each ran once: the conflict undid its own savepoint and nothing else.
    let expected = [(Ok(()), 1), (Ok(()), 1), (Err(StoreError::Conflict), 1), (Ok(()), 1)];
    assert_eq!(results, expected);
    assert_eq!(names(&test.store).await, ["a", "b", "c"]);
}

// SQLITE_FULL ends the transaction of the whole group; without a check the later members would commit one by one, and
// the earlier ones would be told of a commit that never was.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_only_what_does_not_fit() {
    let test = TestStore::sqlite().await;
    let pages = test
        .store
        .write(|tx| Box::pin(async move { tx.fetch_optional("PRAGMA page_count", &[]).await?.unwrap().get::<i64>(0) }))
        .await
        .unwrap();
    limit_pages(&test.store, pages + 8).await;

    let gate = Gate::close(&test.store).await;
    let before = queue(&test.store, "before", 10).await;
    let large = queue(&test.store, "large", 4_000_000).await;
    let after = queue(&test.store, "after", 10).await;
    gate.open().await;

    assert_eq!(before.0.await.unwrap(), Ok(()));
    let full = large.0.await.unwrap();
    assert!(matches!(full, Err(StoreError::Unavailable { unknown_outcome: false, .. })), "{full:?}");
    assert_eq!(after.0.await.unwrap(), Ok(()));
    assert_eq!(names(&test.store).await, ["after", "before"]);
    assert_eq!(before.1.load(Ordering::SeqCst), 2, "the broken group was run again, one by one");

    limit_pages(&test.store, 1_000_000).await;
    test.store.write(|tx| Box::pin(async move { put(tx, "large", &"x".repeat(4_000_000)).await })).await.unwrap();
    assert_eq!(names(&test.store).await, ["after", "before", "large"]);
}

async fn limit_pages(store: &Store, pages: i64) {
    let sql: &'static str = format!("PRAGMA max_page_count = {pages}").leak();
    store.write(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_recovers() {
    let test = TestStore::sqlite().await;
    let gate = Gate::close(&test.store).await;
    let mut waiting = Vec::new();
    let refused = loop {
        let mut write = Box::pin(test.store.write(|_| Box::pin(async { Ok(()) })));
        match futures_util::future::select(&mut write, std::future::ready(())).await {
            futures_util::future::Either::Left((result, _)) => break result,
            futures_util::future::Either::Right(_) => waiting.push(write),
        }
        assert!(waiting.len() < 100_000, "the queue has no bound");
    };
    let expected =
        StoreError::Unavailable { reason: "too many transactions are waiting".into(), unknown_outcome: false };
    assert_eq!(refused, Err(expected));
    gate.open().await;
    for write in waiting {
        write.await.unwrap();
    }
    test.store.ping().await.unwrap();
}

// Overload: what nobody waits for any more is not worth a write.
#[tokio::test(flavor = "multi_thread")]
async fn a_queued_write_whose_caller_left_is_not_run() {
    let test = TestStore::sqlite().await;
    let gate = Gate::close(&test.store).await;
    let (task, runs) = queue(&test.store, "gone", 1).await;
    task.abort();
    let _ = task.await;
    gate.open().await;
    test.store.ping().await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_transaction_that_waits_for_something_else_is_refused() {
    let test = TestStore::sqlite().await;
    let waited: Result<(), _> = test
        .store
        .write(|tx| {
            Box::pin(async move {
                put(tx, "a", "x").await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
                Ok(())
            })
        })
        .await;
    assert!(matches!(waited, Err(StoreError::Broken(_))), "{waited:?}");
    assert_eq!(names(&test.store).await, Vec::<String>::new());
}

// I-1: acknowledged means durable, also for the next opening of the file.
#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let test = TestStore::sqlite().await;
    test.store.write(|tx| Box::pin(async move { put(tx, "a", "x").await })).await.unwrap();
    // Without close: as after a crash, the log is read back.
    let again = Store::open(&test.config).await.unwrap();
    assert_eq!(names(&again).await, ["a"]);
    again.close().await;
    test.store.close().await;
    let log = fs::metadata(test.folder().unwrap().join("countersign.db-wal"));
    assert!(log.is_err() || log.is_ok_and(|log| log.len() == 0), "closing leaves no log behind");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let test = TestStore::sqlite().await;
    test.store.write(|tx| Box::pin(async move { put(tx, "a", "x").await })).await.unwrap();
    let mut seen = 0;
    for file in fs::read_dir(test.folder().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
        seen += 1;
    }
    assert_eq!(seen, 3, "the database, its log and the log's index");
}

#[tokio::test]
async fn a_damaged_or_foreign_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let refused = Store::open(&StoreConfig::Sqlite { path: path.clone() }).await.map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), content, "not changed");
        refused.to_string()
    };
    assert!(open("text.db", &b"not a database ".repeat(100)).await.contains("damaged or not a SQLite database"));

    let test = TestStore::sqlite().await;
    test.store.close().await;
    let mut bytes = fs::read(test.folder().unwrap().join("countersign.db")).unwrap();
    bytes[100..2000].fill(0xFF);
    assert!(open("bits.db", &bytes).await.contains("restore a backup"));

    let foreign = folder.path().join("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(open("foreign.db", &fs::read(&foreign).unwrap()).await.contains("another program"));
}

#[tokio::test]
async fn a_fault_deep_in_the_file_is_found_by_the_check() {
    let test = TestStore::sqlite().await;
    let path = test.folder().unwrap().join("countersign.db");
    check_file(&path).unwrap();
    test.store.write(|tx| Box::pin(async move { put(tx, "long", &"x".repeat(100_000)).await })).await.unwrap();
    test.store.close().await;
    check_file(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xFF);
    fs::write(&path, bytes).unwrap();
    let fault = check_file(&path).unwrap_err();
    assert!(matches!(&fault, StoreError::Broken(words) if words.contains("damaged")), "{fault}");
}

// I-1: the pragmas that make a commit durable, as the writer sees them.
#[tokio::test]
async fn a_commit_waits_for_the_disk() {
    let test = TestStore::sqlite().await;
    for (pragma, expected) in [("PRAGMA synchronous", 2), ("PRAGMA fullfsync", 1), ("PRAGMA checkpoint_fullfsync", 1)] {
        let row =
            test.store.write(move |tx| Box::pin(async move { tx.fetch_optional(pragma, &[]).await })).await.unwrap();
        assert_eq!(row.unwrap().get::<i64>(0).unwrap(), expected, "{pragma}");
    }
    let mode = test
        .store
        .write(|tx| Box::pin(async move { tx.fetch_optional("PRAGMA journal_mode", &[]).await }))
        .await
        .unwrap();
    assert_eq!(mode.unwrap().get::<String>(0).unwrap(), "wal");
}

#[tokio::test]
async fn a_missing_folder_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/folder/a.db");
    let refused = Store::open(&StoreConfig::Sqlite { path }).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused}");
    assert!(refused.to_string().contains("no/such/folder"), "{refused}");
}

#[test]
fn the_lock_of_a_missing_folder_is_an_error_of_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let refused = DataDirLock::acquire(&folder.path().join("none")).unwrap_err();
    assert!(matches!(refused, LockError::Io { .. }), "{refused}");
}
