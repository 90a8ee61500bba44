//! Who may read the feed.

use base64_simd::STANDARD;
use http::Method;
use serde_json::json;

use super::follower::{FEED, running};
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
