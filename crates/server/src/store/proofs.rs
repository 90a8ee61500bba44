//! Proofs that were used (RFC 9449, section 11.1): each once, whichever replica it is shown to, and whatever restarts in
//! between. Rows are few and short-lived: [`purge`] removes those that are refused for their age by now.

use super::{StoreError, Tx};
use crate::domain::time::Timestamp;

/// How many proofs of one key are kept at most. A key that needs more is not used by one client as clients do.
const MAX_OF_KEY: i64 = 10_000;

/// A proof as it is kept.
#[derive(Debug, Clone)]
pub struct UsedProof {
    /// Of its key, base64url.
    pub thumbprint: String,
    /// Hash of its key, its target and its `jti`.
    pub id: [u8; 32],
    /// From when on it is refused for its age, Unix seconds.
    pub until: i64,
}

/// Why a proof cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unspendable {
    /// It was used before.
    Replayed,
    /// Its key has used too many: what cannot be kept is not accepted.
    TooMany,
}

/// Uses a proof up, if there is one, in the transaction of what it is used for. Of two that show one proof at the same time the second waits for
/// the first, and is refused if that commits.
///
/// # Errors
/// As any statement.
pub async fn spend(tx: &mut Tx, proof: Option<&UsedProof>) -> Result<Result<(), Unspendable>, StoreError> {
    const COUNT: &str = "SELECT count(*) FROM used_proofs WHERE jkt = $1";
    const INSERT: &str = "INSERT INTO used_proofs (jkt, id, exp) VALUES ($1, $2, $3) ON CONFLICT (jkt, id) DO NOTHING";
    let Some(proof) = proof else { return Ok(Ok(())) };
    let row = tx.fetch_optional(COUNT, &[(&proof.thumbprint).into()]).await?;
    if row.map_or(Ok(0), |row| row.get::<i64>(0))? >= MAX_OF_KEY {
        return Ok(Err(Unspendable::TooMany));
    }
    let inserted = tx.execute(INSERT, &[(&proof.thumbprint).into(), (&proof.id).into(), proof.until.into()]).await?;
    Ok(if inserted == 1 { Ok(()) } else { Err(Unspendable::Replayed) })
}

/// Forgets `limit` proofs (and those of the same second) that nobody could use again before `now`; returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM used_proofs WHERE exp <= (SELECT MAX(o.exp) \
                       FROM (SELECT exp FROM used_proofs WHERE exp < $1 ORDER BY exp LIMIT $2) AS o)";
    tx.execute(SQL, &[now.secs().into(), i64::from(limit).into()]).await
}
