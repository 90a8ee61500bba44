//! One resource, three ways to read it: a stream of events, an answer that waits a moment for news, an answer at once.

use std::{collections::VecDeque, convert::Infallible, net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use countersign_jose::revocation::EntryId;
use futures_util::stream::{self, Stream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use tokio::{
    sync::{
        Notify,
        broadcast::{Receiver, error::RecvError},
    },
    time::{Sleep, sleep},
};

use super::{
    HEARTBEAT,
    hub::{Full, Hub, Seat, Subscription},
    known_keys::Said,
    line::Line,
};
use crate::domain::rsn::Rsn;

/// After this, and up to as much again, a stream ends: its reader comes back with its cursor, perhaps to another replica,
/// and proves anew who it is.
const STREAM_AGE: Duration = Duration::from_mins(30);

/// How long a reader waits while a server that has just started reads the log.
const BEGIN: Duration = Duration::from_secs(2);
/// Most bytes of a long-poll's answer: who waits for news reads whole answers, and asks for the rest from where this one ends.
const ANSWER: usize = 4 * 1024 * 1024;

/// What a reader asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The position up to which it knows everything.
    pub after: Rsn,
    pub way: Way,
}

/// How it wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `Accept: text/event-stream`: whatever comes, as it comes.
    Events,
    /// `wait_ms`: as soon as there is news, otherwise after this time.
    Wait(Duration),
    /// What there is.
    Now,
}

/// Who asks, as far as it matters here.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// None: not counted.
    pub address: Option<IpAddr>,
    /// Ends its connection.
    pub cut: Option<Arc<Notify>>,
    /// Spreads the ends of streams that began together, 0 to 255.
    pub spread: u8,
    /// As whom it was let in; none if nobody had to say.
    pub reader: Option<Reader>,
    /// Which keys it says that it has.
    pub said: Option<Said>,
}

/// A client that reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Its `client_id`.
    pub name: Arc<str>,
    /// Its name in the log.
    pub client: EntryId,
    /// Where the log was when the client was found to be good.
    pub since: Rsn,
}

