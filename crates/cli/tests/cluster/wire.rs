//! A connection that is kept, as a client's library or another proxy keeps it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::fleet::Answer;

pub struct Kept {
    address: SocketAddr,
    open: Option<BufReader<TcpStream>>,
}

impl Kept {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, open: None }
    }

    /// One request; its answer, or what went wrong.
    pub fn ask(&mut self, begin: &str, header: &str, body: &str) -> std::io::Result<Answer> {
        let mut stream = match self.open.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_read_timeout(Some(Duration::from_secs(30)))?;
                BufReader::new(stream)
            }
        };
        let length = body.len();
        let request =
            format!("{begin} HTTP/1.1\r\nhost: localhost\r\n{header}\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.get_mut().write_all(request.as_bytes())?;
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Err(std::io::Error::other(format!("it ends after {head:?}")));
            }
            match line.trim() {
                "" => break,
                line => head.push(line.to_ascii_lowercase()),
            }
        }
        let value = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length = value("content-length:").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.ok_or_else(|| std::io::Error::other(format!("no length: {head:?}")))?];
        stream.read_exact(&mut body)?;
        let status = head.first().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other(format!("no status: {head:?}")))?;
        if value("connection:") != Some("close") {
            self.open = Some(stream);
        }
        Ok(Answer {
            status,
            retry_after: value("retry-after:").is_some(),
            body: String::from_utf8(body).map_err(std::io::Error::other)?,
        })
    }
}
