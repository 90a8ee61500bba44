//! A reader thread: one snapshot per job.

use super::JobQueue;
use crate::store::Tx;

/// Serves the queue until it is closed and empty.
pub(super) fn run(mut tx: Tx, queue: &JobQueue) {
    while let Some(mut job) = queue.take(1).pop_front() {
        if job.is_abandoned() {
            continue;
        }
        // The snapshot is taken by the first statement, and is the same for all that follow.
        if let Err(error) = tx.sqlite().control("BEGIN DEFERRED") {
            job.refuse(error);
            continue;
        }
        job.run(&mut tx);
        tx.sqlite().roll_back();
        job.answer();
    }
}
