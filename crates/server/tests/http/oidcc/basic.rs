//! Basic OP: the server itself, UserInfo, codes, refresh, and what a request may carry without harm.

use std::time::Duration;

use serde_json::json;

use super::{
    flow::{authorize, code, complete, error_at, error_page, header, redeemed, redemption},
    op::{ADA, Op, Rp, at_each, at_each_with_a_clock},
};
use crate::browser::{Browser, VERIFIER, query};

/// One of each kind: with a secret, and with a key that it registered itself.
async fn both_kinds(op: &Op) -> [Rp; 2] {
    [op.client("one", json!({})).await, op.dynamic(json!({})).await]
}

at_each! {
    async fn oidcc_server(op: Op) {
        for rp in both_kinds(&op).await {
            authorize(&op, &rp, &mut Browser::new(&op), &[]).await.userinfo(&op).await;
        }
    }

    async fn oidcc_response_type_missing(op: Op) {
        let rp = op.client("one", json!({})).await;
        let refused = Browser::new(&op).get(&op.url(&rp, &[("response_type", "")])).await.expect(303);
        let error = error_at(&op, &rp, &refused);
        assert!(["invalid_request", "unsupported_response_type"].contains(&error.as_str()), "{error}");
    }

    // A client that says nothing gets what OpenID Connect takes then.
    async fn oidcc_idtoken_signature(op: Op) {
        let rp = op.dynamic(json!({})).await;
        let header = header(&authorize(&op, &rp, &mut Browser::new(&op), &[]).await.id_token());
        assert_eq!((&header["alg"], header["kid"].is_string()), (&json!("RS256"), true));
    }

    async fn oidcc_userinfo_get(op: Op) {
        let rp = op.client("one", json!({})).await;
        authorize(&op, &rp, &mut Browser::new(&op), &[]).await.userinfo(&op).await;
    }

    async fn oidcc_userinfo_post_header(op: Op) {
        let rp = op.client("one", json!({})).await;
        let flow = authorize(&op, &rp, &mut Browser::new(&op), &[]).await;
        let ask = op.post(&op.endpoint("userinfo_endpoint")).bearer(&flow.access());
        flow.told(&ask.send().await.expect(200));
    }

    async fn oidcc_userinfo_post_body(op: Op) {
        let rp = op.client("one", json!({})).await;
        let flow = authorize(&op, &rp, &mut Browser::new(&op), &[]).await;
        let ask = op.post(&op.endpoint("userinfo_endpoint")).form(&[("access_token", &flow.access())]);
        flow.told(&ask.send().await.expect(200));
    }

    async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(op: Op) {
        let rp = op.client("one", json!({})).await;
        let flow = authorize(&op, &rp, &mut Browser::new(&op), &[("nonce", "")]).await;
        assert_eq!(flow.claims.nonce, None);
    }

    async fn oidcc_ensure_request_with_unknown_parameter_succeeds(op: Op) {
        harmless(&op, "extra", "foobar").await;
    }

    async fn oidcc_ensure_request_with_valid_pkce_succeeds(op: Op) {
        harmless(&op, "code_challenge_method", "S256").await;
        // Beyond the module: the challenge is looked at.
        let rp = op.client("two", json!({})).await;
        let walk = op.walk(&mut Browser::new(&op), &rp, &[]).await;
        let code = code(&op, &rp, &walk.answer);
        let other = VERIFIER.replace('d', "e");
        let mut form = redemption(&rp, &code);
        form[3].1 = &other;
        assert_eq!(op.token(&rp, &form).await.expect(400).text("error"), "invalid_grant");
    }

    async fn oidcc_display_page(op: Op) {
        harmless(&op, "display", "page").await;
    }

    async fn oidcc_display_popup(op: Op) {
        harmless(&op, "display", "popup").await;
    }

    async fn oidcc_ui_locales(op: Op) {
        harmless(&op, "ui_locales", "se en").await;
    }

    async fn oidcc_claims_locales(op: Op) {
        harmless(&op, "claims_locales", "se").await;
    }

    async fn oidcc_login_hint(op: Op) {
        harmless(&op, "login_hint", ADA).await;
    }

    async fn oidcc_ensure_request_with_acr_values_succeeds(op: Op) {
        let known = op.metadata["acr_values_supported"].as_array().unwrap().clone();
        let known: Vec<&str> = known.iter().map(|acr| acr.as_str().unwrap()).collect();
        let rp = op.client("one", json!({})).await;
        let flow = authorize(&op, &rp, &mut Browser::new(&op), &[("acr_values", &known.join(" "))]).await;
        // The suite warns where none comes.
        assert!(flow.claims.acr.as_deref().map_or(!op.is_ours(), |acr| known.contains(&acr)));
    }

    async fn oidcc_codereuse(op: Op) {
        reuse(&op, Duration::ZERO).await;
    }

    async fn oidcc_ensure_registered_redirect_uri(op: Op) {
        let rp = op.client("one", json!({})).await;
        let mut browser = Browser::new(&op);
        authorize(&op, &rp, &mut browser, &[]).await;
        let bad = format!("{}/nX9kz", rp.redirect);
        error_page(&browser.get(&op.url(&rp, &[("redirect_uri", &bad)])).await);
    }

    async fn oidcc_ensure_post_request_succeeds(op: Op) {
        let rp = op.client("one", json!({})).await;
        let ask = op.post(&op.endpoint("authorization_endpoint"));
        let mut browser = Browser::new(&op);
        let answer = browser.send(ask.raw("application/x-www-form-urlencoded", rp.query(&[]))).await.expect(303);
        let walk = op.walk_on(&mut browser, answer).await;
        complete(&op, &rp, &walk.answer, &[]).await.userinfo(&op).await;
    }

    async fn oidcc_server_client_secret_post(op: Op) {
        let rp = op.client("one", json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
        let walk = op.walk(&mut Browser::new(&op), &rp, &[]).await;
        let code = code(&op, &rp, &walk.answer);
        let proof = [("client_id", &*rp.id), ("client_secret", rp.secret.as_deref().unwrap())];
        let ask = op.post(&op.endpoint("token_endpoint")).form(&[&proof[..], &redemption(&rp, &code)].concat());
        redeemed(&op, &rp, ask.send().await, &[]).await.userinfo(&op).await;
    }
}

at_each_with_a_clock! {
    async fn oidcc_codereuse_30seconds(op: Op) {
        reuse(&op, Duration::from_secs(30)).await;
    }

    async fn oidcc_refresh_token(op: Op) {
        let other = op.client("other", json!({})).await;
        for rp in both_kinds(&op).await {
            let offline = [("scope", "openid offline_access"), ("prompt", "consent")];
            let flow = authorize(&op, &rp, &mut Browser::new(&op), &offline).await;
            op.advance(Duration::from_secs(1));
            let refresh = |token: String| [("grant_type", "refresh_token".to_owned()), ("refresh_token", token)];
            let token = refresh(flow.tokens.text("refresh_token"));
            let refreshed = op.token(&rp, &token.each_ref().map(|(name, value)| (*name, value.as_str()))).await.expect(200);
            assert!(refreshed.text("token_type").eq_ignore_ascii_case("Bearer"));
            assert!(refreshed.json()["expires_in"].as_u64().unwrap() > 0);
            assert_ne!(refreshed.text("access_token"), flow.access());
            if refreshed.json()["id_token"].is_string() {
                let claims = op.id_token(&rp, &refreshed).await;
                assert_eq!(
                    (&claims.iss, &claims.sub, claims.auth_time),
                    (&op.issuer, &flow.claims.sub, flow.claims.auth_time)
                );
            }
            let ask = op.get(&op.endpoint("userinfo_endpoint")).bearer(&refreshed.text("access_token"));
            flow.told(&ask.send().await.expect(200));
            // Bound to the client that it was given to, which keeps it.
            let next = refreshed.json()["refresh_token"].as_str().map_or(flow.tokens.text("refresh_token"), str::to_owned);
            let next = refresh(next);
            let next = next.each_ref().map(|(name, value)| (*name, value.as_str()));
            assert_eq!(op.token(&other, &next).await.expect(400).text("error"), "invalid_grant");
            op.token(&rp, &next).await.expect(200);
        }
    }
}

/// Checks that a parameter does no harm.
async fn harmless(op: &Op, name: &str, value: &str) {
    let rp = op.client("one", json!({})).await;
    authorize(op, &rp, &mut Browser::new(op), &[(name, value)]).await.userinfo(op).await;
}

async fn reuse(op: &Op, later: Duration) {
    let rp = op.client("one", json!({})).await;
    let walk = op.walk(&mut Browser::new(op), &rp, &[]).await;
    let flow = complete(op, &rp, &walk.answer, &[]).await;
    flow.userinfo(op).await;
    if !later.is_zero() {
        op.advance(later);
    }
    let again = op.token(&rp, &redemption(&rp, &query(&walk.answer)["code"])).await.expect(400);
    assert_eq!(again.text("error"), "invalid_grant");
    assert!(again.headers["content-type"].to_str().unwrap().starts_with("application/json"));
    // RFC 6749 §4.1.2: what the first use got should be worth nothing now.
    op.get(&op.endpoint("userinfo_endpoint")).bearer(&flow.access()).send().await.expect(401);
}
