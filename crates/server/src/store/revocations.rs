//! The revocation log, and the marks on users, clients and tenants that stand for its entries.
//!
//! The order inside a transaction, always: lock the rows that will change ([`lock_rows`]), append all entries at once
//! ([`append`]), then write what carries the new `rsn`. The head row is locked last, so that the order of commits is the
//! order of the log, and nobody waits for another in a circle.

mod bulk;
mod feed;
pub mod floor;
mod insert;

pub use bulk::{Ended, Targets, end, outdate_clients, outdate_users, revoked_tokens};
pub(in crate::store) use feed::shown;
pub use feed::{FeedPage, LogEntry, Ticked, feed_page, tick, time};

use std::sync::LazyLock;

use super::{
    StoreError, Tx,
    dialect::{Clocked, RowKey, lock_rows},
    notices,
};
use crate::domain::{floor::Rise, revocation::Entry, rsn::Rsn, time::Timestamp};

/// The one stream of the log.
const STREAM: i64 = 0;

/// Where the log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Position of the newest entry.
    pub rsn: Rsn,
    /// Everything below is dead, whatever time it is.
    pub floor: Rsn,
    /// Everything committed before this time is at or below `rsn`.
    pub t: Timestamp,
    /// How the floor goes on.
    pub rise: Rise,
}

impl Head {
    /// Everything below is dead at this time of the log.
    pub fn floor_at(&self, t: Timestamp) -> Rsn {
        self.floor.max(self.rise.at(t))
    }
}

/// The head of the log.
///
/// # Errors
/// As any statement.
pub async fn head(tx: &mut Tx) -> Result<Head, StoreError> {
    const SQL: &str = "SELECT rsn, floor, t, floor_from, floor_goal, floor_begin, floor_end FROM rev_head \
                       WHERE stream = $1";
    let row = tx.fetch_optional(SQL, &[STREAM.into()]).await?.ok_or_else(no_head)?;
    Ok(Head { rsn: row.get(0)?, floor: row.get(1)?, t: row.get(2)?, rise: floor::rise(&row, 3)? })
}

/// Appends entries and returns the position of the last; they have consecutive positions, in their order. Without
/// entries nothing changes. `now` is the process's clock, used where the database has none.
///
/// # Errors
/// As any statement.
pub async fn append(tx: &mut Tx, now: Timestamp, entries: &[Entry]) -> Result<Rsn, StoreError> {
    static ADVANCE: LazyLock<Clocked> = LazyLock::new(|| {
        Clocked::new(
            "UPDATE rev_head SET rsn = CASE WHEN rsn + $1 > clock($2) THEN rsn + $1 ELSE clock($2) END \
             WHERE stream = $3 RETURNING rsn",
        )
    });
    if entries.is_empty() {
        return Ok(head(tx).await?.rsn);
    }
    let count = i64::try_from(entries.len()).map_err(|_| StoreError::Broken("too many entries".into()))?;
    let advance = ADVANCE.text(tx.kind());
    let advanced = tx.fetch_optional(advance, &[count.into(), now.into(), STREAM.into()]).await?;
    tx.note_append();
    let last: i64 = advanced.ok_or_else(no_head)?.get(0)?;
    insert::entries(tx, last - count + 1, entries).await?;
    Ok(Rsn::new(last))
}

/// Ends all sessions and tokens that a user has now. Returns the entry's position.
///
/// # Errors
/// `Broken` if there is no such user.
pub async fn revoke_user(tx: &mut Tx, now: Timestamp, user_id: &str, entry: &Entry) -> Result<Rsn, StoreError> {
    lock_rows(tx, &mut [RowKey::User(user_id)]).await?;
    notices::add_of_users(tx, &[user_id], now).await?;
    let rsn = append(tx, now, &[*entry]).await?;
    raise_user(tx, user_id, rsn).await?;
    Ok(rsn)
}

/// Ends all sessions and tokens that a client has now. Returns the entry's position.
///
/// # Errors
/// `Broken` if there is no such client.
pub async fn revoke_client(tx: &mut Tx, now: Timestamp, client_id: &str, entry: &Entry) -> Result<Rsn, StoreError> {
    lock_rows(tx, &mut [RowKey::Client(client_id)]).await?;
    let rsn = append(tx, now, &[*entry]).await?;
    raise(tx, "UPDATE clients SET min_rsn = $1 WHERE client_id = $2", client_id, rsn).await?;
    Ok(rsn)
}

/// Ends all sessions and tokens of a tenant. Returns the entry's position.
///
/// # Errors
/// `Broken` if there is no such tenant.
pub async fn revoke_tenant(tx: &mut Tx, now: Timestamp, tenant: &str, entry: &Entry) -> Result<Rsn, StoreError> {
    lock_rows(tx, &mut [RowKey::Tenant(tenant)]).await?;
    let rsn = append(tx, now, &[*entry]).await?;
    raise(tx, "UPDATE tenants SET min_rsn = $1 WHERE tenant = $2", tenant, rsn).await?;
    Ok(rsn)
}

/// Ends a user's tokens only: roles have changed, sessions live on, and their next refresh carries the new ones.
///
/// # Errors
/// `Broken` if there is no such user.
pub async fn outdate_user_tokens(tx: &mut Tx, now: Timestamp, user_id: &str, entry: &Entry) -> Result<Rsn, StoreError> {
    lock_rows(tx, &mut [RowKey::User(user_id)]).await?;
    let rsn = append(tx, now, &[*entry]).await?;
    raise(tx, "UPDATE users SET token_rsn = $1 WHERE user_id = $2", user_id, rsn).await?;
    Ok(rsn)
}

/// Ends a client's tokens only: its scopes or roles have changed.
///
/// # Errors
/// `Broken` if there is no such client.
pub async fn outdate_client_tokens(
    tx: &mut Tx,
    now: Timestamp,
    client_id: &str,
    entry: &Entry,
) -> Result<Rsn, StoreError> {
    lock_rows(tx, &mut [RowKey::Client(client_id)]).await?;
    let rsn = append(tx, now, &[*entry]).await?;
    raise(tx, "UPDATE clients SET token_rsn = $1 WHERE client_id = $2", client_id, rsn).await?;
    Ok(rsn)
}

/// The mark alone, for a transaction that has locked the user and appended its entry among others.
///
/// # Errors
/// `Broken` if there is no such user.
pub async fn raise_user(tx: &mut Tx, user_id: &str, rsn: Rsn) -> Result<(), StoreError> {
    raise(tx, "UPDATE users SET min_rsn = $1 WHERE user_id = $2", user_id, rsn).await
}

async fn raise(tx: &mut Tx, sql: &'static str, id: &str, rsn: Rsn) -> Result<(), StoreError> {
    match tx.execute(sql, &[rsn.into(), id.into()]).await? {
        1 => Ok(()),
        rows => Err(StoreError::Broken(format!("a revocation marked {rows} rows"))),
    }
}

fn no_head() -> StoreError {
    StoreError::Broken("the revocation log has no head row".into())
}
