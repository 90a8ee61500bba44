//! Basic OP: request objects and unsigned tokens. Unsigned ones are refused, as the modules allow.

use http::Method;
use serde_json::{Value, json};

use super::flow::{authorize, client, error_at, error_page, provider};
use crate::{
    browser::{Browser, Client, location},
    rig::{Answer, Rig},
};
use countersign_jose::b64;

async fn metadata(rig: &Rig, member: &str) -> Value {
    rig.get("/.well-known/openid-configuration").send().await.expect(200).json()[member].clone()
}

/// A request object that nobody signed, with these members besides those that it must have.
fn unsigned(client: &Client, more: &Value) -> String {
    let mut claims = json!({
        "iss": client.id, "aud": crate::rig::ISSUER, "client_id": client.id, "response_type": "code", "scope": "openid",
        "redirect_uri": client.redirect, "state": "st&te", "nonce": "object",
    });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{}.{}.", b64::encode(r#"{"alg":"none"}"#), b64::encode(claims.to_string()))
}

/// Refused at the client with one of these errors, or by a page; never granted.
fn refused(client: &Client, answer: &Answer, errors: &[&str]) {
    if answer.headers.contains_key("location") {
        assert!(location(answer).contains("error="), "{}", location(answer));
        let error = error_at(client, answer);
        assert!(errors.contains(&error.as_str()), "{error}");
    } else {
        error_page(answer);
    }
}

#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    authorize(&rig, &client, &mut browser, &[]).await;
    let answer = browser.get(&client.url(&[("request", &unsigned(&client, &json!({})))])).await;
    // Only signed ones are supported, and this client has no key to sign with.
    refused(&client, &answer, &["request_not_supported"]);
}

#[tokio::test]
async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    authorize(&rig, &client, &mut browser, &[]).await;
    let answer = browser.get(&client.url(&[("request_uri", "https://one.example/request.jwt")])).await;
    assert_eq!(metadata(&rig, "request_uri_parameter_supported").await, false);
    refused(&client, &answer, &["request_uri_not_supported"]);
}

#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    authorize(&rig, &client, &mut browser, &[]).await;
    let object = unsigned(&client, &json!({}));
    // The address outside is one that nobody registered: the answer never goes there.
    let changes = [("request", &*object), ("redirect_uri", "https://one.example/other")];
    error_page(&browser.get(&client.url(&changes)).await);
}

#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let rig = provider().await;
    let algs = metadata(&rig, "id_token_signing_alg_values_supported").await;
    assert!(!algs.as_array().unwrap().contains(&json!("none")));
    client(&rig, "one").await;
    let change = json!({ "id_token_alg": "none" });
    rig.admin(Method::PUT, "/api/admin/clients/one", &change).await.refused(422, "invalid-value");
}
