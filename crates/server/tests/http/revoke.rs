//! `POST /revoke` (RFC 7009) and `POST /introspect` (RFC 7662).

use std::{collections::HashMap, time::Duration};

use countersign_jose::{
    AccessClaims, b64,
    claims::Claims,
    revocation::{EntryId, Kind, Scope},
};
use countersign_server::{
    domain::rsn::Rsn,
    store::revocations::{self, FeedPage},
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    rig::{Answer, ISSUER, PASSWORD, Rig, Tokens},
};

async fn revoke(rig: &Rig, client: &[(&str, &str)], token: &str) -> Answer {
    let form: Vec<_> = client.iter().copied().chain([("token", token)]).collect();
    rig.post("/revoke").form(&form).send().await
}

/// A confidential client, with its secret.
async fn service(rig: &Rig, id: &str, body: Value) -> String {
    let mut client = json!({ "client_id": id, "grants": ["client_credentials"], "audiences": ["api"] });
    client.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    rig.admin(Method::POST, "/api/admin/clients", &client).await.expect(201).text("client_secret")
}

async fn introspect(rig: &Rig, id: &str, secret: &str, token: &str) -> Answer {
    let form = [("client_id", id), ("client_secret", secret), ("token", token)];
    rig.post("/introspect").form(&form).send().await
}

const FIRST: &[(&str, &str)] = &[("client_id", "first-party")];

