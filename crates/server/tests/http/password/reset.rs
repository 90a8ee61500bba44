//! `POST /password/reset` and its page

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::{
    both,
    browser::{Browser, Client, hidden},
    mailbox::{letters, one},
    rig::{Answer, PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";
const NEW: &str = "seven green parrots sang";

async fn link(rig: &Rig, email: &str) -> String {
    rig.post("/password/forgot").json(&json!({ "email": email })).send().await.expect(202);
    one(&letters(rig).await, "Set a new password").token()
}

async fn reset(rig: &Rig, token: &str, password: &str) -> Answer {
    rig.post("/password/reset").json(&json!({ "token": token, "new_password": password })).send().await
}

async fn login(rig: &Rig, password: &str) -> Answer {
    rig.post("/login").json(&json!({ "email": ADA, "password": password })).send().await
}

both! {
    // LOG-11, REF-11: one act ends every session and token, says so, and signs nobody in.
    async fn a_hacked_account_is_its_owners_again(rig: Rig) {
        let thief = rig.user(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let at_client = browser.tokens(&client, &[], ADA).await;
        letters(&rig).await;
        let token = link(&rig, ADA).await;

        let answer = reset(&rig, &token, NEW).await.expect(204);
        assert!(answer.cookies().is_empty() && answer.body.is_empty());
        rig.session(&thief.access).await.refused(401, "token-invalid");
        rig.refresh(&thief.refresh).await.refused(400, "refresh-revoked");
        client.refresh(&rig, &at_client.text("refresh_token")).await.refused(400, "refresh-revoked");
        let signin = browser.cookie("signin").unwrap().to_owned();
        rig.get("/session").cookie("signin", &signin).send().await.refused(401, "token-invalid");
        login(&rig, PASSWORD).await.refused(401, "invalid-credentials");
        login(&rig, NEW).await.expect(200);

        let told = one(&letters(&rig).await, "was reset");
        assert!(told.to == ADA && told.text.contains("signed out"), "{told:?}");
        let audit = rig.admin(Method::GET, "/api/admin/audit?user=ada@example.com", &json!({})).await.body;
        assert!(audit.contains("authn_password_reset_request") && audit.contains("\"authn_password_reset\""), "{audit}");
        assert!(!audit.contains(&token));
    }

    // LOG-09, I-8
    async fn a_link_works_once(rig: Rig) {
        rig.register(ADA).await;
        letters(&rig).await;
        let token = link(&rig, ADA).await;
        let tries = (0..8).map(|n| {
            let (rig, token) = (&rig, &token);
            async move { reset(rig, token, &format!("the new password number {n}")).await.status.as_u16() }
        });
        let mut statuses = futures_util::future::join_all(tries).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 400, 400, 400, 400, 400, 400, 400]);
        reset(&rig, &token, NEW).await.refused(400, "mail-link-invalid");
    }

    // LOG-09: an hour, and the password that the account had.
    async fn a_link_dies_with_its_hour_and_with_the_password(rig: Rig) {
        let user = rig.user(ADA).await;
        letters(&rig).await;
        let old = link(&rig, ADA).await;
        rig.advance(Duration::from_mins(59));
        let (late, spare) = (link(&rig, ADA).await, link(&rig, ADA).await);
        rig.advance(Duration::from_secs(61));
        reset(&rig, &old, NEW).await.refused(400, "mail-link-invalid");
        reset(&rig, &spare, NEW).await.expect(204);
        // Bound to the password that was there when it was sent.
        reset(&rig, &late, "another long enough one").await.refused(400, "mail-link-invalid");
        rig.session(&user.access).await.refused(401, "token-invalid");

        let user = login(&rig, NEW).await.expect(200).text("access_token");
        letters(&rig).await;
        let token = link(&rig, ADA).await;
        let change = json!({ "current_password": NEW, "new_password": "yet another sentence" });
        rig.post("/password/change").json(&change).bearer(&user).send().await.expect(204);
        reset(&rig, &token, NEW).await.refused(400, "mail-link-invalid");
    }

    // LOG-02, LOG-03: the rules of passwords hold here, too, and a refusal leaves the link as it was.
    async fn a_weak_password_uses_nothing_up(rig: Rig) {
        rig.register(ADA).await;
        letters(&rig).await;
        let token = link(&rig, ADA).await;
        reset(&rig, &token, "short").await.refused(422, "password-too-short");
        reset(&rig, &token, "ada@example.com ada").await.refused(422, "password-common");
        reset(&rig, &token, NEW).await.expect(204);
    }

    async fn a_disabled_account_stays_disabled(rig: Rig) {
        rig.register(ADA).await;
        letters(&rig).await;
        let token = link(&rig, ADA).await;
        rig.admin(Method::POST, "/api/admin/users/ada@example.com/disable", &json!({})).await.expect(200);
        reset(&rig, &token, NEW).await.refused(400, "mail-link-invalid");
        rig.admin(Method::POST, "/api/admin/users/ada@example.com/enable", &json!({})).await.expect(200);
        login(&rig, NEW).await.refused(401, "invalid-credentials");
    }
}

// LOG-09: mail programs look at every link, some of them often; only a person presses the button.
#[tokio::test]
async fn the_page_works_without_a_script_and_a_look_burns_nothing() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    letters(&rig).await;
    rig.post("/password/forgot").json(&json!({ "email": ADA })).send().await.expect(202);
    let letter = one(&letters(&rig).await, "Set a new password");
    for _ in 0..3 {
        let scanner = rig.get(&letter.link()).send().await.expect(200);
        assert!(scanner.headers["referrer-policy"] == "same-origin" && scanner.headers["cache-control"] == "no-store");
        rig.request(Method::HEAD, &letter.link()).send().await.expect(200);
    }
    let mut browser = Browser::new(&rig);
    let page = browser.get(&letter.link()).await.expect(200);
    let (form, token) = (hidden(&page, "form"), hidden(&page, "token"));
    let fields =
        |password: &'static str| [("form", form.clone()), ("token", token.clone()), ("password", password.into())];
    let send = async |browser: &mut Browser<'_>, password: &'static str| {
        let fields = fields(password);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post("/ui/password/reset", &fields).await
    };
    let again = send(&mut browser, "short").await.expect(422);
    assert!(again.body.contains("at least 15 characters") && again.body.contains("role=\"alert\""), "{}", again.body);
    // CSR-06: another browser's form is none.
    send(&mut Browser::new(&rig), NEW).await.refused_page("form-expired");
    let done = send(&mut browser, NEW).await.expect(200);
    assert!(done.body.contains("signed out, everywhere") && browser.cookie("signin").is_none(), "{}", done.body);
    login(&rig, NEW).await.expect(200);
    let used = browser.get(&letter.link()).await.expect(400);
    assert!(used.body.contains("mail-link-invalid"), "{}", used.body);
    rig.get("/ui/password/reset?token=x").send().await.refused_page("mail-link-invalid");
}
