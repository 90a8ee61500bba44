//! Where the key-encryption key lies: a file that only its owner may read, or an environment variable. Its text is
//! 32 bytes as base64url, a line end may follow.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use countersign_jose::b64;
use zeroize::Zeroizing;

use crate::random::{Random, RandomError};

/// The longest text that can be a key: 43 characters and some white space.
const MAX_TEXT: usize = 64;

/// Where the key-encryption key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KekSource {
    /// `kek` in the data folder; a new store makes it.
    DataFolder(PathBuf),
    /// A file that the configuration names (`keys.kek_file`). It is never made or changed.
    File(PathBuf),
    /// An environment variable that the configuration names (`keys.kek_env`).
    Env(String),
}

/// Why there is no usable key-encryption key. Nothing was made in its place.
#[derive(Debug, thiserror::Error)]
pub enum KekError {
    #[error(
        "the key-encryption key {place} is missing, but this database holds keys that only it opens; put it back from \
         its backup (nothing was made in its place)"
    )]
    Missing { place: String },
    #[error("the key-encryption key {place} is missing; it must hold 32 random bytes as base64url")]
    NotConfigured { place: String },
    #[error("the key-encryption key {place} can be read by others (mode {mode:04o}); run: chmod 600 {place}")]
    WideMode { place: String, mode: u32 },
    #[error("{place} holds another key than this database's keys are sealed under; it was left alone")]
    AnotherKey { place: String },
    #[error("the key-encryption key {place} is not 32 bytes as base64url")]
    NotAKey { place: String },
    #[error("the key-encryption key {place}: {error}")]
    Io { place: String, error: io::Error },
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// 32 bytes that wipe themselves.
pub type KekBytes = Zeroizing<[u8; 32]>;

impl KekSource {
    /// Reads the key-encryption key. In a new store (`store_is_new`) the data folder's key is made if it is not there.
    ///
    /// # Errors
    /// [`KekError`]: missing, readable by others, not a key, or not accessible.
    pub fn load(&self, store_is_new: bool, random: Random) -> Result<KekBytes, KekError> {
        match self {
            Self::DataFolder(folder) => {
                let path = folder.join("kek");
                let found = match read(&path) {
                    Err(KekError::Missing { .. }) if store_is_new => create(&path, random),
                    outcome => outcome,
                }?;
                // A crash while it was made left it under its first name as well.
                remove_draft(&path).map_err(|error| KekError::Io { place: self.place(), error })?;
                Ok(found)
            }
            Self::File(path) => read(path).map_err(|error| not_configured(error, store_is_new)),
            Self::Env(name) => from_env(name).map_err(|error| not_configured(error, store_is_new)),
        }
    }
}

impl KekSource {
    /// The place, for people.
    pub fn place(&self) -> String {
        match self {
            Self::DataFolder(folder) => folder.join("kek").display().to_string(),
            Self::File(path) => path.display().to_string(),
            Self::Env(name) => format!("${name}"),
        }
    }

    /// Puts `kek` there, where it is not there yet. What lies there is never replaced: another key is refused.
    ///
    /// # Errors
    /// Another key is there, or nothing can be written; a variable can only be looked at.
    pub(super) fn keep(&self, kek: &KekBytes, random: Random) -> Result<(), KekError> {
        let path = match self {
            Self::DataFolder(folder) => Some(folder.join("kek")),
            Self::File(path) => Some(path.clone()),
            Self::Env(_) => None,
        };
        if let Some(path) = path.filter(|path| !path.exists()) {
            let text = Zeroizing::new(b64::encode(&kek[..]) + "\n");
            let written = write_new(&path, text.as_bytes());
            written.map_err(|error| KekError::Io { place: path.display().to_string(), error })?;
        }
        let found = self.load(false, random)?;
        if found == *kek { Ok(()) } else { Err(KekError::AnotherKey { place: self.place() }) }
    }

