//! A database that nobody else writes into: on SQLite by its write lock, on PostgreSQL by locks on its tables, each held by a
//! connection that does nothing else.

use deadpool_postgres::ClientWrapper;

use super::{Engine, Store, StoreError, postgres::meaning, schema};

/// Reading goes on; whoever wants to write waits until this is dropped, or gives up.
#[derive(Debug)]
pub struct Frozen(Hold);

#[derive(Debug)]
enum Hold {
    Sqlite(rusqlite::Connection),
    Postgres(ClientWrapper),
}

impl Store {
    /// Lets nobody write, this store's own transactions included.
    ///
    /// # Errors
    /// `Unavailable` if somebody is writing and does not come to an end within seconds.
    pub async fn freeze(&self) -> Result<Frozen, StoreError> {
        Ok(Frozen(match &*self.engine {
            Engine::Sqlite(store) => Hold::Sqlite(store.hold()?),
            Engine::Postgres(store) => {
                let tables: Vec<_> = schema::tables().iter().map(|table| table.name).collect();
                Hold::Postgres(store.hold(&tables.join(", ")).await?)
            }
        }))
    }
}

impl Frozen {
    /// The number that a statement answers, however long it takes.
    ///
    /// # Errors
    /// As any statement.
    pub async fn number(&mut self, sql: &'static str) -> Result<i64, StoreError> {
        match &mut self.0 {
            Hold::Sqlite(connection) => connection
                .query_row(sql, [], |row| row.get(0))
                .map_err(|error| StoreError::unavailable(error.to_string())),
            Hold::Postgres(client) => {
                let row = client.query_one(sql, &[]).await.map_err(|error| meaning(&error))?;
                row.try_get(0).map_err(|error| meaning(&error))
            }
        }
    }

    /// Whether it was held all the time: a connection that broke has let go of it.
    ///
    /// # Errors
    /// It was not.
    pub async fn still(&mut self) -> Result<(), StoreError> {
        self.number("SELECT COUNT(*) FROM rev_head").await.map(drop)
    }
}
