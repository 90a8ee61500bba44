//! SQLite: one writer thread that commits queued transactions in groups; snapshots are read where they are asked for.

mod backup;
mod connect;
mod engine;
mod read;
mod tx;
mod write;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

pub use backup::{Contents, beside, copy_file};
pub use connect::check_file;
pub(super) use engine::engine;
pub(super) use tx::{SqliteTx, meaning};

use self::read::Readers;
use super::{
    StoreError, Tx, TxFuture,
    job::{CLOSED, Job, job},
    migrate::Schema,
    queue::{Queue, Refused},
    tx::{EngineTx, Signals},
};

/// Transactions that may wait for the writer. A full queue refuses at once: at 344 commits/s (the slowest disk measured)
/// in groups of 128 it is drained in 0.1 s.
const WRITE_QUEUE: usize = 4096;
/// Connections for snapshots: one for each thread of the runtime, and no more than this.
const MAX_READERS: usize = 16;
/// How long a caller waits for its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

type JobQueue = Queue<Box<dyn Job>>;

/// The writer thread with its queue, and the readers' connections.
#[derive(Debug)]
pub(super) struct SqliteStore {
    writes: Arc<JobQueue>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Readers,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens or creates the database, brings its schema up to date if that is wanted, starts the writer. Blocks on the disk.
    pub(super) fn open(path: &Path, signals: &Arc<Signals>, schema: Schema) -> Result<Self, StoreError> {
        let sqlite = |connection| Tx::new(EngineTx::Sqlite(SqliteTx::new(connection)), Arc::clone(signals));
        let writer = sqlite(connect::writer(path, schema)?);
        let count = thread::available_parallelism().map_or(1, usize::from).min(MAX_READERS);
        let readers = (0..count).map(|_| connect::reader(path).map(&sqlite)).collect::<Result<_, _>>()?;

        let writes = Arc::new(Queue::new(WRITE_QUEUE));
        let queue = Arc::clone(&writes);
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write::run(writer, &queue))
            .map_err(|error| StoreError::unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self { writes, writer: Mutex::new(Some(thread)), readers: Readers::new(readers), path: path.to_owned() })
    }

    pub(super) async fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let (job, answer) = job(f);
        self.writes.push(job).map_err(|refused| {
            StoreError::unavailable(match refused {
                Refused::Full => "too many transactions are waiting",
                Refused::Closed => CLOSED,
            })
        })?;
        match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
            Ok(Ok(result)) => result,
            // It may be running at this moment, or have been committed without its answer.
            Ok(Err(_)) => Err(StoreError::unknown("the writer ended")),
            Err(_) => Err(StoreError::unknown("the disk did not answer in time")),
        }
    }

    pub(super) async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T>,
    {
        self.readers.read(f).await
    }

    /// A connection of its own that lets nobody else write.
    pub(super) fn hold(&self) -> Result<rusqlite::Connection, StoreError> {
        connect::holder(&self.path)
    }

    /// Refuses new work, finishes what is queued, writes the log back into the database file.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        // The writer last: its final checkpoint needs the readers gone.
        self.writes.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Closures' panics are caught one by one; a writer that panicked all the same has nothing left to finish.
        let _ = tokio::task::spawn_blocking(move || writer.map(JoinHandle::join)).await;
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.writes.close();
    }
}
