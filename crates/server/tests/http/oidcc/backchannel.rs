//! Back-Channel Logout OP.

use countersign_server::notices;
use serde_json::json;

use super::flow::{ADA, authorize, client_with, header};
use crate::{
    backchannel::{Ear, HERE, heard, verify},
    browser::{Browser, location, query},
    rig::Rig,
};

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    let (rig, ear) = (Rig::with(HERE).await, Ear::listen().await);
    rig.register(ADA).await;
    let after = "https://one.example/bye";
    let more = json!({ "post_logout_redirect_uris": [after], "backchannel_logout_uri": ear.uri });
    let client = client_with(&rig, "one", more).await;
    let mut browser = Browser::new(&rig);
    let flow = authorize(&rig, &client, &mut browser, &[]).await;
    let asked = [("id_token_hint", &*flow.id_token()), ("post_logout_redirect_uri", after), ("state", "s")];
    let asked = form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
    let out = browser.get(&format!("/logout?{asked}")).await.expect(303);
    assert_eq!(location(&out), format!("{after}?state=s"));
    // The ear refuses any other method, path, content type or parameter.
    assert_eq!(notices::round(&rig.app).await.unwrap(), 1);
    let token = heard(&ear).await;
    assert_eq!(header(&token)["alg"], header(&flow.id_token())["alg"]);
    assert!(header(&token)["kid"].is_string());
    // Verified: signature, `iss`, `aud`, `exp`, `iat`, `jti`, `events`, and no `nonce`.
    let claims = verify(&rig, &client, &token).await;
    assert_eq!((claims.sub, claims.sid), (Some(flow.claims.sub), flow.claims.sid));
    assert!(!claims.jti.is_empty());
    let silent = browser.get(&client.url(&[("prompt", "none")])).await.expect(303);
    assert_eq!(query(&silent)["error"], "login_required");
}
