//! `GET·POST /authorize`

use std::time::Duration;

use serde_json::json;

use crate::{
    both,
    browser::{Browser, Client, hidden, location, query},
    rig::{ISSUER, Rig},
};

const ADA: &str = "ada@example.com";

both! {
    // OAU-06, OAU-11, CSR-11, TOK-17: the whole way, over every page.
    async fn a_person_signs_in_agrees_and_the_client_gets_its_tokens(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let to_sign_in = browser.get(&client.url(&[("login_hint", ADA)])).await.expect(303);
        assert!(location(&to_sign_in).starts_with("/ui/signin?request="));
        let page = browser.follow(&to_sign_in).await.expect(200);
        assert!(page.body.contains("<strong>shop</strong>") && page.body.contains(&format!("value=\"{ADA}\"")), "{}", page.body);
        let signed_in = browser.sign_in(&page, ADA, crate::rig::PASSWORD).await.expect(303);
        assert!(location(&signed_in).starts_with("/ui/consent?request="));
        let page = browser.follow(&signed_in).await.expect(200);
        for words in [ADA, "https://shop.example", "see your e-mail address", "know which account is yours", "90 days"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        let answer = browser.decide(&page, "allow").await.expect(303);
        assert!(location(&answer).starts_with("https://shop.example/cb?code="));
        let back = query(&answer);
        assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("st&te", ISSUER));
        let tokens = client.redeem(&rig, &back["code"]).await.expect(200);
        assert_eq!(tokens.headers["cache-control"], "no-store");
        assert_eq!((tokens.text("scope").as_str(), tokens.text("token_type").as_str()), ("email openid", "Bearer"));
        let claims = client.id_token(&rig, &tokens).await;
        assert_eq!((claims.nonce.as_deref(), claims.amr.as_slice()), (Some("n-1"), &["pwd".to_owned()][..]));
        assert_eq!(claims.sid, Some(tokens.text("sid")));
        assert_eq!(claims.auth_time, Some(rig.app.clock.now().secs()));
        assert!(claims.at_hash.is_some() && claims.sub.starts_with("usr_"));
        client.refresh(&rig, &tokens.text("refresh_token")).await.expect(200);
    }

    // One sign-in serves several clients, and what was agreed to is not asked again of a client that proves itself.
    async fn the_second_client_and_the_second_time_need_no_password(rig: Rig) {
        rig.register(ADA).await;
        let (shop, bank) = (Client::web(&rig, "shop").await, Client::web(&rig, "bank").await);
        let mut browser = Browser::new(&rig);
        browser.authorize(&shop, &[], ADA).await;
        let other = browser.get(&bank.url(&[])).await.expect(303);
        assert!(location(&other).starts_with("/ui/consent"), "{}", location(&other));
        for silent in [&[][..], &[("prompt", "none")], &[("max_age", "60")], &[("scope", "openid")]] {
            let again = browser.get(&shop.url(silent)).await.expect(303);
            assert!(query(&again).contains_key("code"), "{silent:?}: {}", location(&again));
        }
        let more = browser.get(&shop.url(&[("scope", "openid email profile")])).await.expect(303);
        assert!(location(&more).starts_with("/ui/consent"));
    }

    // OAU-12, MFA-06
    async fn nothing_is_shown_with_prompt_none(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let refused = browser.get(&client.url(&[("prompt", "none")])).await.expect(303);
        let back = query(&refused);
        assert!(location(&refused).starts_with("https://shop.example/cb?error="));
        assert_eq!((back["error"].as_str(), back["state"].as_str(), back["iss"].as_str()), ("login_required", "st&te", ISSUER));
        assert!(refused.cookies().is_empty());
        browser.authorize(&client, &[("scope", "openid")], ADA).await;
        let refused = browser.get(&client.url(&[("prompt", "none")])).await.expect(303);
        assert_eq!(query(&refused)["error"], "consent_required");
    }

    // MFA-06: a newer sign-in when the client wants one; the sessions before it live on and keep what they say.
    async fn a_client_can_ask_for_a_new_sign_in(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let first = browser.tokens(&client, &[], ADA).await;
        let before = browser.cookie("signin").unwrap().to_owned();
        rig.advance(Duration::from_secs(60));
        for fresh in [&[("prompt", "login")][..], &[("max_age", "59")], &[("max_age", "0")], &[("prompt", "select_account")]] {
            let asked = browser.get(&client.url(fresh)).await.expect(303);
            assert!(location(&asked).starts_with("/ui/signin"), "{fresh:?}");
        }
        let second = browser.tokens(&client, &[("prompt", "login")], ADA).await;
        assert_ne!(browser.cookie("signin").unwrap(), before);
        let (old, new) = (client.id_token(&rig, &first).await, client.id_token(&rig, &second).await);
        assert_eq!(new.auth_time.unwrap() - old.auth_time.unwrap(), 60);
        // CSR-03: the old id is dead, the old session is not.
        rig.get("/session").cookie("signin", &before).send().await.refused(401, "token-invalid");
        rig.advance(Duration::from_secs(11));
        let refreshed = client.refresh(&rig, &first.text("refresh_token")).await.expect(200);
        let payload = refreshed.text("access_token").split('.').nth(1).unwrap().to_owned();
        let payload: serde_json::Value = serde_json::from_slice(&countersign_jose::b64::decode(&payload).unwrap()).unwrap();
        assert_eq!(payload["auth_time"], json!(old.auth_time));
        // One sign-out ends both.
        let ask = rig.post("/logout").json(&json!({})).same_origin();
        browser.send(ask).await.expect(204);
        for tokens in [&refreshed, &second] {
            client.refresh(&rig, &tokens.text("refresh_token")).await.refused(400, "refresh-revoked");
        }
    }

    // Another person at the same browser: the one before is signed out (CSR-03).
    async fn an_id_token_hint_names_whom_the_client_expects(rig: Rig) {
        rig.register(ADA).await;
        rig.register("bob@example.com").await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let ada = browser.tokens(&client, &[], ADA).await;
        let hint = ada.text("id_token");
        rig.advance(Duration::from_hours(2));
        let same = browser.get(&client.url(&[("id_token_hint", &hint), ("prompt", "none")])).await.expect(303);
        assert!(query(&same).contains_key("code"), "{}", location(&same));
        let bob = browser.tokens(&client, &[("prompt", "login")], "bob@example.com").await;
        client.refresh(&rig, &ada.text("refresh_token")).await.refused(400, "refresh-revoked");
        let other = browser.get(&client.url(&[("id_token_hint", &hint), ("prompt", "none")])).await.expect(303);
        assert_eq!(query(&other)["error"], "login_required");
        // TOK-17, RLO-03: only an ID token, and only ours.
        let access = bob.text("access_token");
        let altered = format!("{hint}A");
        for bad in ["garbage", &access, &altered, "eyJhbGciOiJub25lIn0.e30."] {
            let refused = browser.get(&client.url(&[("id_token_hint", bad)])).await.expect(303);
            assert_eq!(query(&refused)["error"], "invalid_request", "{bad}");
        }
    }
}

