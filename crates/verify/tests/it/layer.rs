//! The tower layers, in memory and over a real connection; RFC 6750.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    task::{Context, Poll},
};

use countersign_verify::{Claims, TestIssuer, Verifier, VerifyLayer, require_any_role, require_role, require_scope};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Bytes, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Answer, KeyServer};

fn issuer() -> TestIssuer {
    TestIssuer::new("https://id.test").audience("orders")
}

/// Says who asks. Its own body type differs from the layer's.
async fn whoami<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let name = request.extensions().get::<Claims>().map_or("nobody", |claims| &claims.sub).to_owned();
    Ok(Response::new(Full::from(name)))
}

struct Answered {
    status: StatusCode,
    challenge: Option<String>,
    headers: http::HeaderMap,
    body: String,
}

async fn send(layer: VerifyLayer, request: Request<String>) -> Answered {
    let service = ServiceBuilder::new().layer(layer).service(service_fn(whoami));
    let response = service.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let challenge = parts.headers.get(header::WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
    Answered { status: parts.status, challenge, headers: parts.headers, body }
}

fn request(lines: &[(&str, &str)]) -> Request<String> {
    let builder = Request::builder().uri("/orders");
    lines.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(String::new()).unwrap()
}

fn bearer(token: &str) -> Request<String> {
    request(&[("authorization", &format!("Bearer {token}"))])
}

#[tokio::test]
async fn a_good_token_reaches_the_service_with_its_claims() {
    let issuer = issuer();
    let answer = send(VerifyLayer::new(issuer.verifier()), bearer(&issuer.token().sub("usr_1").sign())).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "usr_1"));
}

// RFC 6750 §3, TOK-26
#[tokio::test]
async fn what_is_not_good_is_answered_by_the_layer() {
    let issuer = issuer();
    let layer = || VerifyLayer::new(issuer.verifier());
    let missing = send(layer(), request(&[])).await;
    assert_eq!((missing.status.as_u16(), missing.challenge.as_deref()), (401, Some("Bearer realm=\"api\"")));
    let basic = send(layer(), request(&[("authorization", "Basic dXNlcjpwdw==")])).await;
    assert_eq!((basic.status.as_u16(), basic.challenge.as_deref()), (401, Some("Bearer realm=\"api\"")));

    let mut bodies = std::collections::HashSet::new();
    for (name, token) in issuer.all_wrong() {
        let answer = send(layer(), bearer(&token)).await;
        assert_eq!(answer.status, 401, "{name}");
        // What is bound to a key is asked for with a proof (RFC 9449 §7.1).
        let scheme = if name == "bound_to_a_key" { "DPoP" } else { "Bearer" };
        let challenge = answer.challenge.unwrap_or_default();
        assert!(challenge.starts_with(&format!("{scheme} error=\"invalid_token\"")), "{name}: {challenge}");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        bodies.insert(answer.body);
    }
    assert_eq!(bodies.len(), 1, "nobody learns which check failed: {bodies:?}");

    let token = issuer.token().sign();
    let twice = format!("Bearer {token}");
    let two = send(layer(), request(&[("authorization", &twice), ("authorization", &twice)])).await;
    assert_eq!((two.status.as_u16(), two.challenge.as_deref()), (400, Some("Bearer error=\"invalid_request\"")));
    let in_query = Request::builder().uri(format!("/orders?access_token={token}")).body(String::new()).unwrap();
    assert_eq!(send(layer(), in_query).await.status, 401, "OAU-07: a token in the query is ignored");
}

#[tokio::test]
async fn without_keys_the_answer_is_503_with_retry_after() {
    let server = KeyServer::start().await;
    server.answer(Answer::status(500));
    let verifier = server.builder().build().unwrap();
    let answer = send(VerifyLayer::new(verifier), bearer(&server.token())).await;
    assert_eq!((answer.status.as_u16(), answer.challenge), (503, None));
    assert!(answer.headers[header::RETRY_AFTER].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert!(answer.body.contains("temporarily_unavailable") && !answer.body.contains("500"), "{}", answer.body);
}

#[tokio::test]
async fn the_layer_waits_for_the_first_fetch() {
    let server = KeyServer::start().await;
    let verifier = server.builder().build().unwrap();
    assert_eq!(send(VerifyLayer::new(verifier), bearer(&server.token())).await.status, 200);
}

// CSR-02, CSR-05
#[tokio::test]
async fn the_cookie_counts_only_where_the_service_opted_in() {
    let issuer = issuer();
    let token = issuer.token().sub("usr_1").sign();
    let cookie = format!("theme=dark; __Host-access={token}");
    let with = || VerifyLayer::new(issuer.verifier_builder().accept_cookie().build().unwrap());
    assert_eq!(send(VerifyLayer::new(issuer.verifier()), request(&[("cookie", &cookie)])).await.status, 401);
    assert_eq!(send(with(), request(&[("cookie", &cookie)])).await.body, "usr_1");

    let post = |lines: &[(&str, &str)]| {
        let mut request = request(lines);
        *request.method_mut() = Method::POST;
        request
    };
    let own = ("origin", "https://id.test");
    assert_eq!(send(with(), post(&[("cookie", &cookie), own])).await.status, 200);
    let cross = send(with(), post(&[("cookie", &cookie), ("origin", "https://evil.test")])).await;
    assert_eq!((cross.status.as_u16(), cross.challenge), (403, None));
    assert!(cross.body.contains("cross_site"));
    let bearer = format!("Bearer {token}");
    assert_eq!(send(with(), post(&[("authorization", &bearer)])).await.status, 200, "a header is no ambient authority");
    assert_eq!(send(with(), request(&[("cookie", &cookie), ("authorization", &bearer)])).await.status, 400);
    let twins = send(with(), request(&[("cookie", &cookie), ("cookie", &cookie)])).await;
    assert_eq!(twins.status, 400);
    assert!(twins.headers[header::SET_COOKIE].to_str().unwrap().starts_with("__Host-access=; Path=/; Max-Age=0"));
}

#[tokio::test]
async fn an_optional_layer_lets_strangers_in_and_forgers_not() {
    let issuer = issuer();
    let layer = || VerifyLayer::new(issuer.verifier()).optional();
    assert_eq!(send(layer(), request(&[])).await.body, "nobody");
    assert_eq!(send(layer(), bearer(&issuer.token().sign())).await.body, "usr_test");
    assert_eq!(send(layer(), bearer(&issuer.token().expired())).await.status, 401);
}

// TOK-19: what an outer layer of another issuer found is not for the inner service
#[tokio::test]
async fn claims_of_an_outer_layer_do_not_leak_into_an_inner_one() {
    let (ours, theirs) = (issuer(), TestIssuer::new("https://other.test").audience("orders"));
    let with_cookie = theirs.verifier_builder().accept_cookie().build().unwrap();
    let service = ServiceBuilder::new()
        .layer(VerifyLayer::new(with_cookie).optional())
        .layer(VerifyLayer::new(ours.verifier()).optional())
        .service(service_fn(whoami));
    let cookie = format!("__Host-access={}", theirs.token().sub("theirs").sign());
    let response = service.oneshot(request(&[("cookie", &cookie)])).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "nobody");
}

