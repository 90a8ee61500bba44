//! Dynamic OP: clients that register themselves, with keys of their own.

use std::time::Duration;

use countersign_jose::{GenericClaims, Missing, Verifier, profile::Profile};
use http::Method;
use serde_json::{Value, json};

use super::{
    config::keys,
    flow::{Flow, authorize, code, error_page, header, redeemed, redemption},
    op::{Op, Rp, at_each, at_each_with_a_clock, at_ours, metadata},
};
use crate::{
    browser::{Browser, query},
    network::Documents,
};

/// The signed answer of UserInfo, whose type OpenID Connect leaves open.
#[derive(Debug, Clone, Copy)]
struct SignedAnswer;

impl Profile for SignedAnswer {
    type Claims = GenericClaims;
    type Issuer = Missing;
    type Audience = Missing;
    const TYP: &'static str = "userinfo+jwt";
    const UNTYPED: bool = true;
    const EXPIRES: bool = false;
}

at_each! {
    async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds(op: Op) {
        // The `aud` of every assertion is the issuer and nothing else.
        let rp = op.dynamic(json!({})).await;
        let walk = op.walk(&mut Browser::new(&op), &rp, &[]).await;
        let code = code(&op, &rp, &walk.answer);
        redeemed(&op, &rp, op.token(&rp, &redemption(&rp, &code)).await, &[]).await.userinfo(&op).await;
    }

    async fn oidcc_idtoken_rs256(op: Op) {
        let rp = op.dynamic(json!({ "id_token_signed_response_alg": "RS256" })).await;
        let header = header(&authorize(&op, &rp, &mut Browser::new(&op), &[]).await.id_token());
        assert_eq!((&header["alg"], header["kid"].is_string()), (&json!("RS256"), true));
    }

    async fn oidcc_ensure_redirect_uri_in_authorization_request(op: Op) {
        let rp = op.dynamic(json!({ "redirect_uris": ["https://rp.example/cb", "https://rp.example/cb2"] })).await;
        error_page(&Browser::new(&op).get(&op.url(&rp, &[("redirect_uri", "")])).await);
    }

    #[expect(non_snake_case, reason = "the module's own name")]
    async fn oidcc_redirect_uri_query_OK(op: Op) {
        let rp = op.dynamic(json!({ "redirect_uris": ["https://rp.example/cb?foo=bar"] })).await;
        let walk = op.walk(&mut Browser::new(&op), &rp, &[]).await;
        assert_eq!(query(&walk.answer)["foo"], "bar");
        let code = code(&op, &rp, &walk.answer);
        redeemed(&op, &rp, op.token(&rp, &redemption(&rp, &code)).await, &[]).await.userinfo(&op).await;
    }

    async fn oidcc_redirect_uri_query_added(op: Op) {
        let rp = op.dynamic(json!({})).await;
        let added = [("redirect_uri", "https://rp.example/cb?foo=bar")];
        error_page(&Browser::new(&op).get(&op.url(&rp, &added)).await);
    }

    async fn oidcc_redirect_uri_query_mismatch(op: Op) {
        let rp = op.dynamic(json!({ "redirect_uris": ["https://rp.example/cb?foo=bar"] })).await;
        let other = [("redirect_uri", "https://rp.example/cb?foo=other")];
        error_page(&Browser::new(&op).get(&op.url(&rp, &other)).await);
    }

    async fn oidcc_redirect_uri_regfrag(op: Op) {
        let mut wanted = metadata();
        wanted["token_endpoint_auth_method"] = json!("client_secret_basic");
        wanted["redirect_uris"] = json!(["https://rp.example/cb#foobar"]);
        let refused = op.register(&wanted).await.expect(400);
        assert!(refused.headers["content-type"].to_str().unwrap().starts_with("application/json"));
        assert_eq!(refused.text("error"), "invalid_redirect_uri");
    }

    async fn oidcc_registration_jwks_uri(op: Op) {
        let documents = Documents::serve().await;
        let uri = documents.put("/keys", "application/jwk-set+json", &"");
        let rp = op.dynamic(json!({ "jwks_uri": uri })).await;
        assert_eq!(rp.registered["jwks_uri"], uri.as_str());
        documents.put("/keys", "application/jwk-set+json", &rp.jwks());
        authorize(&op, &rp, &mut Browser::new(&op), &[]).await.userinfo(&op).await;
        assert_eq!(documents.asked("/keys"), 1);
    }

    async fn oidcc_userinfo_rs256(op: Op) {
        assert!(op.metadata["userinfo_signing_alg_values_supported"].as_array().unwrap().contains(&json!("RS256")));
        let rp = op.dynamic(json!({ "userinfo_signed_response_alg": "RS256" })).await;
        let flow = authorize(&op, &rp, &mut Browser::new(&op), &[]).await;
        let told = op.get(&op.endpoint("userinfo_endpoint")).bearer(&flow.access()).send().await.expect(200);
        assert!(told.headers["content-type"].to_str().unwrap().starts_with("application/jwt"));
        assert_eq!(header(&told.body)["alg"], "RS256");
        let verifier = Verifier::<SignedAnswer>::builder().issuer(&*op.issuer).audience(&*rp.id);
        let claims = verifier.keys(op.keys().await).build().verify(&told.body, op.now()).unwrap();
        assert_eq!(claims.sub, Some(flow.claims.sub));
        assert!(!claims.extra.contains_key("nonce"));
    }
}