both! {
    // RLO-05: any generation of a family ends it, with its access tokens.
    async fn a_refresh_token_that_is_handed_back_ends_its_session(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        rig.advance(Duration::from_secs(60));
        let next = Tokens::of(&rig.refresh(&user.refresh).await.expect(200));
        assert_eq!(revoke(&rig, FIRST, &user.refresh).await.expect(200).json(), json!({}));
        rig.session(&next.access).await.refused(401, "token-invalid");
        rig.refresh(&next.refresh).await.refused(400, "refresh-revoked");
        revoke(&rig, FIRST, &next.refresh).await.expect(200);
        let page = rig.admin(Method::GET, "/api/admin/sessions?user=ada@example.com", &json!({})).await.json();
        assert_eq!(page["items"][0]["ended_reason"], "revoked");
    }

    async fn an_access_token_that_is_handed_back_dies_alone(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        revoke(&rig, FIRST, &user.access).await.expect(200);
        rig.session(&user.access).await.refused(401, "token-invalid");
        revoke(&rig, FIRST, &user.access).await.expect(200);
        let fresh = rig.refresh(&user.refresh).await.expect(200).text("access_token");
        rig.session(&fresh).await.expect(200);
        let log = rig.app.store.read(|tx| Box::pin(revocations::feed_page(tx, Default::default(), Rsn::default(), 10)));
        assert_eq!(log.await.unwrap().entries.iter().map(|entry| entry.kind).collect::<Vec<_>>(), [1]);
    }

    // OAU-15, REF-03
    async fn a_client_ends_its_own_tokens_only(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let secret = service(&rig, "other", json!({})).await;
        let other = [("client_id", "other"), ("client_secret", secret.as_str())];
        for token in [&user.refresh, &user.access] {
            revoke(&rig, &other, token).await.refused(400, "refresh-invalid");
        }
        rig.session(&user.access).await.expect(200);
        rig.refresh(&user.refresh).await.expect(200);
        for unknown in ["nonsense", "a.b.c", "rt1.AAAA"] {
            revoke(&rig, &other, unknown).await.expect(200);
        }
        revoke(&rig, &[("client_id", "other"), ("client_secret", "wrong")], &user.refresh).await.refused(401, "invalid-client");
        rig.post("/revoke").form(&other).send().await.refused(400, "missing-parameter");
    }

    async fn a_service_learns_what_its_own_tokens_say(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let secret = service(&rig, "api-service", json!({ "serves": ["api"] })).await;
        let answer = introspect(&rig, "api-service", &secret, &user.access).await.expect(200);
        assert_eq!(answer.headers["cache-control"], "no-store");
        let claims = answer.json();
        assert_eq!((&claims["active"], &claims["token_type"], &claims["sid"]), (&json!(true), &json!("Bearer"), &json!(user.sid)));
        assert_eq!((&claims["iss"], &claims["client_id"]), (&json!(ISSUER), &json!("first-party")));
        AccessClaims::from_json(answer.body.as_bytes()).unwrap();
        // A token that was asked about before is recognised by all of its text, and only until it expires.
        assert_eq!(introspect(&rig, "api-service", &secret, &user.access).await.expect(200).json(), claims);
        let (signed, signature) = user.access.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        let forged = format!("{signed}.{first}{}", &signature[1..]);
        assert_eq!(introspect(&rig, "api-service", &secret, &forged).await.expect(200).json(), json!({ "active": false }));
        rig.advance(Duration::from_secs(3600));
        assert_eq!(introspect(&rig, "api-service", &secret, &user.access).await.expect(200).json(), json!({ "active": false }));
    }

    // TOK-18, I12: what is signed with the secret of an audience, its service alone may ask about; the issuer ends nothing by it,
    // since that service could have made it, in anybody's name.
    async fn a_token_with_an_audiences_secret_is_its_own_affair(rig: Rig) {
        rig.admin(Method::POST, "/api/admin/audiences", &json!({ "audience": "legacy", "alg": "HS256" })).await.expect(201);
        let legacy = json!({ "audiences": ["legacy"], "serves": ["api", "legacy"] });
        let legacy = service(&rig, "legacy-service", legacy).await;
        let other = service(&rig, "api-service", json!({ "serves": ["api"] })).await;
        let own = [("client_id", "legacy-service"), ("client_secret", &*legacy)];
        let form = [&own[..], &[("grant_type", "client_credentials")]].concat();
        let token = rig.post("/token").form(&form).send().await.expect(200).text("access_token");
        let told = introspect(&rig, "legacy-service", &legacy, &token).await.expect(200).json();
        assert_eq!((&told["active"], &told["aud"]), (&json!(true), &json!("legacy")));
        let inactive = json!({ "active": false });
        assert_eq!(introspect(&rig, "api-service", &other, &token).await.expect(200).json(), inactive);
        let refused = revoke(&rig, &own, &token).await.refused(400, "refresh-invalid");
        assert_eq!(refused.text("error"), "unsupported_token_type");
        rig.admin(Method::POST, "/api/admin/clients/legacy-service/disable", &json!({})).await.expect(200);
        rig.admin(Method::POST, "/api/admin/clients/legacy-service/enable", &json!({})).await.expect(200);
        assert_eq!(introspect(&rig, "legacy-service", &legacy, &token).await.expect(200).json(), inactive);
    }

    // OAU-15
    async fn nobody_learns_about_the_tokens_of_others(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let inactive = json!({ "active": false });
        rig.admin(Method::POST, "/api/admin/audiences", &json!({ "audience": "orders" })).await.expect(201);
        let secret = service(&rig, "orders-service", json!({ "serves": ["orders"] })).await;
        for token in [&user.access, &user.refresh, &"nonsense".to_owned(), &format!("{}A", user.access)] {
            assert_eq!(introspect(&rig, "orders-service", &secret, token).await.expect(200).json(), inactive);
        }
        let plain = service(&rig, "plain", json!({})).await;
        assert_eq!(introspect(&rig, "plain", &plain, &user.access).await.expect(200).json(), inactive);
        introspect(&rig, "plain", "wrong", &user.access).await.refused(401, "invalid-client");
        let public = [("client_id", "first-party"), ("token", user.access.as_str())];
        rig.post("/introspect").form(&public).send().await.refused(401, "invalid-client");
        let body = json!({ "client_id": "web", "public": true, "grants": ["refresh_token"], "audiences": ["api"], "serves": ["api"] });
        rig.admin(Method::POST, "/api/admin/clients", &body).await.refused(422, "invalid-value");
    }

    // I12: introspection and a verifier that has read the whole log agree on every token, whatever was ended in between.
    async fn introspection_agrees_with_the_log(rig: Rig) {
        let stage = Stage::set(rig).await;
        let mut tokens = stage.tokens().await;
        let steps: [(Method, &str, Value); 9] = [
            (Method::PUT, "/api/admin/users/bob@example.com/roles", json!({ "roles": ["buyer"] })),
            (Method::POST, "/api/admin/revocations", json!({ "kind": "token", "id": tokens[0] })),
            (Method::POST, "/api/admin/revocations", json!({ "kind": "user", "id": "cyd@example.com" })),
            (Method::PUT, "/api/admin/clients/app", json!({ "scopes": ["read"] })),
            (Method::POST, "/api/admin/users/bob@example.com/disable", json!({})),
            (Method::POST, "/api/admin/clients/machine/disable", json!({})),
            (Method::POST, "/api/admin/users/bob@example.com/enable", json!({})),
            (Method::POST, "/api/admin/revocations", json!({ "kind": "key", "id": stage.kid().await })),
            (Method::POST, "/api/admin/revocations", json!({ "kind": "tenant", "id": "default" })),
        ];
        let (mut active, mut dead) = (0, 0);
        for (method, path, body) in steps {
            stage.rig.admin(method, path, &body).await.expect(200);
            stage.rig.advance(Duration::from_millis(1_100));
            tokens.extend(stage.tokens().await);
            let page = stage.page().await;
            for token in &tokens {
                let says = introspect(&stage.rig, "api-service", &stage.secret, token).await.expect(200).json();
                let stands = stands(token, &page);
                assert_eq!(says["active"], json!(stands), "after {path} {body}: {says}");
                if stands { active += 1 } else { dead += 1 }
            }
        }
        assert!(active > 20 && dead > 20, "{active} active, {dead} dead: this proves little");
    }
}

