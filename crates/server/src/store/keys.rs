//! The key ring's rows. Every change is guarded by the state it starts from: of two replicas one wins, the other
//! changes nothing. Unique indexes hold one active key and one successor per slot whatever the callers do.

use std::fmt;

use super::{Param, Row, StoreError, Tx};
use crate::domain::{
    key_ring::{KeyState, Purpose, RingKey, Slot},
    key_store::StoreName,
    time::Timestamp,
};

/// A key as it is stored. `Debug` leaves the sealed part out.
#[derive(Clone)]
pub struct KeyRow {
    pub key: RingKey,
    /// The key store that the private half lies in; none: it is here.
    pub store: Option<StoreName>,
    /// The private half, or where it lies in its store, sealed; none once the key is removed.
    pub sealed: Option<Vec<u8>>,
    /// The public JWK as JSON; none for a secret.
    pub public_jwk: Option<String>,
    pub created_at: Timestamp,
}

impl fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRow").field("key", &self.key).field("created_at", &self.created_at).finish_non_exhaustive()
    }
}

/// An HS256 audience's secret, sealed.
#[derive(Clone)]
pub struct AudienceSecretRow {
    pub audience: String,
    pub sealed: Vec<u8>,
}

impl fmt::Debug for AudienceSecretRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudienceSecretRow").field("audience", &self.audience).finish_non_exhaustive()
    }
}

/// Every key that ever was, oldest first.
pub async fn all(tx: &mut Tx) -> Result<Vec<KeyRow>, StoreError> {
    let rows = tx
        .fetch_all(
            "SELECT kid, purpose, alg, state, sealed, public_jwk, created_at, published_at, active_at, retiring_at, \
             store FROM keys ORDER BY created_at, kid",
            &[],
        )
        .await?;
    rows.iter().map(key_row).collect()
}

/// The sealed secrets of the audiences that have one.
pub async fn audience_secrets(tx: &mut Tx) -> Result<Vec<AudienceSecretRow>, StoreError> {
    let rows = tx
        .fetch_all(
            "SELECT audience, sealed_secret FROM audiences WHERE sealed_secret IS NOT NULL ORDER BY audience",
            &[],
        )
        .await?;
    rows.iter().map(|row| Ok(AudienceSecretRow { audience: row.get(0)?, sealed: row.get(1)? })).collect()
}

/// The id of the key-encryption key that sealed this store's first keys; none in a new store.
pub async fn kek_id(tx: &mut Tx) -> Result<Option<String>, StoreError> {
    let row = tx.fetch_optional("SELECT value FROM meta WHERE name = 'kek_id'", &[]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Remembers the key-encryption key of a new store; a remembered one stays.
pub async fn remember_kek(tx: &mut Tx, kek_id: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (name, value) VALUES ('kek_id', $1) ON CONFLICT DO NOTHING";
    tx.execute(sql, &[Param::Text(kek_id)]).await.map(drop)
}

/// Inserts a staged or an active key. False if the slot has such a key already, or the `kid` is taken.
pub async fn insert(tx: &mut Tx, row: &KeyRow) -> Result<bool, StoreError> {
    let active_at = match row.key.state {
        KeyState::Active { since } => Param::Int(since.micros()),
        _ => Param::Null,
    };
    let changed = tx
        .execute(
            "INSERT INTO keys (kid, purpose, alg, state, store, sealed, public_jwk, created_at, published_at, active_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT DO NOTHING",
            &[
                Param::Text(&row.key.kid),
                Param::Text(row.key.slot.purpose.as_str()),
                Param::Text(row.key.slot.alg.as_str()),
                Param::Text(row.key.state.as_str()),
                row.store.map_or(Param::Null, |store| Param::Text(store.as_str())),
                row.sealed.as_deref().map_or(Param::Null, Param::Blob),
                row.public_jwk.as_deref().map_or(Param::Null, Param::Text),
                Param::Int(row.created_at.micros()),
                active_at,
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// staged → published. False if the key was not staged.
pub async fn publish(tx: &mut Tx, kid: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE keys SET state = 'published', published_at = $1 WHERE kid = $2 AND state = 'staged'";
    advance(tx, sql, kid, now).await
}

/// active → retiring. False if the key was not active.
pub async fn retire(tx: &mut Tx, kid: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE keys SET state = 'retiring', retiring_at = $1 WHERE kid = $2 AND state = 'active'";
    advance(tx, sql, kid, now).await
}

/// published → active, once the slot's active key stepped down in the same transaction. False if the key was not
/// published.
pub async fn activate(tx: &mut Tx, kid: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE keys SET state = 'active', active_at = $1 WHERE kid = $2 AND state = 'published'";
    advance(tx, sql, kid, now).await
}

/// retiring → removed, and the private half is forgotten. False if the key was not retiring.
pub async fn remove(tx: &mut Tx, kid: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE keys SET state = 'removed', removed_at = $1, sealed = NULL WHERE kid = $2 AND state = 'retiring'";
    advance(tx, sql, kid, now).await
}

/// Any state → removed, for a key that must not be trusted any more. False if it was removed already.
pub async fn revoke(tx: &mut Tx, kid: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE keys SET state = 'removed', removed_at = $1, sealed = NULL WHERE kid = $2 AND state <> 'removed'";
    advance(tx, sql, kid, now).await
}

async fn advance(tx: &mut Tx, sql: &'static str, kid: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(sql, &[Param::Int(now.micros()), Param::Text(kid)]).await? == 1)
}

fn key_row(row: &Row) -> Result<KeyRow, StoreError> {
    let (kid, purpose, alg): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let broken = |what: &str| StoreError::Broken(format!("key {kid:?}: {what}"));
    let slot = Slot {
        purpose: Purpose::parse(&purpose).ok_or_else(|| broken("unknown purpose"))?,
        alg: alg.parse().map_err(|_| broken("unknown algorithm"))?,
    };
    let since = |column: usize| -> Result<Timestamp, StoreError> {
        let at: Option<i64> = row.get(column)?;
        at.map(Timestamp::from_micros).ok_or_else(|| broken("its state has no time"))
    };
    let state = match row.get::<String>(3)?.as_str() {
        "staged" => KeyState::Staged,
        "published" => KeyState::Published { since: since(7)? },
        "active" => KeyState::Active { since: since(8)? },
        "retiring" => KeyState::Retiring { since: since(9)? },
        "removed" => KeyState::Removed,
        _ => return Err(broken("unknown state")),
    };
    let store: Option<String> = row.get(10)?;
    let store = store.map(|store| StoreName::parse(&store).ok_or_else(|| broken("unknown key store"))).transpose()?;
    Ok(KeyRow {
        store,
        sealed: row.get(4)?,
        public_jwk: row.get(5)?,
        created_at: Timestamp::from_micros(row.get(6)?),
        key: RingKey { kid, slot, state },
    })
}
