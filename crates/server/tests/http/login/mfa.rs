//! `POST /login/mfa`

use std::time::Duration;

use countersign_jose::b64;
use serde_json::{Value, json};

use crate::{
    authenticator::{Authenticator, events, finish, login, ticket},
    both,
    mailbox::{letters, one},
    rig::{PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";

fn claims(token: &str) -> Value {
    serde_json::from_slice(&b64::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

both! {
    // MFA-03: a right password alone grants nothing, and says only what is missing.
    async fn a_right_password_is_half_a_sign_in(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        const COUNT: &str = "SELECT (SELECT COUNT(*) FROM signins) + (SELECT COUNT(*) FROM sessions)";
        let count = async || {
            let row = rig.app.store.read(|tx| Box::pin(async move { tx.fetch_optional(COUNT, &[]).await })).await.unwrap();
            row.unwrap().get::<i64>(0).unwrap()
        };
        let before = count().await;
        for transport in ["bearer", "cookie"] {
            let body = json!({ "email": ADA, "password": PASSWORD, "transport": transport });
            let answer = rig.post("/login").json(&body).same_origin().send().await.refused(401, "mfa-required");
            assert!(answer.cookies().is_empty(), "{:?}", answer.cookies());
            assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("SecondFactor"));
            assert!(!answer.body.contains("eyJ") && !answer.body.contains("rt1."), "{}", answer.body);
            let ticket = answer.text("ticket");
            // It is no credential of any other kind (TOK-17).
            rig.session(&ticket).await.refused(401, "token-invalid");
            rig.get("/session").cookie("signin", &ticket).send().await.refused(401, "token-invalid");
            rig.refresh(&ticket).await.refused(400, "refresh-invalid");
            rig.post("/password/reset").json(&json!({ "token": ticket, "new_password": "seven green parrots sang" })).send().await.refused(400, "mail-link-invalid");
        }
        assert_eq!(count().await, before);

        let answer = login(&rig, ADA, &app.code(&rig)).await.expect(200);
        rig.session(&answer.text("access_token")).await.expect(200);
        rig.refresh(&answer.text("refresh_token")).await.expect(200);
    }

    // MFA-06: what the tokens say is what was shown.
    async fn tokens_say_what_was_shown(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        let now = rig.app.clock.now().secs();
        let answer = login(&rig, ADA, &app.code(&rig)).await.expect(200);
        let said = claims(&answer.text("access_token"));
        assert_eq!((&said["amr"], &said["acr"], &said["auth_time"]), (&json!(["pwd", "otp", "mfa"]), &json!("2"), &json!(now)));
        let refreshed = claims(&rig.refresh(&answer.text("refresh_token")).await.expect(200).text("access_token"));
        assert_eq!((&refreshed["amr"], &refreshed["acr"], &refreshed["auth_time"]), (&said["amr"], &said["acr"], &said["auth_time"]));
        let answer = login(&rig, ADA, &app.recovery_codes[3]).await.expect(200);
        let said = claims(&answer.text("access_token"));
        assert_eq!((&said["amr"], &said["acr"]), (&json!(["pwd", "recovery", "mfa"]), &json!("2")));
        rig.register("bob@example.com").await;
        let said = claims(&rig.login("bob@example.com").await.expect(200).text("access_token"));
        assert_eq!((&said["amr"], &said["acr"]), (&json!(["pwd"]), &json!("1")));
    }

    // MFA-03, I-8
    async fn a_ticket_is_used_once_within_its_time(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        let used = ticket(&rig, ADA).await;
        finish(&rig, &used, &app.code(&rig)).await.expect(200);
        rig.advance(Duration::from_secs(30));
        finish(&rig, &used, &app.code(&rig)).await.refused(400, "mfa-ticket-invalid");
        let late = ticket(&rig, ADA).await;
        rig.advance(Duration::from_mins(10));
        finish(&rig, &late, &app.code(&rig)).await.refused(400, "mfa-ticket-invalid");
        finish(&rig, "x", &app.code(&rig)).await.refused(400, "mfa-ticket-invalid");
        // Another try with the same ticket, after a slip.
        let again = ticket(&rig, ADA).await;
        finish(&rig, &again, &app.wrong(&rig)).await.refused(401, "second-factor-wrong");
        finish(&rig, &again, &app.code(&rig)).await.expect(200);
    }

    // MFA-03: what ends everything ends a half sign-in.
    async fn a_half_sign_in_dies_with_what_it_rests_on(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        let before = ticket(&rig, ADA).await;
        let body = json!({ "password": PASSWORD });
        rig.admin(http::Method::PUT, "/api/admin/users/ada@example.com/password", &body).await.expect(200);
        finish(&rig, &before, &app.code(&rig)).await.refused(400, "mfa-ticket-invalid");
        let disabled = ticket(&rig, ADA).await;
        rig.admin(http::Method::POST, "/api/admin/users/ada@example.com/disable", &json!({})).await.expect(200);
        finish(&rig, &disabled, &app.code(&rig)).await.refused(400, "mfa-ticket-invalid");
    }

    // MFA-01: a step is used once, durably, even by two sign-ins at the same time and after a restart.
    async fn a_code_opens_once(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        let code = app.code(&rig);
        let mut tickets = Vec::new();
        for _ in 0..3 {
            tickets.push(ticket(&rig, ADA).await);
        }
        let answers = futures_util::future::join_all(tickets.iter().map(|ticket| finish(&rig, ticket, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
        let rig = rig.restart().await;
        login(&rig, ADA, &code).await.refused(401, "second-factor-wrong");
        // The step before it is over, too, though its time is not.
        login(&rig, ADA, &app.code_at(&rig, -1)).await.refused(401, "second-factor-wrong");
        login(&rig, ADA, &app.code_at(&rig, 1)).await.expect(200);
    }

    // MFA-01, LOG-06, LOG-07: five, then ever longer waits; the right password takes none of them back, and its owner hears of it.
    async fn wrong_codes_are_counted_whatever_the_ticket(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        letters(&rig).await;
        for _ in 0..5 {
            login(&rig, ADA, &app.wrong(&rig)).await.refused(401, "second-factor-wrong");
        }
        let fresh = ticket(&rig, ADA).await;
        for _ in 0..3 {
            let locked = finish(&rig, &fresh, &app.code(&rig)).await.refused(429, "too-many-attempts");
            assert_eq!(locked.headers["retry-after"], "1");
        }
        one(&letters(&rig).await, "Somebody knows your password");
        rig.advance(Duration::from_secs(1));
        login(&rig, ADA, &app.wrong(&rig)).await.refused(401, "second-factor-wrong");
        let locked = finish(&rig, &fresh, &app.code(&rig)).await.refused(429, "too-many-attempts");
        assert_eq!(locked.headers["retry-after"], "2");
        assert!(letters(&rig).await.is_empty());
        rig.advance(Duration::from_secs(2));
        finish(&rig, &fresh, &app.code(&rig)).await.expect(200);
        // A success ends them.
        rig.advance(Duration::from_secs(30));
        login(&rig, ADA, &app.wrong(&rig)).await.refused(401, "second-factor-wrong");
        login(&rig, ADA, &app.code(&rig)).await.expect(200);
        let events = events(&rig, ADA).await;
        let count = |name: &str| events.iter().filter(|event| *event == name).count();
        assert_eq!((count("authn_login_lock"), count("authn_login_successafterfail")), (2, 2));
        assert_eq!(count("authn_login_fail"), 7);
    }
}

// LOG-06: whoever has the password slows down strangers at the second factor, not a browser that has signed in before.
#[tokio::test]
async fn a_known_device_is_counted_apart_here_too() {
    let rig = Rig::sqlite().await;
    let body = json!({ "email": ADA, "password": PASSWORD, "transport": "cookie" });
    rig.register(ADA).await;
    let before = rig.post("/login").json(&body).same_origin().send().await.expect(200);
    let weak = before.cookie("device").unwrap();
    let access = rig.login(ADA).await.expect(200).text("access_token");
    let app = Authenticator::add(&rig, &access).await;
    let ask =
        async || rig.post("/login").json(&body).same_origin().send().await.refused(401, "mfa-required").text("ticket");
    let with = |ticket: String, code: String, device: &str| {
        let ask = rig.post("/login/mfa").json(&json!({ "ticket": ticket, "code": code })).cookie("device", device);
        ask.same_origin().send()
    };
    let first = with(ask().await, app.code(&rig), "x").await.expect(200);
    let (device, signin) = (first.cookie("device").unwrap(), first.cookie("signin").unwrap());
    assert!(first.json().get("refresh_token").is_none_or(Value::is_null) && !first.body.contains("eyJ"));
    for _ in 0..5 {
        with(ask().await, app.wrong(&rig), "x").await.refused(401, "second-factor-wrong");
    }
    rig.advance(Duration::from_millis(500));
    with(ask().await, app.code_at(&rig, 1), "x").await.refused(429, "too-many-attempts");
    // MFA-01: of a sign-in with the second factor. One from before there was any has no count of its own.
    with(ask().await, app.code_at(&rig, 1), &weak).await.refused(429, "too-many-attempts");
    with(ask().await, app.code_at(&rig, 1), &device).await.expect(200);
    // CSR-06: with cookies, only from a page of the issuer.
    let ticket = ask().await;
    let body = json!({ "ticket": ticket, "code": app.code(&rig) });
    rig.post("/login/mfa").json(&body).cookie("signin", &signin).send().await.refused(403, "cross-site");
}

// MFA-06: what a client was registered with is asked of everybody who signs in to it.
#[tokio::test]
async fn a_client_may_require_a_second_factor() {
    let rig = Rig::sqlite().await;
    let vault = json!({ "client_id": "vault", "public": true, "grants": ["first_party", "refresh_token"], "audiences": ["api"], "required_acr": "2" });
    let added = rig.admin(http::Method::POST, "/api/admin/clients", &vault).await.expect(201).json();
    assert_eq!(added["required_acr"], "2");
    let bad = json!({ "required_acr": "9" });
    rig.admin(http::Method::PUT, "/api/admin/clients/vault", &bad).await.refused(422, "invalid-value");
    rig.register(ADA).await;
    let body = json!({ "email": ADA, "password": PASSWORD, "client_id": "vault" });
    let sign_in = || rig.post("/login").json(&body).send();
    sign_in().await.refused(403, "second-factor-missing");
    let access = rig.login(ADA).await.expect(200).text("access_token");
    let app = Authenticator::add(&rig, &access).await;
    let ticket = sign_in().await.refused(401, "mfa-required").text("ticket");
    let tokens = finish(&rig, &ticket, &app.code(&rig)).await.expect(200);
    assert_eq!(claims(&tokens.text("access_token"))["client_id"], "vault");
    let off = json!({ "required_acr": "1" });
    rig.admin(http::Method::PUT, "/api/admin/clients/vault", &off).await.expect(200);
    rig.register("bob@example.com").await;
    let body = json!({ "email": "bob@example.com", "password": PASSWORD, "client_id": "vault" });
    rig.post("/login").json(&body).send().await.expect(200);
}
