//! `POST /login`

mod mfa;

use std::time::Duration;

use serde_json::json;

use crate::{
    both,
    rig::{PASSWORD, Rig},
};

both! {
    async fn a_right_password_gets_tokens_that_work(rig: Rig) {
        rig.register("ada@example.com").await;
        let answer = rig.login("Ada@Example.com").await.expect(200);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!((answer.text("token_type").as_str(), answer.json()["expires_in"].as_i64()), ("Bearer", Some(600)));
        let session = rig.session(&answer.text("access_token")).await.expect(200);
        assert_eq!((session.text("email"), session.text("sid")), ("ada@example.com".to_owned(), answer.text("sid")));
    }

    // LOG-05: unknown, wrong and disabled are one answer.
    async fn every_refusal_is_the_same(rig: Rig) {
        rig.register("ada@example.com").await;
        rig.register("off@example.com").await;
        rig.admin(http::Method::POST, "/api/admin/users/off@example.com/disable", &json!({})).await.expect(200);
        let wrong = json!({ "email": "ada@example.com", "password": "wrong horse battery staple" });
        let unknown = json!({ "email": "nobody@example.com", "password": PASSWORD });
        let disabled = json!({ "email": "off@example.com", "password": PASSWORD });
        let mut bodies = Vec::new();
        for body in [wrong, unknown, disabled] {
            let mut answer = rig.post("/login").json(&body).send().await.refused(401, "invalid-credentials").json();
            answer["request_id"] = json!("");
            bodies.push(answer);
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    }

    // LOG-06, LOG-07: delays grow, unknown accounts behave alike, a success ends them.
    async fn failures_delay_the_account(rig: Rig) {
        rig.register("ada@example.com").await;
        for email in ["ada@example.com", "nobody@example.com"] {
            let wrong = json!({ "email": email, "password": "wrong horse battery staple" });
            for _ in 0..5 {
                rig.post("/login").json(&wrong).send().await.refused(401, "invalid-credentials");
            }
            let locked = rig.post("/login").json(&wrong).send().await.refused(429, "too-many-attempts");
            assert_eq!(locked.headers["retry-after"], "1");
        }
        rig.login("ada@example.com").await.refused(429, "too-many-attempts");
        rig.advance(Duration::from_secs(1));
        rig.login("ada@example.com").await.expect(200);
        rig.login("ada@example.com").await.expect(200);
    }

    // CSR-01, CSR-03, CSR-06: the cookie transport.
    async fn a_browser_gets_two_cookies_and_no_token(rig: Rig) {
        rig.register("ada@example.com").await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "transport": "cookie" });
        rig.post("/login").json(&body).send().await.refused(403, "cross-site");
        rig.post("/login").json(&body).header("origin", "https://evil.example").send().await.refused(403, "cross-site");
        let first = rig.post("/login").json(&body).same_origin().send().await.expect(200);
        assert!(!first.body.contains("eyJ") && !first.body.contains("rt1."), "{}", first.body);
        let (signin, access) = (first.cookie("signin").unwrap(), first.cookie("access").unwrap());
        for cookie in first.cookies() {
            assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("; Path=/;"), "{cookie}");
        }
        rig.session(&access).await.expect(200);
        rig.get("/session").cookie("signin", &signin).send().await.expect(200);

        // A new access cookie, without a refresh token.
        let renew = |origin: bool| {
            let ask = rig.post("/token").form(&[("grant_type", "refresh_token")]).cookie("signin", &signin);
            if origin { ask.same_origin() } else { ask }
        };
        renew(false).send().await.refused(400, "cross-site");
        let renewed = renew(true).send().await.expect(200);
        assert!(renewed.cookie("access").is_some() && renewed.cookie("signin").is_none());
        rig.session(&renewed.cookie("access").unwrap()).await.expect(200);

        // Two cookies of one name: refused, and both cleared.
        let twice = rig.get("/session").header("cookie", &format!("signin={signin}; signin=x")).send().await;
        let twice = twice.refused(400, "duplicate-cookie");
        assert_eq!(twice.cookies().len(), 2);

        // Signing in again gives another id, and the one before is dead with its session.
        let second = rig.post("/login").json(&body).cookie("signin", &signin).same_origin().send().await.expect(200);
        assert_ne!(second.cookie("signin").unwrap(), signin);
        rig.get("/session").cookie("signin", &signin).send().await.refused(401, "token-invalid");
        rig.session(&access).await.refused(401, "token-invalid");

        // Signing out ends it and clears what lies in the browser.
        let signin = second.cookie("signin").unwrap();
        let out = rig.post("/logout").json(&json!({})).cookie("signin", &signin).same_origin().send().await.expect(204);
        assert_eq!(out.headers["clear-site-data"], "\"cache\", \"storage\"");
        rig.get("/session").cookie("signin", &signin).send().await.refused(401, "token-invalid");
    }
}

