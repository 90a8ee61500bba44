//! Tokens that are bound to a key (RFC 9449).

use countersign_jose::{AccessClaims, Algorithm, b64, claims::Claims, profile::AccessToken, sign};
use http::Method;
use serde_json::{Value, json};

use crate::rig::Rig;

/// The same token with another `cnf`, signed by the issuer's own key.
fn bound(rig: &Rig, token: &str, cnf: Value) -> String {
    let payload = b64::decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims = AccessClaims { cnf: Some(cnf), ..AccessClaims::from_json(&payload).unwrap() };
    sign::<AccessToken>(&rig.app.ring.signer_for(Algorithm::ES256).unwrap(), &claims).unwrap()
}

// TOK-25, RFC 9449 §7.2, RFC 7800 §3.1
#[tokio::test]
async fn a_bound_token_is_no_bearer_token() {
    let rig = Rig::sqlite().await;
    let user = rig.user("ada@example.com").await;
    let service =
        json!({ "client_id": "s", "grants": ["client_credentials"], "audiences": ["api"], "serves": ["api"] });
    let secret = rig.admin(Method::POST, "/api/admin/clients", &service).await.expect(201).text("client_secret");
    let jkt = b64::encode([7; 32]);
    for cnf in [json!({ "jkt": jkt }), json!({ "jkt": jkt, "x5t#S256": jkt }), json!({ "x5t#S256": jkt }), json!({})] {
        let token = bound(&rig, &user.access, cnf);
        rig.session(&token).await.refused(401, "token-invalid");
        rig.post("/logout").bearer(&token).json(&json!({})).send().await.refused(401, "token-invalid");
        let form = [("client_id", "s"), ("client_secret", secret.as_str()), ("token", &token)];
        let answer = rig.post("/introspect").form(&form).send().await.expect(200);
        assert_eq!(answer.json(), json!({ "active": false }));
    }
    rig.session(&user.access).await.expect(200);
}
