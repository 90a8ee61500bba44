//! Basic OP: request objects and unsigned tokens. Unsigned ones are refused, as the modules allow.

use serde_json::{Value, json};

use super::{
    flow::{authorize, error_at, error_page},
    op::{Op, Rp, at_each, metadata},
};
use crate::{
    browser::{Browser, location},
    rig::Answer,
};
use countersign_jose::b64;

/// A request object that nobody signed, with these members besides those that it must have.
fn unsigned(op: &Op, rp: &Rp, more: &Value) -> String {
    let mut claims = json!({
        "iss": rp.id, "aud": op.issuer, "client_id": rp.id, "response_type": "code", "scope": "openid",
        "redirect_uri": rp.redirect, "state": "st&te", "nonce": "object",
    });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{}.{}.", b64::encode(r#"{"alg":"none"}"#), b64::encode(claims.to_string()))
}

/// Refused at the client with one of these errors, or by a page; never granted.
fn refused(op: &Op, rp: &Rp, answer: &Answer, errors: &[&str]) {
    if answer.headers.contains_key("location") {
        assert!(location(answer).contains("error="), "{}", location(answer));
        let error = error_at(op, rp, answer);
        assert!(errors.contains(&error.as_str()), "{error}");
    } else {
        error_page(answer);
    }
}

at_each! {
    async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(op: Op) {
        let rp = op.client("one", json!({})).await;
        let mut browser = Browser::new(&op);
        authorize(&op, &rp, &mut browser, &[]).await;
        let answer = browser.get(&op.url(&rp, &[("request", &unsigned(&op, &rp, &json!({})))])).await;
        // Only signed ones are supported.
        refused(&op, &rp, &answer, &["request_not_supported", "invalid_request_object"]);
    }

    async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(op: Op) {
        let rp = op.client("one", json!({})).await;
        let mut browser = Browser::new(&op);
        authorize(&op, &rp, &mut browser, &[]).await;
        let answer = browser.get(&op.url(&rp, &[("request_uri", "https://one.example/request.jwt")])).await;
        assert_eq!(op.metadata["request_uri_parameter_supported"], false);
        refused(&op, &rp, &answer, &["request_uri_not_supported"]);
    }

    async fn oidcc_ensure_request_object_with_redirect_uri(op: Op) {
        for rp in [op.client("one", json!({})).await, op.dynamic(json!({})).await] {
            let mut browser = Browser::new(&op);
            authorize(&op, &rp, &mut browser, &[]).await;
            let object = unsigned(&op, &rp, &json!({}));
            // The address outside is one that nobody registered: the answer never goes there.
            let changes = [("request", &*object), ("redirect_uri", "https://one.example/other")];
            let answer = browser.get(&op.url(&rp, &changes)).await;
            if answer.headers.contains_key("location") {
                refused(&op, &rp, &answer, &["request_not_supported", "invalid_request_object"]);
            } else {
                error_page(&answer);
            }
        }
    }

    // The suite asks nothing more of a provider that does not offer it.
    async fn oidcc_idtoken_unsigned(op: Op) {
        assert!(!op.metadata["id_token_signing_alg_values_supported"].as_array().unwrap().contains(&json!("none")));
        let mut wanted = metadata();
        wanted["token_endpoint_auth_method"] = json!("client_secret_basic");
        wanted["id_token_signed_response_alg"] = json!("none");
        assert_eq!(op.register(&wanted).await.expect(400).text("error"), "invalid_client_metadata");
    }
}
