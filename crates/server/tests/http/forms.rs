//! In which form clients are told who somebody is: pairwise ids, signed answers, encrypted tokens.

use std::time::Duration;

use countersign_jose::{
    AccessClaims, GenericClaims, IdClaims, JwkSet, Missing, Verifier, VerifyingKey, b64,
    jwe::{ContentAlgorithm, DecryptionKey, Decryptor, KeyAlgorithm},
    profile::{AccessToken, IdToken, Profile},
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    browser::{Browser, Client, location, query},
    rig::{Answer, ISSUER, Rig},
};

const ADA: &str = "ada@example.com";

/// The signed answer of `/userinfo`, as a client reads it.
#[derive(Debug, Clone, Copy)]
pub struct SignedAnswer;

impl Profile for SignedAnswer {
    type Claims = GenericClaims;
    type Issuer = Missing;
    type Audience = Missing;
    const TYP: &'static str = "userinfo+jwt";
    const EXPIRES: bool = false;
}

pub async fn keys(rig: &Rig) -> Vec<VerifyingKey> {
    let jwks = JwkSet::parse(rig.get("/.well-known/jwks.json").send().await.body.as_bytes()).unwrap();
    jwks.keys.iter().map(|jwk| VerifyingKey::from_jwk(jwk).unwrap()).collect()
}

/// A pairwise client with addresses on this host.
async fn pairwise(rig: &Rig, id: &str, host: &str) -> Client {
    let body = json!({
        "client_id": id, "redirect_uris": [format!("https://{host}/{id}")], "subject_type": "pairwise",
        "access_token_format": "opaque",
    });
    Client::add(rig, body).await
}

async fn introspect(rig: &Rig, client: &Client, token: &str) -> Value {
    let secret = client.secret.clone().unwrap();
    let form = [("client_id", client.id.as_str()), ("client_secret", &secret), ("token", token)];
    rig.post("/introspect").form(&form).send().await.expect(200).json()
}

async fn user_id(rig: &Rig) -> String {
    rig.admin(Method::GET, &format!("/api/admin/users/{ADA}"), &json!({})).await.text("user_id")
}

async fn opens(rig: &Rig, client: &Client) -> (Answer, IdClaims) {
    let tokens = Browser::new(rig).tokens(client, &[], ADA).await;
    let claims = client.id_token(rig, &tokens).await;
    (tokens, claims)
}

