//! Basic OP: scopes and single claims.

use serde_json::{Value, json};

use super::{
    flow::{Flow, authorize, complete},
    op::{ADA, Op, at_each},
};
use crate::browser::{Browser, location, query};

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

at_each! {
    async fn oidcc_scope_profile(op: Op) {
        tells(&op, "openid profile", &[PROFILE]).await;
    }

    async fn oidcc_scope_email(op: Op) {
        tells(&op, "openid email", &[EMAIL]).await;
    }

    async fn oidcc_scope_address(op: Op) {
        tells(&op, "openid address", &[ADDRESS]).await;
    }

    async fn oidcc_scope_phone(op: Op) {
        tells(&op, "openid phone", &[PHONE]).await;
    }

    async fn oidcc_scope_all(op: Op) {
        tells(&op, "openid email phone address profile", &[EMAIL, PHONE, ADDRESS, PROFILE]).await;
    }

    // The order of scopes and of parameters says nothing.
    async fn oidcc_alternate_happy_flow(op: Op) {
        let rp = op.client("one", json!({})).await;
        let url = op.url(&rp, &[("scope", "email openid")]);
        let (path, parameters) = url.split_once('?').unwrap();
        let reversed: Vec<&str> = parameters.split('&').rev().collect();
        let mut browser = Browser::new(&op);
        // Signed in and agreed, so that the answer comes at once.
        authorize(&op, &rp, &mut browser, &[("scope", "openid email")]).await;
        let answer = browser.get(&format!("{path}?{}", reversed.join("&"))).await.expect(303);
        let flow = complete(&op, &rp, &answer, &[]).await;
        is_told(&op, &flow, EMAIL).await;
    }

    async fn oidcc_claims_essential(op: Op) {
        assert_eq!(op.metadata["claims_parameter_supported"], true);
        let rp = op.client("one", json!({})).await;
        let name = r#"{"userinfo":{"name":{"essential":true}}}"#;
        let flow = authorize(&op, &rp, &mut Browser::new(&op), &[("scope", "openid"), ("claims", name)]).await;
        is_told(&op, &flow, &["name"]).await;
    }
}

/// Asks for a scope; what UserInfo tells is `wanted` and no more, in the types of the specification (OpenID Connect Core §5.1),
/// and the ID token holds none of it (§5.4).
async fn tells(op: &Op, scope: &str, wanted: &[&[&str]]) {
    let rp = op.client("one", json!({})).await;
    let flow = authorize(op, &rp, &mut Browser::new(op), &[("scope", scope)]).await;
    is_told(op, &flow, &wanted.concat()).await;
}

async fn is_told(op: &Op, flow: &Flow, wanted: &[&str]) {
    let told = flow.userinfo(op).await;
    let mut names: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = wanted.iter().copied().chain(["sub"]).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    for (name, value) in told.as_object().unwrap() {
        let good = match name.as_str() {
            "email" => value == ADA,
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.is_number(),
            "address" => value.as_object().is_some_and(|address| address.values().all(Value::is_string)),
            _ => value.as_str().is_some_and(|text| !text.is_empty()),
        };
        assert!(good, "{name}: {value}");
        assert!(name == "sub" || !flow.claims.extra.contains_key(name), "{name}");
    }
}

// Beyond the modules: claims in the ID token, after a refresh, and those that nobody asked for or may not have.
#[tokio::test]
async fn single_claims_come_where_they_were_asked_for() {
    let op = Op::ours().await;
    let rp = op.client("one", json!({})).await;
    let both = r#"{"userinfo":{"phone_number":null,"roles":null},"id_token":{"email":null,"name":{"value":"x"},"auth_time":{"essential":true}}}"#;
    let flow = authorize(&op, &rp, &mut Browser::new(&op), &[("scope", "openid"), ("claims", both)]).await;
    let told = flow.userinfo(&op).await;
    assert_eq!((told.as_object().unwrap().len(), told["phone_number"].is_string()), (2, true));
    let extra: Vec<&str> = flow.claims.extra.keys().map(String::as_str).collect();
    assert_eq!(extra, ["email", "name"]);
    let refreshed = rp.refresh(op.rig(), &flow.tokens.text("refresh_token")).await.expect(200);
    let told = op.get("/userinfo").bearer(&refreshed.text("access_token")).send().await.expect(200).json();
    assert!(told["phone_number"].is_string());
}

// OAU-11: single claims are agreed to as their scopes are, and expecting a person is no way around signing in.
#[tokio::test]
async fn what_is_asked_for_by_name_is_agreed_to() {
    let op = Op::ours().await;
    let rp = op.client("one", json!({})).await;
    let mut browser = Browser::new(&op);
    let flow = authorize(&op, &rp, &mut browser, &[("scope", "openid")]).await;
    let silent = |claims: &str| rp.url(&[("scope", "openid"), ("prompt", "none"), ("claims", claims)]);
    let refused = browser.get(&silent(r#"{"id_token":{"phone_number":null}}"#)).await;
    assert_eq!(query(&refused)["error"], "consent_required");
    let page = browser.get(&rp.url(&[("scope", "openid"), ("claims", r#"{"userinfo":{"phone_number":null}}"#)])).await;
    let page = browser.follow(&page).await.expect(200);
    assert!(page.body.contains("see your phone number"), "{}", page.body);
    let sub = |sub: &str| format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
    assert!(query(&browser.get(&silent(&sub(&flow.claims.sub))).await).contains_key("code"));
    assert_eq!(query(&browser.get(&silent(&sub("usr_other"))).await)["error"], "login_required");
    assert_eq!(query(&browser.get(&silent("{")).await)["error"], "invalid_request");
    let unmet = r#"{"id_token":{"acr":{"essential":true,"values":["9"]}}}"#;
    assert_eq!(query(&browser.get(&silent(unmet)).await)["error"], "unmet_authentication_requirements");
    let unknown = browser.get(&rp.url(&[("claims", "x"), ("scope", "email")])).await;
    assert!(location(&unknown).starts_with("/ui/consent"));
}
