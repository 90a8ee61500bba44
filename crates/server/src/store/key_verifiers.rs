//! Which connected verifiers have a key that is published and signs nothing yet, as each replica last said.

use super::{Param, Row, StoreError, Tx};
use crate::domain::time::Timestamp;

/// What a replica says of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub kid: String,
    /// How many verifiers have it.
    pub knowing: usize,
    /// How many have not.
    pub lagging: usize,
    /// The first of these, in words.
    pub who: Vec<String>,
}

/// Takes a replica's word in place of what it said before; good until `until`. Of a key that has begun to sign meanwhile it
/// is not taken.
pub async fn put(tx: &mut Tx, replica: &str, report: &Report, until: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT kid FROM keys WHERE kid = $1 AND state = 'published'";
    if tx.fetch_optional(sql, &[Param::Text(&report.kid)]).await?.is_none() {
        return Ok(());
    }
    let count = |count: usize| Param::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let who = serde_json::Value::from(report.who.clone()).to_string();
    tx.execute(
        "INSERT INTO key_verifiers (kid, replica, knowing, lagging, who, until) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (kid, replica) DO UPDATE SET knowing = excluded.knowing, lagging = excluded.lagging, \
         who = excluded.who, until = excluded.until",
        &[
            Param::Text(&report.kid),
            Param::Text(replica),
            count(report.knowing),
            count(report.lagging),
            Param::Text(&who),
            Param::Int(until.micros()),
        ],
    )
    .await
    .map(drop)
}

/// What every replica says at `now`, key by key.
pub async fn all(tx: &mut Tx, now: Timestamp) -> Result<Vec<Report>, StoreError> {
    let sql = "SELECT kid, knowing, lagging, who FROM key_verifiers WHERE until > $1 ORDER BY kid, replica";
    tx.fetch_all(sql, &[Param::Int(now.micros())]).await?.iter().map(report).collect()
}

/// Forgets what was said of a key: it signs, or never will.
pub async fn forget(tx: &mut Tx, kid: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM key_verifiers WHERE kid = $1", &[Param::Text(kid)]).await.map(drop)
}

fn report(row: &Row) -> Result<Report, StoreError> {
    let count = |column| Ok::<_, StoreError>(usize::try_from(row.get::<i64>(column)?).unwrap_or_default());
    let who = serde_json::from_str(&row.get::<String>(3)?);
    let who = who.map_err(|_| StoreError::Broken("key_verifiers.who is no array of text".into()))?;
    Ok(Report { kid: row.get(0)?, knowing: count(1)?, lagging: count(2)?, who })
}
