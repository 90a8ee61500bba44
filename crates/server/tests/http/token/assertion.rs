//! `private_key_jwt` (RFC 7523): at every endpoint that authenticates clients, and everything that is no proof.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use countersign_jose::{Algorithm, ClientAssertionClaims, JwkSet, SigningKey, profile::ClientAssertion, sign};
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    rig::{Answer, ISSUER, Rig},
};

pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that holds a key.
pub struct Signer {
    pub id: &'static str,
    pub key: SigningKey,
}

impl Signer {
    /// Registers a client with a key of this algorithm.
    pub async fn add(rig: &Rig, id: &'static str, alg: Algorithm, settings: &Value) -> Self {
        let signer = Self { id, key: SigningKey::generate(alg, "k").unwrap() };
        let mut body = json!({ "client_id": id, "jwks": jwks(&signer.key), "audiences": ["api"], "grants": ["client_credentials"] });
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let added = rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).json();
        assert_eq!(
            (&added["client_secret"], &added["public"], &added["jwks"]),
            (&Value::Null, &json!(false), &body["jwks"])
        );
        signer
    }

    pub async fn service(rig: &Rig, id: &'static str) -> Self {
        Self::add(rig, id, Algorithm::ES256, &json!({ "serves": ["api"] })).await
    }

    pub fn assertion_with(&self, rig: &Rig, change: impl FnOnce(&mut ClientAssertionClaims)) -> String {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let mut claims = ClientAssertionClaims {
            iss: self.id.to_owned(),
            sub: self.id.to_owned(),
            aud: ISSUER.into(),
            jti: format!("a-{}", SERIAL.fetch_add(1, Ordering::Relaxed)),
            exp: rig.app.clock.now().secs() + 60,
            ..ClientAssertionClaims::default()
        };
        change(&mut claims);
        sign::<ClientAssertion>(&self.key, &claims).unwrap()
    }

    pub fn assertion(&self, rig: &Rig) -> String {
        self.assertion_with(rig, |_| {})
    }

    /// A request that this client proves itself with, and nothing else.
    pub async fn post(&self, rig: &Rig, path: &str, form: &[(&str, &str)]) -> Answer {
        post(rig, path, &self.assertion(rig), form).await
    }

    pub async fn token(&self, rig: &Rig) -> Answer {
        self.post(rig, "/token", &[("grant_type", "client_credentials")]).await
    }
}

pub fn jwks(key: &SigningKey) -> Value {
    serde_json::to_value(JwkSet::from(vec![key.public_jwk().unwrap()])).unwrap()
}

async fn post(rig: &Rig, path: &str, assertion: &str, form: &[(&str, &str)]) -> Answer {
    let proof = [("client_assertion_type", TYPE), ("client_assertion", assertion)];
    rig.post(path).form(&[&proof, form].concat()).send().await
}

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

