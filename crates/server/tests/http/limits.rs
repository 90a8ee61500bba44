//! Limits (NET-06, NET-07) and ambiguous requests (NET-05).

use countersign_server::http::context::Peer;
use http::{Method, Request};
use serde_json::json;

use crate::rig::{PASSWORD, Rig};

// NET-06
#[tokio::test]
async fn one_address_cannot_try_for_ever() {
    let rig = Rig::with(&[("limits.address_per_minute", "3")]).await;
    let attempt = |address: &'static str, n: u32| {
        let body = json!({ "email": format!("user{n}@example.com"), "password": PASSWORD });
        rig.post("/login").json(&body).from(address).send()
    };
    for n in 0..3 {
        attempt("203.0.113.9", n).await.refused(401, "invalid-credentials");
    }
    let limited = attempt("203.0.113.9", 9).await.refused(429, "too-many-attempts");
    assert!(limited.headers.contains_key("retry-after"));
    attempt("203.0.113.10", 10).await.refused(401, "invalid-credentials");
    // Refreshing and verifying go on (NET-07).
    rig.get("/.well-known/jwks.json").from("203.0.113.9").send().await.expect(200);
}

// NET-06: an office of many people behind one address signs in all morning.
#[tokio::test]
async fn good_sign_ins_do_not_count_against_their_address() {
    let rig = Rig::with(&[("limits.address_per_minute", "3")]).await;
    rig.register("ada@example.com").await;
    for _ in 0..10 {
        rig.login("ada@example.com").await.expect(200);
    }
}

// LOG-08: a full queue is an answer, and nothing else suffers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_hash_queue_answers_503_and_other_routes_go_on() {
    let rig = Rig::with(&[("password.queue", "1"), ("password.workers", "1"), ("password.iterations", "4")]).await;
    rig.register("ada@example.com").await;
    let user = rig.login("ada@example.com").await.expect(200).text("refresh_token");
    let mut storm = tokio::task::JoinSet::new();
    for n in 0..30 {
        let body = json!({ "email": format!("user{n}@example.com"), "password": PASSWORD });
        storm.spawn(rig.post("/login").json(&body).send());
    }
    rig.refresh(&user).await.expect(200);
    let answers = storm.join_all().await;
    let busy: Vec<_> = answers.iter().filter(|answer| answer.status.as_u16() == 503).collect();
    assert!(!busy.is_empty());
    for answer in busy {
        assert_eq!(answer.code(), "overloaded");
        assert!(answer.headers.contains_key("retry-after"));
    }
    rig.login("ada@example.com").await.expect(200);
}

// NET-05
#[tokio::test]
async fn requests_that_two_parsers_could_read_differently_are_refused() {
    let rig = Rig::sqlite().await;
    for path in ["/healthz", "/.well-known/jwks.json"] {
        rig.get(path).header("host", "evil.example").send().await.refused(400, "malformed-form");
        let absolute = format!("http://evil.example{path}");
        rig.request(Method::GET, &absolute).send().await.refused(400, "malformed-form");
        let without = Request::get(path).body(axum::body::Body::empty()).unwrap();
        assert_eq!(rig.front.answer(without, Peer::Local, None).await.status().as_u16(), 400);
    }
}