    /// Removes the data folder's key, if it is this one. What the configuration names by itself is for its owner to remove: true
    /// if it is still there.
    ///
    /// # Errors
    /// It could not be removed.
    pub(super) fn forget(&self, kek: &KekBytes, random: Random) -> Result<bool, KekError> {
        let failed = |error| KekError::Io { place: self.place(), error };
        match (self, self.load(false, random)) {
            (Self::DataFolder(folder), Ok(found)) if found == *kek => {
                let path = folder.join("kek");
                fs::remove_file(&path).and_then(|()| sync_folder(&path)).map_err(failed)?;
                Ok(false)
            }
            (Self::DataFolder(folder), Err(KekError::Missing { .. })) => {
                remove_draft(&folder.join("kek")).map_err(failed)?;
                Ok(false)
            }
            (_, found) => Ok(found.is_ok()),
        }
    }
}

/// A key that the configuration names and that was never used is not lost, only not there yet.
fn not_configured(error: KekError, store_is_new: bool) -> KekError {
    match error {
        KekError::Missing { place } if store_is_new => KekError::NotConfigured { place },
        other => other,
    }
}

fn from_env(name: &str) -> Result<KekBytes, KekError> {
    let place = format!("${name}");
    match std::env::var(name) {
        Ok(text) => parse(Zeroizing::new(text).as_bytes(), &place),
        Err(std::env::VarError::NotPresent) => Err(KekError::Missing { place }),
        Err(std::env::VarError::NotUnicode(_)) => Err(KekError::NotAKey { place }),
    }
}

fn read(path: &Path) -> Result<KekBytes, KekError> {
    let place = path.display().to_string();
    let io = |error: io::Error| KekError::Io { place: place.clone(), error };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KekError::Missing { place }),
        Err(error) => return Err(io(error)),
    };
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KekError::WideMode { place, mode });
    }
    // A fixed buffer: a growing one would leave copies behind.
    let mut text = Zeroizing::new([0; MAX_TEXT]);
    let mut len = 0;
    let mut file = file.take(MAX_TEXT as u64);
    loop {
        match file.read(&mut text[len..]).map_err(io)? {
            0 => break,
            read => len += read,
        }
    }
    parse(&text[..len], &place)
}

fn parse(text: &[u8], place: &str) -> Result<KekBytes, KekError> {
    let not_a_key = || KekError::NotAKey { place: place.to_owned() };
    let decoded = Zeroizing::new(b64::decode(text.trim_ascii_end()).map_err(|_| not_a_key())?);
    let mut bytes = KekBytes::default();
    if decoded.len() != bytes.len() {
        return Err(not_a_key());
    }
    bytes.copy_from_slice(&decoded);
    Ok(bytes)
}

