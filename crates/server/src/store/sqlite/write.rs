//! The writer thread: queued transactions, committed in groups.
//!
//! One fsync serves a whole group. Each member runs inside a savepoint, so that one that refuses takes nobody with it;
//! nobody is answered before the COMMIT.

use std::{
    collections::VecDeque,
    thread,
    time::{Duration, Instant},
};

use super::JobQueue;
use crate::store::{StoreError, Tx, job::Job};

/// Members of one group. Beyond this a larger group saves less than a microsecond each.
const GROUP_MAX: usize = 128;
/// How long a group takes new members; those left over form the next group.
const GROUP_TIME: Duration = Duration::from_millis(10);

type Waiting = VecDeque<Box<dyn Job>>;

/// Serves the queue until it is closed and empty; then checkpoints.
pub(super) fn run(mut tx: Tx, queue: &JobQueue) {
    let mut waiting = Waiting::new();
    loop {
        if waiting.is_empty() {
            queue.wait();
            // Whoever is about to queue another transaction on this processor does it first, and shares the commit: on one
            // core this makes groups as large as there are callers. Nobody waits where nobody else has work.
            thread::yield_now();
            waiting = queue.take(GROUP_MAX);
            if waiting.is_empty() {
                break;
            }
        }
        waiting.retain(|job| !job.is_abandoned());
        match waiting.len() {
            0 => {}
            1 => waiting.drain(..).for_each(|job| commit_alone(&mut tx, job)),
            _ => commit_group(&mut tx, &mut waiting),
        }
    }
    // Only saves the next start some work; the log is durable as it is.
    tx.sqlite().checkpoint();
}

fn commit_alone(tx: &mut Tx, mut job: Box<dyn Job>) {
    if let Err(error) = tx.sqlite().control("BEGIN IMMEDIATE") {
        return job.refuse(error);
    }
    if !job.run(tx) {
        tx.sqlite().roll_back();
        return job.answer();
    }
    match commit(tx) {
        Ok(()) => job.answer(),
        Err(error) => job.refuse(error),
    }
}

/// Commits as many of the waiting as fit into one group. A group that cannot be committed as a whole is done again,
/// one by one.
fn commit_group(tx: &mut Tx, waiting: &mut Waiting) {
    if let Err(error) = tx.sqlite().control("BEGIN IMMEDIATE") {
        return waiting.drain(..).for_each(|job| job.refuse(error.clone()));
    }
    let until = now() + GROUP_TIME;
    let mut members = Vec::with_capacity(waiting.len());
    let mut whole = true;
    while let Some(mut job) = waiting.pop_front() {
        whole = run_member(tx, &mut *job);
        members.push(job);
        if !whole || now() >= until {
            break;
        }
    }
    let committed = if whole { commit(tx) } else { Err(StoreError::unavailable("the group broke")) };
    match committed {
        Ok(()) => members.into_iter().for_each(<dyn Job>::answer),
        Err(error @ StoreError::Unavailable { unknown_outcome: true, .. }) => {
            members.into_iter().for_each(|job| job.refuse(error.clone()));
        }
        Err(_) => {
            tx.sqlite().roll_back();
            members.into_iter().for_each(|job| commit_alone(tx, job));
        }
    }
}

/// Runs one member inside its savepoint; false if the group's transaction is gone. Without this check the statements of
/// later members would commit one by one.
fn run_member(tx: &mut Tx, job: &mut dyn Job) -> bool {
    if tx.sqlite().control("SAVEPOINT member").is_err() {
        return false;
    }
    let keep = job.run(tx);
    let sqlite = tx.sqlite();
    if !sqlite.is_open() {
        return false;
    }
    let undone = keep || sqlite.control("ROLLBACK TO member").is_ok();
    undone && sqlite.control("RELEASE member").is_ok() && sqlite.is_open()
}

/// Commits. If it fails, nothing is left open.
fn commit(tx: &mut Tx) -> Result<(), StoreError> {
    if let Err(failed) = tx.sqlite().commit() {
        tx.sqlite().roll_back();
        return Err(failed);
    }
    tx.announce();
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an interval, measured at the boundary")]
fn now() -> Instant {
    Instant::now()
}
