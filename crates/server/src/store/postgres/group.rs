//! Transactions of many callers in one: their statements travel together, and one commit serves them all.
//!
//! Whoever comes while few are under way runs alone, as if this file did not exist. Whoever comes later waits until one of
//! those is done, and then shares a transaction with all who waited: a BEGIN, a COMMIT, one write to the disk and a few
//! round trips for all of them. A group of which anything fails is undone, and each of its members runs alone.

use std::{
    collections::VecDeque,
    future::Future,
    mem,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{Either, join_all, select},
};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    task,
    time::{Instant, timeout, timeout_at},
};

use super::{ATTEMPTS, Access, Database, Manner, PgTx, error::pool_error, many::Calls};
use crate::store::{StoreError, Tx, TxFuture, job::panicked, tx::EngineTx};

/// How many transactions are under way before others wait for them. More of them make smaller groups: with two, PostgreSQL spent
/// a third more time on each refresh, and no more of them came through.
const LANES: usize = 1;
/// How long one of them keeps others waiting: it may wait itself, for a row that somebody has locked, or for a slow disk.
const PATIENCE: Duration = Duration::from_millis(200);
/// Members of one group.
const GROUP_MAX: usize = 32;

/// Who runs, and who waits for them.
#[derive(Default)]
pub(super) struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    running: usize,
    waiting: VecDeque<Box<dyn Member>>,
}

/// What becomes of a transaction that comes.
pub(super) enum Turn<T> {
    /// It runs alone, and keeps this as long.
    Now(Place),
    /// It waits for a group.
    Later(oneshot::Receiver<Outcome<T>>),
}

/// What became of a member.
pub(super) enum Outcome<T> {
    Done(Result<T, StoreError>),
    /// Its group was undone: nothing of it was kept, and it may run alone.
    Undone,
}

/// One of those that run. Who waits goes on when it ends.
pub(super) struct Place {
    line: Arc<Line>,
    database: Database,
    access: Access,
    /// Handed to a task that has not begun.
    handed: bool,
}

/// A transaction that waits, its type forgotten.
trait Member: Send {
    /// Nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    fn deadline(&self) -> Instant;
    /// Runs the closure and keeps its result; true if the result asks for a commit.
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>>;
    /// Sends the kept result. Only after the commit that makes it true.
    fn answer(self: Box<Self>);
    /// Sends an error instead of the result; without one, that nothing was kept.
    fn refuse(self: Box<Self>, error: Option<StoreError>);
}

struct Pending<T, F> {
    f: Arc<F>,
    deadline: Instant,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Outcome<T>>,
}

impl<T, F> Member for Pending<T, F>
where
    T: Send + 'static,
    F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move {
            // One that panics must not take the others' answers with it.
            let run = AssertUnwindSafe(async { (self.f)(tx).await }).catch_unwind().await;
            let result = match tx.settle(run.unwrap_or_else(|panic| Err(panicked(&*panic)))) {
                Ok(value) => tx.postgres().arrive().await.map(|()| value),
                Err(error) => Err(error),
            };
            let keep = result.is_ok();
            self.result = Some(result);
            keep
        })
    }

    fn answer(self: Box<Self>) {
        let outcome = self.result.map_or(Outcome::Undone, Outcome::Done);
        // The caller may have given up: then nobody wants the answer.
        let _ = self.reply.send(outcome);
    }

    fn refuse(self: Box<Self>, error: Option<StoreError>) {
        let _ = self.reply.send(error.map_or(Outcome::Undone, |error| Outcome::Done(Err(error))));
    }
}

impl Line {
    /// Lets a transaction run, or wait.
    pub(super) fn enter<T, F>(self: &Arc<Self>, f: &Arc<F>, access: (&Database, Access), deadline: Instant) -> Turn<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let mut state = self.lock();
        if state.running < LANES {
            state.running += 1;
            let (database, access) = access;
            return Turn::Now(Place { line: Arc::clone(self), database: database.clone(), access, handed: false });
        }
        let (reply, answer) = oneshot::channel();
        state.waiting.push_back(Box::new(Pending { f: Arc::clone(f), deadline, result: None, reply }));
        Turn::Later(answer)
    }

    fn take(&self) -> Vec<Box<dyn Member>> {
        let mut state = self.lock();
        let count = state.waiting.len().min(GROUP_MAX);
        state.waiting.drain(..count).filter(|member| !member.is_abandoned()).collect()
    }

    // No code runs under this lock that could panic and leave it half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        // A task that is dropped before it began: the runtime is ending, and takes no other one.
        let runtime = Handle::try_current().ok().filter(|_| !self.handed);
        match runtime {
            Some(runtime) if !state.waiting.is_empty() => {
                drop(state);
                let (line, database) = (Arc::clone(&self.line), self.database.clone());
                runtime.spawn(Self { line, database, access: self.access, handed: true }.serve());
            }
            Some(_) => state.running -= 1,
            None => {
                state.running -= 1;
                // They hear from their channels that the program is ending.
                let waiting = mem::take(&mut state.waiting);
                drop(state);
                drop(waiting);
            }
        }
    }
}

