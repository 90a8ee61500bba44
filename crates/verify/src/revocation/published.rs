//! One value for everybody: readers take it from an atomic pointer and never wait; whoever changes it takes turns.

use std::sync::{Arc, PoisonError};

use super::sync::{ArcSwap, Guard, Mutex};

#[derive(Debug)]
pub(super) struct Published<T> {
    current: ArcSwap<T>,
    turn: Mutex<()>,
}

impl<T: Clone> Published<T> {
    pub(super) fn new(first: T) -> Self {
        Self { current: ArcSwap::from_pointee(first), turn: Mutex::new(()) }
    }

    /// The value of this moment.
    #[inline]
    pub(super) fn read(&self) -> Guard<Arc<T>> {
        self.current.load()
    }

    /// Puts a changed copy in its place. Of several who change it at once, each sees what the one before it has made.
    pub(super) fn change<O>(&self, change: impl FnOnce(&mut T) -> O) -> O {
        // Nothing that holds the lock can leave anything half-changed.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = T::clone(&self.current.load());
        let outcome = change(&mut next);
        self.current.store(Arc::new(next));
        outcome
    }
}
