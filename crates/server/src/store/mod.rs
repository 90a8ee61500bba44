//! SQL only, no rules: one file per domain noun, one text per statement for both databases.
//!
//! How a statement is written: `$1…` in the order of first appearance (SQLite numbers them so), `RETURNING`,
//! `ON CONFLICT`, columns of text, bigint and bytea, nothing that only one database understands. What truly differs is in
//! `dialect.rs`.

pub mod assertions;
pub mod audiences;
pub mod audit;
pub mod authorizations;
pub mod brands;
pub mod clients;
pub mod codes;
pub mod consents;
pub mod copy;
pub mod devices;
pub mod dialect;
mod each;
pub mod factors;
mod frozen;
pub mod groups;
pub mod invitations;
mod job;
pub mod kek_wraps;
pub mod key_verifiers;
pub mod keys;
mod lock;
pub mod login_limits;
pub mod mail_codes;
pub mod mail_tokens;
pub mod mails;
pub mod meta;
mod migrate;
pub mod notices;
pub mod organisations;
pub mod outbox;
pub mod passkeys;
pub mod pending;
mod postgres;
pub mod proofs;
pub mod pushed;
mod queue;
pub mod recovery_codes;
pub mod registrations;
pub mod restore;
pub mod revocations;
pub mod role_definitions;
pub mod roles;
pub mod schema;
pub mod sessions;
pub mod signed_in;
pub mod signins;
mod sqlite;
pub mod standing;
pub mod status;
pub mod totps;
pub mod trim;
pub mod turns;
mod tx;
pub mod upstreams;
pub mod users;
pub mod users_deleted;
pub mod users_moved;
mod value;
mod wide;

use std::{
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
};

pub use frozen::Frozen;
pub use lock::{DataDirLock, LockError};
pub use migrate::Schema;
pub use migrate::newest as schema_version;
/// The version of the SQLite that is compiled in.
pub use rusqlite::version as sqlite_version;
pub use sqlite::{Contents, beside, check_file, copy_file};
pub use tx::Tx;
pub use value::{FromColumn, Param, Row, Value};

use self::{postgres::PgStore, sqlite::SqliteStore, tx::Signals};
use crate::{secret::PlainSecret, telemetry};

/// What a transaction's closure returns: a boxed future that borrows the transaction.
pub type TxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why the store could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database is not there, too slow, full or overloaded; the same call may succeed later. Nothing was committed,
    /// unless `unknown_outcome` says that the connection broke during the commit.
    #[error("the database is unavailable: {reason}")]
    Unavailable { reason: String, unknown_outcome: bool },
    /// A unique constraint refused the write.
    #[error("a row with this key exists already")]
    Conflict,
    /// A statement, a column or a stored value is not what the code expects.
    #[error("store: {0}")]
    Broken(String),
}

impl StoreError {
    /// Nothing was committed; later it may be.
    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), unknown_outcome: false }
    }

    /// Nobody knows whether it was committed.
    fn unknown(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), unknown_outcome: true }
    }
}

/// Which database, and where.
#[derive(Debug, Clone)]
pub enum StoreConfig {
    /// A file; it is created if it does not exist, its folder must.
    Sqlite { path: PathBuf },
    /// `postgres://user:password@host/database?…`; several hosts mean: whichever is the primary. TLS is on unless every
    /// host is this machine or the URL says `sslmode=disable`, and the certificate is always verified, against
    /// `sslrootcert=` (PEM) or the system's authorities.
    Postgres { url: PlainSecret, pool_size: usize },
}

/// The kind of database behind a [`Store`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    Sqlite,
    Postgres,
}

impl StoreKind {
    /// Its name as people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The database, SQLite or PostgreSQL. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Arc<Engine>,
    signals: Arc<Signals>,
}

