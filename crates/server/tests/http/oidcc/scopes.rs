//! Basic OP: scopes and single claims.

use serde_json::Value;

use super::flow::{Flow, authorize, client, provider};
use crate::{
    browser::{Browser, location, query},
    rig::Rig,
};

const PROFILE: &[&str] = &[
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];
const EMAIL: &[&str] = &["email", "email_verified"];
const PHONE: &[&str] = &["phone_number", "phone_number_verified"];
const ADDRESS: &[&str] = &["address"];

/// Asks for a scope; what UserInfo tells is `wanted` and no more, in the types of the specification (OpenID Connect Core §5.1),
/// and the ID token holds none of it (§5.4).
async fn tells(scope: &str, wanted: &[&[&str]]) {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let flow = authorize(&rig, &client, &mut Browser::new(&rig), &[("scope", scope)]).await;
    is_told(&rig, &flow, &wanted.concat()).await;
}

async fn is_told(rig: &Rig, flow: &Flow, wanted: &[&str]) {
    let told = flow.userinfo(rig).await;
    let mut names: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = wanted.iter().copied().chain(["sub"]).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    for (name, value) in told.as_object().unwrap() {
        let good = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.is_number(),
            "address" => value.as_object().is_some_and(|address| address.values().all(Value::is_string)),
            _ => value.as_str().is_some_and(|text| !text.is_empty()),
        };
        assert!(good, "{name}: {value}");
        assert!(name == "sub" || !flow.claims.extra.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn oidcc_scope_profile() {
    tells("openid profile", &[PROFILE]).await;
}

#[tokio::test]
async fn oidcc_scope_email() {
    tells("openid email", &[EMAIL]).await;
}

#[tokio::test]
async fn oidcc_scope_address() {
    tells("openid address", &[ADDRESS]).await;
}

#[tokio::test]
async fn oidcc_scope_phone() {
    tells("openid phone", &[PHONE]).await;
}

#[tokio::test]
async fn oidcc_scope_all() {
    tells("openid email phone address profile", &[EMAIL, PHONE, ADDRESS, PROFILE]).await;
}

// The order of scopes and of parameters says nothing.
#[tokio::test]
async fn oidcc_alternate_happy_flow() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let url = client.url(&[("scope", "email openid")]);
    let reversed: Vec<&str> = url.strip_prefix("/authorize?").unwrap().split('&').rev().collect();
    let mut browser = Browser::new(&rig);
    // Signed in and agreed, so that the answer comes at once.
    authorize(&rig, &client, &mut browser, &[("scope", "openid email")]).await;
    let answer = browser.get(&format!("/authorize?{}", reversed.join("&"))).await.expect(303);
    let flow = super::flow::complete(&rig, &client, &answer, &[]).await;
    is_told(&rig, &flow, EMAIL).await;
}

#[tokio::test]
async fn oidcc_claims_essential() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    let name = r#"{"userinfo":{"name":{"essential":true}}}"#;
    let flow = authorize(&rig, &client, &mut browser, &[("scope", "openid"), ("claims", name)]).await;
    is_told(&rig, &flow, &["name"]).await;
    // Beyond the module: the other place, refreshes, and what nobody asked for or may not have.
    let both = r#"{"userinfo":{"phone_number":null,"roles":null},"id_token":{"email":null,"name":{"value":"x"},"auth_time":{"essential":true}}}"#;
    let flow = authorize(&rig, &client, &mut browser, &[("scope", "openid"), ("claims", both)]).await;
    let told = flow.userinfo(&rig).await;
    assert_eq!((told.as_object().unwrap().len(), told["phone_number"].is_string()), (2, true));
    let extra: Vec<&str> = flow.claims.extra.keys().map(String::as_str).collect();
    assert_eq!(extra, ["email", "name"]);
    let refreshed = client.refresh(&rig, &flow.tokens.text("refresh_token")).await.expect(200);
    let told = rig.get("/userinfo").bearer(&refreshed.text("access_token")).send().await.expect(200).json();
    assert!(told["phone_number"].is_string());
}

// OAU-11: single claims are agreed to as their scopes are, and expecting a person is no way around signing in.
#[tokio::test]
async fn what_is_asked_for_by_name_is_agreed_to() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    let flow = authorize(&rig, &client, &mut browser, &[("scope", "openid")]).await;
    let silent = |claims: &str| client.url(&[("scope", "openid"), ("prompt", "none"), ("claims", claims)]);
    let refused = browser.get(&silent(r#"{"id_token":{"phone_number":null}}"#)).await;
    assert_eq!(query(&refused)["error"], "consent_required");
    let page =
        browser.get(&client.url(&[("scope", "openid"), ("claims", r#"{"userinfo":{"phone_number":null}}"#)])).await;
    let page = browser.follow(&page).await.expect(200);
    assert!(page.body.contains("see your phone number"), "{}", page.body);
    let sub = |sub: &str| format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
    assert!(query(&browser.get(&silent(&sub(&flow.claims.sub))).await).contains_key("code"));
    assert_eq!(query(&browser.get(&silent(&sub("usr_other"))).await)["error"], "login_required");
    assert_eq!(query(&browser.get(&silent("{")).await)["error"], "invalid_request");
    let unmet = r#"{"id_token":{"acr":{"essential":true,"values":["9"]}}}"#;
    assert_eq!(query(&browser.get(&silent(unmet)).await)["error"], "unmet_authentication_requirements");
    assert!(
        location(&browser.get(&client.url(&[("claims", "x"), ("scope", "email")])).await).starts_with("/ui/consent")
    );
}
