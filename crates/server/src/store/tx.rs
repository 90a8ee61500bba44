//! One transaction on either database: three verbs, parameters and rows of a few plain types.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

use super::{Param, Row, StoreError, StoreKind, each::Each, postgres::PgTx, sqlite::SqliteTx};

/// What transactions tell their store.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// The revocation log has got longer.
    pub news: Notify,
    /// How many statements were run.
    pub statements: AtomicU64,
}

/// One transaction.
///
/// Once a statement has failed, the transaction is over on every database: whatever follows in it fails, and it is
/// rolled back even if its closure returns `Ok`. An expected conflict is written as `ON CONFLICT`, not caught.
#[derive(Debug)]
pub struct Tx {
    engine: EngineTx,
    failed: bool,
    /// It has appended to the revocation log.
    appended: bool,
    signals: Arc<Signals>,
}

#[derive(Debug)]
pub(super) enum EngineTx {
    Sqlite(SqliteTx),
    Postgres(PgTx),
}

impl Tx {
    /// Runs a statement; returns the number of rows it changed.
    ///
    /// # Errors
    /// Any [`StoreError`]; the transaction cannot commit any more.
    pub async fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.check(params)?;
        let result = match &mut self.engine {
            EngineTx::Sqlite(tx) => tx.execute(sql, params),
            EngineTx::Postgres(tx) => tx.execute(sql, params).await,
        };
        self.note(result)
    }

    /// Runs a statement of which nothing is needed but that it does not fail. On PostgreSQL it travels with the next
    /// statement, or with the commit: together they cost one round trip.
    ///
    /// # Errors
    /// As [`execute`](Self::execute); on PostgreSQL the next statement fails instead, or the commit.
    pub async fn send(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<(), StoreError> {
        self.check(params)?;
        let result = match &mut self.engine {
            EngineTx::Sqlite(tx) => tx.execute(sql, params).map(drop),
            EngineTx::Postgres(tx) => tx.send(sql, params).await,
        };
        self.note(result)
    }

    /// Fetches at most one row.
    ///
    /// # Errors
    /// Any [`StoreError`], `Broken` if there is more than one row; the transaction cannot commit any more.
    pub async fn fetch_optional(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Option<Row>, StoreError> {
        let mut rows = self.fetch_all(sql, params).await?;
        if rows.len() > 1 {
            return self.note(Err(StoreError::Broken(format!("{} rows where at most one was expected", rows.len()))));
        }
        Ok(rows.pop())
    }

    /// Fetches at most one row. Those who share a transaction and ask the same at the same time do it with one statement; of those
    /// who then update the same row, one gets it, and the others nothing.
    ///
    /// # Errors
    /// As [`fetch_optional`](Self::fetch_optional).
    pub(super) async fn fetch_each(
        &mut self,
        each: &'static Each,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, StoreError> {
        match &mut self.engine {
            EngineTx::Postgres(tx) if tx.shares() && each.takes(params) => {}
            _ => return self.fetch_optional(each.one(), params).await,
        }
        self.check(params)?;
        let result = self.postgres().ask(each, params).await;
        self.note(result)
    }

    /// Fetches all rows; the statement bounds their number (`LIMIT`).
    ///
    /// # Errors
    /// Any [`StoreError`]; the transaction cannot commit any more.
    pub async fn fetch_all(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        self.check(params)?;
        let result = match &mut self.engine {
            EngineTx::Sqlite(tx) => tx.fetch_all(sql, params),
            EngineTx::Postgres(tx) => tx.fetch_all(sql, params).await,
        };
        self.note(result)
    }

    pub(super) fn new(engine: EngineTx, signals: Arc<Signals>) -> Self {
        Self { engine, failed: false, appended: false, signals }
    }

    /// The revocation log has got longer, if this transaction commits.
    pub(super) fn note_append(&mut self) {
        self.appended = true;
    }

    /// It was committed: wakes the feed if there is news. On SQLite a transaction of the same group may have noted an
    /// append and been rolled back; waking for nothing costs one look.
    pub(super) fn announce(&mut self) {
        if mem::take(&mut self.appended) {
            self.signals.news.notify_one();
        }
    }

    pub(crate) fn kind(&self) -> StoreKind {
        match self.engine {
            EngineTx::Sqlite(_) => StoreKind::Sqlite,
            EngineTx::Postgres(_) => StoreKind::Postgres,
        }
    }

    /// The connection, for the engine that made this transaction from it.
    pub(super) fn sqlite(&mut self) -> &mut SqliteTx {
        match &mut self.engine {
            EngineTx::Sqlite(tx) => tx,
            EngineTx::Postgres(_) => unreachable!("made on a SQLite connection"),
        }
    }

    /// The connection, for the engine that made this transaction from it.
    pub(super) fn postgres(&mut self) -> &mut PgTx {
        match &mut self.engine {
            EngineTx::Postgres(tx) => tx,
            EngineTx::Sqlite(_) => unreachable!("made on a PostgreSQL connection"),
        }
    }

    /// Starts afresh: the next transaction on the same connection.
    pub(super) fn reset(&mut self) {
        self.failed = false;
    }

    /// What the closure's result really is: `Ok` after a failed statement is not one.
    pub(super) fn settle<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        match result {
            Ok(_) if self.failed => {
                Err(StoreError::Broken("a transaction returned Ok although one of its statements had failed".into()))
            }
            other => other,
        }
    }

    /// What PostgreSQL refuses, refused alike on both: statements after a failure, and NUL in text.
    fn check(&mut self, params: &[Param<'_>]) -> Result<(), StoreError> {
        self.signals.statements.fetch_add(1, Ordering::Relaxed);
        if self.failed {
            return Err(StoreError::Broken("a statement of this transaction has failed before".into()));
        }
        match params.iter().position(|param| matches!(param, Param::Text(text) if text.contains('\0'))) {
            None => Ok(()),
            Some(index) => self.note(Err(StoreError::Broken(format!("NUL in text parameter ${}", index + 1)))),
        }
    }

    fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.failed |= result.is_err();
        result
    }
}
