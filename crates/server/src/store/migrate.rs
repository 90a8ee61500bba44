//! The schema, brought up to date at start: one numbered folder, forward only, for both databases.
//!
//! Replicas of two versions share a database while they are exchanged one by one. So each migration says which programs may
//! go on beside it, and the database remembers that: a program that does not know a migration reads there whether it may run.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tracing::warn;

use super::{StoreError, dialect::MIGRATION_LOCK, postgres::meaning as refused, sqlite::meaning as broken};

/// One file of `migrations/`.
#[derive(Debug, Clone, Copy)]
struct Migration {
    /// `V1__foundation`; the number is its place in the list.
    name: &'static str,
    sql: &'static str,
    /// What PostgreSQL is told besides: how rows lie on its pages. Nothing but speed depends on it, and databases that store
    /// rows in another way take it and do nothing.
    layout: &'static str,
    /// Of the file, as the history of a database keeps it; a test says the one of a file that changed.
    checksum: &'static str,
    /// The oldest schema that a program may know and still run on the changed database. What a program of the release
    /// before uses is added in one release and taken away in a later one.
    beside: i64,
}

/// Every file, in order; a test compares this list with the folder.
const MIGRATIONS: &[Migration] = &[Migration {
    name: "V1__foundation",
    sql: include_str!("../../migrations/V1__foundation.sql"),
    // A refresh changes no indexed column: with room for one more version of a row on its page, no index is written either.
    layout: "ALTER TABLE sessions SET (fillfactor = 85)",
    checksum: "a8e93b359430a65b",
    beside: 1,
}];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_history (version bigint NOT NULL PRIMARY KEY, \
                     name text NOT NULL, checksum text NOT NULL, beside bigint NOT NULL)";
const HISTORY: &str = "SELECT version, checksum, beside FROM schema_history ORDER BY version";

/// What this program knows.
#[cfg(not(feature = "failpoints"))]
const fn known() -> &'static [Migration] {
    MIGRATIONS
}

/// What this program knows: tests make a later release of it by bringing a migration, so that two versions run beside each
/// other.
#[cfg(feature = "failpoints")]
fn known() -> &'static [Migration] {
    static KNOWN: std::sync::LazyLock<Vec<Migration>> = std::sync::LazyLock::new(|| {
        let later = std::env::var("COUNTERSIGN_TEST_MIGRATION").ok().map(|sql| Migration {
            name: "V2__later",
            sql: sql.leak(),
            layout: "",
            checksum: "later",
            beside: 1,
        });
        MIGRATIONS.iter().copied().chain(later).collect()
    });
    &KNOWN
}

/// The newest schema version that this program knows.
pub fn newest() -> i64 {
    // Numbered from 1 without gaps, as the test below checks.
    i64::try_from(known().len()).unwrap_or(i64::MAX)
}

/// How long a step waits for a table that others use. Whoever comes after it waits behind it, so it is not long.
const LOCK_WAIT_MS: u32 = 500;
/// How long the lock that only one server has is waited for before somebody is told.
const TURN_WAIT_MS: u32 = 5_000;
/// Between two tries; the requests that have gathered are answered meanwhile.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries, before somebody has to look who holds a lock for minutes.
const PATIENCE: u32 = 240;

/// A migration that a database has had.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Applied {
    version: i64,
    checksum: String,
    beside: i64,
}

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
    /// Whether there is something to do for a database with this history. `None`: it could not be asked for, which means that
    /// there are no tables yet.
    fn is_due(self, history: Option<&[Applied]>) -> Result<bool, StoreError> {
        match (self, history) {
            (Self::Newest, Some(history)) => Ok(due(known(), history)?.is_some()),
            // A program may serve beside a schema that it does not know; it cannot walk over tables that it does not know.
            (_, Some(history)) if is_ours(history) => Ok(false),
            (Self::Newest | Self::NewOrNewest, None | Some([])) => Ok(true),
            (Self::AsItIs, None | Some([])) => {
                Err(StoreError::Broken("this database has no tables of Countersign".into()))
            }
            (_, Some(history)) => Err(StoreError::Broken(format!(
                "this database has another schema ({} steps) than this program ({}); start this version of Countersign on \
                 it once, which brings it up to date, or use the version that made it",
                history.len(),
                known().len()
            ))),
        }
    }
}

/// Whether the database has these migrations and no other.
fn is_ours(history: &[Applied]) -> bool {
    history.iter().map(|applied| applied.checksum.as_str()).eq(known().iter().map(|one| one.checksum))
}

/// What the migrations say, in their order.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    known().iter().map(|one| one.sql)
}

