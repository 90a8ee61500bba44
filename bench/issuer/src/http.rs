//! The least HTTP/1.1 that a keep-alive client needs: one request in flight, replies with `Content-Length`.
//! A full client costs as much CPU per request as the fastest server here, and would be measured instead of it.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MAX_HEADERS: usize = 64;

pub struct Connection {
    addr: SocketAddr,
    stream: TcpStream,
    input: Vec<u8>,
    /// The last reply said `Connection: close`.
    closing: bool,
}

pub struct Reply<'a> {
    pub status: u16,
    pub head: &'a [u8],
    pub body: &'a [u8],
}

impl Reply<'_> {
    /// The values of all headers of this name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = str::from_utf8(self.head).unwrap_or_default().split("\r\n").skip(1);
        lines.filter_map(move |line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

struct Head {
    status: u16,
    body_at: usize,
    body_len: usize,
    close: bool,
}

impl Connection {
    pub async fn open(addr: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { addr, stream, input: vec![0; 64 * 1024], closing: false })
    }

    pub async fn exchange(&mut self, request: &[u8]) -> Result<Reply<'_>, Error> {
        if self.closing {
            *self = Self::open(self.addr).await?;
        }
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let mut head = None;
        loop {
            if filled == self.input.len() {
                return Err(Error::new(ErrorKind::InvalidData, "reply larger than the buffer"));
            }
            let n = self.stream.read(&mut self.input[filled..]).await?;
            if n == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
            filled += n;
            if head.is_none() {
                head = parse_head(&self.input[..filled])?;
            }
            if let Some(head) = &head
                && filled >= head.body_at + head.body_len
            {
                self.closing = head.close;
                let (start, body) = self.input[..head.body_at + head.body_len].split_at(head.body_at);
                return Ok(Reply { status: head.status, head: start, body });
            }
        }
    }
}

fn parse_head(input: &[u8]) -> Result<Option<Head>, Error> {
    let invalid = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let body_at = match response.parse(input).map_err(|e| invalid(&e.to_string()))? {
        httparse::Status::Complete(n) => n,
        httparse::Status::Partial => return Ok(None),
    };
    let mut head = Head { status: response.code.unwrap_or(0), body_at, body_len: 0, close: false };
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = str::from_utf8(header.value).map_err(|_| invalid("content-length"))?;
            head.body_len = text.trim().parse().map_err(|_| invalid("content-length"))?;
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.close = header.value.eq_ignore_ascii_case(b"close");
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(invalid("a reply with transfer-encoding; this client reads content-length only"));
        }
    }
    Ok(Some(head))
}

pub fn get(path: &str) -> Vec<u8> {
    get_with(path, "Accept: application/json")
}

/// With this header.
pub fn get_with(path: &str, header: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n").into_bytes()
}

pub fn post_form(path: &str, body: &str) -> Vec<u8> {
    post(path, "Content-Type: application/x-www-form-urlencoded", body)
}

pub fn post_json(path: &str, body: &str) -> Vec<u8> {
    post(path, "Content-Type: application/json", body)
}

/// As a page of this origin sends it.
pub fn post_json_from(origin: &str, path: &str, body: &str) -> Vec<u8> {
    post(path, &format!("Origin: {origin}\r\nContent-Type: application/json"), body)
}

fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Reply, parse_head};

    #[test]
    fn a_reply_is_complete_only_with_its_whole_head() {
        let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\n{}";
        assert!(parse_head(&reply[..30]).expect("partial is fine").is_none());
        let head = parse_head(reply).expect("valid").expect("complete");
        assert_eq!((head.status, head.body_len, head.close), (200, 2, true));
        assert_eq!(&reply[head.body_at..], b"{}");
    }

    #[test]
    fn chunked_replies_are_refused_instead_of_misread() {
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn every_header_of_a_name_is_found() {
        let head = b"HTTP/1.1 200 OK\r\nset-cookie: access=a\r\nSet-Cookie: signin=b; Path=/\r\n\r\n";
        let reply = Reply { status: 200, head, body: b"" };
        assert_eq!(reply.headers("Set-Cookie").collect::<Vec<_>>(), ["access=a", "signin=b; Path=/"]);
        assert_eq!(reply.headers("location").count(), 0);
    }
}
