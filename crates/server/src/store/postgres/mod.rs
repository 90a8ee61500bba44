//! PostgreSQL, and what speaks its protocol: a pool of connections, retries of what the database asks to be retried.

mod connect;
mod engine;
mod error;
mod flight;
mod group;
mod hosts;
mod many;
mod tls;
mod tx;

pub(super) use engine::engine;
use std::{fmt, sync::Arc, time::Duration};

use deadpool_postgres::{ClientWrapper, Object, Pool};
use tokio::{sync::oneshot, time::Instant};

pub(super) use self::{error::meaning, tx::PgTx};

use self::{
    connect::Pooler,
    error::pool_error,
    group::{Line, Outcome, Turn},
};
use super::{
    StoreError, Tx, TxFuture,
    job::panicked,
    migrate::{self, Schema},
    tx::{EngineTx, Signals},
};
use crate::{random::Random, secret::PlainSecret};

/// How long a caller waits for its answer: pool, statements, retries and commit together.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Runs of one transaction before the conflict with others is reported.
const ATTEMPTS: u32 = 8;
/// The first pause after a conflict; it doubles, and a random part keeps the rivals apart.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// How long closing waits for transactions that are under way.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// A pool of connections to one database.
#[derive(Debug, Clone)]
struct Database {
    pool: Pool,
    pooler: Pooler,
    signals: Arc<Signals>,
}

/// A database, and those who wait to use it together.
pub(super) struct PgStore {
    database: Database,
    writes: Arc<Line>,
    reads: Arc<Line>,
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore").field("database", &self.database).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Write,
    Read,
}

/// How a transaction is run.
#[derive(Debug, Clone, Copy)]
struct Manner {
    access: Access,
    pooler: Pooler,
    /// It carries the transactions of many callers.
    together: bool,
}

/// What one run of a transaction came to.
struct Attempt<T> {
    result: Result<T, StoreError>,
    /// The connection, still to be tidied.
    tx: Option<Tx>,
    /// Nothing was kept, and another run may succeed.
    again: bool,
}

impl PgStore {
    /// Connects and brings the schema up to date, if that is wanted.
    pub(super) async fn open(
        (url, pool_size): (&PlainSecret, usize),
        signals: Arc<Signals>,
        schema: Schema,
    ) -> Result<Self, StoreError> {
        let (pool, pooler) = connect::pool(url.expose(), pool_size)?;
        // Not returned to the pool: a migration that failed leaves its transaction open.
        let client = Object::take(pool.get().await.map_err(|error| pool_error(&error))?);
        connect::check_encoding(&client).await?;
        migrate::postgres(&client, schema).await?;
        let database = Database { pool, pooler, signals };
        Ok(Self { database, writes: Arc::default(), reads: Arc::default() })
    }

    pub(super) async fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        self.database.run(Access::Write, Arc::new(f), deadline()).await
    }

    pub(super) async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        self.database.run(Access::Read, Arc::new(f), deadline()).await
    }

    pub(super) async fn write_together<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        self.together(Access::Write, f).await
    }

    pub(super) async fn read_together<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        self.together(Access::Read, f).await
    }

    async fn together<T, F>(&self, access: Access, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let (f, deadline) = (Arc::new(f), deadline());
        let line = match access {
            Access::Write => &self.writes,
            Access::Read => &self.reads,
        };
        match line.enter(&f, (&self.database, access), deadline) {
            Turn::Now(place) => place.hold(self.database.run(access, f, deadline)).await.0,
            Turn::Later(answer) => match group::outcome(answer, deadline).await {
                Outcome::Done(result) => result,
                Outcome::Undone => self.database.run(access, f, deadline).await,
            },
        }
    }

    /// A connection of its own, which never goes back to the pool, with a transaction that lets nobody else write into these
    /// tables, and may take as long as it likes.
    pub(super) async fn hold(&self, tables: &str) -> Result<ClientWrapper, StoreError> {
        let client = Object::take(self.database.pool.get().await.map_err(|error| pool_error(&error))?);
        let hold = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = 5000; \
             LOCK TABLE {tables} IN SHARE MODE"
        );
        client.batch_execute(&hold).await.map_err(|error| meaning(&error))?;
        Ok(client)
    }

    /// Refuses new work and waits for what is under way.
    pub(super) async fn close(&self) {
        self.database.pool.close();
        let idle = async {
            while self.database.pool.status().size > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // What takes longer is cut off, and rolled back by the server.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, idle).await;
    }
}

impl Database {
    /// Runs the transaction in a task of its own: a caller that goes away neither stops it half-way nor costs a
    /// connection.
    async fn run<T, F>(&self, access: Access, f: Arc<F>, deadline: Instant) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let (database, manner) = (self.clone(), Manner { access, pooler: self.pooler, together: false });
        let task = tokio::spawn(async move {
            let (result, tx) = repeat(&database, manner, &*f, deadline).await;
            // A refusal or a snapshot is true without the round trip that ends it. A caller that is gone needs nothing.
            let _ = reply.send(result);
            if let Some(mut tx) = tx {
                tx.postgres().end().await;
            }
        });
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(match task.await {
                Err(error) if error.is_panic() => panicked(&*error.into_panic()),
                _ => StoreError::unknown("the program is shutting down"),
            }),
        }
    }
}

async fn repeat<T, F>(
    database: &Database,
    manner: Manner,
    f: &F,
    deadline: Instant,
) -> (Result<T, StoreError>, Option<Tx>)
where
    F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        let attempt = run_once(database, manner, f, deadline).await;
        if !attempt.again {
            return (attempt.result, attempt.tx);
        }
        drop(attempt.tx);
        tokio::time::sleep(jittered(pause)).await;
        pause *= 2;
    }
    let last = run_once(database, manner, f, deadline).await;
    (last.result, last.tx)
}

async fn run_once<T, F>(database: &Database, manner: Manner, f: &F, deadline: Instant) -> Attempt<T>
where
    F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T>,
{
    let client = match database.pool.get().await {
        Ok(client) => client,
        Err(error) => return Attempt { result: Err(pool_error(&error)), tx: None, again: false },
    };
    let mut tx = Tx::new(EngineTx::Postgres(PgTx::new(client, deadline, manner)), Arc::clone(&database.signals));
    let result = f(&mut tx).await;
    let result = match (manner.access, tx.settle(result)) {
        (Access::Write, Ok(value)) => tx.postgres().commit().await.map(|()| value),
        (_, result) => result,
    };
    if result.is_ok() {
        tx.announce();
    }
    // A connection that died in the pool, or under a snapshot; the next one is fresh.
    let again = result.is_err() && (tx.postgres().lost_nothing() || tx.postgres().asks_to_retry());
    if again {
        tx.postgres().end().await;
    }
    Attempt { result, tx: Some(tx), again }
}

#[expect(clippy::disallowed_methods, reason = "an interval, measured at the boundary")]
fn deadline() -> Instant {
    Instant::now() + ANSWER_TIMEOUT
}

/// Between half and all of `pause`.
fn jittered(pause: Duration) -> Duration {
    let [random] = Random.bytes::<1>().unwrap_or_default();
    pause / 2 + pause * u32::from(random) / 512
}