impl Reader {
    /// Something of it has ended since: whether it may read on is to be seen anew.
    fn ended_by(&self, line: &Line) -> bool {
        line.head > self.since && line.names(self.client)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{0} must be a position in the log, a whole number that is not negative")]
    Cursor(&'static str),
    #[error("wait_ms must be a whole number of milliseconds")]
    Wait,
    #[error("the feed knows the parameters after and wait_ms")]
    Parameter,
    #[error(transparent)]
    Full(#[from] Full),
    #[error("this server does not hear its database or its upstream now")]
    Dark,
}

impl Ask {
    /// Reads the query and the headers `Accept` and `Last-Event-ID`.
    ///
    /// # Errors
    /// `Cursor`, `Wait`, `Parameter`
    pub fn read(query: &str, headers: &HeaderMap) -> Result<Self, Refused> {
        let (mut after, mut wait) = (None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*name {
                "after" => &mut after,
                "wait_ms" => &mut wait,
                _ => return Err(Refused::Parameter),
            };
            if slot.replace(value).is_some() {
                return Err(Refused::Parameter);
            }
        }
        let after = position(after.as_deref().unwrap_or("0")).ok_or(Refused::Cursor("after"))?;
        let seen = headers.get("last-event-id").map(|value| value.to_str().ok().and_then(position));
        let seen = seen.map(|seen| seen.ok_or(Refused::Cursor("Last-Event-ID"))).transpose()?;
        let wait = wait.map(|wait| wait.parse::<u64>().map_err(|_| Refused::Wait)).transpose()?;
        let way = match wait {
            _ if wants_events(headers) => Way::Events,
            Some(millis) => Way::Wait(Duration::from_millis(millis).min(HEARTBEAT)),
            None => Way::Now,
        };
        // A browser's EventSource keeps its first URL and says by the header what it has seen since.
        Ok(Self { after: seen.unwrap_or(after), way })
    }
}

/// Answers one reader.
///
/// # Errors
/// `Full`; `Dark` if nothing fresh can be said (a stream is opened all the same, and waits).
pub async fn answer(hub: &Arc<Hub>, ask: Ask, who: Who) -> Result<Response<Body>, Refused> {
    let Who { address, cut, spread, reader, said } = who;
    let (streaming, asking) = if ask.way == Way::Events { (said, None) } else { (None, said) };
    let seat = hub.sit(address, cut, streaming)?;
    // Only of those who found a place: what is remembered stays bounded by who may read.
    if let (Some(said), Way::Wait(_)) = (asking, ask.way) {
        hub.remember(said);
    }
    let Subscription { missed, mut live } = hub.subscribe_within(ask.after, BEGIN).await.ok_or(Refused::Dark)?;
    match ask.way {
        Way::Events => {
            let age = STREAM_AGE + STREAM_AGE * u32::from(spread) / 256;
            let (pending, age) = (missed.into(), Box::pin(sleep(age)));
            return Ok(events(Events { seat, pending, live: Some(live), reader, age }));
        }
        Way::Wait(limit) if !missed.iter().any(|line| line.head > ask.after) => {
            // News or a heartbeat, whichever is first; an end of the feed is told below.
            let _ = tokio::time::timeout(limit, live.recv()).await;
        }
        Way::Wait(_) | Way::Now => {}
    }
    if !hub.is_fresh() {
        return Err(Refused::Dark);
    }
    let mut lines = hub.subscribe(ask.after).ok_or(Refused::Dark)?.missed;
    if ask.way != Way::Now {
        lines.truncate(within(&lines, ANSWER));
    }
    Ok(lines_at_once(seat, lines))
}

/// How many of these lines fit, one at least.
fn within(lines: &[Arc<Line>], bytes: usize) -> usize {
    let mut left = bytes;
    let fits = lines.iter().take_while(|line| {
        let fits = line.jws().len() <= left;
        left = left.saturating_sub(line.jws().len());
        fits
    });
    fits.count().max(1)
}

fn position(text: &str) -> Option<Rsn> {
    text.parse::<i64>().ok().filter(|position| *position >= 0).map(Rsn::new)
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepts.flat_map(|value| value.split(','));
    kinds.any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream")))
}

/// A stream under way.
struct Events {
    seat: Seat,
    pending: VecDeque<Arc<Line>>,
    /// None once it has ended.
    live: Option<Receiver<Arc<Line>>>,
    reader: Option<Reader>,
    age: Pin<Box<Sleep>>,
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        self.seat.asks();
        if let Some(line) = self.pending.pop_front() {
            return Some(self.told(&line));
        }
        let live = self.live.as_mut()?;
        let why = tokio::select! {
            line = live.recv() => match line {
                Ok(line) => return Some(self.told(&line)),
                Err(RecvError::Lagged(_)) => "too slow",
                Err(RecvError::Closed) => "closing",
            },
            () = &mut self.age => "renew",
        };
        self.live = None;
        Some(end(why))
    }

    /// The line, and behind it the end of the stream if it tells of an end of the reader's own.
    fn told(&mut self, line: &Line) -> Bytes {
        if !self.reader.as_ref().is_some_and(|reader| reader.ended_by(line)) {
            return line.event();
        }
        self.pending.clear();
        self.live = None;
        [line.event(), end("renew")].concat().into()
    }
}

/// The last thing on a stream: not a message, so that a reader that knows only messages just sees the stream end.
fn end(why: &str) -> Bytes {
    Bytes::from(format!("event: end\ndata: {why}\n\n"))
}

fn events(events: Events) -> Response<Body> {
    let begin = stream::iter([Ok(Bytes::from_static(b"retry: 1000\n\n"))]);
    let rest = stream::unfold(events, |mut events| async move {
        let next = events.next().await?;
        Some((Ok(next), events))
    });
    response("text/event-stream", stream::StreamExt::chain(begin, rest))
}

fn lines_at_once(seat: Seat, lines: Vec<Arc<Line>>) -> Response<Body> {
    let lines = lines.into_iter().map(move |line| {
        seat.asks();
        Ok(line.text())
    });
    response("text/plain; charset=us-ascii", stream::iter(lines))
}

fn response(
    kind: &'static str,
    body: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> Response<Body> {
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that collects a stream before it passes it on makes every verifier stale.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, headers: &[(&'static str, &'static str)]) -> Result<Ask, Refused> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        Ask::read(query, &headers.collect())
    }

    #[test]
    fn the_query_and_two_headers_say_what_is_wanted() {
        let ask = |after, way| Ok(Ask { after: Rsn::new(after), way });
        assert_eq!(read("", &[]), ask(0, Way::Now));
        assert_eq!(read("after=12", &[("accept", "*/*")]), ask(12, Way::Now));
        assert_eq!(read("after=12&wait_ms=50", &[]), ask(12, Way::Wait(Duration::from_millis(50))));
        assert_eq!(read("wait_ms=60000", &[]), ask(0, Way::Wait(HEARTBEAT)));
        let stream = ("accept", "text/html, Text/Event-Stream;q=0.9");
        assert_eq!(read("after=12&wait_ms=5", &[stream]), ask(12, Way::Events));
        assert_eq!(read("after=12", &[stream, ("last-event-id", "15")]), ask(15, Way::Events));
    }

    #[test]
    fn anything_else_is_refused() {
        for query in ["after=-1", "after=x", "after=", "after=99999999999999999999"] {
            assert_eq!(read(query, &[]), Err(Refused::Cursor("after")), "{query}");
        }
        assert_eq!(read("", &[("last-event-id", "x")]), Err(Refused::Cursor("Last-Event-ID")));
        assert_eq!(read("wait_ms=soon", &[]), Err(Refused::Wait));
        for query in ["before=1", "after=1&after=2"] {
            assert_eq!(read(query, &[]), Err(Refused::Parameter), "{query}");
        }
    }
}
