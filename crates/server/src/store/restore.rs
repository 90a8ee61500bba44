//! Accepting a database that was restored from a backup: everything that it remembers as alive ends.

use super::{
    StoreError, Tx, audit,
    dialect::now_us,
    revocations::{self, Head},
};
use crate::domain::{audit::AuditEvent, rsn::Rsn, time::Timestamp};

/// The name of the note in `meta`, and what it says in a copy that `countersign backup` made.
pub(super) const NOTE: &str = "restore";
pub(super) const BACKUP: &str = "backup";

/// Why a database must not be used before it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// It is a backup: what was revoked since it was made is alive in it.
    Backup,
    /// An acceptance was begun and did not end.
    Begun,
}

/// What an acceptance is pending for, if one is.
///
/// # Errors
/// As any statement.
pub async fn pending(tx: &mut Tx) -> Result<Option<Pending>, StoreError> {
    let Some(row) = tx.fetch_optional("SELECT value FROM meta WHERE name = $1", &[NOTE.into()]).await? else {
        return Ok(None);
    };
    let is_backup = row.get::<String>(0)? == BACKUP;
    Ok(Some(if is_backup { Pending::Backup } else { Pending::Begun }))
}

/// Notes that an acceptance has begun.
///
/// # Errors
/// As any statement.
pub async fn begin(tx: &mut Tx) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO meta (name, value) VALUES ($1, 'begun') ON CONFLICT (name) DO UPDATE SET value = 'begun'";
    tx.execute(SQL, &[NOTE.into()]).await.map(drop)
}

/// Ends every session and token of everybody, and the acceptance with it: the log goes on at `above` or later, the floor
/// and every tenant's `min_rsn` stand there, and the log's time is not before `t`.
///
/// # Errors
/// As any statement.
pub async fn finish(
    tx: &mut Tx,
    clock: Timestamp,
    above: Rsn,
    t: Timestamp,
    event: &AuditEvent,
) -> Result<Head, StoreError> {
    const RAISE: &str = "UPDATE rev_head SET rsn = CASE WHEN rsn + 1 > $1 THEN rsn + 1 ELSE $1 END, \
                         floor = CASE WHEN rsn + 1 > $1 THEN rsn + 1 ELSE $1 END, \
                         t = CASE WHEN t > $2 THEN t ELSE $2 END WHERE stream = 0 RETURNING rsn";
    let above = above.max(Rsn::new(now_us(tx, clock).await?));
    audit::insert(tx, event).await?;
    // No server runs on this database, so nobody waits for these rows in another order.
    let row = tx.fetch_optional(RAISE, &[above.into(), t.into()]).await?;
    let row = row.ok_or_else(|| StoreError::Broken("the revocation log has no head row".into()))?;
    let floor: Rsn = row.get(0)?;
    tx.execute("UPDATE tenants SET min_rsn = $1", &[floor.into()]).await?;
    // Links that were followed since the backup would work a second time.
    tx.execute("DELETE FROM mail_tokens", &[]).await?;
    tx.execute("DELETE FROM mails", &[]).await?;
    tx.execute("DELETE FROM meta WHERE name = $1", &[NOTE.into()]).await?;
    revocations::head(tx).await
}
