//! `POST /token`

pub mod assertion;
mod code;
mod exchange;
mod opaque;

use std::{collections::BTreeSet, time::Duration};

use countersign_jose::{Algorithm, JwkSet, Verifier, VerifyingKey, profile::AccessToken};
use http::Method;
use serde_json::json;

use crate::{
    both,
    rig::{ISSUER, Rig, Tokens},
};

/// Adds a confidential client and returns its secret.
async fn client(rig: &Rig, body: serde_json::Value) -> String {
    rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).text("client_secret")
}

async fn service(rig: &Rig) -> String {
    let body = json!({ "client_id": "orders", "grants": ["client_credentials"], "audiences": ["api"],
        "scopes": ["stock:read", "stock:reserve"], "roles": ["service"] });
    client(rig, body).await
}

both! {
    // TOK-16: what a service checks by itself, with nothing but the public keys.
    async fn an_access_token_verifies_offline_with_the_published_keys(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let jwks = JwkSet::parse(rig.get("/.well-known/jwks.json").send().await.body.as_bytes()).unwrap();
        let keys = jwks.keys.iter().map(|jwk| VerifyingKey::from_jwk(jwk).unwrap());
        let verifier = Verifier::<AccessToken>::builder().issuer(ISSUER).audience("api").keys(keys).build();
        let claims = verifier.verify(&user.access, rig.app.clock.now().secs()).unwrap();
        assert_eq!((claims.client_id.as_str(), claims.sid.as_deref()), ("first-party", Some(user.sid.as_str())));
        assert!(claims.rsn.is_some() && claims.sub.starts_with("usr_"));
        assert_eq!((claims.exp - claims.iat, claims.amr.as_slice()), (600, &["pwd".to_owned()][..]));
    }

    // REF-04, REF-05, REF-06, REF-07 over HTTP.
    async fn rotation_shares_with_a_retry_and_ends_at_reuse(rig: Rig) {
        let first = rig.user("ada@example.com").await;
        let second = Tokens::of(&rig.refresh(&first.refresh).await.expect(200));
        assert_ne!(first.refresh, second.refresh);
        // A lost answer, a second tab: the same successor.
        assert_eq!(rig.refresh(&first.refresh).await.expect(200).text("refresh_token"), second.refresh);
        // The current one within the grace: the same token again.
        assert_eq!(rig.refresh(&second.refresh).await.expect(200).text("refresh_token"), second.refresh);
        rig.advance(Duration::from_secs(11));
        let third = Tokens::of(&rig.refresh(&second.refresh).await.expect(200));
        rig.session(&third.access).await.expect(200);
        let reuse = rig.refresh(&first.refresh).await.refused(400, "refresh-reused");
        assert_eq!(reuse.text("error"), "invalid_grant");
        for token in [&first, &second, &third] {
            rig.refresh(&token.refresh).await.refused(400, "refresh-revoked");
            rig.session(&token.access).await.refused(401, "token-invalid");
        }
        let page = rig.admin(Method::GET, "/api/admin/sessions?user=ada@example.com", &json!({})).await.expect(200);
        let session = &page.json()["items"][0];
        assert_eq!((session["ended_reason"].as_str(), session["sid"].as_str()), (Some("reuse"), Some(first.sid.as_str())));
        assert!(session["ended_detail"].is_object());
    }

    // REF-04: many at once over HTTP; one successor, nobody signed out.
    async fn two_hundred_at_once_get_one_successor(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let mut asks = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let ask = rig.post("/token").form(&[
                ("grant_type", "refresh_token"), ("client_id", "first-party"), ("refresh_token", &user.refresh),
            ]);
            asks.spawn(ask.send());
        }
        let answers = asks.join_all().await;
        let successors: BTreeSet<String> =
            answers.into_iter().map(|answer| answer.expect(200).text("refresh_token")).collect();
        assert_eq!(successors.len(), 1);
        rig.advance(Duration::from_secs(11));
        rig.refresh(successors.first().unwrap()).await.expect(200);
    }

    // Rule B: the client says which successor it will hold.
    async fn a_committed_session_takes_retries_and_nothing_else(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let refresh = |token: String, next: &'static str| {
            let form = [("grant_type", "refresh_token"), ("client_id", "first-party"), ("refresh_token", &token), ("next_nonce", next)];
            rig.post("/token").form(&form).send()
        };
        let next = "AAAAAAAAAAAAAAAAAAAAAA";
        let second = Tokens::of(&refresh(user.refresh.clone(), next).await.expect(200));
        assert_eq!(refresh(user.refresh.clone(), next).await.expect(200).text("refresh_token"), second.refresh);
        refresh(second.refresh.clone(), "short").await.refused(400, "malformed-form");
        // A thief knows the token but commits to another successor.
        refresh(user.refresh.clone(), "BBBBBBBBBBBBBBBBBBBBBA").await.refused(400, "refresh-reused");
        rig.refresh(&second.refresh).await.refused(400, "refresh-revoked");
    }

    // REF-03: another client's attempt is refused and changes nothing.
    async fn a_refresh_token_is_for_its_own_client(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let body = json!({ "client_id": "other", "public": true, "grants": ["refresh_token"], "audiences": ["api"] });
        rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201);
        let form = [("grant_type", "refresh_token"), ("client_id", "other"), ("refresh_token", user.refresh.as_str())];
        rig.post("/token").form(&form).send().await.refused(400, "refresh-invalid");
        rig.refresh(&user.refresh).await.expect(200);
    }

    // REF-10: neither lifetime can be stretched.
    async fn sessions_end_by_time(rig: Rig) {
        let idle = rig.user("ada@example.com").await;
        rig.advance(Duration::from_hours(24 * 30));
        rig.refresh(&idle.refresh).await.refused(400, "refresh-expired");
        let mut absolute = Tokens::of(&rig.login("ada@example.com").await.expect(200));
        for _ in 0..4 {
            rig.advance(Duration::from_hours(24 * 20));
            absolute = Tokens::of(&rig.refresh(&absolute.refresh).await.expect(200));
        }
        rig.advance(Duration::from_hours(24 * 10));
        rig.refresh(&absolute.refresh).await.refused(400, "refresh-expired");
    }

    // Roles are read afresh at each refresh; tokens with the old ones are dead here at once.
    async fn changed_roles_end_tokens_and_arrive_with_the_next_refresh(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let roles = json!({ "roles": ["buyer", "manager@api", "manager@elsewhere"] });
        rig.admin(Method::PUT, "/api/admin/users/ada@example.com/roles", &roles).await.expect(200);
        rig.session(&user.access).await.refused(401, "token-invalid");
        let fresh = Tokens::of(&rig.refresh(&user.refresh).await.expect(200));
        rig.session(&fresh.access).await.expect(200);
        let payload = fresh.access.split('.').nth(1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&countersign_jose::b64::decode(payload).unwrap()).unwrap();
        assert_eq!(claims["roles"], json!(["buyer", "manager"]));
    }

    // KEY-09: the key of the client's own algorithm is in the ring, and in the JWKS, before its first token.
    async fn a_client_has_an_algorithm_of_its_own(rig: Rig) {
        let body = json!({ "client_id": "fast", "grants": ["client_credentials"], "audiences": ["api"], "alg": "Ed25519" });
        let secret = client(&rig, body).await;
        let form = [("grant_type", "client_credentials"), ("client_id", "fast"), ("client_secret", secret.as_str())];
        let token = rig.post("/token").form(&form).send().await.expect(200).text("access_token");
        let jwks = JwkSet::parse(rig.get("/.well-known/jwks.json").send().await.body.as_bytes()).unwrap();
        let keys = jwks.keys.iter().map(|jwk| VerifyingKey::from_jwk(jwk).unwrap());
        let keys: Vec<_> = keys.filter(|key| key.alg() == Algorithm::Ed25519).collect();
        let verifier = Verifier::<AccessToken>::builder().issuer(ISSUER).audience("api").keys(keys).build();
        assert!(verifier.verify(&token, rig.app.clock.now().secs()).is_ok());
        for alg in ["HS256", "none"] {
            let body = json!({ "client_id": "bad", "grants": ["client_credentials"], "audiences": ["api"], "alg": alg });
            rig.admin(Method::POST, "/api/admin/clients", &body).await.refused(422, "invalid-value");
        }
    }

    async fn a_service_gets_its_own_token(rig: Rig) {
        let secret = service(&rig).await;
        let form = |extra: &[(&'static str, &str)]| {
            let mut all = vec![("grant_type", "client_credentials"), ("client_id", "orders"), ("client_secret", secret.as_str())];
            all.extend(extra);
            rig.post("/token").form(&all).send()
        };
        let all = form(&[]).await.expect(200);
        assert_eq!(all.text("scope"), "stock:read stock:reserve");
        assert!(all.json().get("refresh_token").is_none());
        assert_eq!(form(&[("scope", "stock:read")]).await.expect(200).text("scope"), "stock:read");
        form(&[("scope", "stock:read admin")]).await.refused(400, "invalid-scope");
        form(&[("resource", "admin")]).await.refused(400, "invalid-target");
        // A service is no user: nothing of the account API is for it (TOK-20).
        rig.session(&all.text("access_token")).await.refused(401, "token-invalid");
        let basic = base64_simd::STANDARD.encode_to_string(format!("orders:{secret}"));
        let ask = rig.post("/token").form(&[("grant_type", "client_credentials")]);
        ask.header("authorization", &format!("Basic {basic}")).send().await.expect(200);
    }

    // REF-11: a removed client's and a disabled user's sessions end.
    async fn removing_a_client_ends_its_sessions(rig: Rig) {
        rig.register("ada@example.com").await;
        let body = json!({ "client_id": "app", "public": true, "grants": ["first_party", "refresh_token"], "audiences": ["api"] });
        rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201);
        let body = json!({ "email": "ada@example.com", "password": crate::rig::PASSWORD, "client_id": "app" });
        let user = Tokens::of(&rig.post("/login").json(&body).send().await.expect(200));
        rig.session(&user.access).await.expect(200);
        rig.admin(Method::DELETE, "/api/admin/clients/app", &json!({})).await.expect(204);
        rig.session(&user.access).await.refused(401, "token-invalid");
        let form = [("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", user.refresh.as_str())];
        rig.post("/token").form(&form).send().await.refused(401, "invalid-client");
        rig.admin(Method::DELETE, "/api/admin/clients/first-party", &json!({})).await.refused(409, "conflict");
    }
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let rig = Rig::sqlite().await;
    let user = rig.user("ada@example.com").await;
    let rig = rig.restart().await;
    rig.session(&user.access).await.expect(200);
    rig.refresh(&user.refresh).await.expect(200);
}

