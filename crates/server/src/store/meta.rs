//! Facts about the store itself.

use super::{StoreError, Tx};

/// The value of a name, after setting it to `value` if it had none: whoever comes first decides.
///
/// # Errors
/// As any statement.
pub async fn settle(tx: &mut Tx, name: &str, value: &str) -> Result<String, StoreError> {
    const SET: &str = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    const GET: &str = "SELECT value FROM meta WHERE name = $1";
    tx.execute(SET, &[name.into(), value.into()]).await?;
    let row = tx.fetch_optional(GET, &[name.into()]).await?;
    row.ok_or_else(|| StoreError::Broken(format!("meta has no {name}")))?.get(0)
}
