//! `/api/admin/floor`: everybody's tokens end, in steps; nobody is signed out.

use std::time::Duration;

use countersign_server::{
    domain::{floor::Rise, rsn::Rsn},
    store::revocations,
};
use http::Method;
use serde_json::{Value, json};

use crate::{both, rig::Rig};

async fn raise(rig: &Rig, over: u64) -> Value {
    rig.admin(Method::POST, "/api/admin/floor", &json!({ "over": over })).await.expect(200).json()
}

async fn shown(rig: &Rig) -> Value {
    rig.admin(Method::GET, "/api/admin/floor", &json!({})).await.expect(200).json()
}

/// What the feed says of the floor, and what it should.
async fn told(rig: &Rig) -> (Rsn, Rsn) {
    let now = rig.app.steady_now();
    let read = rig.app.store.read(move |tx| {
        Box::pin(async move {
            let head = revocations::head(tx).await?;
            let page = revocations::feed_page(tx, now, head.rsn, 1).await?;
            Ok((page.floor, head.floor_at(page.t)))
        })
    });
    read.await.unwrap()
}

both! {
    async fn at_once_every_token_ends_and_no_session(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        rig.session(&user.access).await.expect(200);
        let raised = raise(&rig, 0).await;
        assert_eq!((&raised["floor"], &raised["until"]), (&raised["head"], &Value::Null), "{raised}");
        assert!(raised["effective_by"]["strict"].is_string());
        rig.session(&user.access).await.refused(401, "token-invalid");
        let fresh = rig.refresh(&user.refresh).await.expect(200).text("access_token");
        rig.session(&fresh).await.expect(200);
        let (feed, head) = told(&rig).await;
        assert_eq!((feed, feed.get()), (head, raised["floor"].as_i64().unwrap()));
        assert_eq!(shown(&rig).await["floor"], raised["floor"]);
    }

    async fn a_rise_is_the_same_for_all_and_holds_what_it_promised(rig: Rig) {
        rig.user("ada@example.com").await;
        let first = raise(&rig, 600).await;
        assert!(first["until"].is_string() && first["goal"] == first["head"], "{first}");
        assert!(first["floor"].as_i64() < first["goal"].as_i64());
        rig.admin(Method::POST, "/api/admin/floor", &json!({ "over": 700 })).await.refused(409, "conflict");
        rig.admin(Method::POST, "/api/admin/floor", &json!({ "over": 3601 })).await.refused(422, "invalid-value");
        let (feed, head) = told(&rig).await;
        assert_eq!(feed, head);
        // Sooner is always allowed, and at once as well.
        raise(&rig, 300).await;
        let last = raise(&rig, 0).await;
        assert_eq!(last["floor"], last["goal"]);
        assert!(last["goal"].as_i64() > first["goal"].as_i64());
        assert_eq!(told(&rig).await.0.get(), last["goal"].as_i64().unwrap());
    }
}

#[tokio::test]
async fn older_tokens_end_earlier() {
    let rig = Rig::sqlite().await;
    let old = rig.user("ada@example.com").await;
    // The log goes on, as it does by itself every ten seconds.
    rig.advance(Duration::from_mins(5));
    raise(&rig, 0).await;
    let old = (rig.refresh(&old.refresh).await.expect(200).text("access_token"), old);
    rig.advance(Duration::from_mins(4));
    let follow = rig.app.clock.now();
    let write = rig
        .app
        .store
        .write(move |tx| Box::pin(revocations::floor::follow(tx, follow, Duration::from_secs(10), Rsn::default())));
    write.await.unwrap();
    let young = rig.user("bob@example.com").await;

    // Four minutes of positions in one of time: half of them after half of it.
    let raised = raise(&rig, 60).await;
    rig.session(&old.0).await.expect(200);
    rig.advance(Duration::from_secs(30));
    assert_ne!(shown(&rig).await["until"], Value::Null);
    rig.session(&old.0).await.refused(401, "token-invalid");
    rig.session(&young.access).await.expect(200);
    rig.advance(Duration::from_secs(30));
    let at_last = shown(&rig).await;
    assert_eq!((&at_last["floor"], &at_last["until"]), (&raised["goal"], &Value::Null));
    rig.session(&young.access).await.refused(401, "token-invalid");
    let fresh = rig.refresh(&young.refresh).await.expect(200).text("access_token");
    rig.session(&fresh).await.expect(200);
}

// A rise goes on over a restart: it is a function of the log's time.
#[tokio::test]
async fn a_restart_forgets_no_rise() {
    let rig = Rig::sqlite().await;
    let raised = raise(&rig, 60).await;
    rig.advance(Duration::from_secs(30));
    let half = told(&rig).await.0;
    let rig = rig.restart().await;
    assert_eq!(told(&rig).await.0, half);
    rig.advance(Duration::from_secs(30));
    assert_eq!(told(&rig).await.0.get(), raised["goal"].as_i64().unwrap());
    assert_eq!(Rise::default().at(rig.app.clock.now()), Rsn::default());
}
