//! The high-water mark outside the database: a small sealed file that says how far the revocation log had come
//! (`domain/mark.rs`). A server does not start on a database that is behind it, and stops when its own falls behind.

use std::{
    fs::{self, File, OpenOptions},
    future::Future,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use countersign_jose::b64;
use tracing::error;

use crate::{
    app::{App, StartError},
    config::Config,
    domain::mark::Mark,
    keys::{KeyProvider, SealError},
    store::{Store, StoreError, revocations},
};

/// Name of the file in the data folder, and what its content is sealed for.
const FILE: &str = "high-water";
/// How often the log's head is looked at, in memory.
const LOOK: Duration = Duration::from_millis(250);
/// Looks after which the mark follows the log's time, too.
const EVERY: u32 = 40;

/// Why the mark cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    #[error("cannot use the high-water mark {}: {error}", file.display())]
    Io { file: PathBuf, error: io::Error },
    #[error(
        "the high-water mark {} is not readable ({reason}), so nobody knows whether this database is older than it has \
         been. If it is the right one, accept it: countersign restore --accept (everybody signs in again)",
        file.display()
    )]
    Unreadable { file: PathBuf, reason: String },
    #[error("cannot seal the high-water mark: {0}")]
    Seal(#[from] SealError),
}

/// The file; its content is sealed under the key-encryption key.
#[derive(Debug, Clone)]
pub struct MarkFile {
    path: PathBuf,
}

impl MarkFile {
    pub fn new(config: &Config) -> Self {
        Self { path: config.mark_file.clone().unwrap_or_else(|| config.data.join(FILE)) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; `None` if there is none yet.
    ///
    /// # Errors
    /// It cannot be read, or another key or hand made it.
    pub async fn read(&self, provider: &KeyProvider) -> Result<Option<Mark>, MarkError> {
        let unreadable = |reason: String| MarkError::Unreadable { file: self.path.clone(), reason };
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(MarkError::Io { file: self.path.clone(), error }),
        };
        let sealed = b64::decode(text.trim_ascii_end()).map_err(|_| unreadable("it is not whole".to_owned()))?;
        let plain = provider.unseal(&sealed, FILE).await.map_err(|error| unreadable(error.to_string()))?;
        Mark::from_bytes(&plain).map(Some).ok_or_else(|| unreadable("its format is unknown".to_owned()))
    }

    /// Writes it anew: whole or not at all, and durable when this returns.
    ///
    /// # Errors
    /// It cannot be sealed or written.
    pub async fn write(&self, provider: &KeyProvider, mark: Mark) -> Result<(), MarkError> {
        let text = b64::encode(provider.seal(&mark.to_bytes(), FILE).await?) + "\n";
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || replace(&path, text.as_bytes())).await;
        let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|error| MarkError::Io { file: self.path.clone(), error })
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Where the log stands, as it was committed.
///
/// # Errors
/// As the store.
pub async fn of_store(store: &Store) -> Result<Mark, StoreError> {
    let head = store.read(|tx| Box::pin(revocations::head(tx))).await?;
    Ok(Mark { rsn: head.rsn, t: head.t })
}

/// Refuses a database that is behind its mark; brings a mark that is behind up to date.
///
/// # Errors
/// [`StartError::OlderDatabase`], or the mark cannot be read or written.
pub async fn check(file: &MarkFile, store: &Store, provider: &KeyProvider) -> Result<Mark, StartError> {
    let (seen, head) = (file.read(provider).await?, of_store(store).await?);
    if seen.is_some_and(|seen| seen.is_above(head)) {
        return Err(StartError::older(file.path(), seen.unwrap_or_default(), head));
    }
    if seen != Some(head) {
        file.write(provider, head).await?;
    }
    Ok(head)
}

/// Keeps the mark until `stop`.
///
/// # Errors
/// [`StartError::OlderDatabase`]: the database fell behind what was seen of it, it was restored under a running server or
/// has lost commits. Nothing that it says of revocations can be trusted. It is noticed within a second, unless somebody
/// appends in between; so servers are stopped before a database is restored.
pub async fn keep(app: App, stop: impl Future<Output = ()>) -> Result<(), StartError> {
    tokio::pin!(stop);
    let mut seen = app.mark_at_start;
    for look in 1_u32.. {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = &mut stop => break,
        }
        // The feed reads at once what is committed: what it has told is seen, also if it was lost again before this look.
        let told = seen.raised(Mark { rsn: app.feed.highest(), t: seen.t });
        let latest = app.feed.latest().map_or(seen.rsn, |line| line.head);
        if told == seen && latest == seen.rsn && look % EVERY != 0 {
            continue;
        }
        match note(&app, told).await {
            Ok(mark) => seen = mark,
            Err(error @ StartError::OlderDatabase { .. }) => return Err(error),
            Err(error) => error!(%error, "the high-water mark could not be kept; trying again"),
        }
    }
    Ok(())
}

/// Brings the mark up to date once; `seen` is what it says, or more.
///
/// # Errors
/// As [`keep`], or the mark cannot be written.
pub async fn note(app: &App, seen: Mark) -> Result<Mark, StartError> {
    let (file, head) = (MarkFile::new(&app.config), of_store(&app.store).await?);
    if seen.is_above(head) {
        return Err(StartError::older(file.path(), seen, head));
    }
    file.write(app.ring.provider(), head).await?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::{
        config::{Origin, Settings},
        domain::{rsn::Rsn, time::Timestamp},
        random::Random,
    };

    fn file(folder: &Path) -> MarkFile {
        let mut settings = Settings::default();
        settings.set("data", folder.display().to_string(), Origin::Flag).unwrap();
        MarkFile::new(&Config::new(&settings).unwrap())
    }

    fn provider() -> KeyProvider {
        KeyProvider::new(&Random.bytes().unwrap().into(), Random).unwrap()
    }

    // I-5
    #[tokio::test]
    async fn it_is_whole_private_and_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, provider) = (file(folder.path()), provider());
        assert_eq!(mine.read(&provider).await.unwrap(), None);
        let mark = Mark { rsn: Rsn::new(7), t: Timestamp::from_secs(9) };
        mine.write(&provider, Mark::default()).await.unwrap();
        mine.write(&provider, mark).await.unwrap();
        assert_eq!(mine.read(&provider).await.unwrap(), Some(mark));
        let mode = fs::metadata(mine.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let others = mine.read(&self::provider()).await.unwrap_err();
        assert!(matches!(others, MarkError::Unreadable { .. }) && others.to_string().contains("--accept"), "{others}");
        for damaged in ["", "AAAA"] {
            fs::write(mine.path(), damaged).unwrap();
            assert!(matches!(mine.read(&provider).await, Err(MarkError::Unreadable { .. })));
        }
    }
}
