//! Keys that clients publish at addresses of their own (`jwks_uri`), and documents that registrations name: what the issuer asks, whom,
//! and how often (OAU-14, KEY-07).

use std::time::Duration;

use countersign_jose::{Algorithm, ClientAssertionClaims, RequestObjectClaims, SigningKey, profile, sign};
use http::Method;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Client, query},
    network::Documents,
    rig::{Answer, ISSUER, PASSWORD, Rig},
    support::postgres::Cluster,
    token::assertion::{TYPE, jwks},
};

const ADA: &str = "ada@example.com";
const HERE: &[(&str, &str)] =
    &[("outbound.allow", "127.0.0.1"), ("clients.registration", "token"), ("clients.scopes", "openid, email")];
const JSON: &str = "application/json";

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

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::ES256, kid).unwrap()
}

/// A service whose keys are there.
async fn service(rig: &Rig, id: &str, uri: &str) {
    let body = json!({
        "client_id": id, "jwks_uri": uri, "audiences": ["api"], "scopes": ["openid", "email"], "consent": "implied",
        "grants": ["client_credentials", "authorization_code"], "redirect_uris": [format!("https://{id}.example/cb")],
    });
    let added = rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).json();
    assert_eq!(
        (&added["jwks_uri"], &added["jwks"], &added["client_secret"]),
        (&json!(uri), &Value::Null, &Value::Null)
    );
}

