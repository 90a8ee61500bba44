//! Opaque access tokens: references that the issuer alone reads.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    browser::{Browser, Client},
    dpop::Holder,
    rig::{Answer, ISSUER, Rig},
};

const ADA: &str = "ada@example.com";

/// A client whose access tokens are opaque, and the service that they are for.
struct Stage {
    rig: Rig,
    client: Client,
    service: Service,
}

struct Service {
    id: &'static str,
    secret: String,
}

impl Service {
    async fn add(rig: &Rig, id: &'static str, serves: &[&str]) -> Self {
        let body = json!({ "client_id": id, "grants": ["client_credentials"], "audiences": ["api"], "serves": serves });
        let secret = rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).text("client_secret");
        Self { id, secret }
    }

    async fn asks(&self, rig: &Rig, token: &str) -> Value {
        let form = [("client_id", self.id), ("client_secret", self.secret.as_str()), ("token", token)];
        rig.post("/introspect").form(&form).send().await.expect(200).json()
    }
}

impl Stage {
    async fn set(rig: Rig) -> Self {
        rig.register(ADA).await;
        let body = json!({
            "client_id": "shop", "redirect_uris": ["https://shop.example/cb"], "access_token_format": "opaque",
        });
        let client = Client::add(&rig, body).await;
        let service = Service::add(&rig, "orders", &["api"]).await;
        Self { rig, client, service }
    }

    async fn tokens(&self) -> Answer {
        Browser::new(&self.rig).tokens(&self.client, &[("scope", "openid email orders:read")], ADA).await
    }

