//! `countersign backup` and `countersign restore FILE`: the files around an online backup, each whole or not there.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{
    app::{StartError, data_folder},
    clock::Clock,
    config::{Config, Database},
    domain::time::Timestamp,
    store::{Contents, DataDirLock, LockError, StoreError, beside, copy_file},
};

/// The database in the data folder.
const DATABASE: &str = "countersign.db";

/// Says in the data folder when a backup was made last, Unix seconds, and in which file.
const LAST: &str = "last-backup";

/// The backup that was made last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    pub at: Timestamp,
    pub file: String,
}

/// Why there is no backup, or it was not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(
        "this store is on PostgreSQL, which has backups of its own: pg_dump --format=custom and pg_restore, or pg_basebackup \
         with an archive of the log. They work while servers run; stop every server before one is put back, and run \
         countersign restore --accept then. The book has the commands (docs/backup.md)"
    )]
    Postgres,
    #[error("there is no database {}", .0.display())]
    NoDatabase(PathBuf),
    #[error("{} exists already; name a new file, or replace it with --replace", .0.display())]
    Exists(PathBuf),
    #[error("{} is the database itself", .0.display())]
    Itself(PathBuf),
    #[error("cannot write {}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A backup that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub file: PathBuf,
    pub contents: Contents,
}

/// A backup that is in the place of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBack {
    pub contents: Contents,
    /// The database that was there before.
    pub aside: Option<PathBuf>,
}

/// Backs the database up, whether a server runs or not, into this file, or a file in this folder that has the time as its name.
/// A file that exists is kept, unless it may be replaced. Blocks.
///
/// # Errors
/// [`BackupError`]; nothing is left then.
pub fn back_up(config: &Config, to: &Path, replace: bool, tell: &mut dyn FnMut(u64, u64)) -> Result<Made, BackupError> {
    let from = database(config)?;
    if !from.exists() {
        return Err(BackupError::NoDatabase(from));
    }
    let file = if to.is_dir() { to.join(format!("countersign-{}.db", now())) } else { to.to_owned() };
    if is_same(&from, &file) {
        return Err(BackupError::Itself(file));
    }
    if !replace && file.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(file));
    }
    let draft = beside(&file, ".part");
    match draft.symlink_metadata() {
        // Of a backup that was interrupted, or one that is under way.
        Ok(_) if !replace => return Err(BackupError::Exists(draft)),
        Ok(_) => fs::remove_file(&draft).map_err(failed(&draft))?,
        Err(_) => {}
    }
    let contents = copy_file(&from, &draft, tell)?;
    crate::failpoint::hit("backup.draft");
    fs::rename(&draft, &file).and_then(|()| sync_folder(&file)).map_err(failed(&file))?;
    // For `doctor`. The backup is made, with or without it.
    let _ = fs::write(config.data.join(LAST), format!("{} {}\n", Clock::System.now().secs(), file.display()));
    Ok(Made { file, contents })
}

/// When [`back_up`] last came to its end; `None` if it never did, or its note is gone.
pub fn last(config: &Config) -> Option<Last> {
    let text = fs::read_to_string(config.data.join(LAST)).ok()?;
    let (at, file) = text.trim_end().split_once(' ')?;
    Some(Last { at: Timestamp::from_secs(at.parse().ok()?), file: file.to_owned() })
}

/// Puts a backup in the place of the database, which is kept beside it. No server may run. Blocks.
///
/// # Errors
/// [`BackupError`]; if the file cannot be used, nothing was changed.
pub fn put_back(config: &Config, from: &Path, tell: &mut dyn FnMut(u64, u64)) -> Result<PutBack, BackupError> {
    let to = database(config)?;
    if !from.is_file() {
        return Err(BackupError::NoDatabase(from.to_owned()));
    }
    if is_same(from, &to) {
        return Err(BackupError::Itself(to));
    }
    data_folder(&config.data)?;
    let _lock = DataDirLock::acquire(&config.data)?;
    let draft = beside(&to, ".part");
    // Of a restore that was interrupted: the folder is locked, so nobody is at it.
    let _ = fs::remove_file(&draft);
    let contents = copy_file(from, &draft, tell)?;
    let aside = set_aside(&to).map_err(failed(&to))?;
    crate::failpoint::hit("backup.aside");
    fs::rename(&draft, &to).and_then(|()| sync_folder(&to)).map_err(failed(&to))?;
    Ok(PutBack { contents, aside })
}

/// Gives a database another name. Its log goes with it: beside a file that it does not belong to it would damage that. The file
/// goes first: a log alone is nothing to SQLite.
fn set_aside(database: &Path) -> io::Result<Option<PathBuf>> {
    let aside = beside(database, &format!(".before-{}", now()));
    let moved = rename_if_there(database, &aside)?;
    rename_if_there(&beside(database, "-wal"), &beside(&aside, "-wal"))?;
    match fs::remove_file(beside(database, "-shm")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    sync_folder(database)?;
    Ok(moved.then_some(aside))
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn database(config: &Config) -> Result<PathBuf, BackupError> {
    match config.database {
        Database::Sqlite => Ok(config.data.join(DATABASE)),
        Database::Postgres { .. } => Err(BackupError::Postgres),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BackupError {
    move |error| BackupError::File { path: path.to_owned(), error }
}

/// The name of a file in it is durable then.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The time as part of a file's name.
fn now() -> String {
    let now = jiff::Timestamp::from_microsecond(Clock::System.now().micros()).unwrap_or_default();
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}
