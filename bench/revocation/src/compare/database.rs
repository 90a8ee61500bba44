//! A version for each user in PostgreSQL; a token whose version is older is refused.

use anyhow::Result;
use tokio_postgres::{Client, Statement};

use crate::durable::connect;

const USERS: i64 = 10_000;

pub struct Versions {
    client: Client,
    select: Statement,
    update: Statement,
    user: String,
    version: i64,
    next: i64,
    /// The backend of the connection.
    pub server: u32,
}

impl Versions {
    pub async fn new(url: &str) -> Result<Self> {
        let client = connect(url).await?;
        client
            .batch_execute(&format!(
                "CREATE TABLE users (user_id text PRIMARY KEY, token_version bigint NOT NULL); \
                 INSERT INTO users SELECT 'usr_' || i, 1 FROM generate_series(1, {USERS}) i; ANALYZE users"
            ))
            .await?;
        let server: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        let select = client.prepare("SELECT token_version FROM users WHERE user_id = $1").await?;
        let update = client.prepare("UPDATE users SET token_version = token_version + 1 WHERE user_id = $1").await?;
        let server = u32::try_from(server)?;
        Ok(Self { client, select, update, user: String::new(), version: 0, next: 0, server })
    }

    pub async fn fresh(&mut self) -> Result<()> {
        self.next = self.next % USERS + 1;
        self.user = format!("usr_{}", self.next);
        self.version = self.now().await?;
        Ok(())
    }

    pub async fn check(&self) -> Result<bool> {
        Ok(self.version >= self.now().await?)
    }

    pub async fn revoke(&self) -> Result<()> {
        self.client.execute(&self.update, &[&self.user]).await?;
        Ok(())
    }

    async fn now(&self) -> Result<i64> {
        Ok(self.client.query_one(&self.select, &[&self.user]).await?.get(0))
    }
}
