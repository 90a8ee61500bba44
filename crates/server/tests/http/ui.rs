//! `/ui/…`: the pages' forms, and what must not be done with them.

mod mailed;
mod mfa;
mod security;

use http::Method;
use serde_json::json;

use crate::{
    both,
    browser::{Browser, Client, hidden, location, query},
    rig::{PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";

both! {
    // CSR-05, CSR-06: login CSRF. A request that began in one browser is worth nothing in another.
    async fn a_request_belongs_to_the_browser_it_began_in(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let (mut thief, mut victim) = (Browser::new(&rig), Browser::new(&rig));
        let to = thief.get(&client.url(&[])).await.expect(303);
        let page = thief.follow(&to).await.expect(200);
        assert!(victim.follow(&to).await.expect(400).body.contains("form-expired"));
        victim.get(&client.url(&[])).await.expect(303);
        assert!(victim.follow(&to).await.expect(400).body.contains("form-expired"));
        victim.sign_in(&page, ADA, PASSWORD).await.expect(400);
        assert_eq!(victim.cookie("signin"), None);
        assert!(thief.sign_in(&page, ADA, PASSWORD).await.expect(303).cookie("signin").is_some());
    }

    // CSR-05, CSR-06
    async fn a_form_needs_its_token_and_its_origin(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let to = browser.get(&client.url(&[])).await.expect(303);
        let page = browser.follow(&to).await.expect(200);
        let (request, form) = (hidden(&page, "request"), hidden(&page, "form"));
        let fields = |form| [("request", request.clone()), ("form", form), ("email", ADA.to_owned()), ("password", PASSWORD.to_owned())];
        let ask = |form: String| {
            let fields = fields(form);
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            rig.post("/ui/signin").form(&pairs)
        };
        for cross in [ask(form.clone()), ask(form.clone()).header("origin", "https://evil.example"), ask(form.clone()).header("origin", "null")] {
            assert!(browser.send(cross).await.expect(403).body.contains("cross-site"));
        }
        for forged in ["", "A", &form[1..]] {
            browser.send(ask(forged.to_owned()).same_origin()).await.expect(400);
        }
        assert_eq!(browser.cookie("signin"), None);
        let to = browser.send(ask(form).same_origin()).await.expect(303);
        let page = browser.follow(&to).await.expect(200);
        // The token of one form is none of another, and of another person's page neither.
        let other = browser.post("/ui/consent", &[("request", &request), ("form", &hidden(&page, "request")), ("decision", "allow")]).await;
        assert!(other.expect(400).body.contains("form-expired"));
        browser.decide(&page, "perhaps").await.expect(400);
        browser.decide(&page, "allow").await.expect(303);
        // I-8: one request, one answer.
        assert!(browser.decide(&page, "allow").await.expect(400).body.contains("form-expired"));
    }

    async fn who_does_not_agree_is_sent_back_without_a_code(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let to = browser.get(&client.url(&[])).await.expect(303);
        let page = browser.follow(&to).await.expect(200);
        let to = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
        let page = browser.follow(&to).await.expect(200);
        let back = query(&browser.decide(&page, "deny").await.expect(303));
        assert_eq!((back["error"].as_str(), back["state"].as_str(), back.get("code")), ("access_denied", "st&te", None));
        let again = browser.get(&client.url(&[])).await.expect(303);
        assert!(location(&again).starts_with("/ui/consent"));
    }
}

// LOG-05, LOG-06: the form again, in the same words whoever it is; then a wait.
#[tokio::test]
async fn a_wrong_password_shows_the_form_again() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    let to = browser.get(&client.url(&[])).await.expect(303);
    let page = browser.follow(&to).await.expect(200);
    let mut answers = Vec::new();
    for email in [ADA, "nobody@example.com", "not an address"] {
        let again = browser.sign_in(&page, email, "wrong horse battery staple").await.expect(401);
        assert!(again.headers.contains_key("www-authenticate") && again.cookie("signin").is_none());
        // What passkeys are asked is new each time, and the same for everybody.
        let (head, tail) = again.body.split_once("&#34;challenge&#34;:&#34;").unwrap();
        answers.push(format!("{head}{}", &tail[tail.find("&#34;").unwrap()..]).replace(email, ""));
    }
    assert!(
        answers.iter().all(|body| *body == answers[0] && body.contains("E-mail or password is wrong.")),
        "{answers:?}"
    );
    let mut last = browser.sign_in(&page, ADA, "wrong horse battery staple").await;
    for _ in 0..20 {
        last = browser.sign_in(&page, ADA, "wrong horse battery staple").await;
    }
    let last = last.expect(429);
    assert!(last.headers.contains_key("retry-after") && last.body.contains("Try again in"), "{}", last.body);
}

// CSR-09, CSR-10, http.md: the policy lets the form's answer go on to this client and nowhere else.
#[tokio::test]
async fn pages_are_not_cached_framed_or_scripted() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    let to = browser.get(&client.url(&[])).await.expect(303);
    let cookie = to.cookies().into_iter().find(|cookie| cookie.starts_with("browser=")).unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax") && cookie.contains("Path=/;"), "{cookie}");
    let signin = browser.follow(&to).await.expect(200);
    let to = browser.sign_in(&signin, ADA, PASSWORD).await.expect(303);
    let consent = browser.follow(&to).await.expect(200);
    let error = browser.get("/authorize").await.expect(400);
    for page in [&signin, &consent] {
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
        assert_eq!(page.headers["referrer-policy"], "same-origin");
    }
    for page in [&signin, &consent, &error] {
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        for part in ["default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert_eq!(page.headers["cache-control"], "no-store");
        assert!(page.body.contains("lang=\"en\""));
        // Passkeys have one script of the issuer's, where they are shown.
        let scripts = usize::from(page.body == signin.body);
        assert_eq!(page.body.matches("<script").count(), scripts);
        assert_eq!(page.body.matches("<script src=\"/ui/passkey.js\" defer></script>").count(), scripts);
        assert_eq!(policy.contains("script-src 'none'"), scripts == 0, "{policy}");
    }
    assert!(
        rig.get("/ui/style.css").send().await.expect(200).headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/css")
    );
    rig.get("/ui/page.js").send().await.expect(200);
}

// "Not you?": another account in the same browser.
#[tokio::test]
async fn the_consent_page_leads_to_another_account() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    rig.register("bob@example.com").await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    let to = browser.get(&client.url(&[])).await.expect(303);
    let page = browser.follow(&to).await.expect(200);
    let to = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
    let consent = browser.follow(&to).await.expect(200);
    let switch = format!("/ui/signin?request={}&switch=1", hidden(&consent, "request"));
    let page = browser.get(&switch).await.expect(200);
    let to = browser.sign_in(&page, "bob@example.com", PASSWORD).await.expect(303);
    assert!(browser.follow(&to).await.expect(200).body.contains("bob@example.com"));
    // What Ada was shown, Bob has not agreed to.
    browser.decide(&consent, "allow").await.expect(400);
}

