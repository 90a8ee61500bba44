//! SQLite: one writer thread that commits queued transactions in groups, and a few reader threads.

mod connect;
mod read;
mod tx;
mod write;

use std::{
    fmt, mem,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

pub use connect::check_file;
pub(super) use tx::SqliteTx;

use super::{
    StoreError, Tx, TxFuture,
    job::{Job, job},
    queue::{Queue, Refused},
    tx::EngineTx,
};

/// Transactions that may wait for the writer. A full queue refuses at once: at 344 commits/s (the slowest disk measured)
/// in groups of 128 it is drained in 0.1 s.
const WRITE_QUEUE: usize = 4096;
/// Snapshots that may wait for a reader.
const READ_QUEUE: usize = 4096;
/// Reader threads; more than cores gains nothing, since a read waits for nothing but the disk.
const MAX_READERS: usize = 4;
/// How long a caller waits for its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The threads and their queues.
pub(super) struct SqliteStore {
    writes: Arc<JobQueue>,
    reads: Arc<JobQueue>,
    writer: Threads,
    readers: Threads,
}

type JobQueue = Queue<Box<dyn Job>>;
type Threads = Mutex<Vec<JoinHandle<()>>>;

impl SqliteStore {
    /// Opens or creates the database, brings its schema up to date, starts the threads. Blocks on the disk.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = connect::writer(path)?;
        let count = thread::available_parallelism().map_or(1, usize::from).min(MAX_READERS);
        let readers = (0..count).map(|_| connect::reader(path)).collect::<Result<Vec<_>, _>>()?;

        let store = Self {
            writes: Arc::new(Queue::new(WRITE_QUEUE)),
            reads: Arc::new(Queue::new(READ_QUEUE)),
            writer: Mutex::default(),
            readers: Mutex::default(),
        };
        let queue = Arc::clone(&store.writes);
        start(&store.writer, "store-writer", move || write::run(sqlite(writer), &queue))?;
        for reader in readers {
            let queue = Arc::clone(&store.reads);
            start(&store.readers, "store-reader", move || read::run(sqlite(reader), &queue))?;
        }
        Ok(store)
    }

    pub(super) async fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        submit(&self.writes, f).await
    }

    pub(super) async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        submit(&self.reads, f).await
    }

    /// Refuses new work, finishes what is queued, writes the log back into the database file.
    pub(super) async fn close(&self) {
        self.reads.close();
        join(&self.readers).await;
        // The writer last: its final checkpoint needs the readers gone.
        self.writes.close();
        join(&self.writer).await;
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteStore")
    }
}

async fn submit<T, F>(queue: &JobQueue, f: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
{
    let (job, answer) = job(f);
    queue.push(job).map_err(|refused| {
        StoreError::unavailable(match refused {
            Refused::Full => "too many transactions are waiting",
            Refused::Closed => "the store is closed",
        })
    })?;
    match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
        Ok(Ok(result)) => result,
        // It may be running at this moment, or have been committed without its answer.
        Ok(Err(_)) => Err(StoreError::unknown("the store's thread ended")),
        Err(_) => Err(StoreError::unknown("the disk did not answer in time")),
    }
}

fn sqlite(connection: rusqlite::Connection) -> Tx {
    Tx::new(EngineTx::Sqlite(SqliteTx::new(connection)))
}

fn start(threads: &Threads, name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    let thread = thread::Builder::new()
        .name(name.into())
        .spawn(body)
        .map_err(|error| StoreError::unavailable(format!("cannot start a thread: {error}")))?;
    threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    Ok(())
}

async fn join(threads: &Threads) {
    let threads = mem::take(&mut *threads.lock().unwrap_or_else(PoisonError::into_inner));
    // Closures' panics are caught one by one; a thread that panicked all the same has nothing left to finish.
    let join = move || threads.into_iter().for_each(|thread| drop(thread.join()));
    let _ = tokio::task::spawn_blocking(join).await;
}
