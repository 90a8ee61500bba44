//! Snapshots, read on the caller's own thread.
//!
//! A row in the page cache is read in a few microseconds, less than handing the work to another thread costs. A row on
//! the disk holds up one of the runtime's threads for as long as the disk takes.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Semaphore;

use crate::store::{
    StoreError, Tx, TxFuture,
    job::{CLOSED, run},
};

/// Connections that cannot write; one snapshot at a time on each.
pub(super) struct Readers {
    idle: Mutex<Vec<Tx>>,
    free: Semaphore,
    count: u32,
}

impl Readers {
    pub(super) fn new(connections: Vec<Tx>) -> Self {
        let count = u32::try_from(connections.len()).unwrap_or(u32::MAX);
        Self { idle: Mutex::new(connections), free: Semaphore::new(count as usize), count }
    }

    pub(super) async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T>,
    {
        let closed = || StoreError::unavailable(CLOSED);
        let _permit = self.free.acquire().await.map_err(|_| closed())?;
        let mut tx = self.idle().pop().ok_or_else(closed)?;
        // Nothing waits from here on, and a panic of the closure is caught: the connection always comes back.
        let result = snapshot(&mut tx, &f);
        self.idle().push(tx);
        result
    }

    /// Refuses new snapshots, waits for those under way, closes the connections.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.free.acquire_many(self.count).await {
            self.free.close();
            self.idle().clear();
            all.forget();
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Tx>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("count", &self.count).finish_non_exhaustive()
    }
}

fn snapshot<T, F>(tx: &mut Tx, f: &F) -> Result<T, StoreError>
where
    F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T>,
{
    // The snapshot is taken by the first statement, and is the same for all that follow.
    tx.sqlite().control("BEGIN DEFERRED")?;
    let result = run(f, tx);
    tx.sqlite().roll_back();
    result
}