// OAU-07, OAU-08, OAU-18
#[tokio::test]
async fn bad_token_requests_have_their_own_codes() {
    let rig = Rig::sqlite().await;
    let secret = service(&rig).await;
    let post = |text: String| rig.post("/token").raw("application/x-www-form-urlencoded", text).send();
    post(String::new()).await.refused(400, "missing-parameter");
    post("grant_type=".to_owned()).await.refused(400, "missing-parameter");
    post("grant_type=password".to_owned()).await.refused(400, "unsupported-grant-type");
    post("grant_type=refresh_token&grant_type=refresh_token".to_owned()).await.refused(400, "duplicate-parameter");
    post("grant_type=refresh_token&refresh_token=garbage&client_id=first-party".to_owned())
        .await
        .refused(400, "refresh-invalid");
    post("grant_type=client_credentials&client_id=first-party".to_owned()).await.refused(400, "unauthorized-client");
    post("grant_type=client_credentials&client_id=orders".to_owned()).await.refused(401, "invalid-client");
    let wrong = post("grant_type=client_credentials&client_id=orders&client_secret=x".to_owned()).await;
    assert!(wrong.headers["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    assert_eq!(wrong.refused(401, "invalid-client").text("error"), "invalid_client");
    post("grant_type=client_credentials&client_id=nobody&client_secret=x".to_owned())
        .await
        .refused(401, "invalid-client");
    let both = rig
        .post("/token")
        .raw("application/x-www-form-urlencoded", format!("grant_type=client_credentials&client_secret={secret}"));
    both.header("authorization", "Basic b3JkZXJzOng=").send().await.refused(400, "duplicate-parameter");
    rig.post("/token").json(&json!({})).send().await.refused(400, "wrong-content-type");
    let query = rig.request(
        Method::POST,
        &format!("/token?grant_type=client_credentials&client_id=orders&client_secret={secret}"),
    );
    query.raw("application/x-www-form-urlencoded", "").send().await.refused(400, "missing-parameter");
}

// TOK-21: a refresh narrows what one token may do, never widens it.
#[tokio::test]
async fn a_refresh_may_narrow_the_scope() {
    let rig = Rig::sqlite().await;
    rig.register("ada@example.com").await;
    let body = json!({ "client_id": "app", "public": true, "grants": ["first_party", "refresh_token"], "audiences": ["api"],
        "scopes": ["read", "write", "delete"] });
    rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201);
    let body = json!({ "email": "ada@example.com", "password": crate::rig::PASSWORD, "client_id": "app", "scope": "read write" });
    let user = rig.post("/login").json(&body).send().await.expect(200);
    assert_eq!(user.text("scope"), "read write");
    let refresh = |scope: &'static str| {
        let token = user.text("refresh_token");
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "app"),
            ("refresh_token", token.as_str()),
            ("scope", scope),
        ];
        rig.post("/token").form(&form).send()
    };
    refresh("read delete").await.refused(400, "invalid-scope");
    assert_eq!(refresh("read").await.expect(200).text("scope"), "read");
    assert_eq!(refresh("read write").await.expect(200).text("scope"), "read write");
}