/// Migrates a SQLite database. Each step is one transaction: a start that is killed half-way continues at the next.
pub(super) fn sqlite(connection: &mut rusqlite::Connection, schema: Schema) -> Result<(), StoreError> {
    if !schema.is_due(sqlite_history(connection).ok().as_deref())? {
        return Ok(());
    }
    let step = |connection: &mut rusqlite::Connection| -> Result<bool, StoreError> {
        let step = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
        let step = step.map_err(|error| broken(&error))?;
        step.execute_batch(TABLE).map_err(|error| broken(&error))?;
        let history = sqlite_history(&step).map_err(|error| broken(&error))?;
        let Some((version, next)) = due(known(), &history)? else { return Ok(false) };
        let done = step.execute_batch(next.sql).and_then(|()| step.execute_batch(&next.record(version)));
        done.and_then(|()| step.commit()).map_err(|error| next.failed(broken(&error)))?;
        Ok(true)
    };
    while step(connection)? {}
    Ok(())
}

fn sqlite_history(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<Applied>> {
    let read =
        |row: &rusqlite::Row<'_>| Ok(Applied { version: row.get(0)?, checksum: row.get(1)?, beside: row.get(2)? });
    connection.prepare(HISTORY)?.query_map([], read)?.collect()
}

/// Migrates a PostgreSQL database. Nothing of it outlives its transactions, so that a pooler may be in between; after an
/// error the connection is to be closed.
pub(super) async fn postgres(client: &tokio_postgres::Client, schema: Schema) -> Result<(), StoreError> {
    if !schema.is_due(postgres_history(client).await.ok().as_deref())? {
        return Ok(());
    }
    let mut refusals = 0;
    loop {
        match postgres_step(client).await? {
            Step::Last => return Ok(()),
            Step::Done => {}
            Step::InTheWay(error) if refusals == PATIENCE => return Err(error),
            Step::InTheWay(_) => {
                refusals += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What one step came to.
enum Step {
    /// There may be more.
    Done,
    /// Nothing was due.
    Last,
    /// Somebody holds what it needs to lock; nothing was changed.
    InTheWay(StoreError),
}

/// Applies the next migration, if one is due, in one transaction. Another replica may be at it, for as long as it takes:
/// what is due is asked once it is our turn.
/// Begins a transaction that no other server's migration runs beside. One whose machine is gone holds the lock for as long as
/// the database lets it be silent: no step has a pause of its own.
async fn begin(client: &tokio_postgres::Client) -> Result<(), StoreError> {
    let begin = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 0; \
         SET LOCAL idle_in_transaction_session_timeout = 20000; SET LOCAL lock_timeout = {TURN_WAIT_MS}; {MIGRATION_LOCK}; \
         SET LOCAL lock_timeout = {LOCK_WAIT_MS}"
    );
    loop {
        match client.batch_execute(&begin).await {
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                warn!(
                    "another server changes the schema: waiting (pg_locks, locktype advisory, says which connection)"
                );
                client.batch_execute("ROLLBACK").await.map_err(|error| refused(&error))?;
            }
            begun => return begun.map_err(|error| refused(&error)),
        }
    }
}

async fn postgres_step(client: &tokio_postgres::Client) -> Result<Step, StoreError> {
    begin(client).await?;
    client.batch_execute(TABLE).await.map_err(|error| refused(&error))?;
    let history = postgres_history(client).await.map_err(|error| refused(&error))?;
    let due = due(known(), &history)?;
    if let Some((version, next)) = due {
        let text = [next.sql, next.layout, &next.record(version)]
            .map(|part| part.trim_end().trim_end_matches(';'))
            .join(";\n");
        if let Err(error) = client.batch_execute(&text).await {
            let in_the_way = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED];
            let is_in_the_way = error.code().is_some_and(|code| in_the_way.contains(code));
            let error = next.failed(refused(&error));
            if !is_in_the_way {
                return Err(error);
            }
            client.batch_execute("ROLLBACK").await.map_err(|error| refused(&error))?;
            return Ok(Step::InTheWay(error));
        }
    }
    client.batch_execute("COMMIT").await.map_err(|error| refused(&error))?;
    Ok(if due.is_some() { Step::Done } else { Step::Last })
}

/// By the protocol of plain texts: nothing is prepared.
async fn postgres_history(client: &tokio_postgres::Client) -> Result<Vec<Applied>, tokio_postgres::Error> {
    let answer = client.simple_query(HISTORY).await?;
    let rows = answer.iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let read = |row: &tokio_postgres::SimpleQueryRow| {
        let number = |index| row.get(index).and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
        Applied { version: number(0), checksum: row.get(1).unwrap_or_default().to_owned(), beside: number(2) }
    };
    Ok(rows.map(read).collect())
}

impl Migration {
    /// The statement that notes it; nothing in it needs quoting.
    fn record(&self, version: i64) -> String {
        let Self { name, checksum, beside, .. } = self;
        format!(
            "INSERT INTO schema_history (version, name, checksum, beside) \
             VALUES ({version}, '{name}', '{checksum}', {beside})"
        )
    }

    fn failed(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Broken(reason) => StoreError::Broken(format!("migration {} failed: {reason}", self.name)),
            other => other,
        }
    }
}

/// The migration that a database with this history needs next, with its number; none if it has all of them, and none that
/// this program must not run beside.
fn due<'m>(known: &'m [Migration], history: &[Applied]) -> Result<Option<(i64, &'m Migration)>, StoreError> {
    let newest = i64::try_from(known.len()).unwrap_or(i64::MAX);
    for (applied, version) in history.iter().zip(1..) {
        let ours = known.get(usize::try_from(version - 1).unwrap_or(usize::MAX));
        if applied.version == version && ours.is_some_and(|ours| ours.checksum == applied.checksum) {
            continue;
        }
        if ours.is_some() {
            return Err(StoreError::Broken(format!(
                "the database was made by another build: its migration {} is not the one of this program. Run the \
                 release that made it, or start with an empty database",
                applied.version
            )));
        }
        if applied.beside > newest {
            return Err(StoreError::Broken(format!(
                "the database has schema version {}, and this program knows {newest}: a newer Countersign has used it, \
                 and programs must know version {} at least to run beside it. Run a newer version, or restore the backup \
                 made before the upgrade",
                applied.version, applied.beside
            )));
        }
    }
    Ok((1..).zip(known).nth(history.len()))
}

