//! What a session was granted when it was opened: the most that its tokens may ever say.

use super::{Row, StoreError, Tx};
use crate::domain::session::Sid;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Space-separated.
    pub scope: String,
    /// Space-separated.
    pub audience: String,
    pub user_id: String,
    /// The organisation that it speaks for.
    pub organisation: Option<String>,
}

/// Reads it; `None` if there is no such session. Says nothing about whether the session lives.
///
/// # Errors
/// As any statement.
pub async fn granted(tx: &mut Tx, sid: &Sid) -> Result<Option<Granted>, StoreError> {
    const SQL: &str = "SELECT scope, audience, user_id, organisation FROM sessions WHERE sid = $1";
    let row = tx.fetch_optional(SQL, &[sid.as_str().into()]).await?;
    let granted = |row: Row| {
        Ok(Granted { scope: row.get(0)?, audience: row.get(1)?, user_id: row.get(2)?, organisation: row.get(3)? })
    };
    row.map(granted).transpose()
}
