//! What PostgreSQL's errors mean to the store.

use std::error::Error;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// The store's word for an error before the commit: nothing was kept.
pub(in crate::store) fn meaning(error: &tokio_postgres::Error) -> StoreError {
    let Some(code) = error.code() else {
        // No answer of the server: a broken connection, or a parameter that does not fit its statement.
        return if is_transport(error) {
            StoreError::unavailable(words(error))
        } else {
            StoreError::Broken(words(error))
        };
    };
    if *code == SqlState::UNIQUE_VIOLATION {
        StoreError::Conflict
    } else if is_passing(code) {
        StoreError::unavailable(words(error))
    } else {
        StoreError::Broken(words(error))
    }
}

/// The store's word for an error of COMMIT itself. Only a clear refusal proves that nothing was kept: a server that is
/// shut down while it waits for its standby has already committed.
pub(super) fn commit_meaning(error: &tokio_postgres::Error) -> StoreError {
    match error.code() {
        Some(code) if is_refusal(code) => meaning(error),
        _ => StoreError::unknown(words(error)),
    }
}

/// Whether the same transaction, run again, may succeed: it lost against another one.
pub(super) fn is_retryable(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&(SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED)))
}

/// No connection could be had.
pub(super) fn pool_error(error: &PoolError) -> StoreError {
    match error {
        PoolError::Timeout(_) => StoreError::unavailable("no connection became free or could be made in time"),
        PoolError::Closed => StoreError::unavailable("the store is closed"),
        PoolError::Backend(error) => StoreError::unavailable(words(error)),
        other => StoreError::unavailable(other.to_string()),
    }
}

/// One line with the server's message and code, or the chain of causes. Never the detail, which quotes stored values.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        line = format!("{line}: {inner}");
        cause = inner.source();
    }
    line
}

fn is_transport(error: &tokio_postgres::Error) -> bool {
    let is_io = || error.source().is_some_and(<dyn Error>::is::<std::io::Error>);
    error.is_closed() || is_io()
}

fn is_passing(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    // Connection, transaction lost against another, resources, locks, an operator's intervention, the machine; and a
    // former primary that has become a standby.
    matches!(class, "08" | "40" | "53" | "55" | "57" | "58") || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}

fn is_refusal(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    matches!(class, "23" | "25") || (class == "40" && *code != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN)
}
