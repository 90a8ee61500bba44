//! `/email/…`: verified addresses, other addresses, and whoever registers with an address that is not theirs.

use std::time::Duration;

use countersign_server::{
    domain::{upstream::Identity, user::UserId},
    store::upstreams::{self, LinkedBy},
};
use http::Method;
use serde_json::json;

use crate::{
    both,
    browser::{Browser, hidden},
    mailbox::{Cost, letters, one},
    rig::{Answer, PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";
const NEW: &str = "seven green parrots sang";
const REQUIRED: &[(&str, &str)] = &[("mail.verification", "required")];

async fn verify(rig: &Rig, token: &str) -> Answer {
    rig.post("/email/verify").json(&json!({ "token": token })).send().await
}

async fn reset(rig: &Rig, token: &str, password: &str) -> Answer {
    rig.post("/password/reset").json(&json!({ "token": token, "new_password": password })).send().await
}

async fn login(rig: &Rig, email: &str, password: &str) -> Answer {
    rig.post("/login").json(&json!({ "email": email, "password": password })).send().await
}

async fn change(rig: &Rig, access: &str, to: &str) -> Answer {
    let body = json!({ "new_email": to, "password": PASSWORD });
    rig.post("/email/change").json(&body).bearer(access).send().await
}

async fn confirm(rig: &Rig, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password });
    rig.post("/email/change/confirm").json(&body).send().await
}

async fn verified(rig: &Rig, email: &str) -> bool {
    let user = rig.admin(Method::GET, &format!("/api/admin/users/{email}"), &json!({})).await.expect(200).json();
    !user["email_verified_at"].is_null()
}

both! {
    // LOG-05: whoever registers learns nothing, and it costs the same; the owner of the address gets a way in.
    async fn a_known_address_costs_the_same_and_its_owner_hears_of_it(rig: Rig) {
        let mut seen = Vec::new();
        for password in [PASSWORD, "another long enough sentence"] {
            let cost = Cost::begin(&rig);
            let body = json!({ "email": ADA, "password": password });
            let answer = rig.post("/register").json(&body).send().await.expect(201);
            seen.push((answer.body, cost.end(&rig)));
        }
        assert_eq!(seen[0], seen[1]);
        let letters = letters(&rig).await;
        assert_eq!(letters.len(), 2, "{letters:?}");
        let known = one(&letters, "You have an account");
        reset(&rig, &known.token(), NEW).await.expect(204);
        login(&rig, ADA, NEW).await.expect(200);
    }

    async fn an_address_is_verified_by_its_link_once(rig: Rig) {
        rig.register(ADA).await;
        assert!(!verified(&rig, ADA).await);
        let token = one(&letters(&rig).await, "Confirm your e-mail address").token();
        verify(&rig, "x").await.refused(400, "mail-link-invalid");
        verify(&rig, &token).await.expect(204);
        assert!(verified(&rig, ADA).await);
        verify(&rig, &token).await.refused(400, "mail-link-invalid");
        login(&rig, ADA, PASSWORD).await.expect(200);
    }

    // TOK-17: a token of one purpose is none of another, at every endpoint.
    async fn no_token_works_for_another_purpose(rig: Rig) {
        let user = rig.user(ADA).await;
        let verifying = one(&letters(&rig).await, "Confirm your e-mail address").token();
        rig.post("/password/forgot").json(&json!({ "email": ADA })).send().await.expect(202);
        let resetting = one(&letters(&rig).await, "Set a new password").token();
        change(&rig, &user.access, "new@example.com").await.expect(202);
        let changing = one(&letters(&rig).await, "Confirm your new").token();
        for token in [&resetting, &changing, &user.access, &user.refresh] {
            verify(&rig, token).await.refused(400, "mail-link-invalid");
        }
        for token in [&verifying, &changing, &user.access, &user.refresh] {
            reset(&rig, token, NEW).await.refused(400, "mail-link-invalid");
        }
        for token in [&verifying, &resetting, &user.access, &user.refresh] {
            confirm(&rig, token, PASSWORD).await.refused(400, "mail-link-invalid");
        }
        for token in [&verifying, &resetting, &changing] {
            rig.session(token).await.refused(401, "token-invalid");
            rig.refresh(token).await.refused(400, "refresh-invalid");
        }
        confirm(&rig, &changing, PASSWORD).await.expect(204);
    }

    // LOG-12
    async fn another_address_needs_its_mailbox_and_the_password_and_the_old_one_hears_of_it(rig: Rig) {
        let user = rig.user(ADA).await;
        letters(&rig).await;
        let wrong = json!({ "new_email": "new@example.com", "password": "wrong horse battery staple" });
        rig.post("/email/change").json(&wrong).bearer(&user.access).send().await.refused(401, "invalid-credentials");
        change(&rig, &user.access, "new@example.com").await.expect(202);
        let sent = letters(&rig).await;
        let asked = one(&sent, "A new e-mail address");
        assert!(asked.to == ADA && asked.text.contains("new@example.com"), "{asked:?}");
        let link = one(&sent, "Confirm your new");
        assert_eq!(link.to, "new@example.com");
        // Whoever reads that mailbox by mistake does not know the password.
        confirm(&rig, &link.token(), "wrong horse battery staple").await.refused(401, "invalid-credentials");
        login(&rig, ADA, PASSWORD).await.expect(200);
        confirm(&rig, &link.token(), PASSWORD).await.expect(204);
        confirm(&rig, &link.token(), PASSWORD).await.refused(400, "mail-link-invalid");
        let done = one(&letters(&rig).await, "was changed");
        assert!(done.to == ADA && done.text.contains("new@example.com"), "{done:?}");
        login(&rig, ADA, PASSWORD).await.refused(401, "invalid-credentials");
        login(&rig, "new@example.com", PASSWORD).await.expect(200);
        assert!(verified(&rig, "new@example.com").await);
        rig.session(&user.access).await.expect(200);
        // The old address is nobody's now.
        rig.register(ADA).await;
    }

    // LOG-05: the answer does not say that somebody has the address; nothing is taken from them.
    async fn an_address_that_somebody_has_stays_theirs(rig: Rig) {
        let user = rig.user(ADA).await;
        rig.register("bob@example.com").await;
        letters(&rig).await;
        let mut seen = Vec::new();
        for to in ["free@example.com", "bob@example.com"] {
            let cost = Cost::begin(&rig);
            let answer = change(&rig, &user.access, to).await.expect(202);
            seen.push((answer.body, cost.end(&rig)));
        }
        assert_eq!(seen[0], seen[1]);
        let link = letters(&rig).await.into_iter().find(|letter| letter.to == "bob@example.com").unwrap();
        confirm(&rig, &link.token(), PASSWORD).await.refused(400, "mail-link-invalid");
        login(&rig, ADA, PASSWORD).await.expect(200);
        login(&rig, "bob@example.com", PASSWORD).await.expect(200);
    }

    // The wish of today replaces the one of yesterday.
    async fn one_change_is_pending_at_a_time(rig: Rig) {
        let user = rig.user(ADA).await;
        letters(&rig).await;
        change(&rig, &user.access, "first@example.com").await.expect(202);
        let first = one(&letters(&rig).await, "Confirm your new").token();
        change(&rig, &user.access, "second@example.com").await.expect(202);
        let second = one(&letters(&rig).await, "Confirm your new").token();
        confirm(&rig, &first, PASSWORD).await.refused(400, "mail-link-invalid");
        rig.advance(Duration::from_secs(3600));
        confirm(&rig, &second, PASSWORD).await.refused(400, "mail-link-invalid");
    }
}

