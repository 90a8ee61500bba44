//! Opening the database file: its mode, its pragmas, and clear words for a file that is not ours or not whole.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::tx::meaning;
use crate::store::{
    StoreError,
    migrate::{self, Schema},
};

/// Marks a file as a database of Countersign ("CSGN"), so that another program's is never touched.
const APPLICATION_ID: i64 = 0x4353_474E;
/// How long to wait for another process's lock: a backup, or the command line without a server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// More than the statements of this program.
const CACHED_STATEMENTS: usize = 256;

/// The writer's connection, on a file that exists, is ours and has the newest schema. It is made, unless it must be left
/// as it is.
pub(super) fn writer(path: &Path, schema: Schema) -> Result<Connection, StoreError> {
    // The folder that it really is in would not be locked, nor that which holds what belongs to it.
    if path.is_symlink() {
        return Err(StoreError::Broken(format!(
            "{} is a symbolic link to a file elsewhere; name the folder that the database really is in (a link to the whole \
             folder is fine)",
            path.display()
        )));
    }
    if schema != Schema::AsItIs {
        create(path).map_err(|error| StoreError::unavailable(format!("cannot create {}: {error}", path.display())))?;
    }
    open(path).and_then(|connection| prepare_writer(connection, path, schema)).map_err(|error| describe(&error, path))
}

/// A connection that lets nobody else write for as long as it is open.
pub(super) fn holder(path: &Path) -> Result<Connection, StoreError> {
    let hold = |connection: Connection| {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(connection)
    };
    open(path).and_then(hold).map_err(|error| describe(&error, path))
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let prepare = |connection: Connection| {
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -2048;")?;
        Ok(connection)
    };
    open(path).and_then(prepare).map_err(|error| describe(&error, path))
}

/// Reads a whole database file and says whether it is sound. It may be in use. Blocks for as long as the reading takes.
///
/// # Errors
/// `Broken` with the first fault found; `Unavailable` if the file cannot be read.
pub fn check_file(path: &Path) -> Result<(), StoreError> {
    let check = |connection: Connection| -> Result<String, OpenError> {
        Ok(connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?)
    };
    match open(path).and_then(check).map_err(|error| describe(&error, path))?.as_str() {
        "ok" => Ok(()),
        fault => Err(StoreError::Broken(damaged(path, fault))),
    }
}

/// Makes an empty file that only its owner may read; SQLite gives its log the same mode.
fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => {
            file.sync_all()?;
            // The name of a new file is durable only once its folder is.
            match path.parent().filter(|folder| cfg!(unix) && !folder.as_os_str().is_empty()) {
                Some(folder) => File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

enum OpenError {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn open(path: &Path) -> Result<Connection, OpenError> {
    // Neither URIs nor creation: the path means one existing file. One thread owns each connection.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Without this guarantee SQLite parses and plans a cached statement anew whenever other values are bound to it, since
    // they might ask for another plan: three times the cost of reading one row by its key.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // FULL: a commit returns when the log is on the disk. The fullfsync pragmas mean the same on macOS.
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
         PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

fn prepare_writer(mut connection: Connection, path: &Path, schema: Schema) -> Result<Connection, OpenError> {
    claim(&connection, path)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::Store(StoreError::Broken(format!(
            "{}: SQLite cannot keep a write-ahead log here (its journal mode is {mode}); use a local file system",
            path.display()
        ))));
    }
    // The log is cut back to this size after a checkpoint; it grows while readers hold an old snapshot.
    connection.execute_batch("PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192;")?;
    migrate::sqlite(&mut connection, schema).map_err(OpenError::Store)?;
    Ok(connection)
}

/// Refuses a file that is no database of this program.
pub(super) fn belongs_to_us(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    match id(connection).map_err(|error| describe(&error.into(), path))? {
        APPLICATION_ID => Ok(()),
        _ => Err(StoreError::Broken(format!("{} is no database of Countersign", path.display()))),
    }
}

fn id(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA application_id", [], |row| row.get(0))
}

/// Refuses a database of another program; marks a new one as ours.
fn claim(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let id = id(connection)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (id, tables) {
        (APPLICATION_ID, _) => Ok(()),
        (0, 0) => Ok(connection.pragma_update(None, "application_id", APPLICATION_ID)?),
        _ => Err(OpenError::Store(StoreError::Broken(format!(
            "{} is a SQLite database of another program; name a file of its own for Countersign",
            path.display()
        )))),
    }
}

fn describe(error: &OpenError, path: &Path) -> StoreError {
    match error {
        OpenError::Store(error) => error.clone(),
        OpenError::Sqlite(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                StoreError::Broken(damaged(path, &error.to_string()))
            }
            _ => match meaning(error) {
                StoreError::Unavailable { reason, .. } => {
                    StoreError::unavailable(format!("cannot open {}: {reason}", path.display()))
                }
                other => other,
            },
        },
    }
}

fn damaged(path: &Path, fault: &str) -> String {
    format!(
        "{} is damaged or not a SQLite database ({fault}). Nothing was changed. Keep a copy of it and of the -wal file \
         beside it, then restore a backup, or move both away to start empty",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_database_behind_a_link_is_refused_and_a_folder_behind_one_is_not() {
        let (real, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(writer(&real.path().join("a.db"), Schema::Newest).unwrap());
        let link = other.path().join("a.db");
        std::os::unix::fs::symlink(real.path().join("a.db"), &link).unwrap();
        let refused = writer(&link, Schema::Newest).unwrap_err().to_string();
        assert!(refused.contains("is a symbolic link"), "{refused}");
        let folder = other.path().join("data");
        std::os::unix::fs::symlink(real.path(), &folder).unwrap();
        writer(&folder.join("a.db"), Schema::Newest).unwrap();
    }

    #[test]
    fn a_cached_statement_is_planned_once() {
        const SQL: &str = "SELECT s.user_id FROM sessions s, users u WHERE s.sid = $1 AND u.user_id = s.user_id";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let writer = writer(&path, Schema::Newest).unwrap();
        for connection in [&writer, &reader(&path).unwrap()] {
            for sid in ["a", "b", "c"] {
                let mut statement = connection.prepare_cached(SQL).unwrap();
                assert!(!statement.exists([sid]).unwrap());
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
            }
        }
    }
}
