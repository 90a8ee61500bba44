//! Which SQLite this is.

use crate::store::{StoreError, Tx, status::Engine};

/// Its settings are ours: `connect.rs` makes them.
pub async fn engine(tx: &mut Tx) -> Result<Engine, StoreError> {
    let row = tx.fetch_optional("SELECT sqlite_version()", &[]).await?;
    let version = row.map_or_else(|| Ok(String::new()), |row| row.get(0))?;
    Ok(Engine { version, problems: Vec::new() })
}
