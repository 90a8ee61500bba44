//! `POST /password/change`

mod forgot;
mod reset;

use serde_json::json;

use crate::{both, rig::PASSWORD};

const NEW: &str = "seven green parrots sang";

both! {
    // LOG-06: a stolen access token guesses no more passwords than a sign-in would.
    async fn guesses_at_the_current_password_are_limited(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let guess = |n: u32| {
            let body = json!({ "current_password": format!("a wrong guess, number {n}"), "new_password": NEW });
            rig.post("/password/change").json(&body).bearer(&user.access).send()
        };
        for n in 0..5 {
            guess(n).await.refused(401, "invalid-credentials");
        }
        let limited = guess(5).await.refused(429, "too-many-attempts");
        assert_eq!(limited.headers["retry-after"], "1");
    }

    // LOG-04, REF-11
    async fn a_change_needs_the_old_one_and_ends_everything(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let change = |current: &str, new: &str| {
            rig.post("/password/change").json(&json!({ "current_password": current, "new_password": new })).bearer(&user.access).send()
        };
        change("wrong horse battery staple", NEW).await.refused(401, "invalid-credentials");
        change(PASSWORD, "short").await.refused(422, "password-too-short");
        change(PASSWORD, "ada@example.com ada").await.refused(422, "password-common");
        rig.session(&user.access).await.expect(200);
        change(PASSWORD, NEW).await.expect(204);
        rig.session(&user.access).await.refused(401, "token-invalid");
        rig.refresh(&user.refresh).await.refused(400, "refresh-revoked");
        rig.login("ada@example.com").await.refused(401, "invalid-credentials");
        let body = json!({ "email": "ada@example.com", "password": NEW });
        rig.post("/login").json(&body).send().await.expect(200);
    }
}
