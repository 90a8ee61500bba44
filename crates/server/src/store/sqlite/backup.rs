//! An online backup: the pages of a database that may be in use, in steps, into a file of its own, which is checked and knows
//! that it is a backup.

use std::{
    ffi::c_int,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use super::{
    connect::{belongs_to_us, reader},
    tx::meaning,
};
use crate::{
    domain::rsn::Rsn,
    store::{StoreError, restore},
};

/// Pages of one step: a megabyte.
const STEP: c_int = 256;
/// Before a step is tried again that found the file locked.
const PAUSE: Duration = Duration::from_millis(50);

/// What was read of a copy after it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    pub bytes: u64,
    /// The newest migration that it has had.
    pub schema: i64,
    /// Where its revocation log stands.
    pub log: Rsn,
}

/// Copies a database as it is at this moment, whether a server uses it or not, into a new file that only its owner may read;
/// notes in the copy that it is one, so that nobody serves it before it is accepted; reads all of it again, and returns once
/// it is on the disk. `tell` hears how many pages of how many are done. Blocks.
///
/// # Errors
/// `Unavailable` if a file cannot be read or written; `Broken` if the copy is not sound or not ours. Nothing is left then.
pub fn copy_file(from: &Path, draft: &Path, tell: &mut dyn FnMut(u64, u64)) -> Result<Contents, StoreError> {
    let io = |error: io::Error| StoreError::unavailable(format!("cannot write {}: {error}", draft.display()));
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft).map_err(io)?;
    let synced = |contents: Contents| {
        File::open(draft).and_then(|file| file.sync_all()).map_err(io)?;
        Ok(Contents { bytes: fs::metadata(draft).map_err(io)?.len(), ..contents })
    };
    let whole = fill(from, draft, tell).and_then(synced);
    if whole.is_err() {
        for file in [draft.to_owned(), beside(draft, "-journal"), beside(draft, "-wal"), beside(draft, "-shm")] {
            let _ = fs::remove_file(file);
        }
    }
    whole
}

/// A file that SQLite keeps beside a database: its log, for one.
pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn fill(from: &Path, draft: &Path, tell: &mut dyn FnMut(u64, u64)) -> Result<Contents, StoreError> {
    let failed = |error: rusqlite::Error| meaning(&error);
    let source = reader(from)?;
    // One snapshot for all steps: without it each commit of the server would make them begin anew. Nobody waits for it, the
    // server goes on writing; its log alone grows until this is over.
    source.execute_batch("BEGIN DEFERRED").map_err(failed)?;
    source.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)?;
    belongs_to_us(&source, from)?;
    let mut target = Connection::open(draft).map_err(failed)?;
    // The draft is of no use to anybody before all of it is there, and is synced as a whole then.
    target.execute_batch("PRAGMA synchronous = OFF").map_err(failed)?;
    copy(&source, &mut target, tell).map_err(failed)?;
    // One file, which needs no log beside it.
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).map_err(failed)?;
    target.execute(NOTE, [restore::NOTE, restore::BACKUP]).map_err(failed)?;
    let contents = check(&target, from)?;
    target.close().map_err(|(_, error)| failed(error))?;
    Ok(contents)
}

const NOTE: &str = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

fn copy(source: &Connection, target: &mut Connection, tell: &mut dyn FnMut(u64, u64)) -> rusqlite::Result<()> {
    let backup = Backup::new(source, target)?;
    let count = |pages: c_int| u64::try_from(pages).unwrap_or(0);
    loop {
        let step = backup.step(STEP)?;
        let progress = backup.progress();
        tell(count(progress.pagecount - progress.remaining), count(progress.pagecount));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => thread::sleep(PAUSE),
        }
    }
}

/// Reads all of a copy, indexes and all.
fn check(copy: &Connection, from: &Path) -> Result<Contents, StoreError> {
    let unsound =
        |why: &str| StoreError::Broken(format!("{} is not sound ({why}), and so was not copied", from.display()));
    let failed = |error: rusqlite::Error| unsound(&error.to_string());
    let fault: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if fault != "ok" {
        return Err(unsound(&fault));
    }
    let number = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failed);
    let schema = number("SELECT COALESCE(MAX(version), 0) FROM schema_history")?;
    let log = Rsn::new(number("SELECT rsn FROM rev_head WHERE stream = 0")?);
    Ok(Contents { bytes: 0, schema, log })
}
