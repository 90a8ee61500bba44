//! `/ui/signin/mail`: a code or a link by mail, in place of the password.

use std::time::Duration;

use serde_json::json;

use crate::{
    authenticator::{Authenticator, events, second},
    both,
    browser::{Browser, Client, hidden, location, query},
    mailbox::{Cost, Letter, letters, one},
    rig::{Answer, PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";

/// An account whose address was confirmed.
async fn confirmed(rig: &Rig) {
    rig.register(ADA).await;
    let token = one(&letters(rig).await, "Confirm your e-mail").token();
    rig.post("/email/verify").json(&json!({ "token": token })).send().await.expect(204);
}

/// From a page that wants a sign-in to the page for the code.
async fn ask(browser: &mut Browser<'_>, from: &str, email: &str) -> Answer {
    let to = browser.get(from).await.expect(303);
    let page = browser.follow(&to).await.expect(200);
    assert!(page.body.contains("formaction=\"/ui/signin/mail/send\""), "{}", page.body);
    again(browser, &page, email).await
}

async fn again(browser: &mut Browser<'_>, page: &Answer, email: &str) -> Answer {
    let (request, form) = (hidden(page, "request"), hidden(page, "form"));
    let fields = [("request", request.as_str()), ("form", &form), ("email", email), ("password", "")];
    let to = browser.post("/ui/signin/mail/send", &fields).await.expect(303);
    browser.follow(&to).await.expect(200)
}

async fn type_code(browser: &mut Browser<'_>, page: &Answer, code: &str) -> Answer {
    let (request, form) = (hidden(page, "request"), hidden(page, "form"));
    browser.post("/ui/signin/mail", &[("request", &request), ("form", &form), ("code", code)]).await
}

async fn press(browser: &mut Browser<'_>, page: &Answer) -> Answer {
    let (request, form, token) = (hidden(page, "request"), hidden(page, "form"), hidden(page, "token"));
    browser.post("/ui/signin/mail", &[("request", &request), ("form", &form), ("token", &token)]).await
}

async fn mailed(rig: &Rig) -> Letter {
    one(&letters(rig).await, "Your code for")
}

fn code(letter: &Letter) -> String {
    let is_code = |line: &&str| line.len() == 9 && line.as_bytes()[4] == b'-';
    letter.text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("{}", letter.text)).to_owned()
}

both! {
    // MFA-06, MFA-07: the code signs in once, and the token says that it was a mail.
    async fn a_code_signs_in_where_it_was_asked_for(rig: Rig) {
        confirmed(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let page = ask(&mut browser, &client.url(&[]), ADA).await;
        let letter = mailed(&rig).await;
        assert!(!letter.subject.contains(&code(&letter)) && letter.to == ADA);
        let wrong = type_code(&mut browser, &page, "BCDF-GHJK").await.expect(401);
        assert!(wrong.body.contains("The code is wrong or over.") && wrong.headers.contains_key("www-authenticate"));
        assert!(browser.cookie("signin").is_none());
        let to = type_code(&mut browser, &wrong, &code(&letter).to_lowercase()).await.expect(303);
        let consent = browser.follow(&to).await.expect(200);
        let to = browser.decide(&consent, "allow").await.expect(303);
        let tokens = client.redeem(&rig, &query(&to)["code"]).await.expect(200);
        let claims = client.id_token(&rig, &tokens).await;
        assert_eq!((claims.amr.join(" ").as_str(), claims.acr.as_deref()), ("email", Some("1")));
        // I-8: used up, for another request and for this one.
        type_code(&mut browser, &page, &code(&letter)).await.refused_page("form-expired");
        let events = events(&rig, ADA).await;
        for event in ["authn_mail_request", "authn_login_success"] {
            assert!(events.contains(&event.to_owned()), "{event}: {events:?}");
        }
    }

    // MFA-07, CSR-06: the link opens nothing by itself, and nothing at all in another browser.
    async fn a_link_signs_in_the_browser_that_asked(rig: Rig) {
        confirmed(&rig).await;
        let (mut browser, mut thief) = (Browser::new(&rig), Browser::new(&rig));
        ask(&mut browser, "/account", ADA).await;
        let letter = mailed(&rig).await;
        for _ in 0..2 {
            let elsewhere = thief.get(&letter.link()).await.expect(200);
            assert!(elsewhere.body.contains("Open it where you asked for it") && !elsewhere.body.contains(ADA));
        }
        let page = browser.get(&letter.link()).await.expect(200);
        assert!(page.body.contains(ADA), "{}", page.body);
        // The thief has a request of their own, and the token of the link.
        let own = ask(&mut thief, "/account", "eve@example.com").await;
        let (request, form, token) = (hidden(&own, "request"), hidden(&own, "form"), hidden(&page, "token"));
        thief.post("/ui/signin/mail", &[("request", &request), ("form", &form), ("token", &token)]).await.expect(401);
        type_code(&mut thief, &own, &code(&letter)).await.expect(401);
        press(&mut thief, &page).await.refused_page("form-expired");
        let to = press(&mut browser, &page).await.expect(303);
        assert_eq!(location(&to), "/account");
        assert!(browser.follow(&to).await.expect(200).body.contains("this device"));
        assert!(browser.cookie("signin").is_some() && browser.cookie("device").is_some());
        // Opened once more: they are in already.
        assert_eq!(location(&browser.get(&letter.link()).await.expect(303)), "/account");
        press(&mut browser, &page).await.expect(401);
    }

    // MFA-07, LOG-07: five tries, ten minutes, and another mail ends the one before.
    async fn a_code_is_over_after_some_tries_some_minutes_or_another_mail(rig: Rig) {
        confirmed(&rig).await;
        let mut browser = Browser::new(&rig);
        let page = ask(&mut browser, "/account", ADA).await;
        let first = mailed(&rig).await;
        for _ in 0..5 {
            type_code(&mut browser, &page, "BCDF-GHJK").await.expect(401);
        }
        type_code(&mut browser, &page, &code(&first)).await.expect(401);
        let sign_in = browser.get("/ui/signin?request=account").await.expect(200);
        let page = again(&mut browser, &sign_in, ADA).await;
        let second = mailed(&rig).await;
        assert!(browser.get(&first.link()).await.expect(200).body.contains("Open it where"));
        rig.advance(Duration::from_mins(10) + Duration::from_secs(1));
        type_code(&mut browser, &page, &code(&second)).await.expect(401);
        assert!(browser.get(&second.link()).await.expect(200).body.contains("Open it where"));
        let sign_in = browser.get("/ui/signin?request=account").await.expect(200);
        let page = again(&mut browser, &sign_in, ADA).await;
        let third = mailed(&rig).await;
        type_code(&mut browser, &page, &code(&second)).await.expect(401);
        type_code(&mut browser, &page, &code(&third)).await.expect(303);
    }

    // LOG-05, LOG-13: a known address, an unknown one, and one that nobody confirmed look alike, and cost alike.
    async fn nobody_learns_who_has_an_account(rig: Rig) {
        confirmed(&rig).await;
        rig.register("bob@example.com").await;
        letters(&rig).await;
        let mut seen = Vec::new();
        for email in [ADA, "bob@example.com", "nobody@example.com"] {
            let mut browser = Browser::new(&rig);
            let to = browser.get("/account").await.expect(303);
            let sign_in = browser.follow(&to).await.expect(200);
            let cost = Cost::begin(&rig);
            let page = again(&mut browser, &sign_in, email).await;
            let asked = cost.end(&rig);
            let sent = letters(&rig).await.len();
            assert_eq!(sent, usize::from(email == ADA), "{email}");
            let cost = Cost::begin(&rig);
            let wrong = type_code(&mut browser, &page, "BCDF-GHJK").await.expect(401);
            let body = wrong.body.replace(&hidden(&page, "form"), "…");
            seen.push((asked, cost.end(&rig), body));
        }
        assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    }

    // MFA-03: one factor. Whoever has a second one is asked for it, and has nothing until then.
    async fn the_second_factor_is_asked_for_as_ever(rig: Rig) {
        confirmed(&rig).await;
        let access = rig.login(ADA).await.expect(200).text("access_token");
        let app = Authenticator::add(&rig, &access).await;
        letters(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let page = ask(&mut browser, &client.url(&[]), ADA).await;
        let letter = mailed(&rig).await;
        let to = type_code(&mut browser, &page, &code(&letter)).await.expect(303);
        assert!(location(&to).starts_with("/ui/mfa?"));
        assert!(browser.cookie("signin").is_none());
        type_code(&mut browser, &page, &code(&letter)).await.expect(401);
        let mfa = browser.follow(&to).await.expect(200);
        let to = second(&mut browser, &mfa, &app.code(&rig)).await.expect(303);
        let consent = browser.follow(&to).await.expect(200);
        let to = browser.decide(&consent, "allow").await.expect(303);
        let tokens = client.redeem(&rig, &query(&to)["code"]).await.expect(200);
        let claims = client.id_token(&rig, &tokens).await;
        assert_eq!((claims.amr.join(" ").as_str(), claims.acr.as_deref()), ("email otp mfa", Some("2")));
    }

    // Signed in already, and here to become somebody else: by the code, and by the link.
    async fn another_account_signs_in_by_mail(rig: Rig) {
        confirmed(&rig).await;
        rig.register("bob@example.com").await;
        letters(&rig).await;
        let mut browser = Browser::new(&rig);
        for by_link in [false, true] {
            let to = browser.get("/account").await;
            let page = if to.status == 303 { browser.follow(&to).await } else { browser.get("/ui/signin?request=account&switch=1").await };
            browser.sign_in(&page, "bob@example.com", PASSWORD).await.expect(303);
            let page = browser.get("/ui/signin?request=account&switch=1").await.expect(200);
            let typing = again(&mut browser, &page, ADA).await;
            let letter = mailed(&rig).await;
            let to = if by_link {
                let page = browser.get(&letter.link()).await.expect(200);
                press(&mut browser, &page).await.expect(303)
            } else {
                type_code(&mut browser, &typing, &code(&letter)).await.expect(303)
            };
            assert!(browser.follow(&to).await.expect(200).body.contains(ADA));
        }
    }

    // LOG-06: whoever uses their codes may ask for as many as they like.
    async fn a_used_code_is_not_one_too_many(rig: Rig) {
        confirmed(&rig).await;
        for _ in 0..12 {
            let mut browser = Browser::new(&rig);
            let page = ask(&mut browser, "/account", ADA).await;
            let letter = mailed(&rig).await;
            type_code(&mut browser, &page, &code(&letter)).await.expect(303);
        }
    }

    // LOG-06: a stranger keeps nobody's mail from being sent, and no device waiting that was here before.
    async fn a_stranger_keeps_no_owner_out(rig: Rig) {
        confirmed(&rig).await;
        let mut own = Browser::new(&rig);
        let page = ask(&mut own, "/account", ADA).await;
        let letter = mailed(&rig).await;
        type_code(&mut own, &page, &code(&letter)).await.expect(303);
        for _ in 0..5 {
            let mut stranger = Browser::new(&rig);
            ask(&mut stranger, "/account", ADA).await;
        }
        assert_eq!(letters(&rig).await.len(), 5);
        let mut stranger = Browser::new(&rig);
        let to = stranger.get("/account").await.expect(303);
        let sign_in = stranger.follow(&to).await.expect(200);
        let (request, form) = (hidden(&sign_in, "request"), hidden(&sign_in, "form"));
        let fields = [("request", request.as_str()), ("form", &form), ("email", ADA), ("password", "")];
        stranger.post("/ui/signin/mail/send", &fields).await.expect(429);
        let page = own.get("/ui/signin?request=account&switch=1").await.expect(200);
        let page = again(&mut own, &page, ADA).await;
        let letter = mailed(&rig).await;
        type_code(&mut own, &page, &code(&letter)).await.expect(303);
    }

    // LOG-09: a code dies with the password that the account had, and with the account.
    async fn a_code_dies_with_what_it_rests_on(rig: Rig) {
        confirmed(&rig).await;
        let mut browser = Browser::new(&rig);
        let page = ask(&mut browser, "/account", ADA).await;
        let letter = mailed(&rig).await;
        rig.post("/password/forgot").json(&json!({ "email": ADA })).send().await.expect(202);
        let token = one(&letters(&rig).await, "Set a new password").token();
        let body = json!({ "token": token, "new_password": "nine brisk herons whistle" });
        rig.post("/password/reset").json(&body).send().await.expect(204);
        type_code(&mut browser, &page, &code(&letter)).await.expect(401);
        assert!(browser.get(&letter.link()).await.expect(200).body.contains("Open it where"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_off_unless_somebody_turns_it_on() {
    let rig = Rig::with(&[("sign_in_by_mail", "off")]).await;
    let mut browser = Browser::new(&rig);
    let to = browser.get("/account").await.expect(303);
    let page = browser.follow(&to).await.expect(200);
    assert!(!page.body.contains("/ui/signin/mail"));
    let fields = [("request", hidden(&page, "request")), ("form", hidden(&page, "form")), ("email", ADA.to_owned())];
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post("/ui/signin/mail/send", &pairs).await.expect(404);
    browser.get("/ui/signin/mail?request=account").await.expect(404);
}
