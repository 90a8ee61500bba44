//! Counts for the operator.

use super::{StoreError, StoreKind, Tx, postgres, sqlite};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Number of the newest migration.
    pub schema: i64,
    pub users: i64,
    pub clients: i64,
}

/// Counts them.
///
/// # Errors
/// As any statement.
pub async fn counts(tx: &mut Tx) -> Result<Counts, StoreError> {
    Ok(Counts {
        schema: one(tx, "SELECT MAX(version) FROM schema_history").await?,
        users: one(tx, "SELECT COUNT(*) FROM users").await?,
        clients: one(tx, "SELECT COUNT(*) FROM clients").await?,
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

async fn one(tx: &mut Tx, sql: &'static str) -> Result<i64, StoreError> {
    let row = tx.fetch_optional(sql, &[]).await?;
    row.map_or(Ok(None), |row| row.get::<Option<i64>>(0)).map(Option::unwrap_or_default)
}
