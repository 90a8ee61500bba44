//! A transaction waiting for the SQLite writer: its closure, what came of it, and where the answer goes.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll, Waker},
};

use tokio::sync::oneshot;

use super::{StoreError, Tx, TxFuture};

/// Why a closed store refuses.
pub(super) const CLOSED: &str = "the store is closed";

/// A queued transaction, its type forgotten.
pub(super) trait Job: Send {
    /// Nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    /// Runs the closure (again, if need be) and keeps its result; true if the result asks for a commit.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// Sends the kept result. Only after the commit or roll-back that makes it true.
    fn answer(self: Box<Self>);
    /// Sends an error instead of the result.
    fn refuse(self: Box<Self>, error: StoreError);
}

type Reply<T> = oneshot::Receiver<Result<T, StoreError>>;

/// A job and the place where its answer will arrive.
pub(super) fn job<T, F>(f: F) -> (Box<dyn Job>, Reply<T>)
where
    T: Send + 'static,
    F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Pending { f, result: None, reply }), answer)
}

struct Pending<T, F> {
    f: F,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, tx: &mut Tx) -> bool {
        tx.reset();
        let result =
            catch_unwind(AssertUnwindSafe(|| finish((self.f)(tx)))).unwrap_or_else(|panic| Err(panicked(&*panic)));
        let result = tx.settle(result);
        let commit = result.is_ok();
        self.result = Some(result);
        commit
    }

    fn answer(self: Box<Self>) {
        let result = self.result.unwrap_or_else(|| Err(StoreError::Broken("a transaction was never run".into())));
        // The caller may have given up: then nobody wants the answer.
        let _ = self.reply.send(result);
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(error));
    }
}

/// Runs a closure once, to its end, on a transaction that is open.
pub(super) fn run<T, F>(f: &F, tx: &mut Tx) -> Result<T, StoreError>
where
    F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T>,
{
    tx.reset();
    let result = catch_unwind(AssertUnwindSafe(|| finish(f(tx)))).unwrap_or_else(|panic| Err(panicked(&*panic)));
    tx.settle(result)
}

/// Polls a transaction to its end. On SQLite every statement is ready at once.
fn finish<T>(mut future: TxFuture<'_, T>) -> Result<T, StoreError> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => {
            Err(StoreError::Broken("a transaction waited for something else than its own statements".into()))
        }
    }
}

/// The error for a closure that panicked.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    StoreError::Broken(format!("a transaction panicked: {}", text.unwrap_or("no message")))
}
