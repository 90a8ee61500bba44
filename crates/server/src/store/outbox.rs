//! Tables whose rows wait until somebody else has taken what they tell. A row is written in the transaction of what it tells
//! of, taken for a while by one replica, and removed once it was delivered: at least once, whoever dies in between.

use std::time::Duration;

use super::{StoreError, Tx};
use crate::domain::time::{Timestamp, micros};

/// The statements of one such table.
#[derive(Debug)]
pub struct Queue {
    due: &'static str,
    take: &'static str,
    done: &'static str,
}

macro_rules! queue {
    ($table:literal, $key:literal) => {
        Queue {
            due: concat!("SELECT 1 FROM ", $table, " WHERE next_at <= $1 LIMIT 1"),
            take: concat!(
                "UPDATE ",
                $table,
                " SET attempts = attempts + 1, next_at = $1 + CAST($2 AS bigint) \
                 + CAST($3 AS bigint) * (attempts + 1) * (attempts + 1) WHERE ",
                $key,
                " IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE next_at <= $1 ORDER BY next_at LIMIT $4) AND next_at <= $1 RETURNING ",
                $key
            ),
            done: concat!("DELETE FROM ", $table, " WHERE ", $key, " = $1"),
        }
    };
}

/// Clients that must hear that a session of theirs has ended.
pub static NOTICES: Queue = queue!("notices", "sid");
/// Mails.
pub static MAILS: Queue = queue!("mails", "mail_id");

/// What whoever takes rows may take.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub now: Timestamp,
    /// Nobody else takes them for so long,
    pub lease: Duration,
    /// and n² times so long after the n-th attempt.
    pub step: Duration,
    pub limit: u32,
}

impl Queue {
    /// Whether a row is due.
    ///
    /// # Errors
    /// As any statement.
    pub async fn is_due(&self, tx: &mut Tx, now: Timestamp) -> Result<bool, StoreError> {
        Ok(tx.fetch_optional(self.due, &[now.into()]).await?.is_some())
    }

    /// Takes rows that are due, for this caller to deliver; their keys. Each is due again later, unless it is
    /// [`done`](Self::done): so whoever takes one and dies loses nothing.
    ///
    /// # Errors
    /// As any statement.
    pub async fn take(&self, tx: &mut Tx, turn: Turn) -> Result<Vec<String>, StoreError> {
        let params =
            [turn.now.into(), micros(turn.lease).into(), micros(turn.step).into(), i64::from(turn.limit).into()];
        tx.fetch_all(self.take, &params).await?.iter().map(|row| row.get(0)).collect()
    }

    /// It was delivered, or cannot be any more.
    ///
    /// # Errors
    /// As any statement.
    pub async fn done(&self, tx: &mut Tx, key: &str) -> Result<(), StoreError> {
        tx.execute(self.done, &[key.into()]).await.map(drop)
    }
}
