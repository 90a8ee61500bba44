//! Dynamic OP: the modules that are about more than the registration itself, with clients that an administrator registers.

use std::time::Duration;

use countersign_jose::{Algorithm, Verifier};
use http::Method;
use serde_json::json;

use super::{
    config::keys,
    flow::{ADA, authorize, client, client_with, error_page, header, provider, redeemed},
};
use crate::{
    browser::{Browser, Client, VERIFIER, query},
    forms::{self, SignedAnswer},
    rig::ISSUER,
    token::assertion::Signer,
};

#[tokio::test]
async fn oidcc_idtoken_rs256() {
    let rig = provider().await;
    let client = client_with(&rig, "one", json!({ "id_token_alg": "RS256" })).await;
    rig.advance(Duration::from_hours(1));
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[]).await;
    let header = header(&flow.id_token());
    assert_eq!((&header["alg"], header["kid"].is_string()), (&json!("RS256"), true));
}

#[tokio::test]
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let rig = provider().await;
    let two = json!({ "redirect_uris": ["https://one.example/cb", "https://one.example/cb2"] });
    let client = client_with(&rig, "one", two).await;
    error_page(&Browser::new(&rig).get(&client.url(&[("redirect_uri", "")])).await);
}

#[tokio::test]
#[expect(non_snake_case, reason = "the module's own name")]
async fn oidcc_redirect_uri_query_OK() {
    let rig = provider().await;
    let query = json!({ "redirect_uris": ["https://one.example/cb?foo=bar"] });
    let client = client_with(&rig, "one", query).await;
    let answer = Browser::new(&rig).authorize(&client, &[], ADA).await;
    let back = self::query(&answer);
    assert_eq!((back["foo"].as_str(), back["state"].as_str()), ("bar", "st&te"));
    redeemed(&rig, &client, client.redeem(&rig, &back["code"]).await, &[]).await.userinfo(&rig).await;
}

#[tokio::test]
async fn oidcc_redirect_uri_query_added() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    error_page(&Browser::new(&rig).get(&client.url(&[("redirect_uri", "https://one.example/cb?foo=bar")])).await);
}

#[tokio::test]
async fn oidcc_redirect_uri_query_mismatch() {
    let rig = provider().await;
    let client = client_with(&rig, "one", json!({ "redirect_uris": ["https://one.example/cb?foo=bar"] })).await;
    error_page(&Browser::new(&rig).get(&client.url(&[("redirect_uri", "https://one.example/cb?foo=other")])).await);
}

#[tokio::test]
async fn oidcc_redirect_uri_regfrag() {
    let rig = provider().await;
    let bad = json!({
        "client_id": "one", "audiences": ["api"], "grants": ["authorization_code"],
        "redirect_uris": ["https://one.example/cb#foobar"],
    });
    rig.admin(Method::POST, "/api/admin/clients", &bad).await.refused(422, "invalid-value");
}

#[tokio::test]
async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds() {
    let rig = provider().await;
    let settings = json!({
        "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "email"],
        "redirect_uris": ["https://one.example/cb"],
    });
    let signer = Signer::add(&rig, "one", Algorithm::ES256, &settings).await;
    let client = Client { id: "one".into(), secret: None, redirect: "https://one.example/cb".into() };
    let answer = Browser::new(&rig).authorize(&client, &[], ADA).await;
    let code = super::flow::code(&client, &answer);
    // The assertion's `aud` is the issuer and nothing else.
    let form = [("grant_type", "authorization_code"), ("code", &*code), ("code_verifier", VERIFIER)];
    let tokens = signer.post(&rig, "/token", &form).await;
    redeemed(&rig, &client, tokens, &[]).await.userinfo(&rig).await;
}

#[tokio::test]
async fn oidcc_userinfo_rs256() {
    let rig = provider().await;
    let client = client_with(&rig, "one", json!({ "userinfo_signed_response_alg": "RS256" })).await;
    rig.advance(Duration::from_hours(1));
    let metadata = rig.get("/.well-known/openid-configuration").send().await.expect(200).json();
    assert!(metadata["userinfo_signing_alg_values_supported"].as_array().unwrap().contains(&json!("RS256")));
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[]).await;
    let told = rig.get("/userinfo").bearer(&flow.access()).send().await.expect(200);
    assert_eq!(
        (&told.headers["content-type"], &header(&told.body)["alg"]),
        (&"application/jwt".parse().unwrap(), &json!("RS256"))
    );
    let verifier =
        Verifier::<SignedAnswer>::builder().issuer(ISSUER).audience("one").keys(forms::keys(&rig).await).build();
    let claims = verifier.verify(&told.body, rig.app.clock.now().secs()).unwrap();
    assert_eq!(claims.sub, Some(flow.claims.sub));
    assert!(!claims.extra.contains_key("nonce"));
}

#[tokio::test]
async fn oidcc_server_rotate_keys() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let before = keys(&rig).await;
    let mut browser = Browser::new(&rig);
    let first = authorize(&rig, &client, &mut browser, &[]).await;
    rig.admin(Method::POST, "/api/admin/keys/rotate", &json!({})).await.expect(200);
    let after = keys(&rig).await;
    let added: Vec<_> = after.iter().filter(|key| !before.contains(key)).collect();
    assert!(!added.is_empty() && before.iter().all(|key| after.contains(key)));
    // What was signed before still verifies; the new key signs when every cache can know it (KEY-02).
    client.id_token(&rig, &first.tokens).await;
    rig.admin(Method::POST, "/api/admin/keys/rotate", &json!({ "now": true })).await.expect(200);
    let second = authorize(&rig, &client, &mut browser, &[]).await;
    let name = header(&second.id_token())["kid"].clone();
    assert!(!before.iter().any(|key| key["kid"] == name));
}