// An audience with a secret of its own, mapped claims, and a required role.
#[tokio::test]
async fn an_audience_has_its_own_key_claims_and_guests() {
    let rig = Rig::sqlite().await;
    rig.register("ada@example.com").await;
    let body = json!({ "audience": "beta", "alg": "HS256", "claims": { "tier": "plan" }, "required_role": "tester", "access_token_ttl": 60 });
    let audience = rig.admin(Method::POST, "/api/admin/audiences", &body).await.expect(201);
    let secret = countersign_jose::b64::decode(audience.text("secret")).unwrap();
    rig.admin(Method::POST, "/api/admin/audiences", &body).await.refused(409, "conflict");
    let reserved = json!({ "audience": "bad", "claims": { "sub": "plan" } });
    rig.admin(Method::POST, "/api/admin/audiences", &reserved).await.refused(422, "invalid-value");
    let body = json!({ "client_id": "app", "public": true, "grants": ["first_party", "refresh_token"], "audiences": ["beta"] });
    rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201);
    let body = json!({ "email": "ada@example.com", "password": crate::rig::PASSWORD, "client_id": "app" });
    rig.post("/login").json(&body).send().await.refused(400, "invalid-target");
    rig.admin(Method::PUT, "/api/admin/users/ada@example.com/roles", &json!({ "roles": ["tester"] })).await.expect(200);
    let attributes = json!({ "attributes": { "plan": "gold" } });
    rig.admin(Method::PUT, "/api/admin/users/ada@example.com/attributes", &attributes).await.expect(200);
    let token = rig.post("/login").json(&body).send().await.expect(200);
    assert_eq!(token.json()["expires_in"], 60);
    let kid = countersign_jose::Unverified::parse(&token.text("access_token")).unwrap().kid().unwrap().to_owned();
    let key = VerifyingKey::hmac(Algorithm::HS256, kid, &secret).unwrap();
    let verifier = Verifier::<AccessToken>::builder().issuer(ISSUER).audience("beta").key(key).build();
    let claims = verifier.verify(&token.text("access_token"), rig.app.clock.now().secs()).unwrap();
    assert_eq!((claims.extra["tier"].as_str(), claims.roles.as_slice()), (Some("gold"), &["tester".to_owned()][..]));
    // Its secret is never published.
    assert!(!rig.get("/.well-known/jwks.json").send().await.body.contains("HS256"));
}
