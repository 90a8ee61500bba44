//! Basic OP: the server itself, UserInfo, codes, refresh, and what a request may carry without harm.

use std::time::Duration;

use serde_json::json;

use super::flow::{
    ADA, authorize, client, client_with, code, complete, error_at, error_page, header, provider, redeemed,
};
use crate::{
    browser::{Browser, location, query},
    rig::ISSUER,
};

#[tokio::test]
async fn oidcc_server() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[]).await;
    flow.userinfo(&rig).await;
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let refused = Browser::new(&rig).get(&client.url(&[("response_type", "")])).await.expect(303);
    let error = error_at(&client, &refused);
    assert!(["invalid_request", "unsupported_response_type"].contains(&error.as_str()), "{error}");
}

#[tokio::test]
async fn oidcc_idtoken_signature() {
    let rig = provider().await;
    let client = client_with(&rig, "one", json!({ "id_token_alg": "RS256" })).await;
    rig.advance(Duration::from_hours(1));
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[]).await;
    let header = header(&flow.id_token());
    assert_eq!(header["alg"], "RS256");
    assert!(header["kid"].is_string());
}

#[tokio::test]
async fn oidcc_userinfo_get() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    authorize(&rig, &client, &mut Browser::new(&rig), &[]).await.userinfo(&rig).await;
}

#[tokio::test]
async fn oidcc_userinfo_post_header() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[]).await;
    flow.told(&rig.post("/userinfo").bearer(&flow.access()).send().await.expect(200));
}

#[tokio::test]
async fn oidcc_userinfo_post_body() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[]).await;
    flow.told(&rig.post("/userinfo").form(&[("access_token", &flow.access())]).send().await.expect(200));
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[("nonce", "")]).await;
    assert_eq!(flow.claims.nonce, None);
}

#[tokio::test]
async fn oidcc_ensure_request_with_unknown_parameter_succeeds() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    authorize(&rig, &client, &mut Browser::new(&rig), &[("extra", "foobar")]).await.userinfo(&rig).await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[("code_challenge_method", "S256")]).await;
    flow.userinfo(&rig).await;
}

/// Checks that a parameter does no harm.
async fn harmless(name: &str, value: &str) {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[(name, value)]).await;
    flow.userinfo(&rig).await;
}

#[tokio::test]
async fn oidcc_display_page() {
    harmless("display", "page").await;
}

#[tokio::test]
async fn oidcc_display_popup() {
    harmless("display", "popup").await;
}

#[tokio::test]
async fn oidcc_ui_locales() {
    harmless("ui_locales", "se en").await;
}

#[tokio::test]
async fn oidcc_claims_locales() {
    harmless("claims_locales", "se").await;
}

#[tokio::test]
async fn oidcc_login_hint() {
    harmless("login_hint", ADA).await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds() {
    let rig = provider().await;
    let metadata = rig.get("/.well-known/openid-configuration").send().await.expect(200).json();
    let known: Vec<&str> =
        metadata["acr_values_supported"].as_array().unwrap().iter().map(|acr| acr.as_str().unwrap()).collect();
    let client = client(&rig, "one").await;
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[("acr_values", &known.join(" "))]).await;
    assert!(known.contains(&flow.claims.acr.as_deref().unwrap()));
}

#[tokio::test]
async fn oidcc_codereuse() {
    reuse(Duration::ZERO).await;
}

#[tokio::test]
async fn oidcc_codereuse_30seconds() {
    reuse(Duration::from_secs(30)).await;
}

async fn reuse(later: Duration) {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let answer = Browser::new(&rig).authorize(&client, &[], ADA).await;
    let flow = complete(&rig, &client, &answer, &[]).await;
    flow.userinfo(&rig).await;
    rig.advance(later);
    let again = client.redeem(&rig, &query(&answer)["code"]).await.expect(400);
    assert_eq!(again.text("error"), "invalid_grant");
    assert!(again.headers["content-type"].to_str().unwrap().starts_with("application/json"));
    // RFC 6749 §4.1.2: what the first use got should be worth nothing now.
    rig.get("/userinfo").bearer(&flow.access()).send().await.expect(401);
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    authorize(&rig, &client, &mut browser, &[]).await;
    let bad = format!("{}/nX9kz", client.redirect);
    error_page(&browser.get(&client.url(&[("redirect_uri", &bad)])).await);
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let posted = rig.post("/authorize").raw("application/x-www-form-urlencoded", client.query(&[]));
    let mut answer = posted.send().await.expect(303);
    let mut browser = Browser::new(&rig);
    while !location(&answer).starts_with(&client.redirect) {
        let page = browser.follow(&answer).await;
        answer = match page.body.contains("action=\"/ui/signin\"") {
            true => browser.sign_in(&page, ADA, crate::rig::PASSWORD).await.expect(303),
            false if page.status == 200 => browser.decide(&page, "allow").await.expect(303),
            false => page,
        };
    }
    complete(&rig, &client, &answer, &[]).await.userinfo(&rig).await;
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let answer = Browser::new(&rig).authorize(&client, &[], ADA).await;
    let tokens = client.redeem(&rig, &code(&client, &answer)).await;
    redeemed(&rig, &client, tokens, &[]).await.userinfo(&rig).await;
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let rig = provider().await;
    let (client, other) = (client(&rig, "one").await, client(&rig, "two").await);
    let mut browser = Browser::new(&rig);
    let offline = [("scope", "openid offline_access"), ("prompt", "consent")];
    let flow = authorize(&rig, &client, &mut browser, &offline).await;
    rig.advance(Duration::from_secs(1));
    let refreshed = client.refresh(&rig, &flow.tokens.text("refresh_token")).await.expect(200);
    assert!(refreshed.text("token_type").eq_ignore_ascii_case("Bearer"));
    assert!(refreshed.json()["expires_in"].as_u64().unwrap() > 0);
    assert_ne!(refreshed.text("access_token"), flow.access());
    if refreshed.json()["id_token"].is_string() {
        let claims = client.id_token(&rig, &refreshed).await;
        assert_eq!(
            (claims.iss.as_str(), &claims.sub, claims.auth_time),
            (ISSUER, &flow.claims.sub, flow.claims.auth_time)
        );
    }
    flow.told(&rig.get("/userinfo").bearer(&refreshed.text("access_token")).send().await.expect(200));
    // Bound to the client that it was given to, which keeps it.
    let stolen = other.refresh(&rig, &refreshed.text("refresh_token")).await.expect(400);
    assert_eq!(stolen.text("error"), "invalid_grant");
    client.refresh(&rig, &refreshed.text("refresh_token")).await.expect(200);
}
