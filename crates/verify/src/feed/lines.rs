//! An open feed over HTTP: a stream of events, or where the way there does not let a stream through, one question after
//! the other that waits for its answer.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use countersign_jose::limits::MAX_FEED_BATCH_BYTES;
use http::{Method, Response, Uri, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::{
    FeedError,
    follow::Lines,
    site::{Endpoints, Site},
    sse::EventParser,
};
use crate::{keys::Told, net};

const FEED: &str = "the revocation feed";
/// A whole answer to one question may hold several parts of a snapshot.
const MAX_ANSWER: usize = 8 * MAX_FEED_BATCH_BYTES;
/// A server that answers at once although it was asked to wait is not asked faster than this.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(50);

/// An open feed.
#[derive(Debug)]
pub(crate) enum HttpLines {
    Stream(Stream),
    Polling(Polling),
}

/// Server-sent events.
#[derive(Debug)]
pub(crate) struct Stream {
    body: Incoming,
    parser: EventParser,
    ready: VecDeque<String>,
}

/// Long-polling.
#[derive(Debug)]
pub(crate) struct Polling {
    site: Arc<Site>,
    endpoints: Arc<Endpoints>,
    told: Told,
    ready: VecDeque<String>,
}

impl HttpLines {
    /// Reads what the server chose to answer with.
    pub(super) async fn of(
        response: Response<Incoming>,
        site: &Arc<Site>,
        (endpoints, told): (&Arc<Endpoints>, &Told),
    ) -> Result<Self, FeedError> {
        let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if kind.starts_with(b"text/event-stream") {
            let parser = EventParser::new(MAX_FEED_BATCH_BYTES + 64);
            return Ok(Self::Stream(Stream { body: response.into_body(), parser, ready: VecDeque::new() }));
        }
        let mut polling = Self::polling(site, endpoints, told);
        if let Self::Polling(polling) = &mut polling {
            polling.take(response).await?;
        }
        Ok(polling)
    }

    pub(super) fn polling(site: &Arc<Site>, endpoints: &Arc<Endpoints>, told: &Told) -> Self {
        let (site, endpoints) = (Arc::clone(site), Arc::clone(endpoints));
        Self::Polling(Polling { site, endpoints, told: told.clone(), ready: VecDeque::new() })
    }
}

impl Lines for HttpLines {
    async fn next(&mut self, after: i64) -> Result<Option<String>, FeedError> {
        match self {
            Self::Stream(stream) => stream.next().await,
            Self::Polling(polling) => polling.next(after).await.map(Some),
        }
    }
}

impl Stream {
    async fn next(&mut self) -> Result<Option<String>, FeedError> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(Some(line));
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            let frame = frame.map_err(|error| FeedError::Connection(net::in_words(&error)))?;
            if let Ok(piece) = frame.into_data() {
                self.read(&piece)?;
            }
        }
    }

    fn read(&mut self, piece: &[u8]) -> Result<(), FeedError> {
        let ready = &mut self.ready;
        let event = |data: Vec<u8>| {
            // What is not text is no batch either; the check of its signature will say so.
            let text = String::from_utf8_lossy(&data);
            ready.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
        };
        let read = self.parser.feed(piece, event);
        read.map_err(|_| FeedError::Unusable { what: FEED, reason: "an event is too long".into() })
    }
}

impl Polling {
    async fn next(&mut self, after: i64) -> Result<String, FeedError> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(line);
            }
            let wait = self.endpoints.heartbeat.as_millis();
            let uri = with_query(&self.endpoints.feed, &format!("after={after}&wait_ms={wait}"))?;
            let mut request = self.site.request(Method::GET, &uri, "application/json, */*", Bytes::new())?;
            self.told.say(request.headers_mut());
            let response = self.site.send(FEED, request).await?;
            self.take(response).await?;
            tokio::time::sleep(BETWEEN_QUESTIONS).await;
        }
    }

    /// One batch to a line.
    async fn take(&mut self, response: Response<Incoming>) -> Result<(), FeedError> {
        let body = tokio::time::timeout(self.site.timeout, net::body(response, MAX_ANSWER)).await;
        let unusable = |reason: &str| FeedError::Unusable { what: FEED, reason: reason.into() };
        let body = body.map_err(|_| FeedError::TimedOut)?.map_err(|error| match error {
            net::BodyError::TooLarge => unusable("an answer is too long"),
            net::BodyError::Broken(reason) => FeedError::Connection(reason),
        })?;
        let text = std::str::from_utf8(&body).map_err(|_| unusable("it is no text"))?;
        self.ready.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        Ok(())
    }
}

/// A URI with more of a query.
pub(super) fn with_query(uri: &Uri, query: &str) -> Result<Uri, FeedError> {
    let joint = if uri.query().is_some() { '&' } else { '?' };
    format!("{uri}{joint}{query}").parse().map_err(|_| FeedError::Unusable { what: FEED, reason: "its address".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_added_to_what_is_there() {
        let with = |uri| with_query(&Uri::from_static(uri), "after=7").expect("a URI").to_string();
        assert_eq!(with("https://id.example/revocations/0"), "https://id.example/revocations/0?after=7");
        assert_eq!(with("https://id.example/revocations/0?x=1"), "https://id.example/revocations/0?x=1&after=7");
    }
}
