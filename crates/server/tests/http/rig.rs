//! An issuer on an empty database, a clock that stands still, and requests in one line.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::body::Body;
use countersign_server::{
    app::App,
    clock::Clock,
    config::{Config, Origin, Settings},
    domain::time::Timestamp,
    http::{context::Peer, front::Front},
    routes,
};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{network, support::postgres::Cluster};

pub const PASSWORD: &str = "correct horse battery staple";
pub const ISSUER: &str = "http://localhost:8080";

pub struct Rig {
    pub app: App,
    pub front: Front,
    pub folder: TempDir,
    settings: Vec<(&'static str, String)>,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }

    pub fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_else(|| panic!("no {member}: {} {}", self.status, self.body)).to_owned()
    }

    /// The code of a problem, or of an OAuth error (the end of its `error_uri`).
    pub fn code(&self) -> String {
        let json = self.json();
        let uri = json["error_uri"].as_str().and_then(|uri| uri.split_once('#')).map(|(_, code)| code.to_owned());
        json["code"].as_str().map(str::to_owned).or(uri).unwrap_or_else(|| panic!("no code: {}", self.body))
    }

    pub fn cookies(&self) -> Vec<String> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    /// The value of a cookie that was set.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let begin = format!("{name}=");
        let found = self.cookies().into_iter().find(|cookie| cookie.starts_with(&begin))?;
        Some(found[begin.len()..].split(';').next()?.to_owned())
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{}", self.body);
        self
    }
}

impl Answer {
    /// A page of the issuer says so, and leads nowhere.
    #[track_caller]
    pub fn refused_page(self, code: &str) {
        let page = self.expect(400);
        assert!(!page.headers.contains_key("location") && page.body.contains(code), "{}", page.body);
    }
}

impl Rig {
    pub async fn sqlite() -> Self {
        Self::with(&[]).await
    }

    pub async fn postgres() -> Self {
        let url = Cluster::shared().create_database().await;
        Self::start(tempfile::tempdir().unwrap(), vec![("database", url)]).await
    }

