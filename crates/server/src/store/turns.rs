//! Work that one replica does at a time: a row for each kind, which says when it is due, and who does it until when.

use std::{sync::LazyLock, time::Duration};

use super::{StoreError, Tx, dialect::Clocked};
use crate::domain::time::{Timestamp, micros};

/// Somebody who would do a kind of work.
#[derive(Debug, Clone)]
pub struct Turn<'a> {
    pub name: &'a str,
    /// The replica.
    pub holder: &'a str,
    /// After a turn nobody needs another one for so long.
    pub every: Duration,
    /// Whoever does not come to an end within this time is dead, and others may take the work over.
    pub lease: Duration,
    /// The process's clock; it counts only where the database has none.
    pub clock: Timestamp,
}

impl Turn<'_> {
    /// Takes the turn, if it is due and nobody else is at it: `Some`, with the time that was believed to have passed then. In a
    /// new store that is `first`.
    ///
    /// # Errors
    /// As any statement.
    pub async fn take(&self, tx: &mut Tx, first: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        // What lies further ahead than anybody writes it was noted by a clock that has been set back. Twice as far, because
        // the clock is that of the statement's start: who waited for the row finds in it what was written a moment later.
        static TAKE: LazyLock<Clocked> = LazyLock::new(|| {
            Clocked::new(
                "INSERT INTO turns (name, holder, until, next_at, confirmed) \
                 VALUES ($1, $2, clock($3) + CAST($4 AS bigint), clock($3), $5) \
                 ON CONFLICT (name) DO UPDATE SET holder = $2, until = clock($3) + CAST($4 AS bigint) \
                 WHERE (turns.next_at <= clock($3) OR turns.next_at > clock($3) + 2 * CAST($6 AS bigint)) \
                 AND (turns.until <= clock($3) OR turns.holder = $2 OR turns.until > clock($3) + 2 * CAST($4 AS bigint)) \
                 RETURNING confirmed",
            )
        });
        let (lease, every) = (micros(self.lease), micros(self.every));
        let params =
            [self.name.into(), self.holder.into(), self.clock.into(), lease.into(), first.into(), every.into()];
        let sql = TAKE.text(tx.kind());
        tx.fetch_optional(sql, &params).await?.map(|row| row.get(0)).transpose()
    }

    /// The work is done: it is due again later.
    ///
    /// # Errors
    /// As any statement.
    pub async fn done(&self, tx: &mut Tx) -> Result<(), StoreError> {
        static DONE: LazyLock<Clocked> = LazyLock::new(|| {
            Clocked::new(
                "UPDATE turns SET until = clock($1), next_at = clock($1) + CAST($2 AS bigint) \
                 WHERE name = $3 AND holder = $4",
            )
        });
        let params = [self.clock.into(), micros(self.every).into(), self.name.into(), self.holder.into()];
        let sql = DONE.text(tx.kind());
        tx.execute(sql, &params).await.map(drop)
    }
}

/// The time that was believed to have passed when somebody last noted it; `None` in a new store.
///
/// # Errors
/// As any statement.
pub async fn confirmed(tx: &mut Tx, name: &str) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.fetch_optional("SELECT confirmed FROM turns WHERE name = $1", &[name.into()]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Notes a time that has passed.
///
/// # Errors
/// As any statement.
pub async fn confirm(tx: &mut Tx, name: &str, time: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE turns SET confirmed = $1 WHERE name = $2 AND confirmed < $1";
    tx.execute(SQL, &[time.into(), name.into()]).await.map(drop)
}
