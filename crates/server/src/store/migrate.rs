//! The schema, brought up to date at start: one numbered folder, forward only, for both databases.

use refinery::{Migration, Report, Runner, error::Kind};

use super::{StoreError, dialect::MIGRATION_LOCK, postgres::meaning};

/// Every file of `migrations/`, in order, with the checksum that the history of a database keeps of it; a test compares
/// this list with the folder, and says the checksum of a file that changed.
const MIGRATIONS: &[(&str, &str, &str)] =
    &[("V1__foundation", include_str!("../../migrations/V1__foundation.sql"), "18212038381610804498")];
const HISTORY: &str = "SELECT checksum FROM refinery_schema_history ORDER BY version";

/// What may be done to the schema of a database that is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// It is brought up to date.
    Newest,
    /// An empty database gets its tables; any other is left as it is, and refused if it is not up to date.
    NewOrNewest,
    /// It is left as it is, and refused if it is not up to date.
    AsItIs,
}

impl Schema {
    /// Whether there is something to do for a database with this history; `None`: it has no tables of ours.
    fn is_due(self, history: Option<&[String]>) -> Result<bool, StoreError> {
        match (self, history) {
            (_, Some(history)) if is_ours(history) => Ok(false),
            (Self::Newest, _) | (Self::NewOrNewest, None | Some([])) => Ok(true),
            (_, None | Some([])) => Err(StoreError::Broken("this database has no tables of Countersign".into())),
            (_, Some(history)) => Err(StoreError::Broken(format!(
                "this database has another schema ({} steps) than this program ({}); start this version of Countersign on \
                 it once, which brings it up to date, or use the version that made it",
                history.len(),
                MIGRATIONS.len()
            ))),
        }
    }
}

/// What the migrations say, in their order.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(|(_, text, _)| *text)
}

/// Migrates a SQLite database. Each step is one transaction: a start that is killed half-way continues at the next.
pub(super) fn sqlite(connection: &mut rusqlite::Connection, schema: Schema) -> Result<(), StoreError> {
    if !schema.is_due(sqlite_history(connection).ok().as_deref())? {
        return Ok(());
    }
    outcome(runner()?.run(connection))
}

fn sqlite_history(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    connection.prepare(HISTORY)?.query_map([], |row| row.get(0))?.collect()
}

/// Migrates a PostgreSQL database. The connection is closed afterwards, which frees the lock.
pub(super) async fn postgres(client: &mut tokio_postgres::Client, schema: Schema) -> Result<(), StoreError> {
    // Another replica may be at it, for as long as it takes.
    let wait = async {
        client.batch_execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0").await?;
        client.batch_execute(MIGRATION_LOCK).await
    };
    wait.await.map_err(|error| meaning(&error))?;
    let history = client.query(HISTORY, &[]).await.map(|rows| rows.iter().map(|row| row.get(0)).collect::<Vec<_>>());
    if !schema.is_due(history.ok().as_deref())? {
        return Ok(());
    }
    outcome(runner()?.run_async(client).await)
}

/// Whether the database has these migrations and no other. Then the runner has nothing to do, and is not even made: its
/// regular expressions would stay in memory, half a megabyte of them. An error while asking means that there are no
/// tables yet.
fn is_ours(history: &[String]) -> bool {
    history.iter().eq(MIGRATIONS.iter().map(|(_, _, checksum)| checksum))
}

fn runner() -> Result<Runner, StoreError> {
    let migrations =
        MIGRATIONS.iter().map(|(name, sql, _)| Migration::unapplied(name, sql)).collect::<Result<Vec<_>, _>>();
    Ok(Runner::new(&migrations.map_err(|error| broken(&error))?))
}

fn outcome(result: Result<Report, refinery::Error>) -> Result<(), StoreError> {
    let Err(error) = result else { return Ok(()) };
    Err(match error.kind() {
        Kind::MissingVersion(applied) if applied.version() > newest() => StoreError::Broken(format!(
            "the database has schema version {}, and this program knows {} at most: a newer Countersign has used it. Run \
             that version, or restore the backup made before the upgrade",
            applied.version(),
            newest()
        )),
        Kind::DivergentVersion(applied, _) => StoreError::Broken(format!(
            "the database was made by another build: its migration {applied} is not the one of this program. Run the \
             release that made it, or start with an empty database"
        )),
        _ => broken(&error),
    })
}

/// The newest schema version this program knows.
pub fn newest() -> refinery::SchemaVersion {
    // Numbered from 1 without gaps, as the test below checks.
    refinery::SchemaVersion::try_from(MIGRATIONS.len()).unwrap_or(refinery::SchemaVersion::MAX)
}

fn broken(error: &refinery::Error) -> StoreError {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    StoreError::Broken(format!("migration failed: {error}{cause}"))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn the_list_is_the_folder_numbered_without_gaps() {
        let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
        let files: BTreeSet<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        let listed: BTreeSet<String> = MIGRATIONS.iter().map(|(name, ..)| format!("{name}.sql")).collect();
        assert_eq!(listed, files);
        for (index, (name, sql, checksum)) in MIGRATIONS.iter().enumerate() {
            let migration = Migration::unapplied(name, sql).unwrap();
            assert_eq!(usize::try_from(migration.version()).unwrap(), index + 1, "{name}");
            assert_eq!(migration.checksum().to_string(), *checksum, "{name}");
        }
    }
}