struct Stage {
    rig: Rig,
    secret: String,
    machine: String,
}

impl Stage {
    async fn set(rig: Rig) -> Self {
        let app = json!({
            "client_id": "app", "public": true, "grants": ["first_party", "refresh_token"], "audiences": ["api"],
            "scopes": ["read", "write"],
        });
        rig.admin(Method::POST, "/api/admin/clients", &app).await.expect(201);
        for name in ["ada", "bob", "cyd"] {
            rig.register(&format!("{name}@example.com")).await;
        }
        let secret = service(&rig, "api-service", json!({ "serves": ["api"] })).await;
        let machine = service(&rig, "machine", json!({})).await;
        Self { rig, secret, machine }
    }

    /// A token of everybody who gets one now.
    async fn tokens(&self) -> Vec<String> {
        let mut tokens = Vec::new();
        for (name, client) in [("ada", "app"), ("bob", "app"), ("cyd", "first-party")] {
            let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD, "client_id": client });
            let answer = self.rig.post("/login").json(&body).send().await;
            if answer.status.is_success() {
                tokens.push(answer.text("access_token"));
            }
        }
        let form = [("grant_type", "client_credentials"), ("client_id", "machine"), ("client_secret", &*self.machine)];
        let answer = self.rig.post("/token").form(&form).send().await;
        if answer.status.is_success() {
            tokens.push(answer.text("access_token"));
        }
        tokens
    }

    async fn kid(&self) -> String {
        let keys = self.rig.get("/.well-known/jwks.json").send().await.json();
        keys["keys"][0]["kid"].as_str().unwrap().to_owned()
    }

    async fn page(&self) -> FeedPage {
        let now = self.rig.app.clock.now();
        self.rig
            .app
            .store
            .read(move |tx| Box::pin(revocations::feed_page(tx, now, Rsn::default(), 1_000)))
            .await
            .unwrap()
    }
}

/// Rule R4 as a verifier applies it, from the log alone.
fn stands(token: &str, page: &FeedPage) -> bool {
    assert!(!page.more);
    let part = |index: usize| b64::decode(token.split('.').nth(index).unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&part(0)).unwrap();
    let claims = AccessClaims::from_json(&part(1)).unwrap();
    let entries: HashMap<_, Rsn> = page.entries.iter().map(|entry| ((entry.kind, entry.id), entry.rsn)).collect();
    let scope = Scope { issuer: ISSUER, tenant: "default" };
    let entry = |kind: Kind, value: &str| entries.get(&(kind.number(), *EntryId::of(kind, scope, value).as_bytes()));
    let rsn = Rsn::new(claims.rsn.unwrap());
    let unconditional = [
        entry(Kind::Token, &claims.jti),
        claims.sid.as_deref().and_then(|sid| entry(Kind::Session, sid)),
        entry(Kind::Key, header["kid"].as_str().unwrap()),
    ];
    let conditional =
        [entry(Kind::User, &claims.sub), entry(Kind::Client, &claims.client_id), entry(Kind::Tenant, "default")];
    rsn >= page.floor
        && unconditional.iter().all(Option::is_none)
        && conditional.into_iter().flatten().all(|entry| rsn >= *entry)
}
