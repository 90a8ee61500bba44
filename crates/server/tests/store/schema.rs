//! Migrations: once, forward only, with clear words for a database that this program cannot use.

use std::collections::{BTreeMap, BTreeSet};

use countersign_server::store::{Store, StoreError, schema};

use crate::support::databases::TestStore;

/// The next version of the schema as a later release might bring it: a program that knows nothing of it may run beside it.
const BESIDE: &str = "INSERT INTO schema_history (version, name, checksum, beside) VALUES (2, 'V2__more', '2', 1)";
/// One that takes away what this program uses.
const INSTEAD: &str = "INSERT INTO schema_history (version, name, checksum, beside) VALUES (2, 'V2__other', '2', 2)";
const ALTERED: &str = "UPDATE schema_history SET checksum = '1' WHERE version = 1";

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
    let history = "SELECT version, name, checksum, beside FROM schema_history ORDER BY version";
    let before = test.store.read(move |tx| Box::pin(async move { tx.fetch_all(history, &[]).await })).await.unwrap();
    let again = Store::open(&test.config).await.unwrap();
    let after = again.read(move |tx| Box::pin(async move { tx.fetch_all(history, &[]).await })).await.unwrap();
    assert!(!before.is_empty());
    assert_eq!(before, after);
});

on_both!(a_newer_schema_that_lets_this_program_be_is_used(test) {
    reopen(test, BESIDE).await.unwrap();
});

on_both!(a_newer_schema_without_what_this_program_uses_is_refused(test) {
    let refused = reopen(test, INSTEAD).await.unwrap_err();
    assert!(refused.to_string().contains("schema version 2"), "{refused}");
    assert!(refused.to_string().contains("newer Countersign"), "{refused}");
});

on_both!(a_database_of_another_build_is_refused(test) {
    let refused = reopen(test, ALTERED).await.unwrap_err();
    assert!(refused.to_string().contains("another build"), "{refused}");
});

/// What a database says of its own tables: name, columns in order, key in order.
async fn catalog(test: &TestStore) -> BTreeSet<(String, Vec<String>, Vec<String>)> {
    const SQLITE: &str = "SELECT t.name, c.name, c.pk FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' \
                          ORDER BY t.name, c.cid";
    const POSTGRES: &str = "SELECT CAST(c.relname AS text), CAST(a.attname AS text), \
        COALESCE(CAST(array_position(CAST(i.indkey AS smallint[]), a.attnum) AS bigint) + 1, 0) \
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
        WHERE c.relkind = 'r' AND c.relnamespace = CAST('public' AS regnamespace) ORDER BY c.relname, a.attnum";
    let sql = if test.url().is_some() { POSTGRES } else { SQLITE };
    let rows = test.store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap();
    let mut tables: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for row in rows {
        tables.entry(row.get(0).unwrap()).or_default().push((row.get(1).unwrap(), row.get(2).unwrap()));
    }
    tables.remove("schema_history");
    let table = |(name, columns): (String, Vec<(String, i64)>)| {
        let mut key: Vec<_> = columns.iter().filter(|(_, place)| *place > 0).cloned().collect();
        key.sort_by_key(|(_, place)| *place);
        let names = |columns: Vec<(String, i64)>| columns.into_iter().map(|(name, _)| name).collect();
        (name, names(columns), names(key))
    };
    tables.into_iter().map(table).collect()
}

on_both!(the_tables_are_those_that_the_migrations_are_read_to_make(test) {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let read = schema::tables().iter().map(|table| (table.name.to_owned(), texts(&table.columns), texts(&table.key)));
    assert_eq!(read.collect::<BTreeSet<_>>(), catalog(&test).await);
});
