//! The feed's keys change, its readers notice nothing.

use http::Method;
use serde_json::json;

use super::follower::{Events, FEED, Follower, logged, revoke, running};
use crate::{both, rig::Rig};

both! {
    async fn a_rotation_of_the_feed_keys_interrupts_nobody(rig: Rig) {
        // KEY-02, KEY-09
        let _running = running(&rig).await;
        let tokens = rig.get("/.well-known/jwks.json").send().await.expect(200).body;
        let mut stream = Events::open(&rig, 0).await;
        let mut follower = Follower::default();
        let body = json!({ "purpose": "feed", "now": true });
        let mut last = 0;
        for round in 0..3 {
            for n in 0..5 {
                last = revoke(&rig.app, &[format!("s{round}.{n}")]).await;
            }
            rig.admin(Method::POST, "/api/admin/keys/rotate", &body).await.expect(200);
        }
        let newest = rig.app.ring.snapshot().feed_signer().unwrap().kid().to_owned();
        while follower.head < last || follower.kids.last() != Some(&newest) {
            let line = stream.line().await;
            follower.take(&rig, &line).await;
        }
        assert_eq!((follower.positions(), follower.gaps), (logged(&rig.app).await, 0));
        assert_eq!(rig.get("/.well-known/jwks.json").send().await.expect(200).body, tokens, "the other set stays");

        // Before long the old lines are signed by the new key: the old one can be removed.
        loop {
            let mut fresh = Follower::default();
            fresh.take_all(&rig, &rig.get(FEED).send().await.expect(200).body).await;
            assert_eq!((&fresh.entries, fresh.gaps), (&follower.entries, 0));
            if fresh.kids.iter().all(|kid| *kid == newest) {
                return;
            }
            stream.line().await;
        }
    }
}

#[tokio::test]
async fn an_order_names_a_purpose_that_exists() {
    let rig = Rig::sqlite().await;
    for body in [json!({ "purpose": "refresh" }), json!({ "purpose": "feed", "alg": "RS256" })] {
        rig.admin(Method::POST, "/api/admin/keys/rotate", &body).await.refused(422, "invalid-value");
    }
    let body = json!({ "purpose": "feed", "alg": "ES256" });
    let keys = rig.admin(Method::POST, "/api/admin/keys/rotate", &body).await.expect(200).json();
    let feed = keys["items"].as_array().unwrap().iter().filter(|key| key["purpose"] == "feed");
    let mut states: Vec<_> = feed.map(|key| key["state"].as_str().unwrap()).collect();
    states.sort_unstable();
    assert_eq!(states, ["active", "published"]);
}
