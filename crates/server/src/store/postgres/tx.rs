//! One transaction on one PostgreSQL connection.

use std::{
    error::Error,
    fmt,
    future::{Future, ready},
    mem,
    sync::Arc,
};

use bytes::BytesMut;
use deadpool_postgres::Object;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::{IsNull, ToSql, Type, WrongType, to_sql_checked};

use super::{
    Access, Manner,
    connect::Pooler,
    error::{commit_meaning, is_retryable, meaning},
    flight::{Flight, Waiting, changed, reads, rows},
    many::{self, Call, Calls},
};
use crate::store::{Param, Row, StoreError, each::Each, value::Value};

/// Statements that may wait for another one. More would save no time that anybody notices, and hold their values in memory.
const TOGETHER: usize = 16;

/// What a connection of our own is told once (`SESSION_SETTINGS`), until the end of the transaction.
macro_rules! settings {
    () => {
        "; SET LOCAL statement_timeout = 10000; SET LOCAL idle_in_transaction_session_timeout = 20000"
    };
}

/// How a transaction begins. One that carries many callers does not wait long for a row that somebody else has locked: its
/// members then run alone, and only one of them waits.
macro_rules! begin {
    ($manner:ident, $isolation:literal, $settings:expr) => {
        if $manner.together {
            concat!("BEGIN ISOLATION LEVEL ", $isolation, $settings, "; SET LOCAL lock_timeout = 200")
        } else {
            concat!("BEGIN ISOLATION LEVEL ", $isolation, $settings)
        }
    };
}

/// A connection from the pool. It goes back only when no transaction is open on it.
pub(in crate::store) struct PgTx {
    /// Members of a group share it with the transaction that they are in.
    client: Option<Arc<Object>>,
    pooler: Pooler,
    deadline: Instant,
    /// Where members of a group ask for what they ask for together.
    calls: Option<Arc<Calls>>,
    /// BEGIN, until it is sent.
    begin: Option<&'static str>,
    /// Statements that travel with the next one, or with COMMIT.
    waiting: Vec<Waiting>,
    open: bool,
    wrote: bool,
    retry: bool,
}

impl PgTx {
    pub(super) fn new(client: Object, deadline: Instant, manner: Manner) -> Self {
        let begin = match (manner.access, manner.pooler) {
            (Access::Write, Pooler::None) => begin!(manner, "READ COMMITTED READ WRITE", ""),
            (Access::Write, Pooler::Transaction) => begin!(manner, "READ COMMITTED READ WRITE", settings!()),
            (Access::Read, Pooler::None) => begin!(manner, "REPEATABLE READ READ ONLY", ""),
            (Access::Read, Pooler::Transaction) => begin!(manner, "REPEATABLE READ READ ONLY", settings!()),
        };
        Self::on(Some(Arc::new(client)), (manner.pooler, deadline), Some(begin))
    }

    fn on(client: Option<Arc<Object>>, (pooler, deadline): (Pooler, Instant), begin: Option<&'static str>) -> Self {
        Self {
            client,
            pooler,
            deadline,
            calls: None,
            begin,
            waiting: Vec::new(),
            open: false,
            wrote: false,
            retry: false,
        }
    }

    /// For one of those who share this transaction, which is open.
    pub(super) fn member(&self, calls: &Arc<Calls>) -> Self {
        let mut member = Self::on(self.client.clone(), (self.pooler, self.deadline), None);
        member.calls = Some(Arc::clone(calls));
        member
    }

    /// Whether others share it, with whom a statement can be run as one.
    pub(in crate::store) fn shares(&self) -> bool {
        self.calls.is_some()
    }

    /// Has a statement run together with those of others, or by itself if nobody shares this transaction; its row.
    pub(in crate::store) async fn ask(
        &mut self,
        each: &'static Each,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, StoreError> {
        // Whatever is before it must have been run.
        self.arrive().await?;
        match &self.calls {
            Some(calls) => calls.ask(each, params).await,
            None => Err(StoreError::Broken("nobody shares the transaction".into())),
        }
    }