    async fn admin(&self, method: Method, path: &str, body: Value) {
        let answer = self.rig.admin(method, path, &body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
    }

    /// Everybody says the same of a token: the service that asks, and the endpoints that take it.
    async fn stands(&self, token: &str, stands: bool) {
        let says = self.service.asks(&self.rig, token).await;
        assert_eq!(says["active"], stands, "{says}");
        let told = self.rig.get("/userinfo").bearer(token).send().await;
        assert_eq!(told.status.as_u16(), if stands { 200 } else { 401 }, "{}", told.body);
        if !stands {
            assert_eq!(says, json!({ "active": false }));
        }
    }
}

both! {
    // TOK-16, TOK-23, RFC 7662 §2.2: nothing for its holder to read, and every claim for the service that it is for.
    async fn a_service_is_told_what_a_signed_token_would_say(rig: Rig) {
        let stage = Stage::set(rig).await;
        let rig = &stage.rig;
        rig.admin(Method::PUT, &format!("/api/admin/users/{ADA}/roles"), &json!({ "roles": ["buyer"] })).await.expect(200);
        let tokens = stage.tokens().await;
        let token = tokens.text("access_token");
        assert!(token.starts_with("at1.") && token.matches('.').count() == 1, "{token}");
        assert_eq!((tokens.text("token_type").as_str(), tokens.json()["expires_in"].as_i64()), ("Bearer", Some(600)));
        let sub = stage.client.id_token(rig, &tokens).await.sub;
        let mut says = stage.service.asks(rig, &token).await;
        let members = says.as_object_mut().unwrap();
        for random in ["jti", "rsn"] {
            assert!(members.remove(random).is_some(), "{random}");
        }
        let now = rig.app.clock.now().secs();
        let wanted = json!({
            "active": true, "token_type": "Bearer", "iss": ISSUER, "sub": sub, "aud": "api", "client_id": "shop",
            "sid": tokens.text("sid"), "iat": now, "exp": now + 600, "scope": "email openid orders:read",
            "roles": ["buyer"], "auth_time": now, "amr": ["pwd"], "acr": "1",
        });
        assert_eq!(says, wanted);
        let told = rig.get("/userinfo").bearer(&token).send().await.expect(200).json();
        assert_eq!(told, json!({ "sub": sub, "email": ADA, "email_verified": false }));
        rig.session(&token).await.expect(200);
    }

    // REF-11, RLO-07, RLO-08: whatever ends what it refers to ends it, in the same moment.
    async fn it_dies_with_what_it_refers_to(rig: Rig) {
        let stage = Stage::set(rig).await;
        let kinds = [
            ("token", Method::POST, "/api/admin/revocations", json!({ "kind": "token" })),
            ("session", Method::POST, "/api/admin/revocations", json!({ "kind": "session" })),
            ("roles", Method::PUT, "/api/admin/users/ada@example.com/roles", json!({ "roles": ["seller"] })),
            ("scopes", Method::PUT, "/api/admin/clients/shop", json!({ "scopes": ["openid", "email", "orders:read"] })),
            ("user", Method::POST, "/api/admin/revocations", json!({ "kind": "user", "id": ADA })),
            ("floor", Method::POST, "/api/admin/floor", json!({})),
            ("tenant", Method::POST, "/api/admin/revocations", json!({ "kind": "tenant", "id": "default" })),
            ("client", Method::POST, "/api/admin/clients/shop/disable", json!({})),
        ];
        for (what, method, path, mut body) in kinds {
            let tokens = stage.tokens().await;
            let token = tokens.text("access_token");
            stage.stands(&token, true).await;
            match what {
                "token" => body["id"] = json!(token),
                "session" => body["id"] = json!(tokens.text("sid")),
                _ => {}
            }
            stage.rig.advance(Duration::from_secs(2));
            stage.admin(method, path, body).await;
            stage.stands(&token, false).await;
            stage.rig.advance(Duration::from_secs(2));
        }
    }

    // What it says is read each time: after a soft end the next one carries the new roles, as a signed one would.
    async fn the_next_one_carries_what_is_new(rig: Rig) {
        let stage = Stage::set(rig).await;
        let tokens = stage.tokens().await;
        stage.admin(Method::PUT, &format!("/api/admin/users/{ADA}/roles"), json!({ "roles": ["buyer"] })).await;
        let next = stage.client.refresh(&stage.rig, &tokens.text("refresh_token")).await.expect(200);
        let says = stage.service.asks(&stage.rig, &next.text("access_token")).await;
        assert_eq!((&says["active"], &says["roles"]), (&json!(true), &json!(["buyer"])));
    }

    // RLO-05, REF-03: its client hands it back; another one cannot, and a person signs out with it.
    async fn it_is_handed_back_by_its_own_client(rig: Rig) {
        let stage = Stage::set(rig).await;
        let (rig, token) = (&stage.rig, stage.tokens().await.text("access_token"));
        let revoke = |id: &'static str, secret: String| {
            rig.post("/revoke").form(&[("client_id", id), ("client_secret", &secret), ("token", &token)]).send()
        };
        revoke("orders", stage.service.secret.clone()).await.refused(400, "refresh-invalid");
        stage.stands(&token, true).await;
        revoke("shop", stage.client.secret.clone().unwrap()).await.expect(200);
        stage.stands(&token, false).await;
        let other = stage.tokens().await.text("access_token");
        rig.post("/logout").json(&json!({})).bearer(&other).send().await.expect(204);
        stage.stands(&other, false).await;
    }

    // TOK-15, REF-10: with its own second, and never after its session.
    async fn it_ends_with_its_time(rig: Rig) {
        let stage = Stage::set(rig).await;
        stage.admin(Method::PUT, "/api/admin/clients/shop", json!({ "refresh_absolute": 300 })).await;
        let tokens = stage.tokens().await;
        assert_eq!(tokens.json()["expires_in"], 300);
        let token = tokens.text("access_token");
        stage.rig.advance(Duration::from_secs(299));
        stage.stands(&token, true).await;
        stage.rig.advance(Duration::from_secs(1));
        stage.stands(&token, false).await;
    }

    // OAU-15: whoever is not the service that it is for learns nothing, whoever alters it has nothing.
    async fn others_learn_nothing(rig: Rig) {
        let stage = Stage::set(rig).await;
        let (rig, token) = (&stage.rig, stage.tokens().await.text("access_token"));
        rig.admin(Method::POST, "/api/admin/audiences", &json!({ "audience": "stock" })).await.expect(201);
        let inactive = json!({ "active": false });
        for service in [Service::add(rig, "stock-service", &["stock"]).await, Service::add(rig, "plain", &[]).await] {
            assert_eq!(service.asks(rig, &token).await, inactive, "{}", service.id);
        }
        let own = Service { id: "shop", secret: stage.client.secret.clone().unwrap() };
        assert_eq!(own.asks(rig, &token).await, inactive);
        let last = if token.ends_with('A') { "E" } else { "A" };
        for altered in [&token[1..], &token[..token.len() - 4], &format!("{}{last}", &token[..token.len() - 1]), "at1."] {
            assert_eq!(stage.service.asks(rig, altered).await, inactive, "{altered}");
            rig.get("/userinfo").bearer(altered).send().await.refused(401, "token-invalid");
        }
        // TOK-17: the kinds of token do not stand for each other.
        let tokens = stage.tokens().await;
        assert_eq!(stage.service.asks(rig, &tokens.text("refresh_token")).await, inactive);
        stage.client.refresh(rig, &tokens.text("access_token")).await.refused(400, "refresh-invalid");
    }

