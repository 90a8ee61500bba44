//! What truly differs between the databases: whose clock counts, and how rows are locked.

use super::{Param, StoreError, StoreKind, Tx};
use crate::domain::time::Timestamp;

/// Held while a schema is migrated, so that replicas that start together do it once ("CSGN").
pub(super) const MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(1129531214)";

/// The database's own time in microseconds. SQLite has no clock of its own: there it is the process's, `clock`.
///
/// # Errors
/// As any statement.
pub async fn now_us(tx: &mut Tx, clock: Timestamp) -> Result<i64, StoreError> {
    const NOW: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)";
    match tx.kind() {
        StoreKind::Sqlite => Ok(clock.micros()),
        StoreKind::Postgres => match tx.fetch_optional(NOW, &[]).await? {
            Some(row) => row.get(0),
            None => Err(StoreError::Broken("the database tells no time".into())),
        },
    }
}

/// A row that a transaction is about to change, in the one order in which rows are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey<'a> {
    Tenant(&'a str),
    Client(&'a str),
    User(&'a str),
    /// The hash that names a sign-in.
    Signin(&'a [u8]),
    Session(&'a str),
}

/// Locks rows until the end of the transaction, in order, whatever order they are given in. A transaction that changes
/// several rows, or appends to the revocation log, calls this first; so none waits for another in a circle.
///
/// # Errors
/// As any statement.
pub async fn lock_rows(tx: &mut Tx, rows: &mut [RowKey<'_>]) -> Result<(), StoreError> {
    // The one writer of SQLite has everything locked.
    if tx.kind() == StoreKind::Sqlite {
        return Ok(());
    }
    rows.sort_unstable();
    for row in rows.iter() {
        let (sql, key) = lock_statement(*row);
        tx.fetch_optional(sql, &[key]).await?;
    }
    Ok(())
}

fn lock_statement(row: RowKey<'_>) -> (&'static str, Param<'_>) {
    match row {
        RowKey::Tenant(tenant) => ("SELECT tenant FROM tenants WHERE tenant = $1 FOR UPDATE", tenant.into()),
        RowKey::Client(id) => ("SELECT client_id FROM clients WHERE client_id = $1 FOR UPDATE", id.into()),
        RowKey::User(id) => ("SELECT user_id FROM users WHERE user_id = $1 FOR UPDATE", id.into()),
        RowKey::Signin(id) => ("SELECT id FROM signins WHERE id = $1 FOR UPDATE", id.into()),
        RowKey::Session(sid) => ("SELECT sid FROM sessions WHERE sid = $1 FOR UPDATE", sid.into()),
    }
}