impl Place {
    /// Runs a transaction. Gives the place back, unless it took so long that others no longer wait for it.
    pub(super) async fn hold<T>(self, work: impl Future<Output = T>) -> (T, Option<Self>) {
        let mut work = pin!(work);
        match timeout(PATIENCE, &mut work).await {
            Ok(done) => (done, Some(self)),
            Err(_) => {
                drop(self);
                (work.await, None)
            }
        }
    }

    async fn serve(mut self) {
        self.handed = false;
        let (line, database) = (Arc::clone(&self.line), self.database.clone());
        let manner = Manner { access: self.access, pooler: database.pooler, together: true };
        let mut place = Some(self);
        while let Some(held) = place {
            // Whoever is about to join does it first, and shares the commit.
            task::yield_now().await;
            let members = line.take();
            if members.is_empty() {
                return;
            }
            ((), place) = held.hold(Box::pin(run(&database, manner, members))).await;
        }
    }
}

/// Runs a group and answers its members.
async fn run(database: &Database, manner: Manner, members: Vec<Box<dyn Member>>) {
    // The first has waited longest.
    let Some(deadline) = members.iter().map(|member| member.deadline()).min() else { return };
    let mut leader = match begin(database, manner, deadline).await {
        Ok(leader) => leader,
        Err(error) => return members.into_iter().for_each(|member| member.refuse(Some(error.clone()))),
    };
    let (calls, mut seats) = (Arc::new(Calls::default()), Vec::with_capacity(members.len()));
    for member in members {
        let tx = EngineTx::Postgres(leader.member(&calls));
        seats.push((member, Tx::new(tx, Arc::clone(&database.signals))));
    }
    let kept = serve(&mut leader, &calls, join_all(seats.iter_mut().map(|(member, tx)| member.run(tx)))).await;
    let ended = match (kept.into_iter().all(|keep| keep), manner.access) {
        (false, _) => Err(StoreError::unavailable("the group broke")),
        (true, Access::Write) => leader.commit().await,
        (true, Access::Read) => Ok(()),
    };
    let unknown = match ended {
        Ok(()) => {
            for (member, mut tx) in mem::take(&mut seats) {
                tx.announce();
                member.answer();
            }
            None
        }
        Err(error @ StoreError::Unavailable { unknown_outcome: true, .. }) => Some(error),
        Err(_) => None,
    };
    // Before its members run alone: they would wait for what it holds.
    leader.end().await;
    seats.into_iter().for_each(|(member, _)| member.refuse(unknown.clone()));
}

/// Waits for the members, and runs what they ask for together: whenever none of them can go on by itself.
async fn serve<T>(leader: &mut PgTx, calls: &Calls, members: impl Future<Output = T>) -> T {
    let mut members = pin!(members);
    loop {
        match select(&mut members, pin!(calls.next())).await {
            Either::Left((done, _)) => return done,
            Either::Right((asked, _)) => {
                for asked in asked {
                    asked.run(leader).await;
                }
            }
        }
    }
}

/// An open transaction on a connection that lives.
async fn begin(database: &Database, manner: Manner, deadline: Instant) -> Result<PgTx, StoreError> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let client = database.pool.get().await.map_err(|error| pool_error(&error))?;
        let mut tx = PgTx::new(client, deadline, manner);
        match tx.begin().await {
            Ok(()) => return Ok(tx),
            // It died in the pool; the next one is fresh.
            Err(error) if tx.lost_nothing() => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| StoreError::unavailable("no connection to the database lives")))
}

/// Waits for what became of a member.
pub(super) async fn outcome<T>(answer: oneshot::Receiver<Outcome<T>>, deadline: Instant) -> Outcome<T> {
    match timeout_at(deadline, answer).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Outcome::Done(Err(StoreError::unknown("the program is shutting down"))),
        // Its group may be on its way at this moment.
        Err(_) => Outcome::Done(Err(StoreError::unknown("the database did not answer in time"))),
    }
}
