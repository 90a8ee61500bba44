//! `/account` and `/ui/register`, and what of `/api/account/…` is behind them.

use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    browser::{Browser, Client, hidden, location},
    mailbox::{letters, one},
    rig::{Answer, PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";

/// Signs in for nothing but the account, and comes to its page.
async fn account(browser: &mut Browser<'_>, email: &str) -> Answer {
    let to = browser.get("/account").await.expect(303);
    assert_eq!(location(&to), "/ui/signin?request=account");
    let page = browser.follow(&to).await.expect(200);
    let to = browser.sign_in(&page, email, PASSWORD).await.expect(303);
    assert_eq!(location(&to), "/account");
    browser.follow(&to).await.expect(200)
}

async fn act(browser: &mut Browser<'_>, page: &Answer, act: &str, id: &str) -> Answer {
    let form = hidden(page, "form");
    browser.post("/account", &[("form", &form), ("act", act), ("id", id)]).await
}

async fn signins(rig: &Rig, token: &str) -> Vec<Value> {
    let list = rig.get("/api/account/signins").bearer(token).send().await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

fn other(list: &[Value]) -> String {
    list.iter().find(|item| item["current"] == false).unwrap()["id"].as_str().unwrap().to_owned()
}

both! {
    // LOG-05, LOG-12: another address is asked for with the password; the mail that confirms one comes again.
    async fn an_address_is_confirmed_and_changed_from_a_page(rig: Rig) {
        rig.register(ADA).await;
        let first = one(&letters(&rig).await, "Confirm your e-mail").token();
        let mut browser = Browser::new(&rig);
        let overview = account(&mut browser, ADA).await;
        assert!(overview.body.contains("/account/email"), "{}", overview.body);
        let page = browser.get("/account/email").await.expect(200);
        let form = hidden(&page, "form");
        let sent = browser.post("/account/email", &[("form", &form), ("act", "verify")]).await.expect(200);
        assert!(sent.body.contains("Look into your mail"), "{}", sent.body);
        let again = one(&letters(&rig).await, "Confirm your e-mail").token();
        let verify = |token: String| rig.post("/email/verify").json(&json!({ "token": token })).send();
        verify(first).await.refused(400, "mail-link-invalid");
        verify(again).await.expect(204);

        // Whoever was signed in before the address was confirmed is not any more (LOG-13).
        account(&mut browser, ADA).await;
        let page = browser.get("/account/email").await.expect(200);
        assert!(page.body.contains("address confirmed") && !page.body.contains("value=\"verify\""), "{}", page.body);
        let form = hidden(&page, "form");
        let change = |email: &'static str, password: &'static str| {
            [("form", form.clone()), ("act", "change".to_owned()), ("email", email.to_owned()), ("password", password.to_owned())]
        };
        for (fields, status) in [(change("nonsense", PASSWORD), 422), (change("new@example.com", "wrong"), 401)] {
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let again = browser.post("/account/email", &pairs).await.expect(status);
            assert!(again.body.contains("role=\"alert\""), "{}", again.body);
        }
        let fields = change("new@example.com", PASSWORD);
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert!(browser.post("/account/email", &pairs).await.expect(200).body.contains("Look into your new mail"));
        let sent = letters(&rig).await;
        let token = sent.iter().find(|letter| letter.to == "new@example.com").unwrap().token();
        assert!(sent.iter().any(|letter| letter.to == ADA), "{sent:?}");
        let confirm = json!({ "token": token, "password": PASSWORD });
        rig.post("/email/change/confirm").json(&confirm).send().await.expect(204);
        assert!(browser.get("/account").await.expect(200).body.contains("new@example.com"));

        let mut stranger = Browser::new(&rig);
        stranger.get("/account/email").await.expect(303);
        stranger.post("/account/email", &pairs).await.refused_page("form-expired");
    }

    // LOG-05, CSR-06: from nothing to the page of one's account; a known address sees the same words.
    async fn an_account_is_made_on_a_page(rig: Rig) {
        let mut browser = Browser::new(&rig);
        let page = browser.get("/ui/register").await.expect(200);
        let (request, form) = (hidden(&page, "request"), hidden(&page, "form"));
        let fields = |email: &'static str, password: &'static str| {
            [("request", request.clone()), ("form", form.clone()), ("email", email.to_owned()), ("password", password.to_owned())]
        };
        let mut answers = Vec::new();
        for _ in 0..2 {
            let fields = fields(ADA, PASSWORD);
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            answers.push(browser.post("/ui/register", &pairs).await.expect(200).body);
        }
        assert_eq!(answers[0], answers[1]);
        for (email, password, status) in [("nonsense", PASSWORD, 422), (ADA, "short", 422)] {
            let fields = fields(email, password);
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let again = browser.post("/ui/register", &pairs).await.expect(status);
            assert!(again.body.contains("role=\"alert\""), "{}", again.body);
        }
        let mut stranger = Browser::new(&rig);
        stranger.get("/ui/register").await.expect(200);
        let fields = fields("eve@example.com", PASSWORD);
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert!(stranger.post("/ui/register", &pairs).await.expect(400).body.contains("form-expired"));
        let page = account(&mut browser, ADA).await;
        assert!(page.body.contains(ADA) && page.body.contains("this device"), "{}", page.body);
    }

    // CSR-03, CSR-05, ADM-02: a device is ended from another one, at once; nobody else's is.
    async fn devices_are_shown_and_signed_out(rig: Rig) {
        let bob = rig.user("bob@example.com").await;
        let ada = rig.user(ADA).await;
        let mut browser = Browser::new(&rig);
        let page = account(&mut browser, ADA).await;
        let own = |list: Vec<Value>| list.into_iter().find(|item| item["current"] == true).unwrap()["id"].as_str().unwrap().to_owned();
        let (bobs, adas) = (own(signins(&rig, &bob.access).await), own(signins(&rig, &ada.access).await));
        // Bob's is as unknown as none.
        assert_eq!(location(&act(&mut browser, &page, "sign-out", &bobs).await.expect(303)), "/account?done=signed-out");
        rig.session(&bob.access).await.expect(200);
        assert!(page.body.contains(&adas) && !page.body.contains(&bobs), "{}", page.body);
        let done = act(&mut browser, &page, "sign-out", &adas).await.expect(303);
        assert!(browser.follow(&done).await.expect(200).body.contains("That device was signed out"));
        rig.session(&ada.access).await.refused(401, "token-invalid");
        rig.refresh(&ada.refresh).await.refused(400, "refresh-revoked");
        for (form, act) in [("", "sign-out-others"), ("AAAA", "sign-out-others")] {
            assert!(browser.post("/account", &[("form", form), ("act", act)]).await.expect(400).body.contains("form-expired"));
        }
        act(&mut browser, &page, "dance", "").await.expect(400);
    }

    async fn every_other_device_is_signed_out_at_once(rig: Rig) {
        let first = rig.user(ADA).await;
        let mut browser = Browser::new(&rig);
        let page = account(&mut browser, ADA).await;
        let done = act(&mut browser, &page, "sign-out-others", "").await.expect(303);
        let page = browser.follow(&done).await.expect(200);
        assert!(page.body.contains("Every other device was signed out"), "{}", page.body);
        assert!(!page.body.contains("sign-out-others"));
        rig.session(&first.access).await.refused(401, "token-invalid");
        // By a token, too: then it is the browser's that ends.
        let body = json!({ "email": ADA, "password": PASSWORD });
        let token = rig.post("/login").json(&body).send().await.expect(200).text("access_token");
        let list = signins(&rig, &token).await;
        assert_eq!(list.len(), 2);
        let gone = rig.request(Method::DELETE, &format!("/api/account/signins/{}", other(&list))).bearer(&token);
        gone.send().await.expect(204);
        let again = rig.request(Method::DELETE, &format!("/api/account/signins/{}", other(&list))).bearer(&token);
        again.send().await.refused(404, "not-found");
        let nonsense = rig.request(Method::DELETE, "/api/account/signins/nonsense").bearer(&token);
        nonsense.send().await.refused(404, "not-found");
        browser.get("/account").await.expect(303);
        let ended = rig.post("/api/account/signins/end-others").bearer(&token).send().await.expect(200).json();
        assert_eq!(ended["ended"], 0);
        rig.session(&token).await.expect(200);
    }

    // RLO-07, REF-11: what applications may do, and taking it back.
    async fn applications_are_shown_and_withdrawn(rig: Rig) {
        rig.register(ADA).await;
        let shop = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let tokens = browser.tokens(&shop, &[], ADA).await;
        let page = browser.get("/account").await.expect(200);
        assert!(page.body.contains("see your e-mail address"), "{}", page.body);
        let done = act(&mut browser, &page, "withdraw", "shop").await.expect(303);
        let page = browser.follow(&done).await.expect(200);
        assert!(page.body.contains("may not use your account any more") && !page.body.contains("see your e-mail address"));
        shop.refresh(&rig, &tokens.text("refresh_token")).await.refused(400, "refresh-revoked");
    }

    // "Why was I signed out?", and all that is kept.
    async fn what_happened_is_told_and_everything_is_handed_out(rig: Rig) {
        let ada = rig.user(ADA).await;
        let wrong = json!({ "email": ADA, "password": "wrong horse battery staple" });
        rig.post("/login").json(&wrong).send().await.expect(401);
        let mut browser = Browser::new(&rig);
        let page = account(&mut browser, ADA).await;
        for words in ["Account made", "Somebody tried to sign in with a wrong password", "Signed in, after attempts"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        let activity = rig.get("/api/account/activity?limit=2").bearer(&ada.access).send().await.expect(200).json();
        assert_eq!(activity["items"].as_array().unwrap().len(), 2);
        assert!(activity["next"].is_string());
        let all = rig.get("/api/account/export").bearer(&ada.access).send().await.expect(200);
        assert!(all.headers["content-disposition"].to_str().unwrap().contains("attachment"));
        let all = all.json();
        assert_eq!(all["account"]["email"], ADA);
        for list in ["signins", "sessions", "activity"] {
            assert!(!all[list].as_array().unwrap().is_empty(), "{list}");
        }
        // No secret of hers: neither hash nor token.
        assert!(!all.to_string().contains("$argon2"), "{all}");
    }
}

both! {
    // It ends at once, and can be taken back for a while.
    async fn an_account_that_is_to_be_deleted_can_be_kept(rig: Rig) {
        let ada = rig.user(ADA).await;
        let shop = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        browser.tokens(&shop, &[], ADA).await;
        let page = browser.get("/account/delete").await.expect(200);
        assert!(page.body.contains("14 days later"), "{}", page.body);
        let form = hidden(&page, "form");
        let delete = |password: &'static str| [("form", form.clone()), ("password", password.to_owned())];
        for (password, status) in [("wrong horse battery staple", 401), (PASSWORD, 200)] {
            let fields = delete(password);
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.post("/account/delete", &pairs).await.expect(status);
        }
        rig.session(&ada.access).await.refused(401, "token-invalid");
        browser.get("/account").await.expect(303);
        // She thinks again.
        let page = account(&mut browser, ADA).await;
        assert!(page.body.contains("This account will be deleted on"), "{}", page.body);
        let kept = act(&mut browser, &page, "keep", "").await.expect(303);
        assert!(!browser.follow(&kept).await.expect(200).body.contains("will be deleted"));
    }

    // ADM-02
    async fn an_administrator_removes_a_user_for_good(rig: Rig) {
        let ada = rig.user(ADA).await;
        rig.admin(Method::DELETE, "/api/admin/users/ada@example.com", &json!({})).await.expect(204);
        rig.session(&ada.access).await.refused(401, "token-invalid");
        rig.admin(Method::DELETE, "/api/admin/users/ada@example.com", &json!({})).await.refused(404, "not-found");
        rig.administrator().await;
        let list = rig.admin(Method::GET, "/api/admin/users", &json!({})).await.expect(200).json();
        let last = list["items"][0]["user_id"].as_str().unwrap().to_owned();
        rig.admin(Method::DELETE, &format!("/api/admin/users/{last}"), &json!({})).await.refused(409, "last-admin");
    }
}

#[tokio::test]
async fn nobody_registers_where_registration_is_closed() {
    let rig = Rig::with(&[("registration", "closed")]).await;
    let mut browser = Browser::new(&rig);
    assert!(browser.get("/ui/register").await.expect(403).body.contains("registration-closed"));
    let to = browser.get("/account").await.expect(303);
    assert!(!browser.follow(&to).await.expect(200).body.contains("/ui/register"));
}