both! {
    // OpenID Connect Core §8.1: one id per sector and person, the same everywhere that this client looks, for ever.
    async fn each_sector_knows_a_person_by_another_id(rig: Rig) {
        rig.register(ADA).await;
        let public = user_id(&rig).await;
        let (shop, news) = (pairwise(&rig, "shop", "shop.example").await, pairwise(&rig, "news", "news.example").await);
        let sister = pairwise(&rig, "sister", "shop.example").await;
        let (tokens, at_shop) = opens(&rig, &shop).await;
        let ((_, at_news), (_, at_sister)) = (opens(&rig, &news).await, opens(&rig, &sister).await);
        assert_eq!(at_shop.sub, at_sister.sub);
        assert_ne!(at_shop.sub, at_news.sub);
        assert!(![&at_shop.sub, &at_news.sub].contains(&&public));
        let told = rig.get("/userinfo").bearer(&tokens.text("access_token")).send().await.expect(200).json();
        assert_eq!(told["sub"], at_shop.sub.as_str());

        // Neither does the session's name say whose it is.
        let prefix = |sid: &str| sid[..2].to_owned();
        let of = |id: &str| prefix(countersign_server::domain::session::Sid::new(id, &[0; 16]).as_str());
        assert_eq!(prefix(&at_shop.sid.unwrap()), of(&at_shop.sub));
        assert_ne!(of(&at_shop.sub), of(&public));

        let rig = rig.restart().await;
        assert_eq!(opens(&rig, &shop).await.1.sub, at_shop.sub);
        let metadata = rig.get("/.well-known/openid-configuration").send().await.json();
        assert_eq!(metadata["subject_types_supported"], json!(["public", "pairwise"]));
    }

    // RFC 7662, OAU-15: services find their data under the public id, whichever client calls them; a service that is pairwise
    // itself is told whom it knows. And whoever is ended everywhere is ended there, too.
    async fn services_know_people_by_the_id_that_is_theirs(rig: Rig) {
        rig.register(ADA).await;
        let (public, shop) = (user_id(&rig).await, pairwise(&rig, "shop", "shop.example").await);
        let service = json!({ "client_id": "orders", "redirect_uris": ["https://orders.example/cb"], "serves": ["api"] });
        let orders = Client::add(&rig, service).await;
        let own = json!({
            "client_id": "own", "redirect_uris": ["https://shop.example/own"], "serves": ["api"],
            "subject_type": "pairwise", "access_token_format": "opaque",
        });
        let own = Client::add(&rig, own).await;
        let (tokens, claims) = opens(&rig, &shop).await;
        let token = tokens.text("access_token");
        assert_eq!(introspect(&rig, &orders, &token).await["sub"], public.as_str());
        assert_eq!(introspect(&rig, &own, &token).await["sub"], claims.sub.as_str());
        rig.advance(Duration::from_secs(1));
        let body = json!({ "kind": "user", "id": public });
        rig.admin(Method::POST, "/api/admin/revocations", &body).await.expect(200);
        assert_eq!(introspect(&rig, &orders, &token).await, json!({ "active": false }));
        rig.get("/userinfo").bearer(&token).send().await.refused(401, "token-invalid");
    }

    // MFA-06, RLO-03: a hint names whom this client knows; another client's names nobody.
    async fn a_hint_means_the_clients_own_subject(rig: Rig) {
        rig.register(ADA).await;
        let (shop, news) = (pairwise(&rig, "shop", "shop.example").await, pairwise(&rig, "news", "news.example").await);
        let plain = Client::web(&rig, "plain").await;
        let mut browser = Browser::new(&rig);
        let mut hints = Vec::new();
        for client in [&shop, &news, &plain] {
            hints.push(browser.tokens(client, &[], ADA).await.text("id_token"));
        }
        for (client, good) in [(&shop, 0), (&plain, 2)] {
            for (at, hint) in hints.iter().enumerate() {
                let asked = [("prompt", "none"), ("id_token_hint", hint.as_str())];
                let answer = query(&browser.get(&client.url(&asked)).await.expect(303));
                assert_eq!(answer.contains_key("code"), at == good, "{} {at}: {answer:?}", client.id);
            }
        }
        // Signing out without a question needs the hint of this very person at this very client.
        let out = |hint: &str| format!("/logout?id_token_hint={hint}");
        browser.get(&out(&hints[0])).await.expect(200);
        let gone = browser.get(&shop.url(&[("prompt", "none")])).await.expect(303);
        assert_eq!(query(&gone)["error"], "login_required");
    }

    // A pairwise client gets nothing in its hands that tells who its people are to others.
    async fn a_pairwise_client_holds_nothing_that_says_more(rig: Rig) {
        rig.register(ADA).await;
        let shop = pairwise(&rig, "shop", "shop.example").await;
        let token = opens(&rig, &shop).await.0.text("access_token");
        for path in ["/session", "/api/account/sessions", "/api/account/consents"] {
            rig.get(path).bearer(&token).send().await.refused(403, "forbidden");
        }
        let add = |change: Value| {
            let mut body = json!({
                "client_id": "other", "grants": ["authorization_code"], "audiences": ["api"], "scopes": ["openid"],
                "redirect_uris": ["https://a.example/cb"], "subject_type": "pairwise", "access_token_format": "opaque",
            });
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let rig = &rig;
            async move { rig.admin(Method::POST, "/api/admin/clients", &body).await }
        };
        for bad in [
            json!({ "access_token_format": "signed" }),
            json!({ "grants": ["authorization_code", "first_party"] }),
            json!({ "redirect_uris": ["https://a.example/cb", "https://b.example/cb"] }),
            json!({ "sector": "A B" }),
            json!({ "subject_type": "secret" }),
            json!({ "subject_type": "public", "sector": "a.example" }),
        ] {
            add(bad.clone()).await.refused(422, "invalid-value");
        }
        let two = json!({ "redirect_uris": ["https://a.example/cb", "https://b.example/cb"], "sector": "shop.example" });
        assert_eq!(add(two).await.expect(201).text("sector"), "shop.example");
        let change = json!({ "redirect_uris": ["https://elsewhere.example/cb"] });
        let kept = rig.admin(Method::PUT, "/api/admin/clients/shop", &change).await.expect(200);
        assert_eq!(kept.text("sector"), "shop.example", "people stay who they were");
    }

    // OpenID Connect Core §5.3.2
    async fn an_answer_is_signed_for_the_client_that_wants_it(rig: Rig) {
        rig.register(ADA).await;
        let body = json!({
            "client_id": "shop", "redirect_uris": ["https://shop.example/cb"], "userinfo_signed_response_alg": "ES384",
        });
        let shop = Client::add(&rig, body).await;
        let (tokens, claims) = opens(&rig, &shop).await;
        let told = rig.get("/userinfo").bearer(&tokens.text("access_token")).send().await.expect(200);
        assert_eq!(told.headers["content-type"], "application/jwt");
        let reader = || Verifier::<SignedAnswer>::builder().issuer(ISSUER);
        let now = rig.app.clock.now().secs();
        let answer = reader().audience("shop").keys(keys(&rig).await).build().verify(&told.body, now).unwrap();
        assert_eq!((answer.sub.as_deref(), &answer.extra["email"]), (Some(claims.sub.as_str()), &json!(ADA)));
        assert!(reader().audience("other").keys(keys(&rig).await).build().verify(&told.body, now).is_err());
        let header: Value = serde_json::from_slice(&b64::decode(told.body.split('.').next().unwrap()).unwrap()).unwrap();
        assert_eq!(header["alg"], "ES384");
        // TOK-17
        let id_token = Verifier::<IdToken>::builder().issuer(ISSUER).audience("shop").keys(keys(&rig).await).build();
        assert!(id_token.verify(&told.body, now).is_err());
        rig.get("/userinfo").bearer(&told.body).send().await.refused(401, "token-invalid");

        let plain = json!({ "userinfo_signed_response_alg": "" });
        rig.admin(Method::PUT, "/api/admin/clients/shop", &plain).await.expect(200);
        let told = rig.get("/userinfo").bearer(&tokens.text("access_token")).send().await.expect(200);
        assert_eq!(told.json()["email"], ADA);
        let bad = json!({ "userinfo_signed_response_alg": "HS256" });
        rig.admin(Method::PUT, "/api/admin/clients/shop", &bad).await.refused(422, "invalid-value");
        let metadata = rig.get("/.well-known/openid-configuration").send().await.json();
        assert!(metadata["userinfo_signing_alg_values_supported"].as_array().unwrap().contains(&json!("ES384")));
    }

    // OpenID Connect Core §10.2, TOK-11
    async fn an_id_token_is_encrypted_to_its_client(rig: Rig) {
        rig.register(ADA).await;
        let own = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "shop-1").unwrap();
        let body = json!({
            "client_id": "shop", "redirect_uris": ["https://shop.example/cb"],
            "id_token_encryption": { "jwk": own.public_jwk().unwrap(), "enc": "A128CBC-HS256" },
        });
        let shop = Client::add(&rig, body).await;
        let tokens = Browser::new(&rig).tokens(&shop, &[], ADA).await;
        let verifier = Verifier::<IdToken>::builder().issuer(ISSUER).audience("shop").keys(keys(&rig).await).build();
        let (text, now) = (tokens.text("id_token"), rig.app.clock.now().secs());
        assert!(verifier.verify(&text, now).is_err());
        let opener = Decryptor::new(own).accept([ContentAlgorithm::A128CbcHs256]);
        let claims = opener.decrypt_and_verify(&verifier, &text, now).unwrap();
        assert_eq!(claims.nonce.as_deref(), Some("n-1"));
        let metadata = rig.get("/.well-known/openid-configuration").send().await.json();
        let offers = |member: &str, name: &str| metadata[member].as_array().unwrap().contains(&json!(name));
        assert!(offers("id_token_encryption_alg_values_supported", "ECDH-ES+A256KW"));
        assert!(offers("id_token_encryption_enc_values_supported", "A128CBC-HS256"));
        assert!(!offers("id_token_encryption_alg_values_supported", "dir"));
        for bad in [json!({ "kty": "oct", "k": "AAAA", "alg": "dir" }), json!("x"), json!({ "kty": "EC", "d": "AAAA" })] {
            let body = json!({ "id_token_encryption": { "jwk": bad } });
            rig.admin(Method::PUT, "/api/admin/clients/shop", &body).await.refused(422, "invalid-value");
        }
        let none = json!({ "id_token_encryption": { "jwk": null } });
        rig.admin(Method::PUT, "/api/admin/clients/shop", &none).await.expect(200);
        opens(&rig, &shop).await;
    }

    // TOK-10, TOK-11, RFC 9068 §6: the service alone reads it, and it names people as every service knows them.
    async fn an_access_token_is_encrypted_to_its_audience(rig: Rig) {
        rig.register(ADA).await;
        let own = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "orders-1").unwrap();
        let audience = json!({ "audience": "orders", "encryption": { "jwk": own.public_jwk().unwrap() } });
        rig.admin(Method::POST, "/api/admin/audiences", &audience).await.expect(201);
        let body = json!({
            "client_id": "shop", "redirect_uris": ["https://shop.example/cb"], "audiences": ["orders", "api"],
            "access_token_format": "encrypted", "subject_type": "pairwise", "serves": ["orders"],
        });
        let shop = Client::add(&rig, body).await;
        let tokens = Browser::new(&rig).tokens(&shop, &[], ADA).await;
        let (text, now) = (tokens.text("access_token"), rig.app.clock.now().secs());
        assert_eq!(text.matches('.').count(), 4);
        let verifier = Verifier::<AccessToken>::builder().issuer(ISSUER).audience("orders").keys(keys(&rig).await).build();
        let opener = Decryptor::new(own.clone()).accept([ContentAlgorithm::A256GCM]);
        let claims: AccessClaims = opener.decrypt_and_verify(&verifier, &text, now).unwrap().into_inner();
        assert_eq!((claims.sub, claims.client_id.as_str()), (user_id(&rig).await, "shop"));
        // What is inside is a signed token: the service asks about it, and is told by the name it knows.
        let inside = String::from_utf8(opener.decrypt(&text).unwrap().to_vec()).unwrap();
        let says = introspect(&rig, &shop, &inside).await;
        assert_eq!((&says["active"], &says["sub"]), (&json!(true), &json!(shop.id_token(&rig, &tokens).await.sub)));
        // The issuer itself is not the audience.
        rig.get("/userinfo").bearer(&text).send().await.refused(401, "token-invalid");
        assert_eq!(introspect(&rig, &shop, &text).await, json!({ "active": false }));

        let form = [("client_id", "shop"), ("client_secret", shop.secret.as_deref().unwrap()), ("token", &text)];
        assert_eq!(rig.post("/revoke").form(&form).send().await.expect(400).text("error"), "unsupported_token_type");

        // An audience without a key gets none that anybody could read instead.
        let to_api = Browser::new(&rig).authorize(&shop, &[("resource", "api")], ADA).await;
        shop.redeem(&rig, &query(&to_api)["code"]).await.refused(400, "invalid-target");
        let none = json!({ "encryption": { "jwk": null } });
        rig.admin(Method::PUT, "/api/admin/audiences/orders", &none).await.expect(200);
        shop.refresh(&rig, &tokens.text("refresh_token")).await.refused(400, "invalid-target");
        let again = json!({ "encryption": { "jwk": own.public_jwk().unwrap(), "enc": "A256CBC-HS512" } });
        let shown = rig.admin(Method::PUT, "/api/admin/audiences/orders", &again).await.expect(200).json();
        assert_eq!(shown["encryption"]["enc"], "A256CBC-HS512");
    }
}

// KEY-08: the key of pairwise ids is made once; without it nobody would be who they were.
#[tokio::test]
async fn a_store_without_its_key_of_subjects_does_not_start() {
    let rig = Rig::sqlite().await;
    assert!(!location(&Browser::new(&rig).get(&Client::web(&rig, "a").await.url(&[])).await.expect(303)).is_empty());
    let database = rig.folder.path().join("data").join("countersign.db");
    let Rig { app, front, folder, .. } = rig;
    let config = app.config.clone();
    app.store.close().await;
    drop((app, front));
    let changed = rusqlite::Connection::open(&database).unwrap();
    assert_eq!(changed.execute("DELETE FROM meta WHERE name = 'subject_key'", []).unwrap(), 1);
    drop(changed);
    let refused = countersign_server::app::App::open(config).await.unwrap_err().to_string();
    assert!(refused.contains("pairwise subjects"), "{refused}");
    drop(folder);
}
