//! A key server on loopback that behaves as badly as a test wants.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use countersign_verify::{Clock, TestIssuer, Verifier, VerifierBuilder};
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    body::{Body, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{AbortHandle, JoinSet},
};

pub const ISSUER: &str = "https://id.test";
pub const NOW: u64 = 1_790_000_000;

/// What the server answers next.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The issuer's keys, with an ETag.
    Keys,
    /// A status, the headers and a body.
    Raw(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Never.
    Hang,
    /// The head and half a body, then never the rest.
    HalfBody,
}

impl Answer {
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::Raw(200, vec![("content-type", "application/json".into())], body.into())
    }

    pub fn status(status: u16) -> Self {
        Self::Raw(status, vec![], b"an error page".to_vec())
    }
}

pub struct KeyServer {
    pub issuer: TestIssuer,
    pub clock: Clock,
    address: SocketAddr,
    shared: Arc<Shared>,
    task: Option<AbortHandle>,
}

struct Shared {
    issuer: TestIssuer,
    answer: Mutex<Answer>,
    requests: AtomicUsize,
    confirmed: AtomicUsize,
    gate: Semaphore,
}

impl KeyServer {
    pub async fn start() -> Self {
        let clock = Clock::manual(NOW);
        let issuer = TestIssuer::new(ISSUER).audience("orders").clock(clock.clone());
        let shared = Arc::new(Shared {
            issuer: issuer.clone(),
            answer: Mutex::new(Answer::Keys),
            requests: AtomicUsize::new(0),
            confirmed: AtomicUsize::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let mut server = Self { issuer, clock, address: (Ipv4Addr::LOCALHOST, 0).into(), shared, task: None };
        server.up().await;
        server
    }

    pub async fn up(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.task = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))).abort_handle());
    }

    /// Nobody listens any more.
    pub fn down(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    pub fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// Requests wait until the gate opens.
    pub fn close_gate(&self) {
        self.shared.gate.forget_permits(usize::MAX);
    }

    pub fn open_gate(&self) {
        self.shared.gate.add_permits(1_000_000);
    }

    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// How many requests were answered with 304.
    pub fn confirmed(&self) -> usize {
        self.shared.confirmed.load(Ordering::SeqCst)
    }

    pub fn uri(&self) -> String {
        format!("http://{}/jwks", self.address)
    }

    pub fn builder(&self) -> VerifierBuilder {
        let builder = Verifier::builder(ISSUER).audience("orders").clock(self.clock.clone());
        builder.jwks_uri(self.uri()).without_revocation()
    }

    /// A verifier that has fetched once.
    pub async fn ready_verifier(&self) -> Verifier {
        let verifier = self.builder().build().unwrap();
        verifier.ready().await.unwrap();
        verifier
    }

    pub fn pass(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    /// A good token of this moment, signed with the current key.
    pub fn token(&self) -> String {
        self.issuer.token().sign()
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.down();
    }
}

/// Waits until `condition` holds; a test that would wait for ever fails instead.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| respond(request, Arc::clone(&shared)));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

type AnyBody = BoxBody<Bytes, Infallible>;

async fn respond(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<AnyBody>, Infallible> {
    shared.requests.fetch_add(1, Ordering::SeqCst);
    drop(shared.gate.acquire().await);
    let answer = shared.answer.lock().unwrap().clone();
    match answer {
        Answer::Keys => Ok(keys(&request, &shared)),
        Answer::Raw(status, headers, body) => {
            let response = headers.into_iter().fold(Response::builder().status(status), |r, (k, v)| r.header(k, v));
            Ok(response.body(Full::from(body).boxed()).unwrap())
        }
        Answer::Hang => std::future::pending().await,
        Answer::HalfBody => {
            let body = Half(Some(Bytes::from_static(b"{\"keys\":["))).boxed();
            Ok(Response::builder().header("content-type", "application/json").body(body).unwrap())
        }
    }
}

fn keys(request: &Request<Incoming>, shared: &Shared) -> Response<AnyBody> {
    let body = serde_json::to_vec(&shared.issuer.jwks()).unwrap();
    let etag = format!("\"{:x}\"", body.iter().fold(7_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(*byte)));
    let response = Response::builder().header(header::ETAG, &etag).header(header::CACHE_CONTROL, "max-age=300");
    if request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        shared.confirmed.fetch_add(1, Ordering::SeqCst);
        return response.status(304).body(Full::default().boxed()).unwrap();
    }
    response.header(header::CONTENT_TYPE, "application/jwk-set+json").body(Full::from(body).boxed()).unwrap()
}

/// A body that stops in the middle and stays open.
struct Half(Option<Bytes>);

impl Body for Half {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |part| Poll::Ready(Some(Ok(Frame::data(part)))))
    }
}
