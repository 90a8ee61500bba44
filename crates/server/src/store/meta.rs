//! Facts about the store itself.

use super::{StoreError, Tx};

/// The value of a name.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT value FROM meta WHERE name = $1";
    tx.fetch_optional(SQL, &[name.into()]).await?.map(|row| row.get(0)).transpose()
}

/// The value of a name, after setting it to `value` if it had none: whoever comes first decides.
///
/// # Errors
/// As any statement.
pub async fn settle(tx: &mut Tx, name: &str, value: &str) -> Result<String, StoreError> {
    const SET: &str = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    tx.execute(SET, &[name.into(), value.into()]).await?;
    find(tx, name).await?.ok_or_else(|| StoreError::Broken(format!("meta has no {name}")))
}
