//! Who may read the feed.

use base64_simd::STANDARD;
use http::Method;
use serde_json::json;

use super::follower::{Event, Events, FEED, running};
use crate::rig::{Ask, Rig};

fn basic(ask: Ask, id: &str, secret: &str) -> Ask {
    ask.header("authorization", &format!("Basic {}", STANDARD.encode_to_string(format!("{id}:{secret}"))))
}

#[tokio::test]
async fn on_loopback_it_is_open_elsewhere_a_client_reads() {
    let open = Rig::sqlite().await;
    let _running = running(&open).await;
    open.get(FEED).send().await.expect(200);
    for settings in
        [&[("issuer", "https://id.example")][..], &[("listen", "0.0.0.0:8080")], &[("feed.access", "client")]]
    {
        let rig = Rig::with(settings).await;
        let _running = running(&rig).await;
        let refused = rig.get(FEED).send().await.refused(401, "invalid-client");
        assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"), "{settings:?}");
        rig.get("/revocations/0/jwks.json").send().await.expect(200);
        rig.get(FEED).local().send().await.expect(200);
    }
    let open = Rig::with(&[("issuer", "https://id.example"), ("feed.access", "open")]).await;
    let _running = running(&open).await;
    open.get(FEED).send().await.expect(200);
}

#[tokio::test]
async fn a_client_proves_itself_by_its_secret() {
    // OAU-08, TOK-26
    let rig = Rig::with(&[("feed.access", "client")]).await;
    let _running = running(&rig).await;
    let body =
        json!({ "client_id": "orders", "name": "Orders", "grants": ["client_credentials"], "audiences": ["api"] });
    let secret = rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).text("client_secret");
    basic(rig.get(FEED), "orders", &secret).send().await.expect(200);
    basic(rig.get(&format!("{FEED}/time?n=AAAAAAAAAAAAAAAAAAAAAA")), "orders", &secret).send().await.expect(200);
    for (id, secret) in
        [("orders", "wrong"), ("orders", ""), ("nobody", secret.as_str()), ("first-party", ""), ("first-party", "x")]
    {
        basic(rig.get(FEED), id, secret).send().await.refused(401, "invalid-client");
    }
    basic(rig.get(FEED), "orders", &secret).bearer("x").send().await.refused(401, "invalid-client");
    rig.admin(Method::DELETE, "/api/admin/clients/orders", &json!({})).await;
    basic(rig.get(FEED), "orders", &secret).send().await.refused(401, "invalid-client");
}

/// A stream that this client opens with its secret.
async fn stream(rig: &Rig, id: &str, secret: &str) -> Events {
    Events::of(basic(rig.get(FEED), id, secret)).await
}

// A client that may not read any more does not read on, not even on a stream that was open before.
#[tokio::test]
async fn a_stream_ends_with_its_client() {
    let rig = Rig::with(&[("feed.access", "client")]).await;
    let _running = running(&rig).await;
    let mut secrets = Vec::new();
    for id in ["orders", "stock", "bills"] {
        let body = json!({ "client_id": id, "name": id, "grants": ["client_credentials"], "audiences": ["api"] });
        secrets.push(rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).text("client_secret"));
    }
    let mut disabled = stream(&rig, "orders", &secrets[0]).await;
    let mut removed = stream(&rig, "stock", &secrets[1]).await;
    let mut other = stream(&rig, "bills", &secrets[2]).await;
    rig.admin(Method::POST, "/api/admin/clients/orders/disable", &json!({})).await.expect(200);
    rig.admin(Method::DELETE, "/api/admin/clients/stock", &json!({})).await.expect(204);
    for (stream, id, secret) in [(&mut disabled, "orders", &secrets[0]), (&mut removed, "stock", &secrets[1])] {
        let mut last = Event::default();
        while let Some(event) = stream.next().await {
            last = event;
        }
        assert_eq!((last.name.as_str(), last.data.as_str()), ("end", "renew"), "{id}");
        basic(rig.get(FEED), id, secret).send().await.refused(401, "invalid-client");
    }
    // Whoever is let in again after that is not sent away by what ended before.
    rig.admin(Method::POST, "/api/admin/clients/orders/enable", &json!({})).await.expect(200);
    let mut enabled = stream(&rig, "orders", &secrets[0]).await;
    for _ in 0..3 {
        enabled.line().await;
        other.line().await;
    }
}

#[tokio::test]
async fn there_is_one_stream_and_few_parameters() {
    let rig = Rig::sqlite().await;
    rig.get(FEED).send().await.refused(503, "unavailable");
    let _running = running(&rig).await;
    for path in ["/revocations/1", "/revocations/00", "/revocations/1/jwks.json"] {
        rig.get(path).send().await.refused(404, "not-found");
    }
    for query in ["after=x", "after=-1", "wait_ms=-1", "since=1", "after=1&after=1"] {
        rig.get(&format!("{FEED}?{query}")).send().await.refused(400, "malformed-form");
    }
    rig.get(FEED).header("last-event-id", "x").send().await.refused(400, "malformed-form");
}
