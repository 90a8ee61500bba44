//! One request over a connection of its own, for servers that are not ours; and a server of a few documents.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub async fn exchange(address: SocketAddr, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut head =
        format!("{} {} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", parts.method, parts.uri, body.len());
    for (name, value) in &parts.headers {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[head.as_bytes(), b"\r\n", &body].concat()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    let mut lines = head.lines();
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(Body::from(body.to_owned())).unwrap()
}

/// What a client publishes, at addresses of this machine.
pub struct Documents {
    pub origin: String,
    /// The whole answers.
    known: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Documents {
    pub async fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let documents = Self { origin, known: Arc::default(), asked: Arc::default() };
        let (known, asked) = (Arc::clone(&documents.known), Arc::clone(&documents.asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&known), Arc::clone(&asked)));
            }
        });
        documents
    }

    /// Puts a document there, and says where.
    pub fn put(&self, path: &str, kind: &str, text: &impl ToString) -> String {
        let text = text.to_string();
        let head = format!("content-type: {kind}\r\ncontent-length: {}", text.len());
        self.keep(path, &format!("200 X\r\n{head}"), &text);
        format!("{}{path}", self.origin)
    }

    /// Sends whoever comes there elsewhere.
    pub fn redirect(&self, path: &str, to: &str) {
        self.keep(path, &format!("302 X\r\nlocation: {to}\r\ncontent-length: 0"), "");
    }

    fn keep(&self, path: &str, head: &str, body: &str) {
        let answer = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n{body}");
        self.known.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub fn take(&self, path: &str) {
        self.known.lock().unwrap().remove(path);
    }

    /// How often somebody came for it.
    pub fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

async fn answer(mut stream: TcpStream, known: Arc<Mutex<BTreeMap<String, String>>>, asked: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut part = [0; 1024];
        match stream.read(&mut part).await {
            Ok(read) if read > 0 => request.extend_from_slice(&part[..read]),
            _ => return,
        }
    }
    let path = String::from_utf8_lossy(&request).split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().unwrap().push(path.clone());
    let found = known.lock().unwrap().get(&path).cloned();
    let answer = found.unwrap_or("HTTP/1.1 404 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned());
    let _ = stream.write_all(answer.as_bytes()).await;
}