    /// Runs a statement for all who asked; the row of each, if it has one.
    pub(super) async fn fetch_many(
        &mut self,
        each: &'static Each,
        calls: &[Call],
    ) -> Result<Vec<Option<Row>>, StoreError> {
        self.wrote |= !reads(each.one());
        let client = client(self.client.as_ref())?;
        let fetched = within(self.deadline, many::rows((client, self.pooler), each, calls)).await;
        let mut answers = vec![None; calls.len()];
        for fetched in self.note(fetched)? {
            let (row, number) = row(&fetched)?.split_last()?;
            let answer = usize::try_from(number).ok().and_then(|at| answers.get_mut(at));
            let taken = answer.map(|answer| answer.replace(row));
            if taken != Some(None) {
                return Err(StoreError::Broken("a statement for many gave a row that nobody asked for".into()));
            }
        }
        Ok(answers)
    }

    /// Opens the transaction before its first statement.
    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        self.open = true;
        match self.begin.take() {
            Some(begin) => self.control(begin).await,
            None => Ok(()),
        }
    }

    /// Sends what waits for another statement, and waits for it.
    pub(super) async fn arrive(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = mem::take(&mut self.waiting);
        let client = client(self.client.as_ref())?;
        let result = within(self.deadline, behind((client, self.pooler), waiting, ready(Ok(())))).await;
        self.note(result)
    }

    /// Keeps a statement until the next one, unless many wait already.
    pub(in crate::store) async fn send(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<(), StoreError> {
        if self.waiting.len() < TOGETHER {
            self.waiting.push(Waiting::new(sql, params));
            return Ok(());
        }
        self.execute(sql, params).await.map(drop)
    }

    pub(in crate::store) async fn execute(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<u64, StoreError> {
        let waiting = self.depart(sql).await?;
        let client = client(self.client.as_ref())?;
        let work = changed(client, self.pooler, sql, params);
        let result = within(self.deadline, behind((client, self.pooler), waiting, work)).await;
        self.note(result)
    }

    pub(super) async fn fetch_optional(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch_all(sql, params).await?.pop())
    }

    pub(in crate::store) async fn fetch_all(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let waiting = self.depart(sql).await?;
        let client = client(self.client.as_ref())?;
        let work = rows(client, self.pooler, sql, params);
        let rows = within(self.deadline, behind((client, self.pooler), waiting, work)).await;
        self.note(rows)?.iter().map(row).collect()
    }

    /// What travels ahead of this statement. BEGIN is among it if all of it only reads: a statement that ran although its
    /// BEGIN had failed would commit by itself, so one that writes waits for the answer.
    async fn depart(&mut self, sql: &str) -> Result<Vec<Waiting>, StoreError> {
        self.open = true;
        if self.waiting.iter().all(Waiting::reads) && reads(sql) {
            let begin = self.begin.take().map(Waiting::begin);
            return Ok(begin.into_iter().chain(self.waiting.drain(..)).collect());
        }
        if let Some(begin) = self.begin.take() {
            self.control(begin).await?;
        }
        self.wrote = true;
        Ok(mem::take(&mut self.waiting))
    }

    /// Commits; returns once the database says that it is durable.
    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        const COMMIT: &str = "COMMIT";
        if self.begin.is_some() && self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = self.depart(COMMIT).await?;
        let client = client(self.client.as_ref())?;
        let ended = within(self.deadline, async {
            let flight = Flight::launch((client, self.pooler), waiting).await?;
            let (arrived, committed) = flight.with(client.batch_execute(COMMIT)).await;
            Ok((arrived, committed))
        });
        match ended.await {
            Err(Failed::Late) => Err(StoreError::unknown("the database did not confirm the commit in time")),
            // COMMIT was not sent.
            Err(Failed::Said(error)) => self.note(Err(Failed::Said(error))),
            Ok((arrived, committed)) => {
                self.open = committed.is_err();
                self.committed(arrived, committed)
            }
        }
    }

    /// What COMMIT came to, and the statements that travelled ahead of it.
    fn committed(
        &mut self,
        arrived: Result<(), tokio_postgres::Error>,
        committed: Result<(), tokio_postgres::Error>,
    ) -> Result<(), StoreError> {
        match (arrived, committed) {
            (Ok(()), Ok(())) => Ok(()),
            // The database refused a statement: the COMMIT behind it has undone everything.
            (Err(error), _) if error.code().is_some() => self.note(Err(Failed::Said(error))),
            (Err(error), _) | (_, Err(error)) => {
                self.retry = is_retryable(&error);
                Err(commit_meaning(&error))
            }
        }
    }

    /// Ends the transaction without keeping it, if it is still open.
    pub(super) async fn end(&mut self) {
        if self.open && self.control("ROLLBACK").await.is_ok() {
            self.open = false;
        }
    }

    /// Whether the database asked that the same transaction be run again.
    pub(super) fn asks_to_retry(&self) -> bool {
        self.retry
    }

    /// Whether the connection is gone before anything was written on it.
    pub(super) fn lost_nothing(&self) -> bool {
        !self.wrote && self.client.as_ref().is_none_or(|client| client.is_closed())
    }

    async fn control(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let client = client(self.client.as_ref())?;
        let result = within(self.deadline, client.batch_execute(sql)).await;
        self.note(result)
    }

    fn note<T>(&mut self, result: Result<T, Failed>) -> Result<T, StoreError> {
        result.map_err(|failed| match failed {
            Failed::Late => StoreError::unavailable("the database did not answer in time"),
            Failed::Said(error) => {
                self.retry = is_retryable(&error);
                meaning(&error)
            }
        })
    }
}

