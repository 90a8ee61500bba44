//! The feed over HTTP.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use countersign_jose::{JwkSet, KeySet, limits::MAX_JWK_SET_BYTES};
use http::{Method, Uri};

use super::{
    FeedError,
    follow::Transport,
    lines::{HttpLines, with_query},
    site::Site,
};
use crate::keys::{Keys, Told};

const MAX_TIME: usize = 16 * 1024;
/// After so many streams in a row that brought nothing, three seconds' worth, somebody on the way holds them back: ask and
/// wait instead.
const DEAD_STREAMS: u32 = 6;

/// Asks the issuer, or a relay of it.
#[derive(Debug)]
pub(crate) struct HttpTransport {
    site: Arc<Site>,
    /// Streams that were opened since the last one that is known to have worked.
    dead_streams: AtomicU32,
    /// Which keys the verifier has, for the issuer.
    told: Told,
    /// What of it was said with the last question.
    said: Mutex<Told>,
}

impl HttpTransport {
    pub(crate) fn new(site: Arc<Site>, told: Told) -> Self {
        Self { site, dead_streams: AtomicU32::new(0), said: Mutex::new(told.clone()), told }
    }

    async fn try_open(&self, after: i64) -> Result<HttpLines, FeedError> {
        let endpoints = self.site.endpoints().await?;
        if self.dead_streams.load(Relaxed) >= DEAD_STREAMS {
            // The next time one stream is tried again.
            self.dead_streams.store(DEAD_STREAMS - 1, Relaxed);
            return Ok(HttpLines::polling(&self.site, &endpoints, &self.told));
        }
        let uri = with_query(&endpoints.feed, &format!("after={after}"))?;
        let accept = "text/event-stream, application/json;q=0.5";
        let mut request = self.site.request(Method::GET, &uri, accept, Bytes::new())?;
        let mut said = self.told.clone();
        said.say(request.headers_mut());
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = said;
        let response = self.site.send("the revocation feed", request).await?;
        let lines = HttpLines::of(response, &self.site, (&endpoints, &self.told)).await?;
        self.dead_streams.fetch_add(1, Relaxed);
        Ok(lines)
    }
}

impl Transport for HttpTransport {
    type Lines = HttpLines;

    async fn open(&self, after: i64) -> Result<HttpLines, FeedError> {
        let opened = self.try_open(after).await;
        if let Err(FeedError::Status { .. } | FeedError::Unusable { .. }) = &opened {
            self.site.forget();
        }
        opened
    }

    async fn time(&self, nonce: &str) -> Result<String, FeedError> {
        const WHAT: &str = "the question for the time";
        let endpoints = self.site.endpoints().await?;
        let uri = with_query(&time_uri(&endpoints.feed)?, &format!("n={nonce}"))?;
        let request = self.site.request(Method::GET, &uri, "application/jwt, */*", Bytes::new())?;
        let body = self.site.read(WHAT, request, MAX_TIME).await?;
        String::from_utf8(body.into()).map_err(|_| FeedError::Unusable { what: WHAT, reason: "it is no text".into() })
    }

    async fn keys(&self) -> Result<KeySet, FeedError> {
        const WHAT: &str = "the revocation feed's key set";
        let endpoints = self.site.endpoints().await?;
        let accept = "application/jwk-set+json, application/json";
        let request = self.site.request(Method::GET, &endpoints.feed_keys, accept, Bytes::new())?;
        let body = self.site.read(WHAT, request, MAX_JWK_SET_BYTES).await?;
        let unusable = |reason: String| FeedError::Unusable { what: WHAT, reason };
        let set = JwkSet::parse(&body).map_err(|error| unusable(error.to_string()))?;
        let keys = Keys::public(&set).map_err(|error| unusable(error.to_string()))?;
        Ok(keys.set().clone())
    }

    fn heartbeat(&self) -> Duration {
        self.site.known().map_or(Duration::ZERO, |endpoints| endpoints.heartbeat)
    }

    fn worked(&self, lines: &HttpLines) {
        if matches!(lines, HttpLines::Stream(_)) {
            self.dead_streams.store(0, Relaxed);
        }
    }

    fn told_once(&self, lines: &HttpLines) -> bool {
        matches!(lines, HttpLines::Stream(_))
    }

    async fn untold(&self) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        said.changed().await;
    }
}

/// `{feed}/time`; a query of the feed's address stays with it.
fn time_uri(feed: &Uri) -> Result<Uri, FeedError> {
    let mut parts = feed.clone().into_parts();
    let path = format!(
        "{}/time{}",
        feed.path().trim_end_matches('/'),
        feed.query().map_or(String::new(), |q| format!("?{q}"))
    );
    let unusable = || FeedError::Unusable { what: "the revocation feed", reason: "its address".into() };
    parts.path_and_query = Some(path.parse().map_err(|_| unusable())?);
    Uri::from_parts(parts).map_err(|_| unusable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_for_the_time_goes_below_the_feed() {
        let uri = |text| time_uri(&Uri::from_static(text)).expect("a URI").to_string();
        assert_eq!(uri("https://id.example/revocations/0"), "https://id.example/revocations/0/time");
        assert_eq!(uri("http://127.0.0.1:8080/r/0/?x=1"), "http://127.0.0.1:8080/r/0/time?x=1");
    }
}
