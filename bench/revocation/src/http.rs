//! One keep-alive connection to a server of this machine, over TCP or a Unix socket.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context, Result, ensure};
use http::{
    Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    rt::{Read, Write},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpStream, UnixStream};

pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

/// What came.
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

impl Connection {
    pub async fn tcp(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        Self::on(TokioIo::new(stream)).await
    }

    pub async fn unix(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path).await.with_context(|| format!("connect to {}", path.display()))?;
        Self::on(TokioIo::new(stream)).await
    }

    async fn on(stream: impl Read + Write + Unpin + Send + 'static) -> Result<Self> {
        let (sender, connection) = handshake(stream).await?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: response.into_body().collect().await?.to_bytes() })
    }

    /// Sends JSON and reads JSON.
    ///
    /// # Errors
    /// Any answer but a success.
    pub async fn json(&mut self, method: Method, path: &str, body: &Value) -> Result<Value> {
        self.success(json(method, path, body)?).await
    }

    /// Sends a request whose answer is JSON.
    ///
    /// # Errors
    /// Any answer but a success.
    pub async fn success(&mut self, request: Request<Full<Bytes>>) -> Result<Value> {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = self.send(request).await.with_context(|| what.clone())?;
        ensure!((200..300).contains(&answer.status), "{what}: {} {}", answer.status, lossy(&answer.body));
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).with_context(|| format!("{what}: {}", lossy(&answer.body)))
    }
}

/// A request with JSON in it.
pub fn json(method: Method, path: &str, body: &Value) -> Result<Request<Full<Bytes>>> {
    let request = Request::builder().method(method).uri(path).header(HOST, "localhost");
    Ok(request.header(CONTENT_TYPE, "application/json").body(Full::from(body.to_string()))?)
}

/// A form, with client credentials in `Authorization: Basic`.
pub fn form(path: &str, pairs: &[(&str, &str)], basic: &str) -> Result<Request<Full<Bytes>>> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = Request::builder().method(Method::POST).uri(path).header(HOST, "localhost");
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(AUTHORIZATION, basic);
    Ok(request.body(Full::from(body))?)
}

fn lossy(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned()
}
