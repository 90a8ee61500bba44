//! The background task of a follower: started where a runtime is at hand, again if its runtime is gone, and ended with the
//! last verifier.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{runtime::Handle, task::AbortHandle};

use super::{
    follow::{Follower, Settings},
    http::HttpTransport,
};
use crate::revocation::micros;

/// Dropping it stops its task.
#[derive(Debug)]
pub(crate) struct Runner {
    follower: Arc<Follower<HttpTransport>>,
    settings: Arc<Settings>,
    task: Mutex<Option<AbortHandle>>,
}

impl Runner {
    pub(crate) fn new(follower: Follower<HttpTransport>, settings: Arc<Settings>) -> Self {
        let runner = Self { follower: Arc::new(follower), settings, task: Mutex::default() };
        runner.ensure();
        runner
    }

    /// Starts the task unless it runs.
    pub(crate) fn ensure(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(AbortHandle::is_finished) {
            let follower = Arc::clone(&self.follower);
            *task = Some(runtime.spawn(async move { follower.run().await }).abort_handle());
        }
    }

    /// A token came from beyond the head, so that there is something to read.
    pub(crate) fn nudge(&self) {
        self.settings.nudge.notify_one();
    }

    /// A route asks for no more than this age.
    pub(crate) fn tighten(&self, bound: Duration) {
        self.settings.tightest.fetch_min(micros(bound).unsigned_abs(), Relaxed);
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}