    // TOK-24, TOK-25: a thief who has the token has no key.
    async fn one_that_is_bound_to_a_key_needs_it(rig: Rig) {
        let stage = Stage::set(rig).await;
        let (rig, owner, thief) = (&stage.rig, Holder::new(), Holder::new());
        let form = [("grant_type", "client_credentials"), ("client_id", "job"), ("client_secret", "")];
        let body = json!({
            "client_id": "job", "grants": ["client_credentials"], "audiences": ["api"], "access_token_format": "opaque",
            "roles": ["worker"], "scopes": ["orders:read"], "dpop_bound_access_tokens": true,
        });
        let secret = rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).text("client_secret");
        let form = [form[0], form[1], ("client_secret", secret.as_str())];
        let proof = owner.proof_now(rig, "/token");
        let own = rig.post("/token").form(&form).header("dpop", &proof).send().await.expect(200).text("access_token");
        let says = stage.service.asks(rig, &own).await;
        let wanted = (json!("DPoP"), json!({ "jkt": owner.thumbprint() }), json!("job"), json!(["worker"]));
        assert_eq!((says["token_type"].clone(), says["cnf"].clone(), says["sub"].clone(), says["roles"].clone()), wanted);
        assert_eq!((&says["scope"], says.get("sid")), (&json!("orders:read"), None));

        let body = json!({
            "client_id": "app", "public": true, "redirect_uris": ["https://app.example/cb"], "access_token_format": "opaque",
        });
        let app = Client::add(rig, body).await;
        let code = crate::browser::query(&Browser::new(rig).authorize(&app, &[], ADA).await)["code"].clone();
        let form = [
            ("grant_type", "authorization_code"), ("client_id", "app"), ("code", &code),
            ("code_verifier", crate::browser::VERIFIER),
        ];
        let proof = owner.proof_now(rig, "/token");
        let token = rig.post("/token").form(&form).header("dpop", &proof).send().await.expect(200).text("access_token");
        rig.get("/userinfo").bearer(&token).send().await.refused(401, "token-invalid");
        let told = |proof: String| {
            rig.get("/userinfo").header("authorization", &format!("DPoP {token}")).header("dpop", &proof).send()
        };
        told(thief.proof_for(rig, ("GET", "/userinfo"), &token)).await.refused(401, "dpop-proof");
        told(owner.proof_for(rig, ("GET", "/userinfo"), &token)).await.expect(200);
        rig.admin(Method::POST, "/api/admin/clients/job/disable", &json!({})).await.expect(200);
        assert_eq!(stage.service.asks(rig, &own).await, json!({ "active": false }));
    }

    // A client whose tokens become opaque has no readable ones from then on.
    async fn a_change_of_the_format_ends_the_others(rig: Rig) {
        let stage = Stage::set(rig).await;
        stage.admin(Method::PUT, "/api/admin/clients/shop", json!({ "access_token_format": "signed" })).await;
        let tokens = stage.tokens().await;
        let token = tokens.text("access_token");
        assert_eq!(token.matches('.').count(), 2);
        stage.stands(&token, true).await;
        stage.rig.advance(Duration::from_secs(1));
        stage.admin(Method::PUT, "/api/admin/clients/shop", json!({ "access_token_format": "opaque" })).await;
        stage.stands(&token, false).await;
        let next = stage.client.refresh(&stage.rig, &tokens.text("refresh_token")).await.expect(200);
        stage.stands(&next.text("access_token"), true).await;
        let bad = json!({ "access_token_format": "plain" });
        stage.rig.admin(Method::PUT, "/api/admin/clients/shop", &bad).await.refused(422, "invalid-value");
    }
}
