//! `/api/account/…`

use http::Method;
use serde_json::json;

use crate::{
    both,
    browser::{Browser, Client, location, query},
    rig::{PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";

both! {
    // REF-11, RLO-07: shown with its device, ended alone, and dead at once; the others live on.
    async fn sessions_are_shown_and_ended_one_by_one(rig: Rig) {
        rig.register(ADA).await;
        let (shop, bank) = (Client::web(&rig, "shop").await, Client::web(&rig, "bank").await);
        let mut browser = Browser::new(&rig);
        let (at_shop, at_bank) = (browser.tokens(&shop, &[], ADA).await, browser.tokens(&bank, &[], ADA).await);
        let body = json!({ "email": ADA, "password": PASSWORD });
        let mine = rig.post("/login").json(&body).header("user-agent", "My phone").send().await.expect(200);
        let token = mine.text("access_token");
        let list = |query: &'static str| {
            let ask = rig.get(&format!("/api/account/sessions{query}")).bearer(&token);
            async move { ask.send().await.expect(200).json() }
        };
        let all = list("").await;
        let named: Vec<_> = all["items"].as_array().unwrap().iter().map(|item| item["client_id"].as_str().unwrap()).collect();
        assert_eq!(named.len(), 3);
        let own = all["items"].as_array().unwrap().iter().find(|item| item["current"] == true).unwrap();
        assert_eq!((&own["sid"], &own["device"], &own["ended_at"]), (&json!(mine.text("sid")), &json!("My phone"), &json!(null)));
        let first = list("?limit=1").await;
        let ask = rig.get(&format!("/api/account/sessions?after={}", first["next"].as_str().unwrap())).bearer(&token);
        assert_eq!(ask.send().await.expect(200).json()["items"].as_array().unwrap().len(), 2);
        rig.get("/api/account/sessions?after=x").bearer(&token).send().await.refused(400, "malformed-form");

        let end = |sid: String| rig.request(Method::DELETE, &format!("/api/account/sessions/{sid}")).bearer(&token).send();
        end(at_shop.text("sid")).await.expect(204);
        end(at_shop.text("sid")).await.expect(204);
        shop.refresh(&rig, &at_shop.text("refresh_token")).await.refused(400, "refresh-revoked");
        rig.get("/userinfo").bearer(&at_shop.text("access_token")).send().await.refused(401, "token-invalid");
        bank.refresh(&rig, &at_bank.text("refresh_token")).await.expect(200);
        let ended = list("").await["items"].as_array().unwrap().iter().find(|item| item["client_id"] == "shop").unwrap().clone();
        assert_eq!(ended["ended_reason"], "logout");
        // The browser's sign-in is another matter: it opens a new session without a password.
        let back = browser.get(&shop.url(&[])).await.expect(303);
        assert!(query(&back).contains_key("code"));
    }

    // ADM-02: another person's session is as unknown as none, and stays as it was.
    async fn a_session_is_its_owners(rig: Rig) {
        let (ada, bob) = (rig.user(ADA).await, rig.user("bob@example.com").await);
        let end = |sid: &str, token: &str| rig.request(Method::DELETE, &format!("/api/account/sessions/{sid}")).bearer(token).send();
        for sid in [ada.sid.as_str(), "AAAAAAAAAAAAAAAAAAAAAAAB", "nonsense"] {
            end(sid, &bob.access).await.refused(404, "not-found");
        }
        rig.session(&ada.access).await.expect(200);
        let list = rig.get("/api/account/sessions").bearer(&bob.access).send().await.expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        end(&bob.sid, &bob.access).await.expect(204);
        rig.session(&bob.access).await.refused(401, "token-invalid");
    }

    // OAU-11, REF-11: listed, and taken back; then the client's sessions and codes are dead, others' are not.
    async fn a_consent_is_listed_and_taken_back(rig: Rig) {
        rig.register(ADA).await;
        let (shop, bank) = (Client::web(&rig, "shop").await, Client::web(&rig, "bank").await);
        let mut browser = Browser::new(&rig);
        let (first, kept) = (browser.tokens(&shop, &[], ADA).await, browser.tokens(&bank, &[], ADA).await);
        let waiting = query(&browser.get(&shop.url(&[])).await.expect(303))["code"].clone();
        let body = json!({ "email": ADA, "password": PASSWORD });
        let mine = rig.post("/login").json(&body).send().await.expect(200).text("access_token");
        let list = rig.get("/api/account/consents").bearer(&mine).send().await.expect(200).json();
        let named: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["client_id"].as_str().unwrap()).collect();
        assert_eq!(named, ["bank", "shop"]);
        assert_eq!(list["items"][1]["scopes"], json!(["email", "openid"]));

        let withdraw = || rig.request(Method::DELETE, "/api/account/consents/shop").bearer(&mine).send();
        withdraw().await.expect(204);
        withdraw().await.refused(404, "not-found");
        shop.refresh(&rig, &first.text("refresh_token")).await.refused(400, "refresh-revoked");
        rig.get("/userinfo").bearer(&first.text("access_token")).send().await.refused(401, "token-invalid");
        shop.redeem(&rig, &waiting).await.refused(400, "code-invalid");
        bank.refresh(&rig, &kept.text("refresh_token")).await.expect(200);
        let asked = browser.get(&shop.url(&[])).await.expect(303);
        assert!(location(&asked).starts_with("/ui/consent"));
        let page = rig.admin(Method::GET, &format!("/api/admin/sessions?user={ADA}"), &json!({})).await.expect(200).json();
        let ended = page["items"].as_array().unwrap().iter().find(|item| item["client_id"] == "shop").unwrap().clone();
        assert_eq!(ended["ended_reason"], "consent_withdrawn");
    }
}

// CSR-05, ADM-02: with the cookie from a page of the issuer alone, and only one's own.
#[tokio::test]
async fn a_consent_is_its_owners() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let shop = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    browser.tokens(&shop, &[], ADA).await;
    let bob = rig.user("bob@example.com").await;
    let ask = |token: &str| rig.request(Method::DELETE, "/api/account/consents/shop").bearer(token);
    ask(&bob.access).send().await.refused(404, "not-found");
    let by_cookie = || rig.request(Method::DELETE, "/api/account/consents/shop");
    browser.send(by_cookie()).await.refused(403, "cross-site");
    browser.send(by_cookie().header("origin", "https://evil.example")).await.refused(403, "cross-site");
    browser.send(by_cookie().same_origin()).await.expect(204);
}
