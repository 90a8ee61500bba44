//! Stores for tests: the same test on SQLite and on PostgreSQL.

use std::path::PathBuf;

use countersign_server::{
    secret::PlainSecret,
    store::{Store, StoreConfig},
};

use super::postgres::Cluster;

/// A store on an empty database with the newest schema; removed when it is dropped.
#[derive(Debug)]
pub struct TestStore {
    pub store: Store,
    pub config: StoreConfig,
    folder: Option<tempfile::TempDir>,
}

impl TestStore {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::Sqlite { path: folder.path().join("countersign.db") };
        Self { store: Store::open(&config).await.unwrap(), config, folder: Some(folder) }
    }

    /// In the cluster of this test program.
    pub async fn postgres() -> Self {
        Self::postgres_in(Cluster::shared()).await
    }

    pub async fn postgres_in(cluster: &Cluster) -> Self {
        let url = cluster.create_database().await;
        let config = StoreConfig::Postgres { url: PlainSecret::new(url), pool_size: 16 };
        Self { store: Store::open(&config).await.unwrap(), config, folder: None }
    }

    /// The URL, on PostgreSQL.
    pub fn url(&self) -> Option<&str> {
        match &self.config {
            StoreConfig::Postgres { url, .. } => Some(url.expose()),
            StoreConfig::Sqlite { .. } => None,
        }
    }

    /// The data folder, on SQLite.
    pub fn folder(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path().to_owned())
    }
}

/// Makes two tests of one body, `name::sqlite` and `name::postgres`:
///
/// ```ignore
/// both_databases! {
///     async fn a_commit_is_seen(store: Store) { … }
/// }
/// ```
#[macro_export]
macro_rules! both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($store:ident: Store) $body:block)+) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "some bodies need nothing of their file")]
            use super::*;

            async fn body($store: countersign_server::store::Store) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let test = $crate::support::databases::TestStore::sqlite().await;
                body(test.store.clone()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let test = $crate::support::databases::TestStore::postgres().await;
                body(test.store.clone()).await;
            }
        }
    )+};
}