    pub async fn with(settings: &[(&'static str, &str)]) -> Self {
        let settings = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Self::start(tempfile::tempdir().unwrap(), settings).await
    }

    /// On a PostgreSQL database that others may use, too.
    pub async fn on(database: &str, settings: &[(&'static str, &str)]) -> Self {
        let mut settings: Vec<_> = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        settings.push(("database", database.to_owned()));
        Self::start(tempfile::tempdir().unwrap(), settings).await
    }

    async fn start(folder: TempDir, extra: Vec<(&'static str, String)>) -> Self {
        let clock = Clock::manual(Timestamp::from_secs(1_790_000_000));
        let config = config(&folder, &extra);
        let app = App::open_at(config, clock).await.unwrap();
        Self { front: routes::front(&app), app, folder, settings: extra }
    }

    /// Stops this issuer and starts another on the same data.
    pub async fn restart(self) -> Self {
        let Self { app, front, folder, settings } = self;
        app.store.close().await;
        let now = app.clock.now();
        drop(front);
        drop(app);
        let config = config(&folder, &settings);
        let app = App::open_at(config, Clock::manual(now)).await.unwrap();
        Self { front: routes::front(&app), app, folder, settings }
    }

    pub fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    pub fn request(&self, method: Method, path: &str) -> Ask {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:8080");
        let to = To::Here(self.front.clone());
        Ask { to, request, body: Body::empty(), peer: Peer::Tcp(IpAddr::from([127, 0, 0, 1])) }
    }

    pub fn get(&self, path: &str) -> Ask {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Ask {
        self.request(Method::POST, path)
    }

    /// Makes an account.
    pub async fn register(&self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD });
        self.post("/register").json(&body).send().await.expect(201);
    }

    pub async fn login(&self, email: &str) -> Answer {
        self.post("/login").json(&json!({ "email": email, "password": PASSWORD })).send().await
    }

    /// Makes an account and signs in.
    pub async fn user(&self, email: &str) -> Tokens {
        self.register(email).await;
        Tokens::of(&self.login(email).await.expect(200))
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/token")
            .form(&[("grant_type", "refresh_token"), ("client_id", "first-party"), ("refresh_token", token)])
            .send()
            .await
    }

    pub async fn session(&self, access_token: &str) -> Answer {
        self.get("/session").bearer(access_token).send().await
    }

    /// A request over the Unix socket.
    pub async fn admin(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.request(method, path).json(body).local().send().await
    }

    /// An administrator's access token.
    pub async fn administrator(&self) -> String {
        self.register("root@example.com").await;
        let body = json!({ "roles": ["admin"] });
        self.admin(Method::PUT, "/api/admin/users/root@example.com/roles", &body).await.expect(200);
        let body = json!({ "email": "root@example.com", "password": PASSWORD, "resource": "admin" });
        self.post("/login").json(&body).send().await.expect(200).text("access_token")
    }
}

fn config(folder: &TempDir, extra: &[(&'static str, String)]) -> Config {
    let data = folder.path().join("data").display().to_string();
    let mut settings = Settings::default();
    // As cheap as is allowed: these tests are about everything but the hash.
    let cheap = [("password.memory_kib", "7168"), ("password.iterations", "1"), ("password.workers", "2")];
    let open = [("limits.address_per_minute", "1000000"), ("limits.global_per_second", "1000000")];
    let more = [("sign_in_by_mail", "on"), ("data", data.as_str())];
    for (key, value) in cheap.into_iter().chain(open).chain(more) {
        settings.set(key, value.to_owned(), Origin::Flag).unwrap();
    }
    for (key, value) in extra {
        settings.set(key, value.clone(), Origin::Flag).unwrap();
    }
    Config::new(&settings).unwrap()
}

/// What a sign-in gives.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub sid: String,
}

impl Tokens {
    pub fn of(answer: &Answer) -> Self {
        Self { access: answer.text("access_token"), refresh: answer.text("refresh_token"), sid: answer.text("sid") }
    }
}

/// Whoever is asked.
pub trait Site: Sync {
    fn ask(&self, method: Method, path: &str) -> Ask;
}

impl Site for Rig {
    fn ask(&self, method: Method, path: &str) -> Ask {
        self.request(method, path)
    }
}

/// Where a request goes.
enum To {
    Here(Front),
    There(SocketAddr),
}

/// A request that is being put together.
pub struct Ask {
    to: To,
    request: http::request::Builder,
    body: Body,
    peer: Peer,
}

impl Ask {
    /// A request over the network, to a server that is not ours.
    pub fn over(address: SocketAddr, method: Method, path: &str) -> Self {
        let request = Request::builder().method(method).uri(path).header(header::HOST, address.to_string());
        Self { to: To::There(address), request, body: Body::empty(), peer: Peer::Local }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Says another host than the issuer's.
    pub fn host(mut self, name: &'static str) -> Self {
        self.request.headers_mut().unwrap().insert(header::HOST, http::HeaderValue::from_static(name));
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.body = Body::from(body.to_string());
        self.header("content-type", "application/json")
    }

    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.raw("application/x-www-form-urlencoded", text)
    }

    pub fn raw(mut self, content_type: &str, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn cookie(self, name: &str, value: &str) -> Self {
        self.header("cookie", &format!("{name}={value}"))
    }

    pub fn same_origin(self) -> Self {
        self.header("origin", ISSUER)
    }

    pub fn local(mut self) -> Self {
        self.peer = Peer::Local;
        self
    }

    pub fn from(mut self, address: &str) -> Self {
        self.peer = Peer::Tcp(address.parse().unwrap());
        self
    }

    /// The head of the answer, and its body as it comes.
    pub async fn open(self) -> http::Response<Body> {
        let request = self.request.body(self.body).unwrap();
        match self.to {
            To::Here(front) => front.answer(request, self.peer, None).await,
            To::There(address) => network::exchange(address, request).await,
        }
    }

    pub async fn send(self) -> Answer {
        let (parts, body) = self.open().await.into_parts();
        let body = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// Makes two tests of one body, `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! both {
    ($($(#[$attribute:meta])* async fn $name:ident($rig:ident: Rig) $body:block)+) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "some bodies need nothing of their file")]
            use super::*;

            async fn body($rig: $crate::rig::Rig) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body($crate::rig::Rig::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body($crate::rig::Rig::postgres().await).await;
            }
        }
    )+};
}
