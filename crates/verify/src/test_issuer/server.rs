//! The test issuer at a loopback address: its key set, its metadata, its revocation feed, and introspection.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use countersign_jose::JwkSet;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Either, Full};
use hyper::{
    body::{Body, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use super::{TestIssuer, must};
use crate::{builder::VerifierBuilder, revocation::Profile};

const HEARTBEAT: Duration = Duration::from_millis(100);
const FEED: &str = "/revocations/0";

/// Serves a [`TestIssuer`] until it is dropped: its public keys, its metadata, its revocation feed and introspection.
///
/// ```
/// use countersign_verify::{Rejection, TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new("https://id.test").audience("orders");
/// let server = issuer.serve().await?;
/// let verifier = server.verifier_builder().build()?;
/// verifier.ready().await?;
/// let token = issuer.token().sub("usr_1").sign();
/// let claims = verifier.verify(&token)?;
///
/// issuer.revoke_user("usr_1");
/// let why = verifier.guard(&claims).await; // as soon as the feed has brought it
/// assert!(matches!(why, Rejection::Revoked { .. }));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestServer {
    issuer: TestIssuer,
    address: SocketAddr,
    counts: Arc<Counts>,
    task: AbortHandle,
}

#[derive(Debug, Default)]
struct Counts {
    keys: AtomicUsize,
    introspections: AtomicUsize,
    holds_streams: AtomicBool,
}

impl TestServer {
    pub(super) async fn start(issuer: TestIssuer) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let counts = Arc::<Counts>::default();
        let site = Site { issuer: issuer.clone(), address, counts: Arc::clone(&counts) };
        let task = tokio::spawn(accept(listener, site)).abort_handle();
        Ok(Self { issuer, address, counts, task })
    }

    /// The address of the key set, for [`VerifierBuilder::jwks_uri`].
    pub fn jwks_uri(&self) -> String {
        format!("http://{}/.well-known/jwks.json", self.address)
    }

    /// The address of the metadata, for [`VerifierBuilder::metadata_uri`].
    pub fn metadata_uri(&self) -> String {
        format!("http://{}/.well-known/openid-configuration", self.address)
    }

    /// A verifier, not yet built, of the issuer's tokens that fetches its keys and follows its revocations here.
    pub fn verifier_builder(&self) -> VerifierBuilder {
        let builder = self.issuer.fetching_verifier_builder().jwks_uri(self.jwks_uri());
        builder.metadata_uri(self.metadata_uri()).profile(Profile::default())
    }

    /// From now on a stream of events is opened and brings nothing, as behind a proxy that collects it: a verifier then
    /// asks again and again instead.
    pub fn hold_streams(&self) {
        self.counts.holds_streams.store(true, Ordering::SeqCst);
    }

    /// How many requests for the key set it has answered.
    pub fn requests(&self) -> usize {
        self.counts.keys.load(Ordering::SeqCst)
    }

    /// How many tokens it was asked about.
    pub fn introspections(&self) -> usize {
        self.counts.introspections.load(Ordering::SeqCst)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Site {
    issuer: TestIssuer,
    address: SocketAddr,
    counts: Arc<Counts>,
}

type Answer = Response<Either<Full<Bytes>, Events>>;

async fn accept(listener: TcpListener, site: Site) {
    // Ends its connections with itself.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let site = site.clone();
        let service = service_fn(move |request| {
            let site = site.clone();
            async move { Ok::<_, Infallible>(site.answer(request).await) }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

impl Site {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let query = |name: &str| {
            let pairs = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
            pairs.into_owned().find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let now = self.issuer.clock.now();
        match request.uri().path() {
            "/.well-known/openid-configuration" => text("application/json", self.metadata()),
            "/introspect" => self.introspect(request).await,
            "/revocations/0/jwks.json" => key_set(&self.issuer.feed.jwks()),
            _ if self.issuer.feed.is_cut() && request.uri().path().starts_with(FEED) => status(503),
            "/revocations/0/time" => {
                text("application/jwt", self.issuer.feed.time(&query("n").unwrap_or_default(), now))
            }
            FEED => {
                let after = query("after").and_then(|text| text.parse().ok()).unwrap_or(0);
                let wants_events =
                    request.headers().get(ACCEPT).is_some_and(|it| it.as_bytes().starts_with(b"text/ev"));
                if wants_events { self.events(after) } else { self.poll(after, query("wait_ms").is_some()).await }
            }
            _ => {
                self.counts.keys.fetch_add(1, Ordering::SeqCst);
                key_set(&self.issuer.jwks())
            }
        }
    }

    fn metadata(&self) -> String {
        let at = format!("http://{}", self.address);
        serde_json::json!({
            "issuer": self.issuer.url,
            "jwks_uri": format!("{at}/.well-known/jwks.json"),
            "introspection_endpoint": format!("{at}/introspect"),
            "revocation_feed_uri": format!("{at}{FEED}"),
            "revocation_feed_jwks_uri": format!("{at}{FEED}/jwks.json"),
            "revocation_feed_heartbeat_ms": u64::try_from(HEARTBEAT.as_millis()).unwrap_or(u64::MAX),
        })
        .to_string()
    }

    /// Asked about a token by somebody who says who they are (RFC 7662 §2.1), answers from the log itself.
    async fn introspect(&self, request: Request<Incoming>) -> Answer {
        if !request.headers().contains_key(AUTHORIZATION) {
            return status(401);
        }
        self.counts.introspections.fetch_add(1, Ordering::SeqCst);
        let Ok(body) = request.into_body().collect().await else { return status(400) };
        let body = body.to_bytes();
        let token = url::form_urlencoded::parse(&body).find(|(name, _)| name == "token");
        let active = token.is_some_and(|(_, token)| self.is_active(&token));
        text("application/json", format!(r#"{{"active":{active}}}"#))
    }

    fn is_active(&self, token: &str) -> bool {
        let builder = self.issuer.fetching_verifier_builder().keys(self.issuer.jwks());
        let verifier = must(builder.without_revocation().cached_tokens(0).build());
        let state = self.issuer.feed.state(self.issuer.clock.now());
        verifier.verify(token).is_ok_and(|claims| {
            let checked = claims.checked();
            std::iter::once(&checked.marks).chain(&checked.rests_on).all(|marks| state.check(marks).is_ok())
        })
    }

    fn events(&self, after: i64) -> Answer {
        let (lines, events) = mpsc::channel(4);
        if self.counts.holds_streams.load(Ordering::SeqCst) {
            tokio::spawn(async move { lines.closed().await });
        } else {
            tokio::spawn(stream(self.issuer.clone(), after, lines));
        }
        let mut response = Response::new(Either::Right(Events(events)));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        response
    }

    async fn poll(&self, after: i64, wait: bool) -> Answer {
        let mut news = self.issuer.feed.news();
        if wait && *news.borrow_and_update() <= after {
            let _ = tokio::time::timeout(HEARTBEAT, news.changed()).await;
        }
        let (_, line) = self.issuer.feed.line(after, self.issuer.clock.now());
        text("text/plain; charset=us-ascii", format!("{line}\n"))
    }
}

/// News as it comes, a heartbeat otherwise; while the feed is cut nothing, and the stream ends.
async fn stream(issuer: TestIssuer, mut after: i64, lines: mpsc::Sender<Bytes>) {
    let mut news = issuer.feed.news();
    while !issuer.feed.is_cut() {
        news.borrow_and_update();
        let (head, line) = issuer.feed.line(after, issuer.clock.now());
        if lines.send(Bytes::from(format!("id: {head}\ndata: {line}\n\n"))).await.is_err() {
            return;
        }
        after = head;
        let _ = tokio::time::timeout(HEARTBEAT, news.changed()).await;
    }
}

/// A body of events that are still to come.
struct Events(mpsc::Receiver<Bytes>);

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|next| next.map(|data| Ok(Frame::data(data))))
    }
}

fn key_set(set: &JwkSet) -> Answer {
    let mut response = text("application/jwk-set+json", must(serde_json::to_string(set)));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    response
}

fn text(kind: &'static str, body: String) -> Answer {
    let mut response = Response::new(Either::Left(Full::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn status(code: u16) -> Answer {
    let mut response = Response::new(Either::Left(Full::default()));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    response
}