// LOG-13, the classes of "pre-hijacked accounts" (Sudhodanan and Paverd, 2022): somebody registers with an address that is not
// theirs, and waits for its owner.
both! {
    // Class 2, unexpired session.
    async fn a_session_from_before_ends_when_the_owner_comes(rig: Rig) {
        for by_reset in [false, true] {
            let email = format!("owner{}@example.com", u8::from(by_reset));
            let thief = rig.user(&email).await;
            let verifying = one(&letters(&rig).await, "Confirm your e-mail address").token();
            if by_reset {
                rig.post("/password/forgot").json(&json!({ "email": email })).send().await.expect(202);
                let token = one(&letters(&rig).await, "Set a new password").token();
                reset(&rig, &token, NEW).await.expect(204);
                login(&rig, &email, PASSWORD).await.refused(401, "invalid-credentials");
                login(&rig, &email, NEW).await.expect(200);
                verify(&rig, &verifying).await.refused(400, "mail-link-invalid");
            } else {
                verify(&rig, &verifying).await.expect(204);
            }
            assert!(verified(&rig, &email).await);
            rig.session(&thief.access).await.refused(401, "token-invalid");
            rig.refresh(&thief.refresh).await.refused(400, "refresh-revoked");
        }
    }

    // Class 3, trojan identifier, and class 1, classic-federated merge: another provider that was connected before.
    async fn another_way_in_from_before_is_closed_when_the_owner_comes(rig: Rig) {
        for by_reset in [false, true] {
            let email = format!("owner{}@example.com", u8::from(by_reset));
            rig.register(&email).await;
            let verifying = one(&letters(&rig).await, "Confirm your e-mail address").token();
            let user = rig.admin(Method::GET, &format!("/api/admin/users/{email}"), &json!({})).await.text("user_id");
            let user = UserId::parse(&user).unwrap();
            let identity = Identity { issuer: "https://other.example".into(), subject: format!("thief{by_reset}") };
            let now = rig.app.clock.now();
            let (theirs, linked) = (identity.clone(), user.clone());
            let link = rig.app.store.write(move |tx| {
                let (identity, user) = (theirs.clone(), linked.clone());
                Box::pin(async move { upstreams::link(tx, &identity, (&user, LinkedBy::Password), now).await })
            });
            assert!(link.await.unwrap());
            if by_reset {
                rig.post("/password/forgot").json(&json!({ "email": email })).send().await.expect(202);
                let token = one(&letters(&rig).await, "Set a new password").token();
                reset(&rig, &token, NEW).await.expect(204);
            } else {
                verify(&rig, &verifying).await.expect(204);
            }
            let found = rig.app.store.read(move |tx| {
                let identity = identity.clone();
                Box::pin(async move { upstreams::user(tx, &identity).await })
            });
            assert_eq!(found.await.unwrap(), None);
        }
    }

    // Class 4, unexpired change of address.
    async fn a_change_from_before_is_cancelled_when_the_owner_comes(rig: Rig) {
        for by_reset in [false, true] {
            let email = format!("owner{}@example.com", u8::from(by_reset));
            let thief = rig.user(&email).await;
            let verifying = one(&letters(&rig).await, "Confirm your e-mail address").token();
            change(&rig, &thief.access, "thief@example.com").await.expect(202);
            let changing = one(&letters(&rig).await, "Confirm your new").token();
            if by_reset {
                rig.post("/password/forgot").json(&json!({ "email": email })).send().await.expect(202);
                let token = one(&letters(&rig).await, "Set a new password").token();
                reset(&rig, &token, NEW).await.expect(204);
                confirm(&rig, &changing, NEW).await.refused(400, "mail-link-invalid");
            } else {
                verify(&rig, &verifying).await.expect(204);
            }
            confirm(&rig, &changing, PASSWORD).await.refused(400, "mail-link-invalid");
        }
    }
}