// OAU-01, OAU-02: what has nowhere to go stays at the issuer, whoever is signed in.
#[tokio::test]
async fn bad_clients_and_addresses_get_a_page_and_no_redirect() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    browser.authorize(&client, &[], ADA).await;
    let evil = "https://evil.example/cb";
    for bad in [
        &[("client_id", "")][..],
        &[("client_id", "nobody")],
        &[("client_id", "usr_x")],
        &[("client_id", "shop"), ("client_id", "shop")],
        &[("redirect_uri", evil)],
        &[("redirect_uri", "https://shop.example/cb/")],
        &[("redirect_uri", "https://shop.example/cb?x=1")],
        &[("redirect_uri", "https://shop.example.evil.example/cb")],
        &[("redirect_uri", "https://shop.example/cb"), ("redirect_uri", evil)],
        &[("redirect_uri", "javascript:alert(1)")],
        &[("state", "a\0b")],
    ] {
        for answer in [
            browser.get(&client.url(bad)).await,
            rig.post("/authorize").raw("application/x-www-form-urlencoded", client.query(bad)).send().await,
        ] {
            let page = answer.expect(400);
            assert!(!page.headers.contains_key("location"), "{bad:?}");
            assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
            assert!(page.body.contains("authorize-invalid") && !page.body.contains("evil"), "{}", page.body);
        }
    }
    let body = json!({});
    rig.admin(http::Method::POST, "/api/admin/clients/shop/disable", &body).await.expect(200);
    browser.get(&client.url(&[])).await.expect(400);
}

// OAU-02, OAU-03, OAU-04, OAU-07: every other mistake goes to the client, with its state and our name.
#[tokio::test]
async fn other_mistakes_go_back_to_the_client() {
    let rig = Rig::sqlite().await;
    let client = Client::web(&rig, "shop").await;
    for (error, bad) in [
        ("unsupported_response_type", &[("response_type", "token")][..]),
        ("unsupported_response_type", &[("response_type", "code id_token")]),
        ("invalid_request", &[("response_type", "")]),
        ("invalid_request", &[("code_challenge", "")]),
        ("invalid_request", &[("code_challenge_method", "plain")]),
        ("invalid_request", &[("code_challenge_method", "")]),
        ("invalid_request", &[("prompt", "none login")]),
        ("invalid_request", &[("max_age", "soon")]),
        ("invalid_request", &[("nonce", "a"), ("nonce", "b")]),
        ("invalid_scope", &[("scope", "openid admin")]),
        ("invalid_target", &[("resource", "admin")]),
        ("request_not_supported", &[("request", "x")]),
        ("request_uri_not_supported", &[("request_uri", "https://shop.example/r")]),
    ] {
        let refused = rig.get(&client.url(bad)).send().await.expect(303);
        let back = query(&refused);
        assert!(location(&refused).starts_with("https://shop.example/cb?"), "{bad:?}");
        assert_eq!(
            (back["error"].as_str(), back["state"].as_str(), back["iss"].as_str()),
            (error, "st&te", ISSUER),
            "{bad:?}"
        );
    }
    let refused = rig.get(&client.url(&[("state", "a"), ("state", "b")])).send().await.expect(303);
    assert_eq!((query(&refused)["error"].as_str(), query(&refused).get("state")), ("invalid_request", None));
    let off = Client::add(&rig, json!({ "client_id": "off", "redirect_uris": ["https://off.example/cb"] })).await;
    let change = json!({ "grants": ["refresh_token"], "redirect_uris": [] });
    rig.admin(http::Method::PUT, "/api/admin/clients/off", &change).await.expect(200);
    rig.get(&off.url(&[])).send().await.expect(400);
}

