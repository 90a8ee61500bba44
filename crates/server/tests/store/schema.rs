//! Migrations: once, forward only, with clear words for a database that this program cannot use.

use countersign_server::store::{Store, StoreError};

use crate::support::databases::TestStore;

const NEWER: &str = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
                     VALUES (999, 'from_the_future', '2030-01-01T00:00:00Z', '1')";
const ALTERED: &str = "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1";

/// Reopens a store after a change to its history.
async fn reopen(test: TestStore, sql: &'static str) -> Result<(), StoreError> {
    test.store.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap();
    Store::open(&test.config).await.map(|_| ())
}

macro_rules! on_both {
    ($name:ident($test:ident) $body:block) => {
        mod $name {
            use super::*;

            async fn body($test: TestStore) $body

            #[tokio::test]
            async fn sqlite() {
                body(TestStore::sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                body(TestStore::postgres().await).await;
            }
        }
    };
}

on_both!(opening_again_changes_nothing(test) {
    let history = "SELECT version, applied_on FROM refinery_schema_history ORDER BY version";
    let before = test.store.read(move |tx| Box::pin(async move { tx.fetch_all(history, &[]).await })).await.unwrap();
    let again = Store::open(&test.config).await.unwrap();
    let after = again.read(move |tx| Box::pin(async move { tx.fetch_all(history, &[]).await })).await.unwrap();
    assert!(!before.is_empty());
    assert_eq!(before, after);
});

on_both!(a_database_of_a_newer_version_is_refused(test) {
    let refused = reopen(test, NEWER).await.unwrap_err();
    assert!(refused.to_string().contains("schema version 999"), "{refused}");
    assert!(refused.to_string().contains("newer Countersign"), "{refused}");
});

on_both!(a_database_of_another_build_is_refused(test) {
    let refused = reopen(test, ALTERED).await.unwrap_err();
    assert!(refused.to_string().contains("another build"), "{refused}");
});
