//! Back-channel logout: each client of a sign-in hears that its session has ended, at least once (RLO-04).

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use countersign_jose::{JwkSet, LogoutClaims, Verifier, VerifyingKey, b64, profile::LogoutToken};
use countersign_server::notices;
use http::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    browser::{Browser, Client, query},
    rig::{Answer, ISSUER, PASSWORD, Rig},
    support::postgres::Cluster,
};

const ADA: &str = "ada@example.com";
pub const HERE: &[(&str, &str)] = &[("outbound.allow", "127.0.0.1, ::1")];

/// Makes two tests of one body, on an issuer that may call this machine.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($rig:ident: Rig) $body:block)+) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn body($rig: Rig) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body(Rig::with(HERE).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body(Rig::on(&Cluster::shared().create_database().await, HERE).await).await;
            }
        }
    )+};
}

/// A client's back channel: keeps what comes, and answers as it is told.
pub struct Ear {
    pub uri: String,
    heard: Arc<Mutex<Vec<String>>>,
    status: Arc<AtomicU16>,
}

impl Ear {
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://shop.localhost:{}/out", listener.local_addr().unwrap().port());
        let ear = Self { uri, heard: Arc::default(), status: Arc::new(AtomicU16::new(200)) };
        let (heard, status) = (Arc::clone(&ear.heard), Arc::clone(&ear.status));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (heard, status) = (Arc::clone(&heard), status.load(Ordering::Relaxed));
                tokio::spawn(async move {
                    let body = answer(stream, status).await;
                    heard.lock().unwrap().push(body);
                });
            }
        });
        ear
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// The logout tokens that came since the last look. Whoever was answered has been heard.
    fn tokens(&self) -> Vec<String> {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        let token = |body: &String| {
            let pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            assert_eq!(pairs.len(), 1, "{body}");
            assert_eq!(pairs[0].0, "logout_token");
            pairs[0].1.clone()
        };
        heard.iter().map(token).collect()
    }
}

/// Reads one request, answers it, and returns its body.
async fn answer(mut stream: TcpStream, status: u16) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            if body.len() >= length {
                assert!(head.starts_with("post /out "), "{head}");
                assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
                return body.to_owned();
            }
        }
        let mut part = [0; 1024];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "{text}");
        request.extend_from_slice(&part[..read]);
    }
}

async fn client(rig: &Rig, id: &str, uri: &str) -> Client {
    let redirect = format!("https://{id}.example/cb");
    let body = json!({ "client_id": id, "redirect_uris": [redirect], "backchannel_logout_uri": uri });
    Client::add(rig, body).await
}