// LOG-05, LOG-13: where addresses must be verified, an account that nobody has verified opens for nobody, and the answer does
// not say why; whoever knows the password gets another link.
#[tokio::test]
async fn where_it_is_required_nobody_signs_in_before() {
    let rig = Rig::with(REQUIRED).await;
    rig.register(ADA).await;
    letters(&rig).await;
    let same = |answer: Answer| {
        let mut body = answer.refused(401, "invalid-credentials").json();
        body["request_id"] = json!("");
        body
    };
    let right = same(login(&rig, ADA, PASSWORD).await);
    let another = one(&letters(&rig).await, "Confirm your e-mail address").token();
    let wrong = same(login(&rig, ADA, "wrong horse battery staple").await);
    assert_eq!(right, wrong);
    assert!(letters(&rig).await.is_empty());
    verify(&rig, &another).await.expect(204);
    login(&rig, ADA, PASSWORD).await.expect(200);
    // A reset proves the address, too.
    rig.register("bob@example.com").await;
    rig.post("/password/forgot").json(&json!({ "email": "bob@example.com" })).send().await.expect(202);
    let token = one(&letters(&rig).await, "Set a new password").token();
    reset(&rig, &token, NEW).await.expect(204);
    login(&rig, "bob@example.com", NEW).await.expect(200);
}

#[tokio::test]
async fn the_pages_work_without_a_script() {
    let rig = Rig::sqlite().await;
    let user = rig.user(ADA).await;
    let letter = one(&letters(&rig).await, "Confirm your e-mail address");
    let mut browser = Browser::new(&rig);
    for _ in 0..3 {
        browser.get(&letter.link()).await.expect(200);
    }
    let page = browser.get(&letter.link()).await.expect(200);
    assert!(!verified(&rig, ADA).await);
    let (form, token) = (hidden(&page, "form"), hidden(&page, "token"));
    let fields = [("form", form.as_str()), ("token", token.as_str())];
    rig.post("/ui/email/verify").form(&fields).send().await.expect(403);
    Browser::new(&rig).post("/ui/email/verify", &fields).await.refused_page("form-expired");
    let done = browser.post("/ui/email/verify", &fields).await.expect(200);
    assert!(done.body.contains("is confirmed") && browser.cookie("signin").is_none());
    browser.post("/ui/email/verify", &fields).await.refused_page("mail-link-invalid");

    rig.session(&user.access).await.refused(401, "token-invalid");
    let user = login(&rig, ADA, PASSWORD).await.expect(200).text("access_token");
    change(&rig, &user, "new@example.com").await.expect(202);
    let letter = one(&letters(&rig).await, "Confirm your new");
    let page = browser.get(&letter.link()).await.expect(200);
    assert!(page.body.contains("new@example.com"));
    let (form, token) = (hidden(&page, "form"), hidden(&page, "token"));
    let fields = |password| [("form", form.as_str()), ("token", token.as_str()), ("password", password)];
    let again = browser.post("/ui/email/change", &fields("wrong horse battery staple")).await.expect(401);
    assert!(again.body.contains("role=\"alert\""));
    browser.post("/ui/email/change", &fields(PASSWORD)).await.expect(200);
    login(&rig, "new@example.com", PASSWORD).await.expect(200);
}
