//! `GET·POST /userinfo`

use http::Method;
use serde_json::json;

use crate::{
    both,
    browser::{Browser, Client},
};

const ADA: &str = "ada@example.com";

both! {
    // OpenID Connect Core §5.3, §5.4
    async fn a_client_is_told_what_it_was_granted(rig: Rig) {
        rig.register(ADA).await;
        let body = json!({ "attributes": { "name": "Ada Lovelace", "plan": "gold" } });
        rig.admin(Method::PUT, &format!("/api/admin/users/{ADA}/attributes"), &body).await.expect(200);
        let body = json!({ "roles": ["buyer"] });
        rig.admin(Method::PUT, &format!("/api/admin/users/{ADA}/roles"), &body).await.expect(200);
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let tokens = browser.tokens(&client, &[("scope", "openid profile email roles")], ADA).await;
        let access = tokens.text("access_token");
        let sub = client.id_token(&rig, &tokens).await.sub;
        let wanted = json!({ "sub": sub, "name": "Ada Lovelace", "email": ADA, "email_verified": false, "roles": ["buyer"] });
        assert_eq!(rig.get("/userinfo").bearer(&access).send().await.expect(200).json(), wanted);
        assert_eq!(rig.post("/userinfo").bearer(&access).send().await.expect(200).json(), wanted);
        let less = browser.tokens(&client, &[("scope", "openid")], ADA).await;
        let told = rig.get("/userinfo").bearer(&less.text("access_token")).send().await.expect(200);
        assert_eq!(told.json(), json!({ "sub": sub }));
    }

    // TOK-17, OAU-07, RLO-07, RFC 6750 §2
    async fn nothing_but_a_living_access_token_in_the_header_or_a_form_counts(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let tokens = browser.tokens(&client, &[], ADA).await;
        let (access, id) = (tokens.text("access_token"), tokens.text("id_token"));
        let refused = rig.get("/userinfo").bearer(&id).send().await.refused(401, "token-invalid");
        assert_eq!(refused.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
        rig.get(&format!("/userinfo?access_token={access}")).send().await.refused(401, "token-missing");
        let form = || rig.post("/userinfo").form(&[("access_token", &access)]);
        form().send().await.expect(200);
        form().bearer(&access).send().await.refused(400, "duplicate-parameter");
        form().header("authorization", "Basic eDp5").send().await.refused(400, "duplicate-parameter");
        rig.post("/userinfo").form(&[("access_token", "x")]).send().await.refused(401, "token-invalid");
        rig.post("/userinfo").form(&[]).send().await.refused(401, "token-missing");
        let ask = rig.post("/logout").json(&json!({})).same_origin();
        browser.send(ask).await.expect(204);
        rig.get("/userinfo").bearer(&access).send().await.refused(401, "token-invalid");
    }
}