/// A token for this client, if the key is one of its own.
async fn token(rig: &Rig, id: &str, key: &SigningKey) -> Answer {
    let claims = ClientAssertionClaims {
        iss: id.into(),
        sub: id.into(),
        aud: ISSUER.into(),
        jti: countersign_jose::b64::encode(rig.app.random.bytes::<16>().unwrap()),
        exp: rig.app.clock.now().secs() + 60,
        ..ClientAssertionClaims::default()
    };
    let assertion = sign::<profile::ClientAssertion>(key, &claims).unwrap();
    let form =
        [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", &*assertion)];
    rig.post("/token").form(&form).send().await
}

on_both! {
    // KEY-07: a rotation is seen at once; strangers make the issuer ask seldom, and change nothing.
    async fn a_client_changes_its_keys_by_itself(rig: Rig) {
        let documents = Documents::serve().await;
        let (first, second, third) = (key("a"), key("b"), key("c"));
        let uri = documents.put("/keys", JSON, &jwks(&first));
        service(&rig, "orders", &uri).await;
        for _ in 0..3 {
            token(&rig, "orders", &first).await.expect(200);
        }
        assert_eq!(documents.asked("/keys"), 1);
        documents.put("/keys", JSON, &jwks(&second));
        token(&rig, "orders", &second).await.expect(200);
        token(&rig, "orders", &first).await.refused(401, "invalid-client");
        for stranger in ["x", "y", "z"] {
            token(&rig, "orders", &key(stranger)).await.refused(401, "invalid-client");
        }
        // Another key of a name that is known is no question.
        token(&rig, "orders", &key("b")).await.refused(401, "invalid-client");
        assert_eq!(documents.asked("/keys"), 2);
        documents.put("/keys", JSON, &jwks(&third));
        token(&rig, "orders", &third).await.refused(401, "invalid-client");
        rig.advance(Duration::from_secs(30));
        token(&rig, "orders", &third).await.expect(200);
        assert_eq!(documents.asked("/keys"), 3);
    }

    // What a client withdrew is worth nothing after a while, also if its name is the same.
    async fn keys_are_not_used_for_ever(rig: Rig) {
        let documents = Documents::serve().await;
        let (old, new) = (key("k"), key("k"));
        let uri = documents.put("/keys", JSON, &jwks(&old));
        service(&rig, "orders", &uri).await;
        token(&rig, "orders", &old).await.expect(200);
        documents.put("/keys", JSON, &jwks(&new));
        rig.advance(Duration::from_secs(599));
        token(&rig, "orders", &old).await.expect(200);
        rig.advance(Duration::from_secs(1));
        token(&rig, "orders", &old).await.refused(401, "invalid-client");
        token(&rig, "orders", &new).await.expect(200);
        // A silent address is borne for an hour.
        documents.take("/keys");
        rig.advance(Duration::from_secs(3599));
        token(&rig, "orders", &new).await.expect(200);
        rig.advance(Duration::from_secs(30));
        token(&rig, "orders", &new).await.refused(401, "invalid-client");
    }

    // One question for however many wait for its answer.
    async fn nobody_asks_twice_at_once(rig: Rig) {
        let documents = Documents::serve().await;
        let mine = key("a");
        let uri = documents.put("/keys", JSON, &jwks(&mine));
        service(&rig, "orders", &uri).await;
        let asks = (0..16).map(|_| token(&rig, "orders", &mine));
        for answer in futures(asks).await {
            answer.expect(200);
        }
        assert_eq!(documents.asked("/keys"), 1);
    }

    // RFC 9101: what the same keys sign are requests, too. An administrator moves the client to other keys, and at once.
    async fn they_sign_requests_and_are_replaced(rig: Rig) {
        rig.register(ADA).await;
        let documents = Documents::serve().await;
        let mine = key("a");
        let uri = documents.put("/keys", JSON, &jwks(&mine));
        service(&rig, "bank", &uri).await;
        let client = Client { id: "bank".into(), secret: None, redirect: "https://bank.example/cb".into() };
        let object = |key: &SigningKey| {
            let pairs = form_urlencoded::parse(client.query(&[]).as_bytes()).into_owned().collect::<Vec<_>>();
            let extra = pairs.into_iter().filter(|(name, _)| name != "client_id");
            let claims = RequestObjectClaims {
                iss: "bank".into(),
                aud: ISSUER.into(),
                client_id: "bank".into(),
                exp: rig.app.clock.now().secs() + 300,
                extra: extra.map(|(name, value)| (name, json!(value))).collect(),
                ..RequestObjectClaims::default()
            };
            sign::<profile::RequestObject>(key, &claims).unwrap()
        };
        let path = |key: &SigningKey| client.url(&[("request", &object(key))]);
        let mut browser = Browser::new(&rig);
        let begun = browser.get(&path(&mine)).await.expect(303);
        let page = browser.follow(&begun).await.expect(200);
        let back = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
        assert!(query(&back).contains_key("code"));
        assert_eq!(query(&browser.get(&path(&key("a"))).await)["error"], "invalid_request_object");
        let next = key("a");
        let moved = documents.put("/moved", JSON, &jwks(&next));
        rig.admin(Method::PUT, "/api/admin/clients/bank", &json!({ "jwks_uri": moved })).await.expect(200);
        token(&rig, "bank", &mine).await.refused(401, "invalid-client");
        token(&rig, "bank", &next).await.expect(200);
        rig.admin(Method::PUT, "/api/admin/clients/bank", &json!({ "jwks": jwks(&mine) })).await.expect(200);
        token(&rig, "bank", &mine).await.expect(200);
        token(&rig, "bank", &next).await.refused(401, "invalid-client");
        assert_eq!((documents.asked("/keys"), documents.asked("/moved")), (1, 1));
        for both in [json!({ "jwks": jwks(&mine), "jwks_uri": moved }), json!({ "jwks_uri": "http://bank.example/k" })] {
            rig.admin(Method::PUT, "/api/admin/clients/bank", &both).await.refused(422, "invalid-value");
        }
    }
}

/// All at once.
async fn futures<F: Future<Output = Answer>>(asks: impl Iterator<Item = F>) -> Vec<Answer> {
    let mut waiting: Vec<_> = asks.map(Box::pin).collect();
    let mut answers = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|ask| match ask.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}

// OAU-14: what a client publishes is data, from where it said, and little of it.
#[tokio::test]
async fn what_is_no_set_of_keys_is_none() {
    let rig = Rig::with(HERE).await;
    let documents = Documents::serve().await;
    let mine = key("a");
    let set = jwks(&mine);
    let good = documents.put("/good", JSON, &set);
    documents.redirect("/moved", &good);
    documents.put("/page", "text/html", &set);
    documents.put("/text", "text/plain", &set);
    documents.put("/garbage", JSON, &"{");
    documents.put("/empty", JSON, &json!({ "keys": [] }));
    let secret = json!({ "keys": [{ "kty": "oct", "kid": "a", "alg": "HS256", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }] });
    documents.put("/secret", JSON, &secret);
    documents.put("/long", JSON, &format!("{}{set}", " ".repeat(256 * 1024)));
    for (number, path) in
        ["/moved", "/page", "/text", "/garbage", "/empty", "/secret", "/long", "/nothing"].into_iter().enumerate()
    {
        let id = format!("client-{number}");
        service(&rig, &id, &format!("{}{path}", documents.origin)).await;
        for _ in 0..2 {
            let refused = token(&rig, &id, &mine).await.refused(401, "invalid-client");
            assert!(!refused.body.contains("127.0.0.1"), "{}", refused.body);
        }
        assert_eq!(documents.asked(path), 1, "{path}: in vain, and not again at once");
    }
    assert_eq!(documents.asked("/good"), 0, "no redirect is followed");
}

// OAU-14: a registration reaches nothing that its owner could not reach, and hears nothing of what is there.
#[tokio::test]
async fn nobody_looks_around_inside_through_the_issuer() {
    let rig = Rig::with(&HERE[1..]).await;
    let documents = Documents::serve().await;
    let mine = key("a");
    let inside = documents.put("/inside", JSON, &jwks(&mine));
    documents.put("/sector", JSON, &json!(["https://app.example/cb"]));
    service(&rig, "orders", &inside).await;
    token(&rig, "orders", &mine).await.refused(401, "invalid-client");
    let ticket = rig.admin(Method::POST, "/api/admin/registration-tokens", &json!({ "uses": 9 })).await.text("token");
    let mut heard = Vec::new();
    let sectors = [
        format!("{}/sector", documents.origin),
        format!("{}/nothing", documents.origin),
        "http://127.0.0.1:1/".to_owned(),
        "https://10.0.0.1/sector".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::1]/sector".to_owned(),
        "https://[::ffff:a00:1]/sector".to_owned(),
    ];
    for sector in sectors {
        let body = json!({
            "redirect_uris": ["https://app.example/cb"], "subject_type": "pairwise", "sector_identifier_uri": sector,
        });
        let refused = rig.post("/clients").bearer(&ticket).json(&body).send().await;
        heard.push(refused.refused(400, "registration-invalid").text("error_description"));
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!((documents.asked("/inside"), documents.asked("/sector")), (0, 0));
    // Whoever has no ticket makes the issuer ask nobody, wherever it may call.
    let open = Rig::with(HERE).await;
    let body = json!({
        "redirect_uris": ["https://app.example/cb"], "sector_identifier_uri": format!("{}/sector", documents.origin),
    });
    open.post("/clients").bearer("cit_AAAA").json(&body).send().await.refused(401, "token-invalid");
    assert_eq!(documents.asked("/sector"), 0);
}

// OAU-14: who has a registration makes the issuer call somebody no faster than anybody may sign in.
#[tokio::test]
async fn a_registration_is_no_engine() {
    let mut settings = HERE.to_vec();
    settings.push(("limits.address_per_minute", "3"));
    let rig = Rig::with(&settings).await;
    let documents = Documents::serve().await;
    let sector = documents.put("/sector", JSON, &json!(["https://app.example/cb"]));
    let ticket = rig.admin(Method::POST, "/api/admin/registration-tokens", &json!({})).await.expect(201).text("token");
    let body = json!({
        "redirect_uris": ["https://app.example/cb"], "subject_type": "pairwise", "sector_identifier_uri": sector,
    });
    let registered = rig.post("/clients").bearer(&ticket).json(&body).send().await.expect(201);
    let (id, token) = (registered.text("client_id"), registered.text("registration_access_token"));
    let mut change = body;
    change["client_id"] = json!(id);
    let mut good = 0;
    for _ in 0..9 {
        let answer = rig.request(Method::PUT, &format!("/clients/{id}")).bearer(&token).json(&change).send().await;
        assert!([200, 429].contains(&answer.status.as_u16()), "{}", answer.body);
        good += usize::from(answer.status == 200);
    }
    assert_eq!((documents.asked("/sector"), good < 9), (good + 1, true));
}
