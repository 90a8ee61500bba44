//! The way to the admin API: over the Unix socket of a running server, or, when none runs, in this process on the same
//! store. Both are the same routes.

use std::path::Path;

use countersign_server::{
    app::App,
    config::{Config, ConfigError, Settings},
    routes,
    serve::ADMIN_SOCKET,
};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{Method, body::Bytes};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::{Global, output::Failure};

/// An open way to the admin API.
#[derive(Debug)]
pub enum Admin {
    Socket(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    /// The store is ours alone until this is dropped.
    InProcess(App),
}

/// The configuration that the flags, the environment and the file make.
pub fn settings(global: &Global) -> Result<Settings, Failure> {
    settings_anew(global).map_err(|error| Failure::usage(error.to_string()))
}

/// The same, read again: only the file can have changed.
pub fn settings_anew(global: &Global) -> Result<Settings, ConfigError> {
    let mut flags = global.set.clone();
    flags.extend(global.data.iter().map(|folder| ("data".to_owned(), folder.clone())));
    // A variable that is not UTF-8 cannot be one of ours.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Settings::load(global.config.as_deref(), environment, &flags)
}

pub fn config(global: &Global) -> Result<Config, Failure> {
    Config::new(&settings(global)?).map_err(|error| Failure::usage(error.to_string()))
}

impl Admin {
    /// Connects to the running server, if there is one.
    pub async fn running(config: &Config) -> Option<Self> {
        connect(&config.data.join(ADMIN_SOCKET)).await.map(Self::Socket)
    }

    /// Connects to the running server, or opens the store if none runs.
    ///
    /// # Errors
    /// Exit code 3: neither could be had.
    pub async fn open(global: &Global) -> Result<Self, Failure> {
        let config = config(global)?;
        if let Some(running) = Self::running(&config).await {
            return Ok(running);
        }
        if !config.data.exists() {
            let folder = config.data.display();
            return Err(Failure::undecided(format!(
                "there is no data folder {folder}: start `countersign serve` first, or name the folder with --data"
            )));
        }
        let app = App::open(config).await.map_err(|error| Failure::undecided(error.to_string()))?;
        Ok(Self::InProcess(app))
    }

    pub async fn get(&mut self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn put(&mut self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&mut self, path: &str) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, None).await
    }

    /// Ends cleanly: what was written is on the disk anyway, but a store opened here is left tidy.
    pub async fn close(self) {
        if let Self::InProcess(app) = self {
            app.close().await;
        }
    }

    async fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(bytes))
            .map_err(|error| Failure::usage(format!("{path}: {error}")))?;
        let (status, bytes) = match self {
            Self::Socket(sender) => over_socket(sender, request).await?,
            Self::InProcess(app) => in_process(app, request).await?,
        };
        answer(status, &bytes)
    }
}

async fn connect(path: &Path) -> Option<hyper::client::conn::http1::SendRequest<Full<Bytes>>> {
    let stream = UnixStream::connect(path).await.ok()?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    Some(sender)
}

async fn over_socket(
    sender: &mut hyper::client::conn::http1::SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), Failure> {
    let lost = |error: hyper::Error| Failure::undecided(format!("the server did not answer: {error}"));
    sender.ready().await.map_err(lost)?;
    let response = sender.send_request(request).await.map_err(lost)?;
    let status = response.status();
    Ok((status, response.into_body().collect().await.map_err(lost)?.to_bytes()))
}

async fn in_process(app: &App, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
    let response = routes::local(app, request.map(axum::body::Body::new)).await;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| Failure::undecided(error.to_string()))?;
    Ok((status, body.to_bytes()))
}

fn answer(status: StatusCode, bytes: &[u8]) -> Result<Value, Failure> {
    let body: Value = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(bytes).unwrap_or(Value::Null) };
    if status.is_success() {
        return Ok(body);
    }
    let words = |member: &str| body[member].as_str().map(str::to_owned);
    let message = words("detail").or_else(|| words("title")).unwrap_or_else(|| format!("the server answered {status}"));
    let failure = match status.as_u16() {
        500.. => Failure::undecided(message),
        _ => Failure::refused(message),
    };
    Err(failure.with_problem(body))
}

/// One segment of a path: everything but letters, digits and `-._~` is percent-encoded (RFC 3986, section 2.3).
pub fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