impl Drop for PgTx {
    fn drop(&mut self) {
        // In the middle of something: a panic, or a connection that does not answer. Closing it makes the server roll back.
        // One that others still share is theirs to close.
        if let (true, Some(client)) = (self.open, self.client.take().and_then(Arc::into_inner)) {
            drop(Object::take(client));
        }
    }
}

impl fmt::Debug for PgTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgTx").field("open", &self.open).finish_non_exhaustive()
    }
}

fn client(client: Option<&Arc<Object>>) -> Result<&Object, StoreError> {
    client.map(|client| &**client).ok_or_else(|| StoreError::Broken("the transaction has no connection".into()))
}

/// Sends what waits and the work behind it in one go, and waits for both.
async fn behind<T>(
    (client, pooler): (&Object, Pooler),
    waiting: Vec<Waiting>,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, tokio_postgres::Error> {
    if waiting.is_empty() {
        return work.await;
    }
    let (arrived, done) = Flight::launch((client, pooler), waiting).await?.with(work).await;
    arrived.and(done)
}

enum Failed {
    Late,
    Said(tokio_postgres::Error),
}

async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failed> {
    match timeout_at(deadline, work).await {
        Ok(result) => result.map_err(Failed::Said),
        Err(_) => Err(Failed::Late),
    }
}

impl Param<'_> {
    /// The type that is stated where nobody asks the server for the statement's own. `to_sql` accepts no other, so a
    /// statement that works in one way means the same in the other.
    pub(super) fn stated(&self) -> Type {
        match self {
            // The server finds out what is missing.
            Self::Null => Type::UNKNOWN,
            Self::Int(_) => Type::INT8,
            Self::Text(_) => Type::TEXT,
            Self::Blob(_) => Type::BYTEA,
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (*self, ty) {
            (Param::Null, _) => Ok(IsNull::Yes),
            (Param::Int(number), &Type::INT8) => number.to_sql(ty, out),
            (Param::Text(text), &Type::TEXT) => text.to_sql(ty, out),
            (Param::Blob(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (Param::Int(_), _) => Err(Box::new(WrongType::new::<i64>(ty.clone()))),
            (Param::Text(_), _) => Err(Box::new(WrongType::new::<&str>(ty.clone()))),
            (Param::Blob(_), _) => Err(Box::new(WrongType::new::<&[u8]>(ty.clone()))),
        }
    }

    // Each variant is checked against the statement's own type above.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn row(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let values = row.columns().iter().enumerate().map(|(index, column)| {
        let value = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index).map(|number| number.map(Value::Int)),
            Type::INT4 => row.try_get::<_, Option<i32>>(index).map(|number| number.map(|n| Value::Int(n.into()))),
            // A comparison in a list of columns: SQLite says 0 or 1.
            Type::BOOL => row.try_get::<_, Option<bool>>(index).map(|truth| truth.map(|t| Value::Int(t.into()))),
            Type::TEXT | Type::VARCHAR => row.try_get::<_, Option<String>>(index).map(|text| text.map(Value::Text)),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index).map(|bytes| bytes.map(Value::Blob)),
            ref other => {
                return Err(StoreError::Broken(format!("column {} is a {other}; cast it", column.name())));
            }
        };
        value.map(|value| value.unwrap_or(Value::Null)).map_err(|error| meaning(&error))
    });
    values.collect::<Result<_, _>>().map(Row::new)
}