/// Makes the key under another name and links it into place, so that a crash leaves a whole key or none, and an
/// existing key is never replaced. It is durable before anything is sealed under it.
fn create(path: &Path, random: Random) -> Result<KekBytes, KekError> {
    let bytes = KekBytes::new(random.bytes()?);
    let text = Zeroizing::new(b64::encode(&bytes[..]) + "\n");
    write_new(path, text.as_bytes()).map_err(|error| KekError::Io { place: path.display().to_string(), error })?;
    Ok(bytes)
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    remove_draft(path)?;
    let draft = draft(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::hard_link(&draft, path)?;
    remove_draft(path)?;
    sync_folder(path)
}

fn draft(path: &Path) -> PathBuf {
    path.with_extension("new")
}

fn remove_draft(path: &Path) -> io::Result<()> {
    match fs::remove_file(draft(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Names come and go durably only with their folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn load(folder: &Path, store_is_new: bool) -> Result<KekBytes, KekError> {
        KekSource::DataFolder(folder.to_owned()).load(store_is_new, Random)
    }

    #[test]
    fn a_new_store_makes_a_key_that_only_its_owner_reads_and_keeps_it() {
        // KEY-01
        let folder = folder();
        let made = load(folder.path(), true).unwrap();
        let mode = fs::metadata(folder.path().join("kek")).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600);
        assert_eq!(load(folder.path(), true).unwrap(), made, "a first start that crashed later finds its key again");
        assert_eq!(load(folder.path(), false).unwrap(), made);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn a_crash_while_it_was_made_leaves_no_half_key() {
        // KEY-08
        let folder = folder();
        fs::write(folder.path().join("kek.new"), "half").unwrap();
        load(folder.path(), true).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_key_is_never_made_anew_over_existing_keys() {
        // KEY-08
        let folder = folder();
        let error = load(folder.path(), false).unwrap_err();
        assert!(matches!(error, KekError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("put it back from its backup"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        // KEY-01, ADM-06
        let folder = folder();
        load(folder.path(), true).unwrap();
        let path = folder.path().join("kek");
        for mode in [0o644, 0o640, 0o604, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            for store_is_new in [true, false] {
                let error = load(folder.path(), store_is_new).unwrap_err();
                assert!(matches!(error, KekError::WideMode { mode: found, .. } if found == mode), "{error}");
            }
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        load(folder.path(), false).unwrap();
    }

    #[test]
    fn what_is_not_a_key_is_refused_and_left_alone() {
        // KEY-08
        let folder = folder();
        let path = folder.path().join("kek");
        let whole = b64::encode([7; 32]);
        for text in ["", "half", &whole[1..], &(whole.clone() + "="), &(whole.clone() + "AAAA"), &"A".repeat(200)] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = load(folder.path(), true).unwrap_err();
            assert!(matches!(error, KekError::NotAKey { .. }), "{text:?}: {error}");
            assert!(text.is_empty() || !error.to_string().contains(text), "the text may be most of a key");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_named_file_or_variable_is_read_and_never_made() {
        // KEY-08
        let folder = folder();
        let path = folder.path().join("named");
        let source = KekSource::File(path.clone());
        assert!(matches!(source.load(true, Random).unwrap_err(), KekError::NotConfigured { .. }));
        assert!(matches!(source.load(false, Random).unwrap_err(), KekError::Missing { .. }));
        assert!(!path.exists());
        write_new(&path, (b64::encode([7; 32]) + "\r\n").as_bytes()).unwrap();
        assert_eq!(*source.load(false, Random).unwrap(), [7; 32]);

        let unset = KekSource::Env("COUNTERSIGN_TEST_NO_SUCH_VARIABLE".to_owned());
        let error = unset.load(true, Random).unwrap_err();
        assert!(error.to_string().contains("$COUNTERSIGN_TEST_NO_SUCH_VARIABLE"), "{error}");
        let not_a_key = KekSource::Env("PATH".to_owned()).load(true, Random).unwrap_err();
        assert!(matches!(not_a_key, KekError::NotAKey { .. }), "{not_a_key}");
    }

    #[test]
    fn an_existing_key_is_never_replaced() {
        // I-9
        let folder = folder();
        let made = load(folder.path(), true).unwrap();
        let path = folder.path().join("kek");
        assert!(create(&path, Random).is_err());
        assert_eq!(load(folder.path(), false).unwrap(), made);
    }

    // KEY-01: a key that was forgotten is nowhere.
    #[test]
    fn a_crash_while_it_is_made_leaves_no_second_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (kek, draft) = (folder.path().join("kek"), folder.path().join("kek.new"));
        let source = KekSource::DataFolder(folder.path().to_owned());
        let made = source.load(true, Random).unwrap();
        // Killed after it had its name.
        fs::hard_link(&kek, &draft).unwrap();
        assert_eq!(source.load(false, Random).unwrap(), made);
        assert!(!draft.exists() && kek.exists());
        fs::hard_link(&kek, &draft).unwrap();
        assert!(!source.forget(&made, Random).unwrap());
        assert!(!draft.exists() && !kek.exists());
        // Killed before.
        fs::write(&draft, "half").unwrap();
        assert!(!source.forget(&made, Random).unwrap());
        assert!(!draft.exists());
    }
}