#[cfg(test)]
mod gentle;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fmt::Write, fs};

    use super::*;

    fn migration(name: &'static str, checksum: &'static str, beside: i64) -> Migration {
        Migration { name, sql: "", layout: "", checksum, beside }
    }

    fn applied(migrations: &[Migration]) -> Vec<Applied> {
        let row =
            |(one, version): (&Migration, i64)| Applied { version, checksum: one.checksum.into(), beside: one.beside };
        migrations.iter().zip(1..).map(row).collect()
    }

    fn checksum(sql: &str) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, sql.as_bytes());
        digest.as_ref()[..8].iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    #[test]
    fn the_list_is_the_folder_numbered_without_gaps() {
        let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
        let files: BTreeSet<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        let listed: BTreeSet<String> = MIGRATIONS.iter().map(|one| format!("{}.sql", one.name)).collect();
        assert_eq!(listed, files);
        let mut least = 1;
        for (one, version) in MIGRATIONS.iter().zip(1..) {
            assert!(one.name.starts_with(&format!("V{version}__")), "{}", one.name);
            assert_eq!(checksum(one.sql), one.checksum, "the checksum of {}", one.name);
            assert!((least..=version).contains(&one.beside), "{}: beside", one.name);
            least = one.beside;
        }
    }

    #[test]
    fn what_is_missing_is_done_in_order() {
        let known = [migration("V1__a", "a", 1), migration("V2__b", "b", 1)];
        let next = |history: &[Applied]| due(&known, history).unwrap().map(|(version, next)| (version, next.name));
        assert_eq!(next(&[]), Some((1, "V1__a")));
        assert_eq!(next(&applied(&known[..1])), Some((2, "V2__b")));
        assert_eq!(next(&applied(&known)), None);
    }

    #[test]
    fn a_program_runs_beside_what_is_newer_only_if_that_says_so() {
        let all = [migration("V1__a", "a", 1), migration("V2__b", "b", 1), migration("V3__c", "c", 2)];
        assert!(due(&all[..1], &applied(&all[..2])).unwrap().is_none(), "V2 lets V1 be");
        assert!(due(&all[..2], &applied(&all)).unwrap().is_none(), "V3 lets V2 be");
        let refused = due(&all[..1], &applied(&all)).unwrap_err().to_string();
        assert!(refused.contains("schema version 3") && refused.contains("version 2 at least"), "{refused}");
        for history in [
            applied(&[migration("V1__x", "x", 1)]),
            applied(&[migration("V1__x", "x", 1), migration("V2__b", "b", 1)]),
            vec![Applied { version: 2, checksum: "a".into(), beside: 1 }],
        ] {
            let refused = due(&all[..1], &history).unwrap_err().to_string();
            assert!(refused.contains("another build"), "{refused}");
        }
    }
}
