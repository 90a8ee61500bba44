//! `/api/account/factors`, `/api/account/recovery-codes`, `/api/admin/users/{id}/factors`

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::{
    authenticator::{Authenticator, events, login, ticket},
    both,
    browser::{Browser, Client},
    mailbox::{letters, one},
    rig::{Answer, PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";

async fn listed(rig: &Rig, access: &str) -> Value {
    rig.get("/api/account/factors").bearer(access).send().await.expect(200).json()
}

async fn remove(rig: &Rig, access: &str, id: &str, more: &str) -> Answer {
    rig.request(Method::DELETE, &format!("/api/account/factors/{id}{more}")).bearer(access).send().await
}

both! {
    // MFA-05: shown once, counts when it was confirmed, told by mail, and it is what signing in asks for.
    async fn an_authenticator_app_counts_once_a_code_of_it_was_shown(rig: Rig) {
        let user = rig.user(ADA).await;
        letters(&rig).await;
        let app = Authenticator::begin(&rig, &user.access).await;
        rig.login(ADA).await.expect(200);
        let wrong = json!({ "code": app.wrong(&rig) });
        let path = format!("/api/account/factors/totp/{}/confirm", app.id);
        rig.post(&path).json(&wrong).bearer(&user.access).send().await.refused(401, "second-factor-wrong");
        assert_eq!(listed(&rig, &user.access).await["items"], json!([]));

        let confirmed = app.confirm(&rig, &user.access, &json!({})).await.expect(200).json();
        let codes = confirmed["recovery_codes"].as_array().unwrap().clone();
        assert_eq!(codes.len(), 10);
        app.confirm(&rig, &user.access, &json!({})).await.refused(401, "step-up-needed");
        let list = listed(&rig, &user.access).await;
        assert_eq!((&list["items"][0]["kind"], &list["items"][0]["name"]), (&json!("totp"), &json!("Authenticator app")));
        assert_eq!((&list["recovery_codes_left"], &list["may_change"]), (&json!(10), &json!(false)));
        let told = one(&letters(&rig).await, "A second factor for your account");
        assert!(told.to == ADA && told.text.replace("\r\n", " ").contains("authenticator app"), "{told:?}");

        rig.advance(Duration::from_secs(30));
        let second = login(&rig, ADA, &app.code(&rig)).await.expect(200);
        assert_eq!(listed(&rig, &second.text("access_token")).await["may_change"], true);
        assert!(events(&rig, ADA).await.contains(&"user_factor_added".to_owned()));
    }

    // AUD-02, MFA-01: the seed is shown in one answer, and lies sealed in the database.
    async fn the_seed_is_nowhere_in_clear(rig: Rig) {
        let user = rig.user(ADA).await;
        let begun = rig.post("/api/account/factors/totp").json(&json!({ "name": "My phone" })).bearer(&user.access).send().await.expect(201);
        let (secret, square) = (begun.text("secret"), begun.text("qr_svg"));
        assert!(square.starts_with("<svg ") && !square.contains("<script"), "{square}");
        assert_eq!(begun.headers["cache-control"], "no-store");
        const SEALED: &str = "SELECT sealed FROM totps";
        let rows = rig.app.store.read(|tx| Box::pin(async move { tx.fetch_all(SEALED, &[]).await })).await.unwrap();
        let sealed: Vec<u8> = rows[0].get(0).unwrap();
        assert!(sealed.len() > 40 && !String::from_utf8_lossy(&sealed).contains(&secret));
        let audit = rig.admin(Method::GET, "/api/admin/audit", &json!({})).await.expect(200).body;
        assert!(!audit.contains(&secret) && !listed(&rig, &user.access).await.to_string().contains(&secret));
    }

    // MFA-05: a session that is old, or began without the second factor, changes nothing.
    async fn factors_are_changed_by_whoever_has_just_signed_in(rig: Rig) {
        let user = rig.user(ADA).await;
        rig.advance(Duration::from_mins(10) + Duration::from_secs(1));
        let begin = |access: String| rig.post("/api/account/factors/totp").json(&json!({})).bearer(&access).send();
        let access = rig.refresh(&user.refresh).await.expect(200).text("access_token");
        let stale = begin(access).await.refused(401, "sign-in-stale");
        let challenge = stale.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("insufficient_user_authentication") && challenge.contains("max_age=\"600\""));
        let before = rig.login(ADA).await.expect(200).text("access_token");
        let fresh = rig.login(ADA).await.expect(200).text("access_token");
        let app = Authenticator::add(&rig, &fresh).await;
        for weak in [&before, &fresh] {
            let weak_refused = begin(weak.clone()).await.refused(401, "step-up-needed");
            assert!(weak_refused.headers["www-authenticate"].to_str().unwrap().contains("acr_values=\"2\""));
            remove(&rig, weak, &app.id, "").await.refused(401, "step-up-needed");
            rig.post("/api/account/recovery-codes").bearer(weak).send().await.refused(401, "step-up-needed");
        }
        let strong = login(&rig, ADA, &app.code(&rig)).await.expect(200);
        let access = strong.text("access_token");
        remove(&rig, &access, "fac_AAAAAAAAAAAAAAAAAAAAAA", "").await.refused(404, "not-found");
        rig.advance(Duration::from_mins(10) + Duration::from_secs(1));
        let later = rig.refresh(&strong.text("refresh_token")).await.expect(200).text("access_token");
        remove(&rig, &later, &app.id, "").await.refused(401, "sign-in-stale");
        let access = login(&rig, ADA, &app.code(&rig)).await.expect(200).text("access_token");
        remove(&rig, &access, &app.id, "").await.expect(204);
        assert_eq!(listed(&rig, &access).await["recovery_codes_left"], 0);
        rig.login(ADA).await.expect(200);
        let told = one(&letters(&rig).await, "was removed");
        assert!(told.text.replace("\r\n", " ").contains("authenticator app"), "{told:?}");
    }

    // MFA-05, ASVS 7.4.3: everybody else is signed out, if that is asked for.
    async fn other_sessions_end_with_a_change_that_says_so(rig: Rig) {
        let thief = rig.user(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let elsewhere = browser.tokens(&client, &[], ADA).await;
        let own = rig.login(ADA).await.expect(200);
        let app = Authenticator::begin(&rig, &own.text("access_token")).await;
        app.confirm(&rig, &own.text("access_token"), &json!({ "end_other_sessions": true })).await.expect(200);
        rig.session(&thief.access).await.refused(401, "token-invalid");
        rig.refresh(&thief.refresh).await.refused(400, "refresh-revoked");
        client.refresh(&rig, &elsewhere.text("refresh_token")).await.refused(400, "refresh-revoked");
        let signin = browser.cookie("signin").unwrap().to_owned();
        rig.get("/session").cookie("signin", &signin).send().await.refused(401, "token-invalid");
        rig.session(&own.text("access_token")).await.expect(200);
        rig.refresh(&own.text("refresh_token")).await.expect(200);
        let sessions = rig.get("/api/account/sessions").bearer(&own.text("access_token")).send().await.expect(200).json();
        let ended = sessions["items"].as_array().unwrap().iter().filter(|item| item["ended_reason"] == "factors_changed");
        assert_eq!(ended.count(), 2);
    }

    // MFA-02: each once, all of them until there are new ones.
    async fn a_recovery_code_opens_once_and_new_ones_end_the_old(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        letters(&rig).await;
        let (first, second) = (&app.recovery_codes[0], &app.recovery_codes[1]);
        let used = login(&rig, ADA, &first.to_uppercase().replace('-', " ")).await.expect(200);
        login(&rig, ADA, first).await.refused(401, "second-factor-wrong");
        let told = one(&letters(&rig).await, "A recovery code");
        assert!(told.text.contains("left: 9"), "{told:?}");
        let made = rig.post("/api/account/recovery-codes").bearer(&used.text("access_token")).send().await.expect(201).json();
        let new: Vec<String> = serde_json::from_value(made["recovery_codes"].clone()).unwrap();
        assert!(new.len() == 10 && !new.contains(second));
        login(&rig, ADA, second).await.refused(401, "second-factor-wrong");
        login(&rig, ADA, &new[9]).await.expect(200);
        let events = events(&rig, ADA).await;
        let count = |name: &str| events.iter().filter(|event| *event == name).count();
        assert_eq!((count("authn_recovery_code_used"), count("user_recovery_codes_made")), (2, 1));
    }

    // I-8: of many at once with one recovery code, one.
    async fn one_recovery_code_opens_one_sign_in(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        let mut tickets = Vec::new();
        for _ in 0..4 {
            tickets.push(ticket(&rig, ADA).await);
        }
        let tries = tickets.iter().map(|ticket| crate::authenticator::finish(&rig, ticket, &app.recovery_codes[0]));
        let answers = futures_util::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
    }

    // An administrator helps somebody who has lost everything: told, and everything ends.
    async fn an_administrator_takes_lost_factors_away(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        let session = login(&rig, ADA, &app.code(&rig)).await.expect(200);
        letters(&rig).await;
        let path = "/api/admin/users/ada@example.com/factors";
        let list = rig.admin(Method::GET, path, &json!({})).await.expect(200).json();
        assert_eq!((&list["items"][0]["id"], &list["recovery_codes_left"]), (&json!(app.id), &json!(10)));
        let reset = rig.admin(Method::DELETE, path, &json!({})).await.expect(200).json();
        assert_eq!((&reset["items"], &reset["recovery_codes_left"], &reset["removed"]), (&json!([]), &json!(0), &json!(1)));
        rig.session(&session.text("access_token")).await.refused(401, "token-invalid");
        one(&letters(&rig).await, "second factors of your account");
        rig.login(ADA).await.expect(200);
        rig.admin(Method::DELETE, path, &json!({})).await.expect(200);
        let resets = events(&rig, ADA).await.into_iter().filter(|event| event == "user_factors_reset").count();
        assert_eq!(resets, 1);
        assert!(letters(&rig).await.is_empty());
    }
}

#[tokio::test]
async fn what_is_begun_and_not_confirmed_is_over_soon_and_replaced() {
    let rig = Rig::sqlite().await;
    let user = rig.user(ADA).await;
    let first = Authenticator::begin(&rig, &user.access).await;
    let second = Authenticator::begin(&rig, &user.access).await;
    first.confirm(&rig, &user.access, &json!({})).await.refused(404, "not-found");
    rig.advance(Duration::from_mins(10));
    let fresh = rig.login(ADA).await.expect(200).text("access_token");
    second.confirm(&rig, &fresh, &json!({})).await.refused(404, "not-found");
    let bob = rig.user("bob@example.com").await;
    let third = Authenticator::begin(&rig, &fresh).await;
    // ADM-02: somebody else's is as unknown as none.
    third.confirm(&rig, &bob.access, &json!({})).await.refused(404, "not-found");
    third.confirm(&rig, &fresh, &json!({})).await.expect(200);
    remove(&rig, &bob.access, &third.id, "").await.refused(404, "not-found");
    rig.post("/api/account/recovery-codes").bearer(&bob.access).send().await.refused(422, "invalid-value");
    for name in ["", "a\u{202e}b", &"x".repeat(61)] {
        let body = json!({ "name": name });
        let ask = rig.post("/api/account/factors/totp").json(&body).bearer(&bob.access);
        ask.send().await.refused(422, "invalid-value");
    }
}

#[tokio::test]
async fn an_account_has_a_handful_of_apps_at_most() {
    let rig = Rig::sqlite().await;
    let user = rig.user(ADA).await;
    let mut app = Authenticator::add(&rig, &user.access).await;
    for _ in 1..5 {
        let access = login(&rig, ADA, &app.code(&rig)).await.expect(200).text("access_token");
        let next = Authenticator::add(&rig, &access).await;
        assert!(next.recovery_codes.is_empty(), "the first factor's codes stay");
        app = next;
    }
    let access = login(&rig, ADA, &app.code(&rig)).await.expect(200).text("access_token");
    let more = rig.post("/api/account/factors/totp").json(&json!({})).bearer(&access).send().await;
    more.refused(422, "invalid-value");
    assert_eq!(listed(&rig, &access).await["items"].as_array().unwrap().len(), 5);
}

// LOG-11, LOG-13: a reset does not get past the second factor, unless it is that of somebody who never had the mailbox.
#[tokio::test]
async fn a_reset_leaves_the_factors_of_an_owner_and_removes_those_of_a_stranger() {
    let rig = Rig::sqlite().await;
    let thief = rig.user(ADA).await;
    Authenticator::add(&rig, &thief.access).await;
    let reset = async |password: &str| {
        letters(&rig).await;
        rig.post("/password/forgot").json(&json!({ "email": ADA })).send().await.expect(202);
        let token = one(&letters(&rig).await, "Set a new password").token();
        rig.post("/password/reset").json(&json!({ "token": token, "new_password": password })).send().await.expect(204);
    };
    reset("seven green parrots sang").await;
    let body = json!({ "email": ADA, "password": "seven green parrots sang" });
    let owner = rig.post("/login").json(&body).send().await.expect(200).text("access_token");
    let app = Authenticator::add(&rig, &owner).await;
    reset(PASSWORD).await;
    let ticket = ticket(&rig, ADA).await;
    crate::authenticator::finish(&rig, &ticket, &app.code(&rig)).await.expect(200);
}

// ADM-01: an administrator who has a second factor administers with it.
#[tokio::test]
async fn an_administrators_session_from_before_the_factor_administers_no_more() {
    let rig = Rig::sqlite().await;
    let admin = rig.administrator().await;
    let own = rig.login("root@example.com").await.expect(200).text("access_token");
    rig.get("/api/admin/users").bearer(&admin).send().await.expect(200);
    let app = Authenticator::add(&rig, &own).await;
    rig.get("/api/admin/users").bearer(&admin).send().await.refused(401, "step-up-needed");
    let body = json!({ "email": "root@example.com", "password": PASSWORD, "resource": "admin" });
    let ticket = rig.post("/login").json(&body).send().await.refused(401, "mfa-required").text("ticket");
    let strong = crate::authenticator::finish(&rig, &ticket, &app.code(&rig)).await.expect(200).text("access_token");
    rig.get("/api/admin/users").bearer(&strong).send().await.expect(200);
}
