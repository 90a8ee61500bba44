//! The key-encryption key as key stores have wrapped it: one row for each store that opens this database.

use super::{Param, StoreError, Tx};
use crate::domain::{key_store::StoreName, time::Timestamp};

/// One wrapped form. It opens nothing without its store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KekWrap {
    pub store: StoreName,
    /// The name of the key-encryption key in it.
    pub kek_id: String,
    pub wrapped: String,
    /// The store and the key in it, for people.
    pub place: String,
    pub created_at: Timestamp,
}

/// All of them.
///
/// # Errors
/// As any statement; `Broken` for a store that this version does not know.
pub async fn all(tx: &mut Tx) -> Result<Vec<KekWrap>, StoreError> {
    let sql = "SELECT store, kek_id, wrapped, place, created_at FROM kek_wraps ORDER BY store";
    let rows = tx.fetch_all(sql, &[]).await?;
    let wrap = |row: &super::Row| {
        let store: String = row.get(0)?;
        let unknown = || StoreError::Broken(format!("kek_wraps names the unknown key store {store:?}"));
        Ok(KekWrap {
            store: StoreName::parse(&store).ok_or_else(unknown)?,
            kek_id: row.get(1)?,
            wrapped: row.get(2)?,
            place: row.get(3)?,
            created_at: Timestamp::from_micros(row.get(4)?),
        })
    };
    rows.iter().map(wrap).collect()
}

/// Inserts the first wrapped form of a store; one that is there stays. False: it was there.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, wrap: &KekWrap) -> Result<bool, StoreError> {
    let sql = "INSERT INTO kek_wraps (store, kek_id, wrapped, place, created_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (store) DO NOTHING";
    Ok(tx.execute(sql, &params(wrap)).await? == 1)
}

/// Puts a wrapped form in the place of the store's present one, if it has one.
///
/// # Errors
/// As any statement.
pub async fn put(tx: &mut Tx, wrap: &KekWrap) -> Result<(), StoreError> {
    let sql = "INSERT INTO kek_wraps (store, kek_id, wrapped, place, created_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (store) DO UPDATE SET kek_id = $2, wrapped = $3, place = $4, created_at = $5";
    tx.execute(sql, &params(wrap)).await.map(drop)
}

/// Whether a store's wrapped form of this key is there; it stays until the end of the transaction.
///
/// # Errors
/// As any statement.
pub async fn hold(tx: &mut Tx, store: StoreName, kek_id: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE kek_wraps SET kek_id = $1 WHERE kek_id = $1 AND store = $2";
    Ok(tx.execute(sql, &[Param::Text(kek_id), Param::Text(store.as_str())]).await? == 1)
}

/// Forgets one.
///
/// # Errors
/// As any statement.
pub async fn forget(tx: &mut Tx, store: StoreName) -> Result<bool, StoreError> {
    let sql = "DELETE FROM kek_wraps WHERE store = $1";
    Ok(tx.execute(sql, &[Param::Text(store.as_str())]).await? == 1)
}

fn params(wrap: &KekWrap) -> [Param<'_>; 5] {
    [
        Param::Text(wrap.store.as_str()),
        Param::Text(&wrap.kek_id),
        Param::Text(&wrap.wrapped),
        Param::Text(&wrap.place),
        Param::Int(wrap.created_at.micros()),
    ]
}
