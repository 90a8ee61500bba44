//! `countersign watch`: the revocation feed of the running server as it goes by, over its Unix socket.

use std::{
    collections::VecDeque,
    io::{IsTerminal, Write, stdout},
    path::PathBuf,
    time::Duration,
};

use countersign_jose::{Claims, FeedClaims, FeedEntry, b64};
use countersign_server::{domain::revocation::Kind, serve::ADMIN_SOCKET};
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::UnixStream;

use crate::{
    Global, admin,
    admin::Admin,
    output::{Failure, Output},
};

/// Revocations on the screen.
const SHOWN: usize = 15;
/// How often the numbers are read.
const EVERY: Duration = Duration::from_secs(1);
/// How far back the first look goes, in microseconds: positions are times.
const BEFORE: i64 = 600_000_000;

/// What is known.
#[derive(Debug, Default)]
struct View {
    head: i64,
    numbers: Value,
    last: VecDeque<FeedEntry>,
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// A screen that is drawn again and again.
    Screen,
    /// A line for each revocation.
    Lines,
    Json,
}

pub async fn run(global: &Global, output: Output) -> Result<(), Failure> {
    let socket = admin::config(global)?.data.join(ADMIN_SOCKET);
    let mut admin = Admin::open(global).await?;
    if matches!(admin, Admin::InProcess(_)) {
        admin.close().await;
        return Err(Failure::undecided("no server runs on this data folder: start `countersign serve`"));
    }
    let look = match output.json {
        true => Look::Json,
        false if stdout().is_terminal() => Look::Screen,
        false => Look::Lines,
    };
    let mut view = View::default();
    view.read(&mut admin).await?;
    let mut after = (view.numbers["head"].as_i64().unwrap_or(0) - BEFORE).max(0);
    loop {
        let mut feed = Feed::open(&socket, after).await?;
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            let news = tokio::select! {
                line = feed.next() => match line? {
                    Some(claims) => view.take(claims),
                    None => break,
                },
                _ = ticks.tick() => {
                    view.read(&mut admin).await?;
                    Some(Vec::new())
                }
            };
            // Whoever read this has gone: so are we.
            if news.as_ref().is_some_and(|news| view.show(look, news).is_err()) {
                return Ok(());
            }
        }
        after = view.head;
    }
}

impl View {
    async fn read(&mut self, admin: &mut Admin) -> Result<(), Failure> {
        self.numbers = admin.get("/api/admin/status").await?["feed"].take();
        Ok(())
    }

    /// What is new in a line; none in a heartbeat.
    fn take(&mut self, line: FeedClaims) -> Option<Vec<FeedEntry>> {
        self.head = self.head.max(line.head);
        for entry in &line.entries {
            self.last.push_front(entry.clone());
        }
        self.last.truncate(SHOWN);
        Some(line.entries).filter(|news| !news.is_empty())
    }

    fn show(&self, look: Look, news: &[FeedEntry]) -> std::io::Result<()> {
        let mut out = stdout().lock();
        match look {
            Look::Json => {
                let news: Vec<Value> = news.iter().map(entry_json).collect();
                let mut line = self.numbers.clone();
                line["head"] = json!(self.head);
                line["revocations"] = json!(news);
                writeln!(out, "{line}")?;
            }
            Look::Lines => news.iter().try_for_each(|entry| writeln!(out, "{}", entry_line(entry)))?,
            Look::Screen => self.draw(&mut out)?,
        }
        out.flush()
    }

    fn draw(&self, out: &mut impl Write) -> std::io::Result<()> {
        let number = |name: &str| self.numbers[name].to_string();
        writeln!(
            out,
            "\x1b[H\x1b[2JThe revocation feed{}\n",
            if self.numbers["fresh"] == true { "" } else { "  STANDS STILL" }
        )?;
        writeln!(out, "  head      {}", self.head)?;
        writeln!(out, "  lag       {} ms", number("lag_ms"))?;
        writeln!(out, "  entries   {}", number("entries"))?;
        writeln!(out, "  readers   {} (this one included)\n\nLast revocations", number("readers"))?;
        if self.last.is_empty() {
            writeln!(out, "  none in the last ten minutes")?;
        }
        self.last.iter().try_for_each(|entry| writeln!(out, "  {}", entry_line(entry)))
    }
}

fn kind(entry: &FeedEntry) -> &'static str {
    match Kind::from_number(entry.kind) {
        Some(Kind::Token) => "token",
        Some(Kind::Session) => "session",
        Some(Kind::User) => "user",
        Some(Kind::Client) => "client",
        Some(Kind::Tenant) => "tenant",
        Some(Kind::Key) => "key",
        None => "unknown",
    }
}

fn entry_json(entry: &FeedEntry) -> Value {
    json!({ "kind": kind(entry), "id": entry.id, "rsn": entry.rsn, "exp": entry.exp })
}

fn entry_line(entry: &FeedEntry) -> String {
    format!(
        "{:<18}  {:<8}  {}",
        entry.rsn,
        kind(entry),
        entry.id.chars().filter(|c| !c.is_control()).collect::<String>()
    )
}

/// A stream of the feed.
struct Feed {
    body: Incoming,
    text: String,
}

impl Feed {
    async fn open(socket: &PathBuf, after: i64) -> Result<Self, Failure> {
        let lost = |error: String| Failure::undecided(format!("the server did not answer: {error}"));
        let stream = UnixStream::connect(socket).await.map_err(|error| lost(error.to_string()))?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| lost(error.to_string()))?;
        tokio::spawn(connection);
        let request = Request::get(format!("/revocations/0?after={after}"))
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, "text/event-stream")
            .body(Full::<Bytes>::default())
            .map_err(|error| Failure::usage(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(|error| lost(error.to_string()))?;
        if !response.status().is_success() {
            return Err(lost(format!("status {}", response.status())));
        }
        Ok(Self { body: response.into_body(), text: String::new() })
    }

    /// What the next line says; none at the end of the stream. The socket is the server's own: nothing is verified.
    async fn next(&mut self) -> Result<Option<FeedClaims>, Failure> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let message = !event.lines().any(|line| line.starts_with("event:"));
                let claims = data.filter(|_| message).and_then(decode);
                self.text = rest.to_owned();
                if claims.is_some() {
                    return Ok(claims);
                }
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            // A cut is an end: the next connection says why.
            let Ok(frame) = frame else { return Ok(None) };
            if let Some(data) = frame.data_ref() {
                self.text.push_str(&String::from_utf8_lossy(data));
            }
        }
    }
}

fn decode(jws: &str) -> Option<FeedClaims> {
    FeedClaims::from_json(&b64::decode(jws.split('.').nth(1)?).ok()?).ok()
}