both! {
    // OAU-08, I-8: once, whatever it is used for, however many at once, and across a restart.
    async fn an_assertion_is_used_once(rig: Rig) {
        let service = Signer::service(&rig, "orders").await;
        let assertion = service.assertion(&rig);
        let mut asks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let form = [GRANT[0], ("client_assertion_type", TYPE), ("client_assertion", &*assertion)];
            asks.spawn(rig.post("/token").form(&form).send());
        }
        let (good, bad): (Vec<_>, Vec<_>) = asks.join_all().await.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(good.len(), 1);
        for answer in bad {
            assert_eq!(answer.refused(401, "assertion-invalid").text("error"), "invalid_client");
        }
        let rig = rig.restart().await;
        for path in ["/token", "/introspect", "/revoke"] {
            post(&rig, path, &assertion, &[GRANT[0], ("token", "x")]).await.refused(401, "assertion-invalid");
        }
        // The same jti of another client is another one.
        let other = Signer::service(&rig, "bills").await;
        for signer in [&service, &other] {
            let same = signer.assertion_with(&rig, |claims| claims.jti = "same".into());
            post(&rig, "/token", &same, &GRANT).await.expect(200);
            post(&rig, "/token", &same, &GRANT).await.refused(401, "assertion-invalid");
        }
    }

    // OAU-08, OAU-15: the same at every endpoint that asks who the client is.
    async fn a_client_with_keys_uses_every_endpoint(rig: Rig) {
        let service = Signer::service(&rig, "orders").await;
        let token = service.token(&rig).await.expect(200).text("access_token");
        let told = service.post(&rig, "/introspect", &[("token", &token)]).await.expect(200).json();
        assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!("orders")));
        service.post(&rig, "/revoke", &[("token", &token)]).await.expect(200);
        let told = service.post(&rig, "/introspect", &[("token", &token)]).await.expect(200).json();
        assert_eq!(told, json!({ "active": false }));
        let named = [("client_id", "orders"), GRANT[0]];
        service.post(&rig, "/token", &named).await.expect(200);
    }

    // OAU-08: other keys from one moment to the next; also in place of a secret.
    async fn keys_are_replaced(rig: Rig) {
        let mut service = Signer::service(&rig, "orders").await;
        let old = service.assertion(&rig);
        service.key = SigningKey::generate(Algorithm::Ed25519, "k2").unwrap();
        service.token(&rig).await.refused(401, "invalid-client");
        let body = json!({ "jwks": jwks(&service.key) });
        rig.admin(Method::PUT, "/api/admin/clients/orders", &body).await.expect(200);
        service.token(&rig).await.expect(200);
        post(&rig, "/token", &old, &GRANT).await.refused(401, "invalid-client");

        let body = json!({ "client_id": "bills", "audiences": ["api"], "grants": ["client_credentials"] });
        let secret = rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).text("client_secret");
        let form = [GRANT[0], ("client_id", "bills"), ("client_secret", &*secret)];
        rig.post("/token").form(&form).send().await.expect(200);
        let bills = Signer { id: "bills", key: SigningKey::generate(Algorithm::ES384, "k").unwrap() };
        bills.token(&rig).await.refused(401, "invalid-client");
        let body = json!({ "jwks": jwks(&bills.key) });
        rig.admin(Method::PUT, "/api/admin/clients/bills", &body).await.expect(200);
        bills.token(&rig).await.expect(200);
        rig.post("/token").form(&form).send().await.refused(401, "invalid-client");
        rig.admin(Method::POST, "/api/admin/clients/bills/secret", &json!({})).await.refused(404, "not-found");
    }

    // OAU-08: a new secret beside the old one for a while.
    async fn two_secrets_overlap(rig: Rig) {
        let body = json!({ "client_id": "orders", "audiences": ["api"], "grants": ["client_credentials"] });
        let first = rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).text("client_secret");
        let rotate = async |overlap: u64| {
            let body = json!({ "overlap": overlap });
            rig.admin(Method::POST, "/api/admin/clients/orders/secret", &body).await.expect(200).text("client_secret")
        };
        let works = async |secret: &str| {
            let form = [GRANT[0], ("client_id", "orders"), ("client_secret", secret)];
            rig.post("/token").form(&form).send().await.status == 200
        };
        let second = rotate(3600).await;
        assert!(works(&first).await && works(&second).await);
        rig.advance(Duration::from_secs(3600));
        assert!(!works(&first).await && works(&second).await);
        let third = rotate(3600).await;
        let fourth = rotate(0).await;
        assert!(!works(&second).await && !works(&third).await && works(&fourth).await);
        let body = json!({ "overlap": 7_776_001 });
        rig.admin(Method::POST, "/api/admin/clients/orders/secret", &body).await.refused(422, "invalid-value");
    }
}

// OAU-08: each condition by itself, in the words of RFC 6749.
#[tokio::test]
async fn what_is_no_proof_is_refused() {
    let rig = Rig::sqlite().await;
    let service = Signer::service(&rig, "orders").await;
    let now = rig.app.clock.now().secs();
    let changed =
        |change: fn(&mut ClientAssertionClaims, i64)| service.assertion_with(&rig, |claims| change(claims, now));
    for (what, assertion) in [
        ("the address of the endpoint", changed(|claims, _| claims.aud = format!("{ISSUER}/token").into())),
        ("the issuer and a slash", changed(|claims, _| claims.aud = format!("{ISSUER}/").into())),
        ("expired", changed(|claims, now| claims.exp = now - 11)),
        ("lives too long", changed(|claims, now| claims.exp = now + 3611)),
        ("not yet", changed(|claims, now| claims.nbf = Some(now + 61))),
        ("from the future", changed(|claims, now| claims.iat = Some(now + 61))),
    ] {
        let refused = post(&rig, "/token", &assertion, &GRANT).await.refused(401, "assertion-invalid");
        assert_eq!(refused.text("error"), "invalid_client", "{what}");
        assert!(refused.headers.contains_key("www-authenticate"), "{what}");
    }
    let stranger = Signer { id: "orders", key: SigningKey::generate(Algorithm::ES256, "k").unwrap() };
    let nobody = Signer { id: "nobody", key: SigningKey::generate(Algorithm::ES256, "k").unwrap() };
    let secret = SigningKey::hmac(Algorithm::HS256, "k", &[7; 32]).unwrap();
    let symmetric = Signer { id: "orders", key: secret };
    let good = service.assertion(&rig);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let forged = [stranger.assertion(&rig), nobody.assertion(&rig), symmetric.assertion(&rig), format!("{signed}.")];
    for text in forged.iter().map(String::as_str).chain(["x", "a.b.c"]) {
        // The same words for an unknown client and for a wrong key.
        let refused = post(&rig, "/token", text, &GRANT).await.refused(401, "invalid-client");
        assert_eq!(refused.text("error_description"), "The client is unknown or did not prove itself");
    }
}

