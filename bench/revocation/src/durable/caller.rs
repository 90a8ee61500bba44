//! A caller that adds as little as it can to what it measures: a thread with one request and one connection, which writes and
//! waits. The bare transaction that it is compared with has nothing between it and its database either.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::time;

pub struct Caller {
    stream: UnixStream,
    request: Vec<u8>,
    /// What has come of the answer.
    read: Vec<u8>,
}

impl Caller {
    pub fn new(socket: &Path, path: &str, body: &Value) -> Result<Self> {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Ok(Self { stream: UnixStream::connect(socket)?, request: (head + &body).into_bytes(), read: Vec::new() })
    }

    /// Asks again and again until the time is over; how often it was answered. Each answer must say that something ended.
    pub fn call_for(&mut self, span: Duration) -> Result<usize> {
        let until = time::now() + u64::try_from(span.as_nanos())?;
        let mut done = 0;
        while time::now() < until {
            let answer: Value = serde_json::from_slice(self.call()?)?;
            ensure!(answer["appended"] == 1, "{answer}");
            done += 1;
        }
        Ok(done)
    }

    /// The body of the answer.
    fn call(&mut self) -> Result<&[u8]> {
        self.stream.write_all(&self.request)?;
        self.read.clear();
        let (head, length) = loop {
            self.more()?;
            if let Some(found) = head_of(&self.read)? {
                break found;
            }
        };
        while self.read.len() < head + length {
            self.more()?;
        }
        self.read.get(head..head + length).context("more than one answer")
    }

    fn more(&mut self) -> Result<()> {
        let mut chunk = [0; 4096];
        let count = self.stream.read(&mut chunk)?;
        ensure!(count > 0, "the issuer hung up");
        self.read.extend_from_slice(&chunk[..count]);
        Ok(())
    }
}

/// The lengths of the head and of the body, once the head is complete.
fn head_of(answer: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    if !head.starts_with("http/1.1 2") {
        bail!("{head}");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    Ok(Some((end + 4, length.context("no content-length")?.trim().parse()?)))
}
