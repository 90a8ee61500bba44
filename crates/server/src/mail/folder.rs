//! Mails as files, while there is no mail server: for whoever tries the program or develops with it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Writes a mail into a file of its own; where that is. Whoever looks sees whole mails only.
///
/// # Errors
/// The folder cannot be made or written.
pub async fn write(folder: &Path, name: &str, mail: Vec<u8>) -> io::Result<PathBuf> {
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let written = tokio::task::spawn_blocking(move || write_now(&folder, &name, &mail)).await;
    written.map_err(io::Error::other)?
}

fn write_now(folder: &Path, name: &str, mail: &[u8]) -> io::Result<PathBuf> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let (whole, part) = (folder.join(format!("{name}.eml")), folder.join(format!(".{name}.part")));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(mail)?;
    file.sync_all()?;
    fs::rename(part, &whole)?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_mail_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(&folder.path().join("a/b"), "one", b"x".to_vec()).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
