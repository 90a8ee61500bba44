//! Statements on one SQLite connection, and what its errors mean.

use std::fmt;

use rusqlite::{
    CachedStatement, Connection, ErrorCode, ffi,
    types::{ToSqlOutput, ValueRef},
};

use crate::store::{Param, Row, StoreError, value::Value};

/// A connection; the thread that owns it says where a transaction begins and ends.
pub(in crate::store) struct SqliteTx {
    connection: Connection,
}

impl SqliteTx {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub(in crate::store) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let mut statement = prepare(&self.connection, sql, params)?;
        let changed = statement.raw_execute().map_err(|error| meaning(&error))?;
        Ok(changed as u64)
    }

    pub(in crate::store) fn fetch_all(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let mut statement = prepare(&self.connection, sql, params)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut fetched = Vec::new();
        while let Some(row) = rows.next().map_err(|error| meaning(&error))? {
            let values = (0..columns).map(|index| value(row.get_ref(index).map_err(|error| meaning(&error))?));
            fetched.push(Row::new(values.collect::<Result<_, _>>()?));
        }
        Ok(fetched)
    }

    /// Runs one of the statements that frame transactions.
    pub(super) fn control(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| meaning(&error))?;
        statement.raw_execute().map(|_| ()).map_err(|error| meaning(&error))
    }

    /// Commits. An error of the disk leaves open whether the next start will find the transaction in the log.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        let result = self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.raw_execute());
        result.map(|_| ()).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => StoreError::unknown(error.to_string()),
            _ => meaning(&error),
        })
    }

    /// Writes the log back into the database file and empties it, as far as no reader is in the way.
    pub(super) fn checkpoint(&mut self) {
        // Nothing depends on it: the log is durable as it is.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// Whether a transaction is open. SQLite ends it by itself when the disk is full, memory runs out or a read fails.
    pub(super) fn is_open(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Ends whatever is open without keeping it.
    pub(super) fn roll_back(&mut self) {
        if self.is_open() {
            // If even this fails, the next BEGIN fails too, and says why.
            let _ = self.control("ROLLBACK");
        }
    }
}

impl fmt::Debug for SqliteTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteTx")
    }
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &'static str,
    params: &[Param<'_>],
) -> Result<CachedStatement<'c>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| meaning(&error))?;
    let expected = statement.parameter_count();
    if expected != params.len() {
        return Err(StoreError::Broken(format!("{} parameters for a statement of {expected}: {sql}", params.len())));
    }
    for (index, param) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, param).map_err(|error| meaning(&error))?;
    }
    Ok(statement)
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Param::Null => ValueRef::Null,
            Param::Int(number) => ValueRef::Integer(number),
            Param::Text(text) => ValueRef::Text(text.as_bytes()),
            Param::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(column: ValueRef<'_>) -> Result<Value, StoreError> {
    match column {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(text) => String::from_utf8(text.to_vec())
            .map(Value::Text)
            .map_err(|_| StoreError::Broken("a text column is not UTF-8".into())),
        ValueRef::Blob(bytes) => Ok(Value::Blob(bytes.to_vec())),
        ValueRef::Real(_) => Err(StoreError::Broken("a column holds a floating-point number".into())),
    }
}

/// The store's word for an error of SQLite.
pub(in crate::store) fn meaning(error: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return StoreError::Broken(error.to_string());
    };
    match (failure.code, failure.extended_code) {
        (
            ErrorCode::ConstraintViolation,
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID,
        ) => StoreError::Conflict,
        (
            ErrorCode::DiskFull
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OperationInterrupted,
            _,
        ) => StoreError::unavailable(error.to_string()),
        _ => StoreError::Broken(error.to_string()),
    }
}