#[derive(Debug)]
enum Engine {
    Sqlite(SqliteStore),
    Postgres(PgStore),
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be reached now; `Broken` if it is damaged, not ours, or newer than this program: the
    /// message says what to do.
    pub async fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        Self::open_with(config, Schema::Newest).await
    }

    /// Opens the database and does to its schema what may be done.
    ///
    /// # Errors
    /// As [`Store::open`]; `Broken` if its schema is not up to date and must be left alone.
    pub async fn open_with(config: &StoreConfig, schema: Schema) -> Result<Self, StoreError> {
        let signals = Arc::new(Signals::default());
        let engine = match config {
            StoreConfig::Sqlite { path } => {
                let (path, signals) = (path.clone(), Arc::clone(&signals));
                let open = tokio::task::spawn_blocking(move || SqliteStore::open(&path, &signals, schema)).await;
                Engine::Sqlite(open.map_err(|error| StoreError::Broken(format!("cannot open the store: {error}")))??)
            }
            StoreConfig::Postgres { url, pool_size } => {
                Engine::Postgres(PgStore::open((url, *pool_size), Arc::clone(&signals), schema).await?)
            }
        };
        Ok(Self { engine: Arc::new(engine), signals })
    }

    /// Waits until a transaction of this process that appended to the revocation log was committed. For one waiter; a
    /// commit that nobody waited for is remembered. What other replicas commit is not noticed here.
    pub async fn appended(&self) {
        self.signals.news.notified().await;
    }

    /// How many statements were run since it was opened: for whoever compares what two requests cost.
    pub fn statements(&self) -> u64 {
        self.signals.statements.load(Ordering::Relaxed)
    }

    pub fn kind(&self) -> StoreKind {
        match &*self.engine {
            Engine::Sqlite(_) => StoreKind::Sqlite,
            Engine::Postgres(_) => StoreKind::Postgres,
        }
    }

    /// Runs one transaction. `f` may run again (a serialization failure, a group on SQLite whose transaction broke),
    /// so it must not do anything but use `tx`. `Ok` commits and returns only after the commit is durable,
    /// `Err` rolls this transaction back.
    ///
    /// # Errors
    /// What `f` returned, or why its transaction could not run or commit.
    pub async fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let write = async {
            match &*self.engine {
                Engine::Sqlite(store) => store.write(f).await,
                Engine::Postgres(store) => store.write(f).await,
            }
        };
        telemetry::child("store.write", write).await
    }

    /// Runs reads in one snapshot. `f` may run again.
    ///
    /// # Errors
    /// What `f` returned, or why it could not run. A statement that writes fails.
    pub async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let read = async {
            match &*self.engine {
                Engine::Sqlite(store) => store.read(f).await,
                Engine::Postgres(store) => store.read(f).await,
            }
        };
        telemetry::child("store.read", read).await
    }

    /// As [`Store::write`], for a transaction in which every statement decides and acts by itself: on PostgreSQL, while many
    /// are waiting, those of other callers run between its statements, in the same transaction, and one commit serves them
    /// all. An `Err` undoes the others' work too and makes it be done again, so a refusal should be a value. (On SQLite the
    /// writer commits all transactions in groups, one after the other.)
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_together<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let write = async {
            match &*self.engine {
                Engine::Sqlite(store) => store.write(f).await,
                Engine::Postgres(store) => store.write_together(f).await,
            }
        };
        telemetry::child("store.write", write).await
    }

    /// As [`Store::read`], for a few rows that are found by their keys: on PostgreSQL, while many are waiting, one snapshot
    /// serves them all, and each waits for the slowest.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn read_together<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let read = async {
            match &*self.engine {
                Engine::Sqlite(store) => store.read(f).await,
                Engine::Postgres(store) => store.read_together(f).await,
            }
        };
        telemetry::child("store.read", read).await
    }

    /// Whether a write transaction gets its turn. Changes nothing and waits for no disk.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.write(|tx| Box::pin(async move { tx.fetch_optional(PING, &[]).await.map(|_| ()) })).await
    }

    /// Refuses new work, finishes what waits, and leaves the database tidy. Every clone of this store is closed.
    pub async fn close(&self) {
        match &*self.engine {
            Engine::Sqlite(store) => store.close().await,
            Engine::Postgres(store) => store.close().await,
        }
    }
}

const PING: &str = "SELECT stream FROM rev_head WHERE stream = 0";
