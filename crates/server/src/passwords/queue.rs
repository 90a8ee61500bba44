//! The bounded queue between requests and hashing threads.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::worker::Job;

/// Waiting jobs. A place belongs to the job, not to the request: it is free again when a thread has taken the job, even if
/// the request has gone away meanwhile.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// What a thread gets when it asks for work.
#[derive(Debug)]
pub(super) enum Next {
    Job(Job),
    /// Nothing came for a while.
    Idle,
    Closed,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), capacity }
    }

    /// Queues a job; never waits. Gives it back if the queue is full or closed.
    pub(super) fn push(&self, job: Job) -> Result<(), Job> {
        let mut state = self.lock();
        if state.closed || state.jobs.len() >= self.capacity {
            return Err(job);
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for the oldest job, at most `patience` if there is one.
    pub(super) fn next(&self, patience: Option<Duration>) -> Next {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Next::Closed;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Next::Job(job);
            }
            let Some(patience) = patience else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (guard, waited) = self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if waited.timed_out() && state.jobs.is_empty() && !state.closed {
                return Next::Idle;
            }
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Ends the threads; jobs that still wait are dropped and their requests told so.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        drop(jobs);
        self.changed.notify_all();
    }

    // Nothing under this lock can panic and leave the queue half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
