//! The PostgreSQL server programs (`initdb`, `postgres`) that the database tests start for themselves.
//!
//! Only the programs are looked for. A cluster of the system is neither used nor started: each test run makes its own in
//! a temporary folder, on loopback.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Failure, debian, run::output};

/// Names the folder of `initdb` and `postgres` to the tests; set by hand it wins over every search.
pub const BIN_VARIABLE: &str = "COUNTERSIGN_TEST_PG_BIN";

/// The folder with the server programs. On Debian as root they are installed when they are missing.
pub fn server_programs() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os(BIN_VARIABLE) {
        let named = PathBuf::from(named);
        return if is_server(&named) {
            Ok(named)
        } else {
            Err(Failure::Step(format!("{BIN_VARIABLE}={} holds no initdb, pg_ctl and postgres", named.display())))
        };
    }
    if let Some(found) = search() {
        return Ok(found);
    }
    install()?;
    search().ok_or_else(|| Failure::Step(missing("the package was installed, but initdb is still not to be found")))
}

fn search() -> Option<PathBuf> {
    let configured = output("pg_config", &["--bindir"]).map(PathBuf::from);
    configured.into_iter().chain(debian_folders()).chain(path_folders()).find(|folder| is_server(folder))
}

/// `/usr/lib/postgresql/<version>/bin`, the newest version first.
fn debian_folders() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

fn path_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

fn is_server(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file())
}

fn install() -> Result<(), Failure> {
    if let Some(why) = debian::obstacle() {
        return Err(Failure::Step(missing(why)));
    }
    println!(
        "PostgreSQL's server programs are missing; installing Debian's package. No system cluster is made or started."
    );
    forbid_system_cluster()?;
    debian::install(&["postgresql"])
}

/// The package makes and starts a cluster at port 5432 unless this file says otherwise before it is installed.
fn forbid_system_cluster() -> Result<(), Failure> {
    let folder = Path::new("/etc/postgresql-common");
    let file = folder.join("createcluster.conf");
    if file.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, "create_main_cluster = false\n"))
        .map_err(|error| Failure::Step(format!("{} could not be written: {error}", file.display())))
}

fn missing(why: &str) -> String {
    format!(
        "PostgreSQL's server programs (initdb, pg_ctl, postgres) are needed by the database tests and were not found; {why}.\n\
         Searched: `pg_config --bindir`, /usr/lib/postgresql/*/bin, PATH.\n\
         Debian, Ubuntu: sudo apt-get install postgresql · Fedora: sudo dnf install postgresql-server · \
         macOS: brew install postgresql@17\n\
         Or name their folder: {BIN_VARIABLE}=/path/to/bin cargo xtask test"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_the_programs_is_no_server() {
        assert!(!is_server(Path::new(env!("CARGO_MANIFEST_DIR"))));
    }

    #[test]
    fn the_message_says_what_to_do() {
        let text = missing("nothing was installed");
        assert!(text.contains("apt-get install postgresql"));
        assert!(text.contains(BIN_VARIABLE));
    }
}