/// Waits until what was answered is noted by the ear's own task.
pub async fn heard(ear: &Ear) -> String {
    for _ in 0..6_000 {
        let mut tokens = ear.tokens();
        assert!(tokens.len() < 2, "{tokens:?}");
        if let Some(token) = tokens.pop() {
            return token;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing was heard");
}

async fn told(rig: &Rig) -> usize {
    notices::round(&rig.app).await.unwrap()
}

pub async fn verify(rig: &Rig, client: &Client, token: &str) -> LogoutClaims {
    let jwks = JwkSet::parse(rig.get("/.well-known/jwks.json").send().await.body.as_bytes()).unwrap();
    let keys = jwks.keys.iter().map(|jwk| VerifyingKey::from_jwk(jwk).unwrap());
    let verifier = Verifier::<LogoutToken>::builder().issuer(ISSUER).audience(&*client.id).keys(keys).build();
    verifier.verify(token, rig.app.clock.now().secs()).unwrap().into_inner()
}

async fn sign_out(browser: &mut Browser<'_>, rig: &Rig) {
    let out = rig.post("/logout").json(&json!({})).same_origin();
    browser.send(out).await.expect(204);
}

on_both! {
    // OpenID Connect Core §8.1, RLO-04: a pairwise client hears of whom it knows.
    async fn a_pairwise_client_hears_of_its_own_subject(rig: Rig) {
        rig.register(ADA).await;
        let ear = Ear::listen().await;
        let body = json!({
            "client_id": "shop", "redirect_uris": ["https://shop.example/cb"], "backchannel_logout_uri": ear.uri,
            "subject_type": "pairwise", "access_token_format": "opaque",
        });
        let shop = Client::add(&rig, body).await;
        let mut browser = Browser::new(&rig);
        let tokens = browser.tokens(&shop, &[], ADA).await;
        sign_out(&mut browser, &rig).await;
        assert_eq!(told(&rig).await, 1);
        let heard = verify(&rig, &shop, &heard(&ear).await).await;
        let known = shop.id_token(&rig, &tokens).await;
        assert_eq!((heard.sub, heard.sid), (Some(known.sub), known.sid));
    }

    // RLO-04, Back-Channel Logout §2.4: what a logout token says, and whom it reaches.
    async fn every_client_of_the_sign_in_hears_once(rig: Rig) {
        rig.register(ADA).await;
        let (shop_ear, bank_ear) = (Ear::listen().await, Ear::listen().await);
        let (shop, bank) = (client(&rig, "shop", &shop_ear.uri).await, client(&rig, "bank", &bank_ear.uri).await);
        let deaf = Client::web(&rig, "deaf").await;
        let mut browser = Browser::new(&rig);
        let first = browser.tokens(&shop, &[], ADA).await;
        let second = browser.tokens(&bank, &[], ADA).await;
        browser.tokens(&deaf, &[], ADA).await;
        assert_eq!(told(&rig).await, 0);
        sign_out(&mut browser, &rig).await;
        assert_eq!(told(&rig).await, 2);
        let user = shop.id_token(&rig, &first).await.sub;
        for (ear, client, tokens) in [(&shop_ear, &shop, &first), (&bank_ear, &bank, &second)] {
            let token = heard(ear).await;
            let header: Value = serde_json::from_slice(&b64::decode(token.split('.').next().unwrap()).unwrap()).unwrap();
            assert_eq!(header["typ"], "logout+jwt");
            let claims = verify(&rig, client, &token).await;
            assert_eq!(claims.sid.as_deref(), Some(&*tokens.text("sid")));
            assert_eq!(claims.sub.as_deref(), Some(&*user));
            assert!(claims.exp - claims.iat <= 120);
        }
        assert_eq!(told(&rig).await, 0);
    }

    // RLO-01, RLO-04, I-1: the session has ended already; who did not hear hears later, over a restart, and by the same name.
    async fn who_does_not_answer_well_hears_again(rig: Rig) {
        rig.register(ADA).await;
        let ear = Ear::listen().await;
        let shop = client(&rig, "shop", &ear.uri).await;
        let mut browser = Browser::new(&rig);
        let tokens = browser.tokens(&shop, &[], ADA).await;
        ear.answers(503);
        sign_out(&mut browser, &rig).await;
        shop.refresh(&rig, &tokens.text("refresh_token")).await.refused(400, "refresh-revoked");
        assert_eq!(told(&rig).await, 1);
        let first = verify(&rig, &shop, &heard(&ear).await).await;
        assert_eq!(told(&rig).await, 0, "not at once");
        drop(browser);
        let rig = rig.restart().await;
        rig.advance(Duration::from_secs(5));
        ear.answers(302);
        assert_eq!(told(&rig).await, 1);
        heard(&ear).await;
        rig.advance(Duration::from_secs(5));
        assert_eq!(told(&rig).await, 0, "longer after each try");
        rig.advance(Duration::from_secs(15));
        ear.answers(204);
        assert_eq!(told(&rig).await, 1);
        let last = verify(&rig, &shop, &heard(&ear).await).await;
        assert_eq!((last.jti, last.sid), (first.jti, first.sid));
        rig.advance(Duration::from_hours(24));
        assert_eq!(told(&rig).await, 0);
    }

    // RLO-08: whatever ends a session that a client believes in.
    async fn every_end_is_told(rig: Rig) {
        rig.register(ADA).await;
        let ear = Ear::listen().await;
        let shop = client(&rig, "shop", &ear.uri).await;
        for end in ["session", "revocation", "user", "everywhere", "password", "consent", "code", "refresh", "disable"] {
            let mut browser = Browser::new(&rig);
            let answer = browser.authorize(&shop, &[], ADA).await;
            let code = query(&answer)["code"].clone();
            let tokens = shop.redeem(&rig, &code).await.expect(200);
            by(&rig, end, &shop, (&mut browser, &code, &tokens)).await;
            assert_eq!(told(&rig).await, 1, "{end}");
            let claims = verify(&rig, &shop, &heard(&ear).await).await;
            assert_eq!(claims.sid.as_deref(), Some(&*tokens.text("sid")), "{end}");
        }
    }

    // OAU-14 in effect: one that cannot be reached costs the others no more than one round.
    async fn the_unreachable_hold_up_nobody(rig: Rig) {
        rig.register(ADA).await;
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let dead = client(&rig, "dead", &format!("http://{gone}/out")).await;
        let mut browser = Browser::new(&rig);
        for _ in 0..40 {
            browser.tokens(&dead, &[], ADA).await;
        }
        sign_out(&mut browser, &rig).await;
        rig.advance(Duration::from_secs(1));
        let ear = Ear::listen().await;
        let shop = client(&rig, "shop", &ear.uri).await;
        browser.tokens(&shop, &[], ADA).await;
        sign_out(&mut browser, &rig).await;
        assert_eq!(told(&rig).await, 32);
        assert_eq!(told(&rig).await, 1);
        heard(&ear).await;
    }
}

/// Ends a session in this way.
async fn by(rig: &Rig, end: &str, shop: &Client, (browser, code, tokens): (&mut Browser<'_>, &str, &Answer)) {
    let sid = tokens.text("sid");
    let admin = |method: Method, path: String, body: Value| async move { rig.admin(method, &path, &body).await };
    let user = async || rig.admin(Method::GET, &format!("/api/admin/users/{ADA}"), &json!({})).await.text("user_id");
    match end {
        "session" => drop(admin(Method::DELETE, format!("/api/admin/sessions/{sid}"), json!({})).await.expect(200)),
        "revocation" => {
            let body = json!({ "kind": "session", "id": sid });
            admin(Method::POST, "/api/admin/revocations".to_owned(), body).await.expect(200);
        }
        "user" => {
            let body = json!({ "kind": "user", "id": user().await });
            admin(Method::POST, "/api/admin/revocations".to_owned(), body).await.expect(200);
        }
        "everywhere" => {
            let out = rig.post("/logout").json(&json!({ "everywhere": true })).same_origin();
            browser.send(out).await.expect(204);
        }
        "password" => {
            let body = json!({ "password": PASSWORD });
            admin(Method::PUT, format!("/api/admin/users/{ADA}/password"), body).await;
        }
        "consent" => {
            let out = rig.request(Method::DELETE, "/api/account/consents/shop").same_origin();
            assert!(browser.send(out).await.status.is_success());
        }
        "code" => drop(shop.redeem(rig, code).await.refused(400, "code-reused")),
        "refresh" => {
            let old = tokens.text("refresh_token");
            let next = shop.refresh(rig, &old).await.expect(200).text("refresh_token");
            rig.advance(Duration::from_secs(60));
            shop.refresh(rig, &next).await.expect(200);
            shop.refresh(rig, &old).await.refused(400, "refresh-reused");
        }
        "disable" => {
            let path = format!("/api/admin/users/{ADA}/disable");
            assert!(admin(Method::POST, path, json!({})).await.status.is_success());
        }
        other => panic!("{other}"),
    }
}

// OAU-14: without a word of the operator nothing inside is called, by name or by address.
#[tokio::test]
async fn addresses_inside_are_not_called() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let ear = Ear::listen().await;
    let port = ear.uri.rsplit(':').next().unwrap();
    let mut browser = Browser::new(&rig);
    for (id, host) in [("a", "shop.localhost"), ("b", "127.0.0.1"), ("c", "[::1]"), ("d", "localhost")] {
        let client = client(&rig, id, &format!("http://{host}:{port}")).await;
        browser.tokens(&client, &[], ADA).await;
    }
    sign_out(&mut browser, &rig).await;
    assert_eq!(told(&rig).await, 4);
    assert!(ear.tokens().is_empty());
}

// Where a client takes logout tokens is its own matter, and can be taken back.
#[tokio::test]
async fn the_address_is_registered_changed_and_taken_back() {
    let rig = Rig::with(HERE).await;
    rig.register(ADA).await;
    let ear = Ear::listen().await;
    let shop = client(&rig, "shop", &ear.uri).await;
    let change = async |uri: &str| {
        rig.admin(Method::PUT, "/api/admin/clients/shop", &json!({ "backchannel_logout_uri": uri })).await
    };
    assert_eq!(
        change("https://shop.example/out").await.expect(200).text("backchannel_logout_uri"),
        "https://shop.example/out"
    );
    for bad in ["http://shop.example/out", "app:/out", "https://shop.example/out#x", "x"] {
        change(bad).await.refused(422, "invalid-value");
    }
    let mut browser = Browser::new(&rig);
    browser.tokens(&shop, &[], ADA).await;
    sign_out(&mut browser, &rig).await;
    assert_eq!(change("").await.expect(200).json()["backchannel_logout_uri"], Value::Null);
    assert_eq!(told(&rig).await, 1);
    rig.advance(Duration::from_hours(24));
    assert_eq!(told(&rig).await, 0, "nobody is left to tell");
}