// NET-06: every request that waits is a row, so one address begins only so many.
#[tokio::test]
async fn one_address_cannot_fill_the_store_with_requests() {
    let rig = Rig::sqlite().await;
    let client = Client::web(&rig, "shop").await;
    let mut refused = 0;
    for _ in 0..320 {
        refused += u32::from(rig.get(&client.url(&[])).from("203.0.113.7").send().await.status == 429);
    }
    assert!(refused >= 10, "{refused}");
    rig.get(&client.url(&[])).from("203.0.113.8").send().await.expect(303);
}

// OAU-16: what the admin API tells about a client is what was set.
#[tokio::test]
async fn clients_are_registered_with_exact_addresses() {
    let rig = Rig::sqlite().await;
    Client::web(&rig, "shop").await;
    let listed = rig.admin(Method::GET, "/api/admin/clients", &json!({})).await.expect(200).json();
    let shop = listed["items"].as_array().unwrap().iter().find(|client| client["client_id"] == "shop").unwrap().clone();
    assert_eq!((&shop["redirect_uris"], &shop["consent"]), (&json!(["https://shop.example/cb"]), &json!("ask")));
    for (field, bad) in [
        ("redirect_uris", json!({ "redirect_uris": ["http://shop.example/cb"] })),
        ("redirect_uris", json!({ "redirect_uris": ["https://*.example/cb"] })),
        ("post_logout_redirect_uris", json!({ "post_logout_redirect_uris": ["javascript:alert(1)"] })),
        ("consent", json!({ "consent": "never" })),
        ("id_token_alg", json!({ "id_token_alg": "none" })),
    ] {
        let refused = rig.admin(Method::PUT, "/api/admin/clients/shop", &bad).await.refused(422, "invalid-value");
        assert_eq!(refused.json()["errors"][0]["field"], field, "{}", refused.body);
    }
    rig.admin(Method::PUT, "/api/admin/clients/shop", &json!({ "redirect_uris": [] }))
        .await
        .refused(422, "invalid-value");
}
