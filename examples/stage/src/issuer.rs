//! The issuer: the same server that `countersign serve` starts, with its data in a temporary folder.

use std::{net::TcpListener, path::PathBuf};

use countersign_server::{
    config::{Config, Origin, Settings},
    serve::{ADMIN_SOCKET, serve},
};
use tempfile::TempDir;

use crate::{Failure, admin::Admin, part::Part, process};

const URL: &str = "STAGE_ISSUER";
const DATA: &str = "STAGE_DATA";
const SETTINGS: &str = "STAGE_SETTINGS";

/// The part `issuer` of a program: serves until its standard input is closed.
///
/// # Errors
/// The configuration is wrong, or the server could not start.
pub async fn run() -> Result<(), Failure> {
    let mut settings = Settings::default();
    let mut set = |key: &str, value: &str| settings.set(key, value.to_owned(), Origin::Environment(key.to_owned()));
    let url = process::variable(URL)?;
    set("issuer", &url)?;
    let port = url.rsplit(':').next().unwrap_or_default();
    set("listen", &format!("127.0.0.1:{port}"))?;
    set("data", &process::variable(DATA)?)?;
    for (key, value) in process::variable(SETTINGS)?.split(';').filter_map(|setting| setting.split_once('=')) {
        set(key, value)?;
    }
    let config = Config::new(&settings)?;
    serve(config, process::stdin_closed, |ready| process::announce(ready.listen)).await?;
    Ok(())
}

/// A running issuer. Dropped from top to bottom: first the process, then the folder that it writes to.
#[derive(Debug)]
pub struct Issuer {
    part: Part,
    /// Its URL, as it stands in every token.
    pub url: String,
    data: PathBuf,
    settings: String,
    _folder: TempDir,
}

impl Issuer {
    /// Starts the part `issuer` of this program at a free port, with a new data folder whose name begins with `prefix`.
    /// `settings`: keys and values of the configuration, where they are not the defaults.
    ///
    /// # Errors
    /// It could not be started.
    pub async fn start(prefix: &str, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::start_at("127.0.0.1", prefix, settings).await
    }

    /// The same under a name of this machine, such as `id.localhost`: browsers keep cookies by host, not by port.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_at(host: &str, prefix: &str, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir()?;
        let data = folder.path().join("data");
        // The URL is written into every token, so it must be known before the issuer starts.
        let url = format!("http://{host}:{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
        let settings: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let settings = settings.join(";");
        let part = start(&url, &data, &settings).await?;
        Ok(Self { part, url, data, settings, _folder: folder })
    }

    /// Ends it at once, as a crash or `kill -9` does.
    ///
    /// # Errors
    /// It could not be ended.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.part.kill()
    }

    /// Starts it again: the URL and the folder are the same.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_again(&mut self) -> Result<(), Failure> {
        self.part = start(&self.url, &self.data, &self.settings).await?;
        Ok(())
    }

    /// Its administrator: whoever may open the socket in its data folder.
    pub fn admin(&self) -> Admin {
        Admin { socket: self.data.join(ADMIN_SOCKET) }
    }

    /// Where its data lies.
    pub fn data(&self) -> &std::path::Path {
        &self.data
    }
}

async fn start(url: &str, data: &std::path::Path, settings: &str) -> Result<Part, Failure> {
    let data = data.to_str().ok_or("the name of the temporary folder is not UTF-8")?;
    Part::start("issuer", &[(URL, url), (DATA, data), (SETTINGS, settings)]).await
}