// A form of another site carries no cookie: the request comes back as a query, which does.
#[tokio::test]
async fn a_request_may_come_in_a_form() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    browser.authorize(&client, &[], ADA).await;
    let ask = rig.post("/authorize").raw("application/x-www-form-urlencoded", client.query(&[("utm", "1")]));
    let redirect = ask.send().await.expect(303);
    assert_eq!(location(&redirect), client.url(&[]));
    assert!(query(&browser.follow(&redirect).await.expect(303)).contains_key("code"));
}

// OAuth 2.0 Form Post Response Mode, CSR-09
#[tokio::test]
async fn the_answer_may_travel_in_a_form() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    browser.authorize(&client, &[], ADA).await;
    let page = browser.get(&client.url(&[("response_mode", "form_post"), ("state", "\"><script>x")])).await.expect(200);
    assert!(page.body.contains("action=\"https://shop.example/cb\"") && !page.body.contains("<script>"));
    assert_eq!((hidden(&page, "iss"), page.headers.contains_key("location")), (ISSUER.to_owned(), false));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action https://shop.example;") && policy.contains("script-src 'self'"), "{policy}");
    assert_eq!(
        (&page.headers["referrer-policy"], &page.headers["cache-control"]),
        (&"no-referrer".parse().unwrap(), &"no-store".parse().unwrap())
    );
    client.redeem(&rig, &hidden(&page, "code")).await.expect(200);
    let error = browser.get(&client.url(&[("response_mode", "form_post"), ("scope", "x")])).await.expect(200);
    assert_eq!(hidden(&error, "error"), "invalid_scope");
}

// OAU-11: nobody knows which program holds a public client's name, so each request is agreed to.
#[tokio::test]
async fn public_clients_are_asked_about_each_time() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let native = Client::native(&rig, "cli").await;
    let mut browser = Browser::new(&rig);
    let port = [("redirect_uri", "http://127.0.0.1:51234/cb")];
    let answer = browser.authorize(&native, &port, ADA).await;
    assert!(location(&answer).starts_with("http://127.0.0.1:51234/cb?code="));
    let tokens =
        native.redeem_with(&rig, &query(&answer)["code"], &[("code_verifier", crate::browser::VERIFIER)]).await;
    tokens.expect(200);
    let again = browser.get(&native.url(&port)).await.expect(303);
    assert!(location(&again).starts_with("/ui/consent"));
    let refused = browser.get(&native.url(&[("prompt", "none")])).await.expect(303);
    assert_eq!(query(&refused)["error"], "consent_required");
    let house = json!({ "client_id": "house", "public": true, "consent": "implied", "redirect_uris": ["https://house.example/cb"] });
    let house = Client::add(&rig, house).await;
    let silent = browser.get(&house.url(&[("prompt", "none")])).await.expect(303);
    assert!(query(&silent).contains_key("code"));
}

// Without `openid` it is OAuth: no ID token, and no scope about the person by default.
#[tokio::test]
async fn a_client_may_ask_for_no_identity() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    let tokens = browser.tokens(&client, &[("scope", "")], ADA).await;
    assert_eq!((tokens.text("scope").as_str(), &tokens.json()["id_token"]), ("orders:read", &serde_json::Value::Null));
    let access = tokens.text("access_token");
    rig.get("/userinfo").bearer(&access).send().await.refused(403, "scope-missing");
}

// Decision 5: RS256 exists where a client asks for it.
#[tokio::test]
async fn an_id_token_is_signed_as_its_client_wants() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let body = json!({ "client_id": "old", "redirect_uris": ["https://old.example/cb"], "id_token_alg": "RS256" });
    let client = Client::add(&rig, body).await;
    rig.advance(Duration::from_hours(1));
    let tokens = Browser::new(&rig).tokens(&client, &[], ADA).await;
    let header = tokens.text("id_token").split('.').next().unwrap().to_owned();
    let header: serde_json::Value = serde_json::from_slice(&countersign_jose::b64::decode(&header).unwrap()).unwrap();
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
    client.id_token(&rig, &tokens).await;
}