at_each_with_a_clock! {
    async fn oidcc_refresh_token_rp_key_rotation(op: Op) {
        let documents = Documents::serve().await;
        let uri = documents.put("/keys", "application/json", &"");
        let mut rp = op.dynamic(json!({ "jwks_uri": uri })).await;
        documents.put("/keys", "application/json", &rp.jwks());
        let offline = [("scope", "openid offline_access"), ("prompt", "consent")];
        let flow = authorize(&op, &rp, &mut Browser::new(&op), &offline).await;
        documents.put("/keys", "application/json", &rp.rotate("next"));
        // As the suite waits.
        op.advance(Duration::from_secs(60));
        let refreshed = refresh(&op, &rp, &flow).await;
        assert!(refreshed["access_token"].is_string(), "{refreshed}");
    }
}

async fn refresh(op: &Op, rp: &Rp, flow: &Flow) -> Value {
    let token = flow.tokens.text("refresh_token");
    op.token(rp, &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await.json()
}

at_ours! {
    async fn oidcc_server_rotate_keys(op: Op) {
        let rp = op.dynamic(json!({ "id_token_signed_response_alg": "ES256" })).await;
        let before = keys(&op).await;
        let mut browser = Browser::new(&op);
        let first = authorize(&op, &rp, &mut browser, &[]).await;
        op.rig().admin(Method::POST, "/api/admin/keys/rotate", &json!({})).await.expect(200);
        let after = keys(&op).await;
        let added: Vec<_> = after.iter().filter(|key| !before.contains(key)).collect();
        assert!(!added.is_empty() && before.iter().all(|key| after.contains(key)));
        // What was signed before still verifies; the new key signs when every cache can know it (KEY-02).
        op.id_token(&rp, &first.tokens).await;
        op.rig().admin(Method::POST, "/api/admin/keys/rotate", &json!({ "now": true })).await.expect(200);
        let second = authorize(&op, &rp, &mut browser, &[]).await;
        let name = header(&second.id_token())["kid"].clone();
        assert!(!before.iter().any(|key| key["kid"] == name));
    }

    // Registered and said again; the picture itself is not shown.
    async fn oidcc_registration_logo_uri(op: Op) {
        let uri = "https://rp.example/logo.png";
        let rp = op.dynamic(json!({ "logo_uri": uri, "client_name": "The RP" })).await;
        assert_eq!(rp.registered["logo_uri"], uri);
        let page = sign_in_page(&op, &rp).await;
        assert!(page.contains("The RP") && !page.contains("<img") && !page.contains(uri), "{page}");
        authorize(&op, &rp, &mut Browser::new(&op), &[]).await;
    }

    async fn oidcc_registration_policy_uri(op: Op) {
        linked(&op, "policy_uri", "https://rp.example/policy", "Privacy policy (rp.example)").await;
    }

    async fn oidcc_registration_tos_uri(op: Op) {
        linked(&op, "tos_uri", "https://rp.example/terms", "Terms of service (rp.example)").await;
    }

    async fn oidcc_registration_sector_uri(op: Op) {
        let documents = Documents::serve().await;
        let uris = ["https://rp.example/cb", "https://other.example/cb"];
        let uri = documents.put("/sector", "application/json", &json!(uris));
        let sector = json!({ "redirect_uris": uris, "subject_type": "pairwise", "sector_identifier_uri": uri });
        let rp = op.dynamic(sector).await;
        let said = (&rp.registered["subject_type"], &rp.registered["sector_identifier_uri"]);
        assert_eq!(said, (&json!("pairwise"), &json!(uri)));
        // Beyond the module: two clients of a sector know a person by one id.
        let sister = json!({ "redirect_uris": [uris[1]], "subject_type": "pairwise", "sector_identifier_uri": uri });
        let (sister, stranger) = (op.dynamic(sister).await, op.dynamic(json!({ "subject_type": "pairwise" })).await);
        let mut subs = Vec::new();
        for rp in [&rp, &sister, &stranger] {
            subs.push(authorize(&op, rp, &mut Browser::new(&op), &[]).await.claims.sub);
        }
        assert_eq!(subs[0], subs[1]);
        assert_ne!(subs[0], subs[2]);
    }

    async fn oidcc_registration_sector_bad(op: Op) {
        let documents = Documents::serve().await;
        let uri = documents.put("/sector", "application/json", &json!(["https://other.example/cb"]));
        let mut wanted = metadata();
        wanted["token_endpoint_auth_method"] = json!("client_secret_basic");
        wanted["subject_type"] = json!("pairwise");
        wanted["sector_identifier_uri"] = json!(uri);
        let refused = op.register(&wanted).await.expect(400);
        assert_eq!(refused.text("error"), "invalid_client_metadata");
        assert_eq!(documents.asked("/sector"), 1);
    }
}

async fn sign_in_page(op: &Op, rp: &Rp) -> String {
    let mut browser = Browser::new(op);
    let begun = browser.get(&op.url(rp, &[])).await.expect(303);
    browser.follow(&begun).await.expect(200).body
}

/// A page of the client is linked where its people sign in, and where they agree.
async fn linked(op: &Op, member: &str, uri: &str, words: &str) {
    let rp = op.dynamic(json!({ member: uri })).await;
    assert_eq!(rp.registered[member], uri);
    let link = format!("<a href=\"{uri}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">{words}</a>");
    let page = sign_in_page(op, &rp).await;
    assert!(page.contains(&link), "{page}");
    authorize(op, &rp, &mut Browser::new(op), &[]).await;
}
