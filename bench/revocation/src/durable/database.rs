//! The issuer's database, behind its back: filled while the issuer is stopped.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use rusqlite::params;
use tokio_postgres::{Client, NoTls};

pub enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

/// The name of a session that [`Database::sessions`] has made.
pub fn sid(user: &str, n: usize) -> String {
    format!("{user}-{}", n + 1)
}

impl Database {
    /// Opens sessions of a user, each with an access token that is still good.
    pub async fn sessions(&self, user: &str, count: usize) -> Result<()> {
        ensure!(user.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{user} is no user's id");
        // Times are so far in the future that it does not matter in which unit.
        let sql = format!(
            "INSERT INTO sessions (sid, signin_id, user_id, client_id, tenant, scope, audience, auth_rsn, nonce, prev_nonce, \
             at_exp, created_at, last_seen_at, expires_at, idle_expires_at) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             SELECT '{user}-' || i, $1, '{user}', 'first-party', 'default', '', 'api', 1, $1, $1, {at_exp}, 0, 0, {never}, {never} FROM n",
            at_exp = now()? + 3_600,
            never = i64::MAX / 2,
        );
        let blob = [0_u8; 16];
        match self {
            Self::Sqlite(path) => {
                rusqlite::Connection::open(path)?.execute(&sql, params![blob])?;
            }
            Self::Postgres(url) => {
                let client = connect(url).await?;
                client.execute(&sql, &[&blob.as_slice()]).await?;
                // A database in use knows how large its tables are.
                client.batch_execute("ANALYZE sessions").await?;
            }
        }
        Ok(())
    }
}

pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Unix seconds.
fn now() -> Result<i64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_secs())?)
}
