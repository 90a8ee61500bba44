//! `/ui/mfa`: the second factor on the pages, and what requests ask of it.

use std::time::Duration;

use serde_json::json;

use crate::{
    authenticator::{Authenticator, second, to_second},
    both,
    browser::{Browser, Client, hidden, location, query},
    rig::{PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";

both! {
    // MFA-03: the password alone sets no cookie but the pre-session's, and opens no other page.
    async fn the_second_step_finishes_a_sign_in(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let page = to_second(&mut browser, &client.url(&[]), ADA).await;
        assert_eq!((browser.cookie("signin"), browser.cookie("device")), (None, None));
        let request = hidden(&page, "request");
        let consent = browser.get(&format!("/ui/consent?request={request}")).await.expect(303);
        assert!(location(&consent).starts_with("/ui/signin"));
        let back = browser.get(&client.url(&[])).await.expect(303);
        assert!(location(&back).starts_with("/ui/signin"));

        let again = second(&mut browser, &page, &app.wrong(&rig)).await.expect(401);
        assert!(again.body.contains("The code is wrong.") && again.body.contains("role=\"alert\""), "{}", again.body);
        assert!(again.headers.contains_key("www-authenticate"));
        let to = second(&mut browser, &again, &app.code(&rig)).await.expect(303);
        assert!(browser.cookie("signin").is_some() && browser.cookie("device").is_some());
        let consent = browser.follow(&to).await.expect(200);
        let to = browser.decide(&consent, "allow").await.expect(303);
        let tokens = client.redeem(&rig, &query(&to)["code"]).await.expect(200);
        let claims = client.id_token(&rig, &tokens).await;
        assert_eq!((claims.amr.join(" ").as_str(), claims.acr.as_deref()), ("pwd otp mfa", Some("2")));
        // I-8: what was finished is over.
        second(&mut browser, &page, &app.recovery_codes[0]).await.refused_page("form-expired");
    }

    // MFA-03, CSR-06: a half sign-in is worth nothing in another browser, nor at another request of the same.
    async fn a_half_sign_in_belongs_to_its_browser_and_request(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        let client = Client::web(&rig, "shop").await;
        let (mut browser, mut other) = (Browser::new(&rig), Browser::new(&rig));
        let page = to_second(&mut browser, &client.url(&[]), ADA).await;
        other.get(&client.url(&[])).await.expect(303);
        second(&mut other, &page, &app.code(&rig)).await.refused_page("form-expired");
        let to = other.get(&client.url(&[])).await.expect(303);
        let own = location(&to).replace("signin", "mfa");
        assert!(location(&other.get(&own).await.expect(303)).starts_with("/ui/signin"));
        let elsewhere = browser.get(&client.url(&[])).await.expect(303);
        let there = location(&elsewhere).replace("signin", "mfa");
        assert!(location(&browser.get(&there).await.expect(303)).starts_with("/ui/signin"));
        let (request, form) = (hidden(&page, "request"), hidden(&page, "form"));
        for forged in ["", &form[1..]] {
            let fields = [("request", request.as_str()), ("form", forged), ("code", "123456")];
            browser.post("/ui/mfa", &fields).await.refused_page("form-expired");
        }
        let fields = [("request", request.as_str()), ("form", form.as_str()), ("code", "123456")];
        let cross = rig.post("/ui/mfa").form(&fields).header("origin", "https://evil.example");
        assert!(browser.send(cross).await.expect(403).body.contains("cross-site"));
        rig.advance(Duration::from_mins(10));
        second(&mut browser, &page, &app.code(&rig)).await.refused_page("form-expired");
    }

    // MFA-06, CSR-03: a request that wants more makes the sign-in stronger, under a new id; sessions of before say what they said.
    async fn a_sign_in_is_made_stronger_without_the_password(rig: Rig) {
        rig.register(ADA).await;
        let (shop, bank) = (Client::web(&rig, "shop").await, Client::web(&rig, "bank").await);
        let mut browser = Browser::new(&rig);
        let before = browser.tokens(&shop, &[], ADA).await;
        let weak = browser.cookie("signin").unwrap().to_owned();
        let signed_in = rig.app.clock.now().secs();
        let access = rig.login(ADA).await.expect(200).text("access_token");
        let app = Authenticator::add(&rig, &access).await;
        // What is wished is asked for where it can be had; silence is not broken for a wish.
        let silent = query(&browser.get(&shop.url(&[("acr_values", "2"), ("prompt", "none")])).await.expect(303));
        assert!(silent.contains_key("code"), "{silent:?}");
        let essential = r#"{"id_token":{"acr":{"essential":true,"value":"2"}}}"#;
        let asked = browser.get(&shop.url(&[("claims", essential), ("prompt", "none")])).await.expect(303);
        assert_eq!(query(&asked)["error"], "login_required");

        let to = browser.get(&bank.url(&[("acr_values", "2")])).await.expect(303);
        let page = browser.follow(&to).await.expect(200);
        assert!(page.body.contains("Second step"), "{}", page.body);
        let to = second(&mut browser, &page, &app.code(&rig)).await.expect(303);
        let strong = browser.cookie("signin").unwrap().to_owned();
        assert_ne!(strong, weak);
        rig.get("/session").cookie("signin", &weak).send().await.refused(401, "token-invalid");
        let consent = browser.follow(&to).await.expect(200);
        let to = browser.decide(&consent, "allow").await.expect(303);
        let claims = bank.id_token(&rig, &bank.redeem(&rig, &query(&to)["code"]).await.expect(200)).await;
        assert_eq!((claims.acr.as_deref(), claims.amr.join(" ").as_str()), (Some("2"), "pwd otp mfa"));
        // The password was not shown again.
        assert_eq!(claims.auth_time, Some(signed_in));
        shop.refresh(&rig, &before.text("refresh_token")).await.expect(200);
        let silent = query(&browser.get(&shop.url(&[("claims", essential), ("prompt", "none")])).await.expect(303));
        assert!(silent.contains_key("code"), "{silent:?}");
    }

    // MFA-06: prompt and max_age mean both factors.
    async fn a_fresh_sign_in_shows_both_factors(rig: Rig) {
        let app = Authenticator::of_new_user(&rig, ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let page = to_second(&mut browser, &client.url(&[]), ADA).await;
        second(&mut browser, &page, &app.code(&rig)).await.expect(303);
        for fresh in [("prompt", "login"), ("max_age", "10")] {
            rig.advance(Duration::from_secs(60));
            let page = to_second(&mut browser, &client.url(&[fresh]), ADA).await;
            let now = rig.app.clock.now().secs();
            let mut to = second(&mut browser, &page, &app.code(&rig)).await.expect(303);
            if location(&to).starts_with("/ui/consent") {
                let consent = browser.follow(&to).await.expect(200);
                to = browser.decide(&consent, "allow").await.expect(303);
            }
            let claims = client.id_token(&rig, &client.redeem(&rig, &query(&to)["code"]).await.expect(200)).await;
            assert_eq!((claims.auth_time, claims.acr.as_deref()), (Some(now), Some("2")), "{fresh:?}");
        }
    }
}

// MFA-06: what cannot be met is said to the client.
#[tokio::test]
async fn who_has_no_second_factor_cannot_show_one() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let shop = Client::web(&rig, "shop").await;
    let strict = json!({ "client_id": "vault", "redirect_uris": ["https://vault.example/cb"], "required_acr": "2" });
    let strict = Client::add(&rig, strict).await;
    let mut browser = Browser::new(&rig);
    browser.tokens(&shop, &[("acr_values", "2")], ADA).await;
    let essential = r#"{"id_token":{"acr":{"essential":true,"values":["2"]}}}"#;
    for url in [shop.url(&[("claims", essential)]), strict.url(&[])] {
        let back = query(&browser.get(&url).await.expect(303));
        assert_eq!((back["error"].as_str(), back.get("code")), ("unmet_authentication_requirements", None));
    }
    // Somebody who signs in first hears the same.
    let mut other = Browser::new(&rig);
    let to = other.get(&strict.url(&[])).await.expect(303);
    let page = other.follow(&to).await.expect(200);
    let back = query(&other.sign_in(&page, ADA, PASSWORD).await.expect(303));
    assert_eq!(back["error"], "unmet_authentication_requirements");
}

// CSR-09, CSR-10
#[tokio::test]
async fn the_page_is_like_the_others() {
    let rig = Rig::sqlite().await;
    Authenticator::of_new_user(&rig, ADA).await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    let page = to_second(&mut browser, &client.url(&[]), ADA).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' https://shop.example;") && policy.contains("script-src 'none'"));
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(!page.body.contains("<script") && page.body.contains("autocomplete=\"one-time-code\""));
    // Somebody else may sign in instead.
    let other = browser.get(&format!("/ui/signin?request={}&switch=1", hidden(&page, "request"))).await.expect(200);
    rig.register("bob@example.com").await;
    browser.sign_in(&other, "bob@example.com", PASSWORD).await.expect(303);
    assert!(browser.cookie("signin").is_some());
}
