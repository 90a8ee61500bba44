//! SQL only, no rules: one file per domain noun, one text per statement for both databases.

mod tx;

use std::{future::Future, pin::Pin};

pub use tx::{Param, Row, Tx};

/// What a transaction's closure returns: a boxed future that borrows the transaction.
pub type TxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
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

/// The database, SQLite or PostgreSQL. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store;

impl Store {
    /// Runs one transaction. `f` may run again (a serialization failure, a group on SQLite whose transaction broke),
    /// so it must not do anything but use `tx`. `Ok` commits and returns only after the commit is durable,
    /// `Err` rolls this transaction back.
    pub async fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let _ = f;
        todo!()
    }

    /// Runs reads in one snapshot.
    pub async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
    {
        let _ = f;
        todo!()
    }
}
