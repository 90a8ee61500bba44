//! One call over HTTP, and what its answer means to a client.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde_json::Value;

use crate::history::{Given, Outcome};

/// Longer than the server's own limit, so that nothing of an old call is still under way when it is made again.
const PATIENCE: Duration = Duration::from_secs(40);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.headers(name).next()
    }

    /// Name and value of a cookie that it sets.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers("set-cookie").find(|set| set.split_once('=').is_some_and(|(found, _)| found == name))?;
        set.split(';').next().map(str::to_owned)
    }

    fn headers(&self, name: &str) -> impl Iterator<Item = String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(move |(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }

    /// 503 and 429 say when to come back; everything else of the server's own making is wrong.
    fn outcome(&self, given: impl FnOnce(&Self) -> Given) -> Outcome {
        match self.status {
            200..300 => Outcome::Done(given(self)),
            429 | 503 if self.header("retry-after").is_some() => Outcome::Unavailable,
            400..429 | 430..500 => {
                let json = self.json();
                let name = json["error"].as_str().or_else(|| json["code"].as_str());
                Outcome::Refused(name.unwrap_or("unnamed").to_owned())
            }
            status => Outcome::Wrong(format!("{status} {}", self.text)),
        }
    }
}

/// What an answer, or none, comes to.
pub fn outcome(answer: Option<&Answer>, given: impl FnOnce(&Answer) -> Given) -> Outcome {
    answer.map_or(Outcome::Lost, |answer| answer.outcome(given))
}

/// A request to be sent.
#[derive(Debug, Default)]
pub struct Request<'a> {
    pub line: &'a str,
    pub kind: &'a str,
    pub bearer: Option<&'a str>,
    /// From a page of the issuer in a browser, with this cookie: name and value, or nothing.
    pub cookie: Option<&'a str>,
    pub body: &'a str,
}

impl Request<'_> {
    /// `None`: there was no whole answer.
    pub fn send(&self, address: SocketAddr) -> Option<Answer> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        self.exchange(stream)
    }

    /// The same over a server's Unix socket, as an administrator.
    pub fn send_locally(&self, socket: &Path) -> Option<Answer> {
        let stream = UnixStream::connect(socket).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        self.exchange(stream)
    }

    fn exchange(&self, mut stream: impl Read + Write) -> Option<Answer> {
        let Self { line, kind, body, .. } = self;
        let cookie = self
            .cookie
            .map(|cookie| format!("cookie: {cookie}\r\nsec-fetch-site: same-origin\r\n"))
            .unwrap_or_default();
        let bearer = self.bearer.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let length = body.len();
        write!(
            stream,
            "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{bearer}{cookie}content-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        parse(&String::from_utf8(answer).ok()?)
    }
}

/// A cut answer is none: what is missing may be the refresh token.
fn parse(answer: &str) -> Option<Answer> {
    let (head, text) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let answer = Answer { status, head: head.to_owned(), text: text.to_owned() };
    let length: Option<usize> = answer.header("content-length").and_then(|length| length.parse().ok());
    Some(answer).filter(|_| length.is_none_or(|length| length <= text.len()))
}

#[test]
fn answers_are_judged() {
    let judge = |answer: &str| outcome(parse(answer).as_ref(), |_| Given::Nothing);
    assert!(judge("HTTP/1.1 204 No Content\r\n\r\n").is_done());
    assert_eq!(judge("HTTP/1.1 503 X\r\nretry-after: 1\r\n\r\n"), Outcome::Unavailable);
    assert!(matches!(judge("HTTP/1.1 503 X\r\n\r\n"), Outcome::Wrong(_)));
    assert!(matches!(judge("HTTP/1.1 500 X\r\n\r\n"), Outcome::Wrong(_)));
    assert_eq!(judge("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"), Outcome::Lost);
    let refused = judge("HTTP/1.1 400 X\r\n\r\n{\"error\":\"invalid_grant\"}");
    assert_eq!(refused, Outcome::Refused("invalid_grant".into()));
}