// RFC 6750 §3.1
#[tokio::test]
async fn routes_can_ask_for_scopes_and_roles() {
    let issuer = issuer();
    let service = ServiceBuilder::new()
        .layer(VerifyLayer::new(issuer.verifier()))
        .layer(require_scope("orders:write"))
        .layer(require_any_role(["admin", "clerk"]))
        .service(service_fn(whoami));
    let status = |token: String| service.clone().oneshot(bearer(&token));
    let full = issuer.token().scope("orders:read orders:write").role("clerk");
    assert_eq!(status(full.sign()).await.unwrap().status(), 200);
    let scope = status(issuer.token().scope("orders:read").role("clerk").sign()).await.unwrap();
    assert_eq!(scope.status(), 403);
    assert_eq!(
        scope.headers()[header::WWW_AUTHENTICATE],
        "Bearer error=\"insufficient_scope\", scope=\"orders:write\""
    );
    let role = status(issuer.token().scope("orders:write").role("buyer").sign()).await.unwrap();
    assert_eq!(role.status(), 403);
    assert_eq!(role.headers()[header::WWW_AUTHENTICATE], "Bearer error=\"insufficient_scope\"");
    assert_eq!(status(issuer.token().expired()).await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_requirement_without_the_verifying_layer_stays_closed() {
    let service = ServiceBuilder::new().layer(require_role("admin")).service(service_fn(whoami));
    let response = service.oneshot(bearer(&issuer().token().role("admin").sign())).await.unwrap();
    assert_eq!(response.status(), 500);

    let optional = ServiceBuilder::new()
        .layer(VerifyLayer::new(issuer().verifier()).optional())
        .layer(require_role("admin"))
        .service(service_fn(whoami));
    assert_eq!(optional.oneshot(request(&[])).await.unwrap().status(), 401);
}

/// A real server with the layer in front, and requests written byte by byte.
async fn over_the_wire(verifier: Verifier, head: &str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = ServiceBuilder::new().layer(VerifyLayer::new(verifier)).service(service_fn(whoami));
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /orders HTTP/1.1\r\nhost: orders.test\r\nconnection: close\r\n{head}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    server.await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn the_layer_works_over_a_real_connection() {
    let issuer = issuer();
    let token = issuer.token().sub("usr_1").sign();
    let good = over_the_wire(issuer.verifier(), &format!("AUTHORIZATION:  bearer  {token} \r\n")).await;
    assert!(good.starts_with("HTTP/1.1 200") && good.ends_with("usr_1"), "{good}");
    let missing = over_the_wire(issuer.verifier(), "").await;
    assert!(
        missing.starts_with("HTTP/1.1 401") && missing.contains("www-authenticate: Bearer realm=\"api\""),
        "{missing}"
    );
    let twice = format!("authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n");
    assert!(over_the_wire(issuer.verifier(), &twice).await.starts_with("HTTP/1.1 400"));
    let wrong =
        over_the_wire(issuer.verifier(), &format!("authorization: Bearer {}\r\n", issuer.token().altered())).await;
    assert!(wrong.starts_with("HTTP/1.1 401") && wrong.contains("invalid_token"), "{wrong}");
}

/// Refuses to be called before it said that it is ready, as `tower` allows a service to do.
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl Service<Request<String>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before it was ready");
        std::future::ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn the_inner_service_is_called_only_when_it_is_ready() {
    let issuer = issuer();
    let layers = ServiceBuilder::new().layer(VerifyLayer::new(issuer.verifier())).layer(require_role("clerk"));
    let mut service = layers.service(Strict { ready: false });
    for _ in 0..3 {
        let request = bearer(&issuer.token().role("clerk").sign());
        assert_eq!(service.ready().await.unwrap().call(request).await.unwrap().status(), 200);
    }
}
