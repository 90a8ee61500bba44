//! Token exchange (RFC 8693): what a service gets for a token that it was shown, and everything that ends it or is refused.

use std::time::Duration;

use countersign_jose::{
    AccessClaims, Algorithm, b64,
    claims::Claims,
    revocation::{DEFAULT_TENANT, EntryId, Kind, Scope},
};
use countersign_server::{domain::rsn::Rsn, store::revocations};
use http::Method;
use serde_json::{Value, json};

use super::assertion::Signer;
use crate::{
    both,
    dpop::Holder,
    rig::{Answer, ISSUER, PASSWORD, Rig, Tokens},
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const KIND: &str = "urn:ietf:params:oauth:token-type:access_token";
const ADA: &str = "ada@example.com";

/// Services that call each other with what their people showed the first: `orders` serves `api`, `bills` and `stock` themselves.
struct Shop {
    rig: Rig,
    secrets: Vec<(&'static str, String)>,
}

fn claims(token: &str) -> AccessClaims {
    AccessClaims::from_json(&b64::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

impl Shop {
    async fn new(rig: Rig) -> Self {
        let body = json!({ "scopes": ["read", "write", "openid"] });
        rig.admin(Method::PUT, "/api/admin/clients/first-party", &body).await.expect(200);
        let mut shop = Self { rig, secrets: Vec::new() };
        for audience in ["bills", "stock", "private"] {
            shop.admin_add(audience, &json!({})).await;
        }
        shop.service("orders", &json!({ "serves": ["api"], "exchanges": ["bills", "stock"] })).await;
        shop.service("bills", &json!({ "serves": ["bills"], "exchanges": ["stock"], "scopes": ["read"] })).await;
        shop.service("stock", &json!({ "serves": ["stock"], "exchanges": ["stock"] })).await;
        shop.rig.register(ADA).await;
        shop
    }

    async fn service(&mut self, id: &'static str, more: &Value) {
        let mut body = json!({
            "client_id": id, "audiences": [more["serves"][0]], "scopes": ["read", "write"],
            "grants": ["client_credentials", "token_exchange"],
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let added = self.rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201);
        self.secrets.push((id, added.text("client_secret")));
    }

    async fn ada(&self) -> Tokens {
        let body = json!({ "email": ADA, "password": PASSWORD });
        Tokens::of(&self.rig.post("/login").json(&body).send().await.expect(200))
    }

    fn secret(&self, id: &str) -> &str {
        &self.secrets.iter().find(|(known, _)| *known == id).unwrap().1
    }

    async fn ask(&self, id: &str, path: &str, form: &[(&str, &str)], proof: Option<&str>) -> Answer {
        let form = [form, &[("client_id", id), ("client_secret", self.secret(id))]].concat();
        let ask = self.rig.post(path).form(&form);
        proof.into_iter().fold(ask, |ask, proof| ask.header("dpop", proof)).send().await
    }

    async fn exchange(&self, id: &str, token: &str, more: &[(&str, &str)]) -> Answer {
        self.exchange_with(id, token, more, None).await
    }

    async fn exchange_with(&self, id: &str, token: &str, more: &[(&str, &str)], proof: Option<&str>) -> Answer {
        let form = [("grant_type", GRANT), ("subject_token", token), ("subject_token_type", KIND)];
        self.ask(id, "/token", &[&form, more].concat(), proof).await
    }

    /// What `orders` gets for the next service.
    async fn for_bills(&self, token: &str) -> String {
        self.exchange("orders", token, &[("audience", "bills")]).await.expect(200).text("access_token")
    }

    async fn is_active(&self, id: &str, token: &str) -> bool {
        self.ask(id, "/introspect", &[("token", token)], None).await.expect(200).json()["active"] == json!(true)
    }

    async fn own_token(&self, id: &str) -> String {
        self.ask(id, "/token", &[("grant_type", "client_credentials")], None).await.expect(200).text("access_token")
    }

    async fn admin(&self, path: &str, body: &Value) {
        self.rig.admin(Method::POST, path, body).await.expect(200);
    }

    async fn admin_add(&self, audience: &str, more: &Value) {
        let mut body = json!({ "audience": audience, "scopes": ["read", "write"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.rig.admin(Method::POST, "/api/admin/audiences", &body).await.expect(201);
    }

    async fn revoke(&self, kind: &str, id: &str) {
        self.admin("/api/admin/revocations", &json!({ "kind": kind, "id": id, "reason": "test" })).await;
    }

    async fn set_roles(&self, roles: &Value) {
        let path = format!("/api/admin/users/{ADA}/roles");
        self.rig.admin(Method::PUT, &path, roles).await.expect(200);
    }
}

both! {
    // RFC 8693 §2.2, §4.1, TOK-21: the same person at the next service, by whom, with no more than before.
    async fn a_service_calls_the_next_one_for_its_person(rig: Rig) {
        let shop = Shop::new(rig).await;
        let ada = shop.ada().await;
        let answer = shop.exchange("orders", &ada.access, &[("audience", "bills"), ("scope", "read")]).await.expect(200);
        let json = answer.json();
        assert_eq!((&json["issued_token_type"], &json["token_type"]), (&json!(KIND), &json!("Bearer")));
        assert!(json["refresh_token"].is_null() && answer.headers["cache-control"] == "no-store");
        let (old, new) = (claims(&ada.access), claims(&answer.text("access_token")));
        assert_eq!((&new.sub, &new.sid, &new.auth_time), (&old.sub, &old.sid, &old.auth_time));
        assert_eq!((&*new.client_id, new.scope.as_deref(), &new.act), ("orders", Some("read"), &Some(json!({ "sub": "orders" }))));
        assert!(new.aud.contains("bills") && !new.aud.contains("api") && new.jti != old.jti);
        assert_eq!((&*new.rests_on[0].jti, &*new.rests_on[0].client_id), (&*old.jti, "first-party"));
        assert!(shop.is_active("bills", &answer.text("access_token")).await);
        // And on: bills calls stock, with a chain of both.
        let further = shop.exchange("bills", &answer.text("access_token"), &[("resource", "stock")]).await.expect(200);
        let last = claims(&further.text("access_token"));
        assert_eq!(last.act, Some(json!({ "sub": "bills", "act": { "sub": "orders" } })));
        assert_eq!((last.rests_on.len(), &last.sub, &last.sid), (2, &old.sub, &old.sid));
        assert!(shop.is_active("stock", &further.text("access_token")).await);
        let page = shop.rig.admin(Method::GET, "/api/admin/audit?limit=100", &json!({})).await.expect(200).json();
        let mut told = page["items"].as_array().unwrap().iter().filter(|item| item["event"] == "authn_token_exchanged");
        let told = told.find(|item| item["client_id"] == "bills").unwrap();
        assert_eq!((&told["client_id"], &told["user_id"]), (&json!("bills"), &json!(old.sub)));
        assert_eq!((&told["detail"]["audience"], &told["detail"]["actor"]), (&json!("stock"), &json!("bills")));
    }

    // R4, REF-09, RLO-08, I12: whatever ends the token that was shown ends those that rest on it, and says so to whoever asks.
    async fn an_exchanged_token_dies_with_its_subjects(rig: Rig) {
        let shop = Shop::new(rig).await;
        for end in ["token", "session", "user", "client", "service", "roles", "logout"] {
            let ada = shop.ada().await;
            let at_bills = shop.for_bills(&ada.access).await;
            let exchanged = shop.exchange("bills", &at_bills, &[("audience", "stock")]).await;
            let at_stock = exchanged.expect(200).text("access_token");
            assert!(shop.is_active("bills", &at_bills).await && shop.is_active("stock", &at_stock).await, "{end}");
            match end {
                "token" => shop.revoke("token", &claims(&ada.access).jti).await,
                "session" => shop.revoke("session", &ada.sid).await,
                "user" => shop.revoke("user", &claims(&ada.access).sub).await,
                // That of the token that was shown first.
                "client" => shop.revoke("client", "first-party").await,
                "service" => shop.revoke("client", "orders").await,
                "roles" => shop.set_roles(&json!({ "roles": ["buyer"] })).await,
                _ => drop(shop.rig.post("/logout").json(&json!({})).bearer(&ada.access).send().await.expect(204)),
            }
            assert!(!shop.is_active("bills", &at_bills).await && !shop.is_active("stock", &at_stock).await, "{end}");
            let again = shop.exchange("orders", &ada.access, &[("audience", "bills")]).await;
            let further = shop.exchange("bills", &at_bills, &[("audience", "stock")]).await;
            further.refused(400, "exchange-refused");
            match end {
                // The person's own token stands; `orders` gets another one for it.
                "service" => drop(again.expect(200)),
                _ => assert_eq!(again.refused(400, "exchange-refused").text("error"), "invalid_request", "{end}"),
            }
        }
    }

    // KEY-04, I12: a revoked key takes with it what rests on its tokens, whichever key signed that, for who asks the issuer as for
    // verifiers; so does the refresh key that made an opaque token.
    async fn an_exchanged_token_dies_with_the_key_of_its_subject(rig: Rig) {
        let mut shop = Shop::new(rig).await;
        shop.admin_add("ledger", &json!({ "alg": "RS256" })).await;
        shop.service("ledger", &json!({ "serves": ["ledger"], "exchanges": ["ledger"] })).await;
        let orders = json!({ "exchanges": ["bills", "stock", "ledger"] });
        shop.rig.admin(Method::PUT, "/api/admin/clients/orders", &orders).await.expect(200);
        for format in ["opaque", "signed"] {
            let settings = json!({ "access_token_format": format });
            shop.rig.admin(Method::PUT, "/api/admin/clients/first-party", &settings).await.expect(200);
            let ada = shop.ada().await;
            let token = shop.exchange("orders", &ada.access, &[("audience", "ledger")]).await.expect(200).text("access_token");
            let below = claims(&token).rests_on[0].kid.clone().unwrap();
            assert!(shop.is_active("ledger", &token).await, "{format}");
            shop.revoke("key", &below).await;
            assert!(!shop.is_active("ledger", &token).await, "{format}");
            let log = shop.rig.app.store.read(|tx| Box::pin(revocations::feed_page(tx, Default::default(), Rsn::default(), 99)));
            let id = EntryId::of(Kind::Key, Scope { issuer: ISSUER, tenant: DEFAULT_TENANT }, &below);
            assert!(log.await.unwrap().entries.iter().any(|entry| entry.id == *id.as_bytes()), "{format}: verifiers hear of it");
        }
    }

    // Who was called ends nothing of who called.
    async fn the_end_of_an_exchanged_token_is_its_own(rig: Rig) {
        let shop = Shop::new(rig).await;
        let ada = shop.ada().await;
        let (first, second) = (shop.for_bills(&ada.access).await, shop.for_bills(&ada.access).await);
        shop.ask("bills", "/revoke", &[("token", &first)], None).await.refused(400, "refresh-invalid");
        shop.ask("orders", "/revoke", &[("token", &first)], None).await.expect(200);
        assert!(!shop.is_active("bills", &first).await && shop.is_active("bills", &second).await);
        shop.rig.session(&ada.access).await.expect(200);
    }

    // OAU-15, ADM-04: a disabled service, a service that lost its entitlement, and one that never had it.
    async fn only_who_is_entitled_exchanges(rig: Rig) {
        let mut shop = Shop::new(rig).await;
        shop.service("mailer", &json!({ "serves": ["api"], "grants": ["client_credentials"] })).await;
        let ada = shop.ada().await;
        let bills = [("audience", "bills")];
        shop.exchange("mailer", &ada.access, &bills).await.refused(400, "unauthorized-client");
        for target in ["private", "api", "admin", "nowhere"] {
            let refused = shop.exchange("orders", &ada.access, &[("audience", target)]).await;
            assert_eq!(refused.refused(400, "invalid-target").text("error"), "invalid_target", "{target}");
        }
        shop.exchange("orders", &ada.access, &[("audience", "bills"), ("resource", "stock")]).await.refused(400, "invalid-target");
        // Not meant for it, and not its own: it must have been stolen.
        shop.exchange("stock", &ada.access, &[("audience", "stock")]).await.refused(400, "exchange-refused");
        let at_bills = shop.for_bills(&ada.access).await;
        let less = json!({ "exchanges": ["stock"] });
        shop.rig.admin(Method::PUT, "/api/admin/clients/orders", &less).await.expect(200);
        assert!(!shop.is_active("bills", &at_bills).await, "what it got before ends with the entitlement");
        shop.exchange("orders", &ada.access, &bills).await.refused(400, "invalid-target");
        shop.exchange("orders", &ada.access, &[("audience", "stock")]).await.expect(200);
        shop.admin("/api/admin/clients/orders/disable", &json!({})).await;
        shop.exchange("orders", &ada.access, &[("audience", "stock")]).await.refused(401, "invalid-client");
        let own = json!({ "exchanges": ["admin"] });
        shop.rig.admin(Method::PUT, "/api/admin/clients/orders", &own).await.refused(422, "invalid-value");
    }

    // TOK-21, TOK-23: neither scope nor roles nor time grow; less can be asked for.
    async fn nothing_grows(rig: Rig) {
        let shop = Shop::new(rig).await;
        let roles = json!({ "roles": ["staff", "clerk@bills", "buyer@api"] });
        shop.set_roles(&roles).await;
        let ada = shop.ada().await;
        let old = claims(&ada.access);
        shop.rig.advance(Duration::from_secs(590));
        let answer = shop.exchange("orders", &ada.access, &[("audience", "bills")]).await.expect(200);
        let new = claims(&answer.text("access_token"));
        assert_eq!((new.exp, answer.json()["expires_in"].as_i64()), (old.exp, Some(10)));
        // `clerk` was not in the token that was shown, `buyer` is none at the next service.
        assert_eq!((old.roles, new.roles), (vec!["buyer".to_owned(), "staff".into()], vec!["staff".to_owned()]));
        assert_eq!(new.scope.as_deref(), Some("read write"), "and not openid, which orders may not have");
        let more = shop.exchange("orders", &ada.access, &[("audience", "bills"), ("scope", "openid")]).await;
        assert_eq!(more.refused(400, "invalid-scope").text("error"), "invalid_scope");
        let read = shop.exchange("orders", &ada.access, &[("audience", "bills"), ("scope", "read")]).await.expect(200);
        let up = [("audience", "stock"), ("scope", "write")];
        shop.exchange("bills", &read.text("access_token"), &up).await.refused(400, "invalid-scope");
        // Within the leeway of its expiry it is still read, and good for nothing.
        for later in [10, 5] {
            shop.rig.advance(Duration::from_secs(later));
            shop.exchange("orders", &ada.access, &[("audience", "bills")]).await.refused(400, "exchange-refused");
        }
    }

    // RFC 8693 §1.1, ADM-04: somebody acts for somebody else, and both must stand.
    async fn an_actor_is_named_and_must_stand(rig: Rig) {
        let shop = Shop::new(rig).await;
        let (ada, bob) = (shop.ada().await, shop.rig.user("bob@example.com").await);
        let acting = [("audience", "bills"), ("actor_token", &*bob.access), ("actor_token_type", KIND)];
        let token = shop.exchange("orders", &ada.access, &acting).await.expect(200).text("access_token");
        let (new, bob_claims) = (claims(&token), claims(&bob.access));
        assert_eq!((new.act.clone(), &new.sub), (Some(json!({ "sub": bob_claims.sub })), &claims(&ada.access).sub));
        assert!(shop.is_active("bills", &token).await);
        let own = shop.for_bills(&ada.access).await;
        let chained = [acting[0], ("actor_token", &*own), acting[2]];
        shop.exchange("orders", &ada.access, &chained).await.refused(400, "exchange-refused");
        shop.revoke("user", &bob_claims.sub).await;
        assert!(!shop.is_active("bills", &token).await);
        shop.exchange("orders", &ada.access, &acting).await.refused(400, "exchange-refused");
        assert!(shop.is_active("bills", &own).await, "who acts for nobody any more takes nobody along");
    }

    // RFC 9449: what was bound stays bound, to the key of whoever asked; each proof counts once.
    async fn a_bound_token_is_exchanged_for_a_bound_one(rig: Rig) {
        let shop = Shop::new(rig).await;
        let (phone, service) = (Holder::new(), Holder::new());
        let login = json!({ "email": ADA, "password": PASSWORD });
        let ada = shop.rig.post("/login").json(&login).header("dpop", &phone.proof("/login"));
        let bound = ada.send().await.expect(200).text("access_token");
        let bills = [("audience", "bills")];
        shop.exchange("orders", &bound, &bills).await.refused(400, "dpop-missing");
        let proof = service.proof("/token");
        let answer = shop.exchange_with("orders", &bound, &bills, Some(&proof)).await.expect(200);
        assert_eq!(answer.text("token_type"), "DPoP");
        let new = claims(&answer.text("access_token"));
        assert_eq!(new.cnf, Some(json!({ "jkt": service.thumbprint() })));
        shop.exchange_with("orders", &bound, &bills, Some(&proof)).await.refused(400, "dpop-replayed");
        // Its own token: the same key, or it was stolen.
        let own = answer.text("access_token");
        shop.rig.admin(Method::PUT, "/api/admin/clients/orders", &json!({ "exchanges": ["bills", "stock"] })).await.expect(200);
        shop.exchange_with("orders", &own, &bills, Some(&phone.proof("/token"))).await.refused(400, "dpop-proof");
        shop.exchange_with("orders", &own, &bills, Some(&service.proof("/token"))).await.expect(200);
        // A key can be added, and then stays.
        let plain = shop.ada().await;
        let answer = shop.exchange_with("orders", &plain.access, &bills, Some(&service.proof("/token"))).await.expect(200);
        assert_eq!(answer.text("token_type"), "DPoP");
    }

    // A service's own token, for a service behind the next one.
    async fn a_services_own_token_is_exchanged(rig: Rig) {
        let shop = Shop::new(rig).await;
        let own = shop.own_token("bills").await;
        let token = shop.exchange("bills", &own, &[("audience", "stock")]).await.expect(200).text("access_token");
        let new = claims(&token);
        assert_eq!((&*new.sub, &*new.client_id, &new.sid, new.scope.as_deref()), ("bills", "bills", &None, Some("read")));
        let further = shop.exchange("stock", &token, &[]).await.expect(200).text("access_token");
        let last = claims(&further);
        assert_eq!((&*last.sub, &*last.client_id, last.auth_time), ("bills", "stock", None));
        assert!(shop.is_active("stock", &token).await && shop.is_active("stock", &further).await);
        shop.revoke("client", "bills").await;
        assert!(!shop.is_active("stock", &token).await && !shop.is_active("stock", &further).await);
    }

    // ADM-04: who acts for a person is not the person.
    async fn an_actor_does_not_speak_for_the_person_at_the_issuer(rig: Rig) {
        let mut shop = Shop::new(rig).await;
        shop.service("desk", &json!({ "serves": ["api"], "exchanges": ["api"], "scopes": ["read", "openid"] })).await;
        let ada = shop.ada().await;
        let token = shop.exchange("desk", &ada.access, &[]).await.expect(200).text("access_token");
        assert!(shop.is_active("desk", &token).await);
        shop.rig.session(&token).await.refused(401, "token-invalid");
        shop.rig.post("/logout").json(&json!({ "everywhere": true })).bearer(&token).send().await.refused(401, "token-invalid");
        shop.rig.session(&ada.access).await.expect(200);
        // What its scope says it may read.
        let told = shop.rig.get("/userinfo").bearer(&token).send().await.expect(200).json();
        assert_eq!(told["sub"], json!(claims(&ada.access).sub));
        shop.revoke("token", &claims(&ada.access).jti).await;
        shop.rig.get("/userinfo").bearer(&token).send().await.refused(401, "token-invalid");
    }

    // A reference that services cannot read is read for them; what they get for it is signed, and dies with it.
    async fn an_opaque_token_is_exchanged_for_a_signed_one(rig: Rig) {
        let shop = Shop::new(rig).await;
        let opaque = json!({ "access_token_format": "opaque" });
        for client in ["first-party", "orders"] {
            shop.rig.admin(Method::PUT, &format!("/api/admin/clients/{client}"), &opaque).await.expect(200);
        }
        let ada = shop.ada().await;
        assert!(ada.access.starts_with("at1."));
        let at_bills = shop.for_bills(&ada.access).await;
        let new = claims(&at_bills);
        assert_eq!((new.sid.as_deref(), new.rests_on[0].sid.as_deref()), (Some(&*ada.sid), Some(&*ada.sid)));
        assert!(shop.is_active("bills", &at_bills).await);
        shop.revoke("token", &ada.access).await;
        assert!(!shop.is_active("bills", &at_bills).await);
        shop.exchange("orders", &ada.access, &[("audience", "bills")]).await.refused(400, "exchange-refused");
    }

    // OAU-08: a client that proves itself by a key.
    async fn a_client_with_keys_exchanges(rig: Rig) {
        let shop = Shop::new(rig).await;
        let settings = json!({ "grants": ["token_exchange"], "serves": ["api"], "exchanges": ["bills"] });
        let signer = Signer::add(&shop.rig, "vault", Algorithm::ES256, &settings).await;
        let ada = shop.ada().await;
        let form = [("grant_type", GRANT), ("subject_token", &*ada.access), ("subject_token_type", KIND), ("audience", "bills")];
        let token = signer.post(&shop.rig, "/token", &form).await.expect(200).text("access_token");
        assert!(shop.is_active("bills", &token).await);
    }
}

// OAU-07, OAU-18: what is no request for an exchange, and tokens that are none.
#[tokio::test]
async fn what_cannot_be_exchanged_is_refused() {
    let shop = Shop::new(Rig::sqlite().await).await;
    let ada = shop.ada().await;
    let bills = ("audience", "bills");
    for (code, form) in [
        ("missing-parameter", vec![("subject_token_type", KIND)]),
        ("missing-parameter", vec![("subject_token", &*ada.access)]),
        (
            "exchange-refused",
            vec![("subject_token", &ada.access), ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")],
        ),
        ("exchange-refused", vec![("subject_token", &ada.refresh), ("subject_token_type", KIND)]),
        ("exchange-refused", vec![("subject_token", "x"), ("subject_token_type", KIND)]),
    ] {
        let form = [&[("grant_type", GRANT), bills], &form[..]].concat();
        shop.ask("orders", "/token", &form, None).await.refused(400, code);
    }
    for (code, more) in [
        ("missing-parameter", vec![("actor_token", &*ada.access)]),
        ("missing-parameter", vec![("actor_token_type", KIND)]),
        ("exchange-refused", vec![("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")]),
        ("exchange-refused", vec![("actor_token", "x"), ("actor_token_type", KIND)]),
        ("duplicate-parameter", vec![bills]),
        ("invalid-scope", vec![("scope", "a\"b")]),
    ] {
        shop.exchange("orders", &ada.access, &[&[bills], &more[..]].concat()).await.refused(400, code);
    }
    // A token with another signature, and one that a service made itself with the secret that it shares (HS256).
    let (signed, _) = ada.access.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", b64::encode([1; 64]));
    shop.exchange("orders", &forged, &[bills]).await.refused(400, "exchange-refused");
    let secret = countersign_jose::SigningKey::hmac(Algorithm::HS256, "k", &[7; 32]).unwrap();
    let made = countersign_jose::sign::<countersign_jose::profile::AccessToken>(&secret, &claims(&ada.access)).unwrap();
    shop.exchange("orders", &made, &[bills]).await.refused(400, "exchange-refused");
    let requested = [bills, ("requested_token_type", KIND)];
    shop.exchange("orders", &ada.access, &requested).await.expect(200);
}

// OAU-16: the metadata names the grant, and a client that may use it is shown as such.
#[tokio::test]
async fn the_grant_is_advertised() {
    let shop = Shop::new(Rig::sqlite().await).await;
    let metadata = shop.rig.get("/.well-known/oauth-authorization-server").send().await.expect(200).json();
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)));
    let page = shop.rig.admin(Method::GET, "/api/admin/clients?limit=100", &json!({})).await.expect(200).json();
    let orders = page["items"].as_array().unwrap().iter().find(|item| item["client_id"] == "orders").unwrap();
    assert_eq!(
        (&orders["exchanges"], &orders["grants"]),
        (&json!(["bills", "stock"]), &json!(["client_credentials", "token_exchange"]))
    );
}
