//! Issuers and relays: the release build of the product, one process each, with its data in the bench's folder.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    http::Connection,
    process::{Process, free_address},
};

pub const AUDIENCE: &str = "api";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery staple of the bench";

/// Where everything is.
#[derive(Clone)]
pub struct Lab {
    /// The release build of `countersign`.
    pub binary: PathBuf,
    /// On the disk of the build, as the product's data would be; /tmp is memory on many machines.
    pub folder: PathBuf,
}

/// How an issuer is started.
#[derive(Clone)]
pub struct Place {
    name: String,
    /// As it stands in tokens: replicas share it.
    pub url: String,
    pub address: SocketAddr,
    /// None: SQLite in the data folder.
    pub database: Option<String>,
    /// The first replica's.
    kek: Option<PathBuf>,
}

/// A running issuer.
pub struct Issuer {
    lab: Lab,
    pub place: Place,
    pub process: Process,
}

impl Place {
    pub fn new(name: &str, database: Option<String>) -> Result<Self> {
        let address = free_address()?;
        Ok(Self { name: name.to_owned(), url: format!("http://{address}"), address, database, kek: None })
    }

    /// A further replica of the same issuer.
    pub fn replica(&self, lab: &Lab, name: &str) -> Result<Self> {
        let kek = Some(self.data(lab).join("kek"));
        Ok(Self { name: name.to_owned(), address: free_address()?, kek, ..self.clone() })
    }

    pub fn data(&self, lab: &Lab) -> PathBuf {
        lab.folder.join(&self.name)
    }
}

impl Issuer {
    pub async fn start(lab: &Lab, place: Place) -> Result<Self> {
        let process = launch(lab, &place).await?;
        Ok(Self { lab: lab.clone(), place, process })
    }

    /// Stops it, does something to its data, and starts it again.
    pub async fn restart<T>(self, meanwhile: impl AsyncFnOnce(&Lab, &Place) -> Result<T>) -> Result<(Self, T)> {
        let Self { lab, place, process } = self;
        process.stop().await?;
        let done = meanwhile(&lab, &place).await?;
        let process = launch(&lab, &place).await?;
        Ok((Self { lab, place, process }, done))
    }

    pub fn data(&self) -> PathBuf {
        self.place.data(&self.lab)
    }

    /// Whoever may open this socket is an administrator.
    pub async fn admin(&self) -> Result<Connection> {
        Connection::unix(&self.admin_socket()).await
    }

    pub fn admin_socket(&self) -> PathBuf {
        self.data().join("admin.sock")
    }

    pub async fn connect(&self) -> Result<Connection> {
        Connection::tcp(self.place.address).await
    }

    /// Where this replica itself shows the feed; its metadata names the issuer's URL, which is the first replica's.
    pub fn feed(&self) -> String {
        format!("http://{}/revocations/0", self.place.address)
    }
}

/// Defaults but for the place, and limits that one address, which is all a bench has, does not reach.
async fn launch(lab: &Lab, place: &Place) -> Result<Process> {
    let mut command = Command::new(&lab.binary);
    command
        .arg("serve")
        .current_dir(&lab.folder)
        .env("COUNTERSIGN_ISSUER", &place.url)
        .env("COUNTERSIGN_DATA", place.data(lab))
        .env("COUNTERSIGN_LISTEN", place.address.to_string())
        .env("COUNTERSIGN_LOG_LEVEL", "warn")
        .env("COUNTERSIGN_LIMITS_ADDRESS_PER_MINUTE", "1000000000")
        .env("COUNTERSIGN_LIMITS_GLOBAL_PER_SECOND", "1000000000")
        .env("COUNTERSIGN_LIMITS_CONNECTIONS_PER_ADDRESS", "10000")
        .env("COUNTERSIGN_LIMITS_CONNECTIONS", "10000")
        .env("COUNTERSIGN_FEED_READERS_PER_ADDRESS", "4096")
        .env("COUNTERSIGN_FEED_ANCHORS_PER_MINUTE", "1000000");
    if let Some(database) = &place.database {
        command.env("COUNTERSIGN_DATABASE", database);
    }
    if let Some(kek) = &place.kek {
        command.env("COUNTERSIGN_KEYS_KEK_FILE", kek);
    }
    let mut process = Process::server(&mut command, &lab.folder.join(format!("{}.log", place.name)))?;
    process.ready(place.address, "/readyz").await.with_context(|| log(lab, &place.name))?;
    Ok(process)
}

/// A relay of the issuer: its process, and the metadata that it serves.
pub async fn relay(lab: &Lab, issuer: &Issuer) -> Result<(Process, String)> {
    let address = free_address()?;
    let mut command = Command::new(&lab.binary);
    command.args(["relay", "--upstream", &issuer.place.url, "--listen", &address.to_string()]);
    let mut process = Process::server(&mut command, &lab.folder.join("relay.log"))?;
    process.ready(address, "/readyz").await.with_context(|| log(lab, "relay"))?;
    Ok((process, format!("http://{address}/.well-known/oauth-authorization-server")))
}

fn log(lab: &Lab, name: &str) -> String {
    std::fs::read_to_string(lab.folder.join(format!("{name}.log"))).unwrap_or_default()
}

/// Somebody who signs in again and again.
pub struct Person {
    id: String,
}

impl Person {
    pub async fn register(admin: &mut Connection) -> Result<Self> {
        let user = json!({ "email": EMAIL, "password": PASSWORD, "roles": [] });
        let user = admin.json(Method::POST, "/api/admin/users", &user).await?;
        Ok(Self { id: text(&user, "user_id")? })
    }

    /// A new access token.
    pub async fn sign_in(&self, connection: &mut Connection) -> Result<String> {
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        text(&connection.json(Method::POST, "/login", &body).await?, "access_token")
    }

    /// The body that signs this person out everywhere.
    pub fn end(&self) -> Value {
        json!({ "kind": "user", "id": self.id })
    }
}

/// A member that must be there.
pub fn text(value: &Value, member: &str) -> Result<String> {
    Ok(value[member].as_str().with_context(|| format!("no {member} in {value}"))?.to_owned())
}

/// `PATH` is known; makes it absolute, since processes have folders of their own.
pub fn binary(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| format!("{} is missing; `cargo build --release` builds it", path.display()))
}

/// A service with a secret: it gets tokens of its own, and may introspect those of its audience.
pub struct Service {
    /// Its value of `Authorization`.
    pub basic: String,
}

impl Service {
    pub async fn register(admin: &mut Connection, name: &str) -> Result<Self> {
        let client = json!({
            "client_id": name,
            "grants": ["client_credentials"],
            "audiences": [AUDIENCE],
            "serves": [AUDIENCE],
        });
        let client = admin.json(Method::POST, "/api/admin/clients", &client).await?;
        let pair = format!("{name}:{}", text(&client, "client_secret")?);
        Ok(Self { basic: format!("Basic {}", base64(pair.as_bytes())) })
    }

    pub async fn token(&self, connection: &mut Connection) -> Result<String> {
        let request = crate::http::form("/token", &[("grant_type", "client_credentials")], &self.basic)?;
        text(&connection.success(request).await?, "access_token")
    }
}

/// With padding (RFC 4648, section 4), which Basic wants.
fn base64(bytes: &[u8]) -> String {
    let mut text = countersign_verify::jose::b64::encode(bytes).replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}
