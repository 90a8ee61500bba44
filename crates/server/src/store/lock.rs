//! One server per data folder.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process,
};

/// The file in the data folder that the running server holds locked. It stays when the server ends: removing it would
/// let two servers lock two files of the same name.
const LOCK_FILE: &str = "lock";

/// The data folder is ours as long as this lives. The system frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

/// Why the data folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another server holds it.
    #[error("the data folder {} is in use by another Countersign{}", .folder.display(), process_words(*.pid))]
    Held { folder: PathBuf, pid: Option<u32> },
    /// The file could not be opened, locked or written.
    #[error("cannot lock {}: {source}", .file.display())]
    Io { file: PathBuf, source: io::Error },
}

fn process_words(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

impl DataDirLock {
    /// Locks an existing data folder.
    ///
    /// # Errors
    /// [`LockError::Held`] names the process that has it.
    pub fn acquire(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(LOCK_FILE);
        lock(&path).map_err(|failed| match failed {
            Failed::Held(pid) => LockError::Held { folder: folder.to_owned(), pid },
            Failed::Io(source) => LockError::Io { file: path, source },
        })
    }
}

enum Failed {
    Held(Option<u32>),
    Io(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn lock(path: &Path) -> Result<DataDirLock, Failed> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // The holder may be about to write its number.
            let _ = file.read_to_string(&mut text);
            return Err(Failed::Held(text.trim().parse().ok()));
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", process::id())?;
    Ok(DataDirLock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_by_name_and_may_follow() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDirLock::acquire(folder.path()).unwrap();
        let refused = DataDirLock::acquire(folder.path()).unwrap_err();
        assert!(matches!(refused, LockError::Held { pid: Some(pid), .. } if pid == process::id()), "{refused}");
        assert!(refused.to_string().contains(&format!("process {}", process::id())), "{refused}");
        drop(first);
        DataDirLock::acquire(folder.path()).unwrap();
    }
}
