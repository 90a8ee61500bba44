//! Signed authorization requests (RFC 9101), in the browser's address and pushed.

use countersign_jose::{Algorithm, RequestObjectClaims, SigningKey, b64, profile::RequestObject, sign};
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    browser::{Browser, Client, VERIFIER, location, query},
    rig::{Answer, ISSUER, PASSWORD, Rig},
    token::assertion::{Signer, jwks},
};

const ADA: &str = "ada@example.com";

/// An application with keys, at `https://bank.example/cb`.
async fn bank(rig: &Rig, more: Value) -> (Signer, Client) {
    rig.register(ADA).await;
    let mut settings = json!({
        "grants": ["authorization_code"], "redirect_uris": ["https://bank.example/cb", "https://bank.example/other"],
        "scopes": ["openid", "email"], "consent": "implied",
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let signer = Signer::add(rig, "bank", Algorithm::ES256, &settings).await;
    (signer, Client { id: "bank".into(), secret: None, redirect: "https://bank.example/cb".into() })
}

/// A good request with some parameters changed or, by `null`, left out, signed.
fn object_with(rig: &Rig, key: &SigningKey, client: &Client, change: impl FnOnce(&mut RequestObjectClaims)) -> String {
    let mut extra = serde_json::Map::new();
    for (name, value) in form_urlencoded::parse(client.query(&[]).as_bytes()).filter(|(name, _)| name != "client_id") {
        extra.insert(name.into_owned(), json!(value));
    }
    let now = rig.app.clock.now().secs();
    let mut claims = RequestObjectClaims {
        iss: client.id.clone(),
        aud: ISSUER.into(),
        client_id: client.id.clone(),
        exp: now + 300,
        iat: Some(now),
        nbf: Some(now),
        jti: Some("r1".into()),
        extra,
    };
    change(&mut claims);
    claims.extra.retain(|_, value| !value.is_null());
    sign::<RequestObject>(key, &claims).unwrap()
}

/// A request that was signed by this algorithm gets a code.
pub async fn signed_by(rig: &Rig, id: &'static str, alg: Algorithm) {
    let settings = json!({
        "grants": ["authorization_code"], "redirect_uris": ["https://bank.example/cb"], "scopes": ["openid"], "consent": "implied",
    });
    let signer = Signer::add(rig, id, alg, &settings).await;
    let client = Client { id: id.into(), secret: None, redirect: "https://bank.example/cb".into() };
    let object = object_with(rig, &signer.key, &client, |claims| {
        claims.extra.insert("scope".into(), json!("openid"));
    });
    rig.advance(std::time::Duration::from_secs(1));
    let back = arrive(&mut Browser::new(rig), &url(&[("client_id", id), ("request", &object)])).await;
    assert!(query(&back).contains_key("code"), "{alg}: {}", location(&back));
}

fn object(rig: &Rig, key: &SigningKey, client: &Client) -> String {
    object_with(rig, key, client, |_| {})
}

fn url(pairs: &[(&str, &str)]) -> String {
    format!("/authorize?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// Over the pages up to the answer at the client.
async fn arrive(browser: &mut Browser<'_>, url: &str) -> Answer {
    let first = browser.get(url).await.expect(303);
    if !location(&first).starts_with("/ui/signin") {
        return first;
    }
    let page = browser.follow(&first).await.expect(200);
    browser.sign_in(&page, ADA, PASSWORD).await.expect(303)
}

both! {
    // OAU-10, RFC 9101 §6.3: the request is what was signed, whatever stands beside it, also after a while on the pages.
    async fn a_signed_request_is_what_counts(rig: Rig) {
        let (signer, client) = bank(&rig, json!({ "require_signed_request_object": true })).await;
        let object = object_with(&rig, &signer.key, &client, |claims| {
            claims.extra.insert("scope".into(), json!("openid"));
            claims.extra.insert("max_age".into(), json!(3600));
        });
        let tampered = [
            ("client_id", "bank"), ("request", &*object), ("scope", "openid email"), ("state", "evil"),
            ("redirect_uri", "https://bank.example/other"), ("response_type", "code"),
        ];
        let mut browser = Browser::new(&rig);
        let page = browser.get(&url(&tampered)).await.expect(303);
        let page = browser.follow(&page).await.expect(200);
        // It was in time when it came.
        rig.advance(std::time::Duration::from_secs(600));
        let back = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
        assert!(location(&back).starts_with("https://bank.example/cb?"));
        assert_eq!(query(&back)["state"], "st&te");
        let redeem = [("grant_type", "authorization_code"), ("code", &*query(&back)["code"]), ("code_verifier", VERIFIER)];
        let tokens = signer.post(&rig, "/token", &redeem).await.expect(200);
        assert_eq!(tokens.text("scope"), "openid");
        let late = browser.get(&url(&tampered)).await.expect(303);
        assert_eq!(query(&late)["error"], "invalid_request_object");
    }

    // RFC 9126 §3, OAU-09: pushed as well, by the client that signed it, once.
    async fn a_signed_request_is_pushed(rig: Rig) {
        let settings = json!({ "require_signed_request_object": true, "require_pushed_authorization_requests": true });
        let (signer, client) = bank(&rig, settings).await;
        let object = object(&rig, &signer.key, &client);
        let refused = signer.post(&rig, "/par", &[("request", "x")]).await.refused(400, "push-refused");
        assert_eq!(refused.text("error"), "invalid_request_object");
        let plain: Vec<_> = form_urlencoded::parse(client.query(&[]).as_bytes()).into_owned().collect();
        let plain: Vec<_> = plain.iter().map(|(name, value)| (&**name, &**value)).collect();
        let refused = signer.post(&rig, "/par", &plain).await.refused(400, "push-refused");
        assert_eq!(refused.text("error"), "invalid_request_object");
        let form = [("client_id", "bank"), ("request", &*object), ("state", "evil")];
        let uri = signer.post(&rig, "/par", &form).await.expect(201).text("request_uri");
        let direct = rig.get(&url(&form)).send().await.expect(303);
        assert_eq!(query(&direct)["error"], "invalid_request");
        let there = url(&[("client_id", "bank"), ("request_uri", &uri)]);
        let back = arrive(&mut Browser::new(&rig), &there).await;
        assert_eq!(query(&back)["state"], "st&te");
        rig.get(&there).send().await.refused_page("authorize-invalid");
    }

    // OAU-10: a client can be held to it, if it has keys; it goes on with those it has now.
    async fn a_client_can_be_held_to_it(rig: Rig) {
        let (mut signer, client) = bank(&rig, json!({})).await;
        assert!(location(&rig.get(&client.url(&[])).send().await.expect(303)).starts_with("/ui/signin"));
        let must = json!({ "require_signed_request_object": true });
        rig.admin(Method::PUT, "/api/admin/clients/bank", &must).await.expect(200);
        assert_eq!(query(&rig.get(&client.url(&[])).send().await.expect(303))["error"], "invalid_request_object");
        let old = object(&rig, &signer.key, &client);
        signer.key = SigningKey::generate(Algorithm::Ed25519, "k2").unwrap();
        rig.admin(Method::PUT, "/api/admin/clients/bank", &json!({ "jwks": jwks(&signer.key) })).await.expect(200);
        let refused = rig.get(&url(&[("client_id", "bank"), ("request", &old), ("redirect_uri", &client.redirect)]));
        assert_eq!(query(&refused.send().await.expect(303))["error"], "invalid_request_object");
        let new = object(&rig, &signer.key, &client);
        assert!(location(&rig.get(&url(&[("client_id", "bank"), ("request", &new)])).send().await.expect(303)).starts_with("/ui/signin"));
        let secret = json!({
            "client_id": "shop", "grants": ["authorization_code"], "audiences": ["api"],
            "redirect_uris": ["https://shop.example/cb"], "require_signed_request_object": true,
        });
        rig.admin(Method::POST, "/api/admin/clients", &secret).await.refused(422, "invalid-value");
        rig.admin(Method::PUT, "/api/admin/clients/first-party", &must).await.refused(422, "invalid-value");
    }
}

// OAU-02, OAU-10: an error goes where the client has registered, or nowhere; nothing is ever fetched.
#[tokio::test]
async fn what_is_no_request_object_is_refused() {
    let rig = Rig::sqlite().await;
    let (signer, client) = bank(&rig, json!({})).await;
    let stranger = SigningKey::generate(Algorithm::ES256, "k").unwrap();
    let good = object(&rig, &signer.key, &client);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (_, payload) = signed.split_once('.').unwrap();
    let none = format!("{}.{payload}.", b64::encode(br#"{"alg":"none","typ":"oauth-authz-req+jwt"}"#));
    let changed = |change: fn(&mut RequestObjectClaims)| object_with(&rig, &signer.key, &client, change);
    let bad = [
        object(&rig, &stranger, &client),
        none,
        format!("{signed}."),
        signer.assertion(&rig),
        changed(|claims| claims.aud = "https://other.example".into()),
        changed(|claims| claims.exp -= 400),
        changed(|claims| claims.exp += 4000),
        changed(|claims| drop(claims.extra.insert("scope".into(), json!(["openid"])))),
        "x".into(),
        "a.b.c.d.e".into(),
    ];
    for object in &bad {
        let here = [("client_id", "bank"), ("redirect_uri", &*client.redirect), ("state", "s"), ("request", object)];
        let back = rig.get(&url(&here)).send().await.expect(303);
        assert!(location(&back).starts_with("https://bank.example/cb?"));
        assert_eq!((&*query(&back)["error"], &*query(&back)["state"]), ("invalid_request_object", "s"), "{object}");
        let elsewhere = [here[0], ("redirect_uri", "https://evil.example/cb"), here[3]];
        rig.get(&url(&elsewhere)).send().await.refused_page("authorize-invalid");
    }
    // Another client's name beside it, or none.
    let other = Client::web(&rig, "shop").await;
    let wrong = [("client_id", &*other.id), ("redirect_uri", &*other.redirect), ("request", &*good)];
    assert_eq!(query(&rig.get(&url(&wrong)).send().await.expect(303))["error"], "request_not_supported");
    rig.get(&url(&[("request", &good)])).send().await.refused_page("authorize-invalid");
    // What it says is judged as any request is.
    let no_challenge = changed(|claims| drop(claims.extra.insert("code_challenge".into(), Value::Null)));
    let back = rig.get(&url(&[("client_id", "bank"), ("request", &no_challenge)])).send().await.expect(303);
    assert_eq!(query(&back)["error"], "invalid_request");
    let evil = changed(|claims| drop(claims.extra.insert("redirect_uri".into(), json!("https://evil.example/cb"))));
    rig.get(&url(&[("client_id", "bank"), ("request", &evil)])).send().await.refused_page("authorize-invalid");
    let remote =
        [("client_id", "bank"), ("redirect_uri", &*client.redirect), ("request_uri", "https://bank.example/r.jwt")];
    assert_eq!(query(&rig.get(&url(&remote)).send().await.expect(303))["error"], "request_uri_not_supported");
}

// OAU-16: every algorithm that the metadata names; and without a type, as older libraries write it.
#[tokio::test]
async fn every_advertised_algorithm_is_accepted() {
    let rig = Rig::sqlite().await;
    let metadata = rig.get("/.well-known/openid-configuration").send().await.expect(200).json();
    assert_eq!(
        (&metadata["request_parameter_supported"], &metadata["request_uri_parameter_supported"]),
        (&json!(true), &json!(false))
    );
    let algs = metadata["request_object_signing_alg_values_supported"].as_array().unwrap().clone();
    assert!(algs.len() > 8 && !algs.contains(&json!("none")) && !algs.contains(&json!("HS256")));
    for (index, alg) in algs.iter().enumerate() {
        let id: &'static str = format!("bank-{index}").leak();
        let settings = json!({ "grants": ["authorization_code"], "redirect_uris": ["https://bank.example/cb"], "scopes": ["openid", "email"] });
        let signer = Signer::add(&rig, id, alg.as_str().unwrap().parse().unwrap(), &settings).await;
        let client = Client { id: id.into(), secret: None, redirect: "https://bank.example/cb".into() };
        let there = [("client_id", id), ("request", &*object(&rig, &signer.key, &client))];
        let answer = rig.post("/authorize").form(&there).send().await;
        assert!(location(&answer.expect(303)).starts_with("/authorize?"), "{alg}");
    }
    let (signer, client) = bank(&rig, json!({})).await;
    let typed = object(&rig, &signer.key, &client);
    let payload = typed.split('.').nth(1).unwrap();
    let input = format!("{}.{payload}", b64::encode(br#"{"alg":"ES256","kid":"k"}"#));
    let untyped = format!("{input}.{}", b64::encode(signer.key.sign_raw(input.as_bytes()).unwrap()));
    let answer = rig.get(&url(&[("client_id", "bank"), ("request", &untyped)])).send().await.expect(303);
    assert!(location(&answer).starts_with("/ui/signin"));
}