both! {
    // AUD-01, LOG-06: one event for each delay, however often somebody tries, and one for the success after all.
    async fn a_lock_and_the_success_after_it_are_told_once(rig: Rig) {
        rig.register("ada@example.com").await;
        let wrong = json!({ "email": "ada@example.com", "password": "wrong horse battery staple" });
        for _ in 0..5 {
            rig.post("/login").json(&wrong).send().await.refused(401, "invalid-credentials");
        }
        for _ in 0..4 {
            rig.login("ada@example.com").await.refused(429, "too-many-attempts");
        }
        rig.advance(Duration::from_secs(2));
        rig.login("ada@example.com").await.expect(200);
        rig.login("ada@example.com").await.expect(200);
        let page = rig.admin(http::Method::GET, "/api/admin/audit?user=ada@example.com", &json!({})).await.json();
        let events = page["items"].as_array().unwrap();
        let told = |name: &str| {
            let of_name = events.iter().filter(|event| event["event"] == name);
            of_name.map(|event| event["detail"]["failures"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(told("authn_login_lock"), [json!(5)]);
        assert_eq!(told("authn_login_successafterfail"), [json!(5)]);
        assert_eq!(told("authn_login_success").len(), 1);
    }
}

// LOG-06: whoever keeps failing at an account slows down strangers, not a browser that has signed in before.
#[tokio::test]
async fn a_known_device_is_counted_apart() {
    let rig = Rig::sqlite().await;
    rig.register("ada@example.com").await;
    rig.register("bob@example.com").await;
    let right = json!({ "email": "ada@example.com", "password": PASSWORD, "transport": "cookie" });
    let wrong = json!({ "email": "ada@example.com", "password": "wrong horse battery staple" });
    let device = rig.post("/login").json(&right).same_origin().send().await.expect(200).cookie("device").unwrap();
    for _ in 0..5 {
        rig.post("/login").json(&wrong).send().await.refused(401, "invalid-credentials");
    }
    let known = |body: &serde_json::Value| rig.post("/login").json(body).cookie("device", &device).same_origin().send();
    rig.post("/login").json(&right).same_origin().send().await.refused(429, "too-many-attempts");
    rig.post("/login")
        .json(&right)
        .cookie("device", "AAAA")
        .same_origin()
        .send()
        .await
        .refused(429, "too-many-attempts");
    let again = known(&right).await.expect(200).cookie("device").unwrap();
    assert_ne!(again, device);
    // It has limits of its own, and is of no use at another account.
    for _ in 0..5 {
        known(&wrong).await.refused(401, "invalid-credentials");
    }
    known(&right).await.refused(429, "too-many-attempts");
    let others = json!({ "email": "bob@example.com", "password": "wrong horse battery staple" });
    for _ in 0..5 {
        known(&others).await.refused(401, "invalid-credentials");
    }
    rig.login("bob@example.com").await.refused(429, "too-many-attempts");
}

#[tokio::test]
async fn what_a_client_may_not_have_is_refused_before_the_password_counts() {
    let rig = Rig::sqlite().await;
    rig.register("ada@example.com").await;
    let login = |extra: serde_json::Value| {
        let mut body = json!({ "email": "ada@example.com", "password": PASSWORD });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        rig.post("/login").json(&body).send()
    };
    login(json!({ "client_id": "nobody" })).await.refused(401, "invalid-client");
    login(json!({ "resource": "elsewhere" })).await.refused(400, "invalid-target");
    login(json!({ "scope": "everything" })).await.refused(400, "invalid-scope");
    login(json!({ "surprise": 1 })).await.refused(400, "malformed-json");
}

// CSR-01: a browser drops a cookie of more than 4096 bytes without a word.
#[tokio::test]
async fn a_token_that_is_too_long_for_a_cookie_is_refused() {
    let rig = Rig::sqlite().await;
    rig.register("ada@example.com").await;
    let post = |path: &'static str, body: serde_json::Value| {
        let rig = &rig;
        async move { rig.admin(http::Method::POST, path, &body).await.expect(201) }
    };
    let app = |id: &str, audience: &str, alg: Option<&str>| json!({ "client_id": id, "public": true, "grants": ["first_party", "refresh_token"], "audiences": [audience], "alg": alg });
    let long = post("/api/admin/audiences", json!({ "audience": "vault", "alg": "ML-DSA-65" })).await;
    assert_eq!(long.json()["transports"], json!(["bearer"]));
    let short = post("/api/admin/audiences", json!({ "audience": "orders", "alg": "ML-DSA-44" })).await;
    assert_eq!(short.json()["transports"], json!(["bearer", "cookie"]));
    let mapped = post("/api/admin/audiences", json!({ "audience": "wordy", "claims": { "bio": "bio" } })).await;
    assert_eq!(mapped.json()["transports"], json!(["bearer", "cookie"]));
    for (id, audience, alg) in
        [("a", "vault", None), ("b", "orders", None), ("c", "orders", Some("ML-DSA-87")), ("d", "wordy", None)]
    {
        post("/api/admin/clients", app(id, audience, alg)).await;
    }
    let attributes = json!({ "attributes": { "bio": "b".repeat(3_500) } });
    rig.admin(http::Method::PUT, "/api/admin/users/ada@example.com/attributes", &attributes).await.expect(200);
    let login = |client: &str, transport: &str, password: &str| {
        let body =
            json!({ "email": "ada@example.com", "password": password, "client_id": client, "transport": transport });
        rig.post("/login").json(&body).same_origin().send()
    };
    for client in ["a", "c"] {
        // Before the password is looked at: it is the set-up that is wrong.
        login(client, "cookie", "wrong horse battery staple").await.refused(400, "cookie-too-long");
        login(client, "bearer", PASSWORD).await.expect(200);
    }
    let cookie = login("b", "cookie", PASSWORD).await.expect(200).cookie("access").unwrap();
    assert!(cookie.len() + "__Host-access".len() <= 4096, "{}", cookie.len());
    login("d", "cookie", PASSWORD).await.refused(400, "cookie-too-long");
    login("d", "bearer", PASSWORD).await.expect(200);
}
