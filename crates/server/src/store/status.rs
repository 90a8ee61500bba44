//! Counts for the operator.

use super::{Param, StoreError, StoreKind, Tx, postgres, sqlite};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Number of the newest migration.
    pub schema: i64,
    /// At most [`COUNTED`] + 1: doctor does not read millions of rows to say how many they are.
    pub users: i64,
    pub clients: i64,
}

/// Users and clients are counted so far.
pub const COUNTED: i64 = 10_000;

/// Counts them.
///
/// # Errors
/// As any statement.
pub async fn counts(tx: &mut Tx) -> Result<Counts, StoreError> {
    const USERS: &str = "SELECT COUNT(*) FROM (SELECT user_id FROM users LIMIT $1) AS u";
    const CLIENTS: &str = "SELECT COUNT(*) FROM (SELECT client_id FROM clients LIMIT $1) AS c";
    Ok(Counts {
        schema: one(tx, "SELECT MAX(version) FROM schema_history", &[]).await?,
        users: one(tx, USERS, &[(COUNTED + 1).into()]).await?,
        clients: one(tx, CLIENTS, &[(COUNTED + 1).into()]).await?,
    })
}

/// The program behind the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    pub version: String,
    /// What of its settings is not good enough, and what to do.
    pub problems: Vec<&'static str>,
}

/// Asks it.
///
/// # Errors
/// As any statement.
pub async fn engine(tx: &mut Tx) -> Result<Engine, StoreError> {
    match tx.kind() {
        StoreKind::Sqlite => sqlite::engine(tx).await,
        StoreKind::Postgres => postgres::engine(tx).await,
    }
}

async fn one(tx: &mut Tx, sql: &'static str, params: &[Param<'_>]) -> Result<i64, StoreError> {
    let row = tx.fetch_optional(sql, params).await?;
    row.map_or(Ok(None), |row| row.get::<Option<i64>>(0)).map(Option::unwrap_or_default)
}
