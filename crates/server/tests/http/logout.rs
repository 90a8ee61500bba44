//! `POST /logout`

use std::time::Duration;

use serde_json::json;

use crate::{both, rig::Tokens};

both! {
    async fn each_thing_that_somebody_holds_ends_the_sign_in(rig: Rig) {
        let first = rig.user("ada@example.com").await;
        let log_in = async || Tokens::of(&rig.login("ada@example.com").await.expect(200));

        // A refresh token, even of an older generation (RLO-05).
        let newer = Tokens::of(&rig.refresh(&first.refresh).await.expect(200));
        rig.post("/logout").json(&json!({ "refresh_token": first.refresh })).send().await.expect(204);
        rig.refresh(&newer.refresh).await.refused(400, "refresh-revoked");
        rig.session(&newer.access).await.refused(401, "token-invalid");

        // An access token, even an expired one.
        let second = log_in().await;
        rig.advance(Duration::from_hours(2));
        rig.session(&second.access).await.refused(401, "token-invalid");
        rig.post("/logout").json(&json!({})).bearer(&second.access).send().await.expect(204);
        rig.refresh(&second.refresh).await.refused(400, "refresh-revoked");

        // What is over already is over.
        rig.post("/logout").json(&json!({ "refresh_token": second.refresh })).send().await.expect(204);

        // Another sign-in of the same person lives on, unless everything ends.
        let (here, there) = (log_in().await, log_in().await);
        rig.post("/logout").json(&json!({ "refresh_token": here.refresh })).send().await.expect(204);
        let there = Tokens::of(&rig.refresh(&there.refresh).await.expect(200));
        let last = log_in().await;
        let everything = json!({ "refresh_token": last.refresh, "everywhere": true });
        rig.post("/logout").json(&everything).send().await.expect(204);
        rig.refresh(&there.refresh).await.refused(400, "refresh-revoked");
        rig.session(&there.access).await.refused(401, "token-invalid");

        // Who signs in afterwards, in the same second even, is not touched (invariant I6); nor can the old token do more.
        let fresh = log_in().await;
        rig.post("/logout").json(&everything).send().await.expect(204);
        rig.session(&fresh.access).await.expect(200);
    }

    async fn what_was_not_made_here_ends_nothing(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let forged = format!("{}AAAA", &user.refresh[..user.refresh.len() - 4]);
        rig.post("/logout").json(&json!({ "refresh_token": forged })).send().await.refused(400, "refresh-invalid");
        rig.post("/logout").json(&json!({})).send().await.refused(401, "token-missing");
        rig.post("/logout").json(&json!({})).bearer("x.y.z").send().await.refused(401, "token-invalid");
        rig.session(&user.access).await.expect(200);
    }
}