// OAU-07, OAU-08: one way for each client, in one place.
#[tokio::test]
async fn a_client_proves_itself_in_its_own_way_alone() {
    let rig = Rig::sqlite().await;
    let service = Signer::service(&rig, "orders").await;
    let basic = rig.post("/token").header("authorization", "Basic b3JkZXJzOng=");
    let assertion = service.assertion(&rig);
    let proof = [GRANT[0], ("client_assertion_type", TYPE), ("client_assertion", &*assertion)];
    basic.form(&proof).send().await.refused(400, "duplicate-parameter");
    let both = [&proof[..], &[("client_secret", "x")]].concat();
    rig.post("/token").form(&both).send().await.refused(400, "duplicate-parameter");
    let other = [&proof[..], &[("client_id", "bills")]].concat();
    rig.post("/token").form(&other).send().await.refused(401, "invalid-client");
    for left_out in ["client_assertion", "client_assertion_type"] {
        let form: Vec<_> = proof.into_iter().filter(|(name, _)| *name != left_out).collect();
        rig.post("/token").form(&form).send().await.refused(400, "missing-parameter");
    }
    let saml =
        [GRANT[0], ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"), proof[2]];
    rig.post("/token").form(&saml).send().await.refused(401, "assertion-invalid");
    for (name, value) in [("client_secret", "x"), ("client_secret", "")] {
        let form = [GRANT[0], ("client_id", "orders"), (name, value)];
        rig.post("/token").form(&form).send().await.refused(401, "invalid-client");
    }
    let public = Signer { id: "first-party", key: SigningKey::generate(Algorithm::ES256, "k").unwrap() };
    public.token(&rig).await.refused(401, "invalid-client");
    let body =
        json!({ "client_id": "app", "public": true, "jwks": jwks(&public.key), "audiences": ["api"], "grants": [] });
    rig.admin(Method::POST, "/api/admin/clients", &body).await.refused(422, "invalid-value");
    let body = json!({ "jwks": jwks(&public.key) });
    rig.admin(Method::PUT, "/api/admin/clients/first-party", &body).await.refused(422, "invalid-value");
    // None of all that used the good one up.
    rig.post("/token").form(&proof).send().await.expect(200);
}

// OAU-16: every algorithm that the metadata names.
#[tokio::test]
async fn every_advertised_algorithm_is_accepted() {
    let rig = Rig::sqlite().await;
    let metadata = rig.get("/.well-known/oauth-authorization-server").send().await.expect(200).json();
    let algs = metadata["token_endpoint_auth_signing_alg_values_supported"].as_array().unwrap().clone();
    for endpoint in ["token", "introspection", "revocation"] {
        let methods = &metadata[format!("{endpoint}_endpoint_auth_methods_supported")];
        assert!(methods.as_array().unwrap().contains(&json!("private_key_jwt")), "{endpoint}");
        assert_eq!(
            metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")],
            json!(algs),
            "{endpoint}"
        );
    }
    assert!(algs.len() > 8 && !algs.contains(&json!("none")) && !algs.contains(&json!("HS256")));
    for (index, alg) in algs.iter().enumerate() {
        let alg: Algorithm = alg.as_str().unwrap().parse().unwrap();
        let id: &'static str = format!("client-{index}").leak();
        Signer::add(&rig, id, alg, &json!({})).await.token(&rig).await.expect(200);
    }
}

// The store does not grow with what was used.
#[tokio::test]
async fn used_assertions_are_forgotten_when_their_age_refuses_them() {
    let rig = Rig::sqlite().await;
    Signer::service(&rig, "orders").await.token(&rig).await.expect(200);
    let now = rig.app.clock.now();
    let purge = async |later: u64| {
        let before = now.plus(Duration::from_secs(later));
        rig.app
            .store
            .write(move |tx| Box::pin(countersign_server::store::assertions::purge(tx, before, 9)))
            .await
            .unwrap()
    };
    assert_eq!((purge(71).await, purge(72).await, purge(72).await), (0, 1, 0));
}
