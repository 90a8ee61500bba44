//! Back-Channel Logout OP.

use countersign_server::notices;
use serde_json::json;

use super::{
    flow::{authorize, header},
    op::at_ours,
};
use crate::{
    backchannel::{Ear, heard, verify},
    browser::{Browser, location, query},
};

at_ours! {
    async fn oidcc_backchannel_rp_initiated_logout(op: Op) {
        let ear = Ear::listen().await;
        let after = "https://one.example/bye";
        let more = json!({ "post_logout_redirect_uris": [after], "backchannel_logout_uri": ear.uri });
        let rp = op.client("one", more).await;
        let mut browser = Browser::new(&op);
        let flow = authorize(&op, &rp, &mut browser, &[]).await;
        let asked = [("id_token_hint", &*flow.id_token()), ("post_logout_redirect_uri", after), ("state", "s")];
        let asked = form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
        let out = browser.get(&format!("/logout?{asked}")).await.expect(303);
        assert_eq!(location(&out), format!("{after}?state=s"));
        // The ear refuses any other method, path, content type or parameter.
        assert_eq!(notices::round(&op.rig().app).await.unwrap(), 1);
        let token = heard(&ear).await;
        assert_eq!(header(&token)["alg"], header(&flow.id_token())["alg"]);
        assert!(header(&token)["kid"].is_string());
        // Verified: signature, `iss`, `aud`, `exp`, `iat`, `jti`, `events`, and no `nonce`.
        let claims = verify(op.rig(), &rp, &token).await;
        assert_eq!((claims.sub, claims.sid), (Some(flow.claims.sub), flow.claims.sid));
        assert!(!claims.jti.is_empty());
        let silent = browser.get(&rp.url(&[("prompt", "none")])).await.expect(303);
        assert_eq!(query(&silent)["error"], "login_required");
    }
}
