//! `/account/security`: how somebody signs in, and changes it, without a script.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::{
    authenticator::{Authenticator, events, second},
    both,
    browser::{Browser, hidden, location},
    mailbox::{letters, one},
    rig::{Answer, PASSWORD},
};

const ADA: &str = "ada@example.com";
const PAGE: &str = "/account/security";

/// Signs in for this page, with the password alone.
async fn security(browser: &mut Browser<'_>) -> Answer {
    let to = browser.get(PAGE).await.expect(303);
    assert_eq!(location(&to), "/ui/signin?request=security");
    let page = browser.follow(&to).await.expect(200);
    let to = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
    browser.follow(&to).await.expect(200)
}

async fn act(browser: &mut Browser<'_>, page: &Answer, act: &str, more: &[(&str, &str)]) -> Answer {
    let form = hidden(page, "form");
    browser.post(PAGE, &[&[("form", form.as_str()), ("act", act)], more].concat()).await
}

async fn confirm(browser: &mut Browser<'_>, page: &Answer, code: &str, more: &[(&str, &str)]) -> Answer {
    let (form, id) = (hidden(page, "form"), hidden(page, "id"));
    let fields = [("form", form.as_str()), ("id", id.as_str()), ("code", code)];
    browser.post("/account/security/authenticator", &[&fields, more].concat()).await
}

/// The recovery codes that a page shows.
fn codes(page: &Answer) -> Vec<String> {
    page.body.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

both! {
    // MFA-05, MFA-02: an app is added with the square or the key, wrong codes change nothing, and its recovery codes work.
    async fn an_app_is_added_on_a_page(rig: Rig) {
        rig.register(ADA).await;
        let mut browser = Browser::new(&rig);
        let page = security(&mut browser).await;
        letters(&rig).await;
        let square = act(&mut browser, &page, "authenticator", &[]).await.expect(200);
        assert!(square.body.contains("src=\"data:image/svg+xml;base64,"), "{}", square.body);
        assert!(square.headers["content-security-policy"].to_str().unwrap().contains("img-src data:"));
        assert_eq!(square.headers["cache-control"], "no-store");
        let app = Authenticator::of_page(&square);
        let again = confirm(&mut browser, &square, &app.wrong(&rig), &[]).await.expect(401);
        assert!(again.body.contains("The code is wrong.") && again.headers.contains_key("www-authenticate"));
        // The same key once more: the telephone has it already.
        assert_eq!(Authenticator::of_page(&again).code(&rig), app.code(&rig));
        let shown = confirm(&mut browser, &again, &app.code(&rig), &[]).await.expect(200);
        let recovery = codes(&shown);
        assert_eq!(recovery.len(), 10);
        one(&letters(&rig).await, "A second factor for your account");
        confirm(&mut browser, &again, &app.code(&rig), &[]).await.expect(303);

        // From now on the second factor is what changes anything here.
        let to = browser.get(PAGE).await.expect(303);
        assert_eq!(location(&to), "/ui/mfa?request=security");
        let mfa = browser.follow(&to).await.expect(200);
        let to = second(&mut browser, &mfa, &recovery[0]).await.expect(303);
        assert_eq!(location(&to), PAGE);
        let page = browser.follow(&to).await.expect(200);
        assert!(page.body.contains("authenticator app, since") && page.body.contains("<p>9 left."), "{}", page.body);
        let new = act(&mut browser, &page, "recovery-codes", &[]).await.expect(200);
        assert!(codes(&new).len() == 10 && !codes(&new).contains(&recovery[1]));
        let overview = browser.get("/account").await.expect(200);
        assert!(overview.body.contains("Authenticator app") && !overview.body.contains("none yet"));
        let id = hidden(&page, "id");
        let gone = act(&mut browser, &page, "remove", &[("id", &id)]).await.expect(303);
        assert_eq!(location(&gone), "/account/security?done=removed");
        assert!(browser.follow(&gone).await.expect(200).body.contains("It was removed."));
        let events = events(&rig, ADA).await;
        for event in ["user_factor_added", "user_factor_removed", "user_recovery_codes_made"] {
            assert!(events.contains(&event.to_owned()), "{event}: {events:?}");
        }
    }

    // MFA-05: a sign-in that is older than ten minutes looks at nothing here, and its forms are worth nothing.
    async fn who_signed_in_long_ago_signs_in_again(rig: Rig) {
        rig.register(ADA).await;
        let mut browser = Browser::new(&rig);
        let page = security(&mut browser).await;
        rig.advance(Duration::from_mins(10) + Duration::from_secs(1));
        let to = act(&mut browser, &page, "authenticator", &[]).await.expect(303);
        assert_eq!(location(&to), "/ui/signin?request=security");
        let sign_in = browser.follow(&to).await.expect(200);
        let to = browser.sign_in(&sign_in, ADA, PASSWORD).await.expect(303);
        assert_eq!(location(&to), PAGE);
        let page = browser.follow(&to).await.expect(200);
        act(&mut browser, &page, "authenticator", &[]).await.expect(200);
        // The account page itself stays open meanwhile.
        browser.get("/account").await.expect(200);
    }

    // CSR-05, CSR-06: another browser's form, none, or one from another site does nothing.
    async fn forms_belong_to_their_browser(rig: Rig) {
        rig.register(ADA).await;
        let (mut browser, mut other) = (Browser::new(&rig), Browser::new(&rig));
        let page = security(&mut browser).await;
        let own = security(&mut other).await;
        act(&mut other, &page, "authenticator", &[]).await.refused_page("form-expired");
        act(&mut other, &own, "nonsense", &[]).await.refused_page("malformed-form");
        let square = act(&mut browser, &page, "authenticator", &[]).await.expect(200);
        let app = Authenticator::of_page(&square);
        confirm(&mut other, &square, &app.code(&rig), &[]).await.refused_page("form-expired");
        let cookie = browser.cookie("signin").unwrap().to_owned();
        let crossed = rig.request(Method::POST, PAGE).cookie("signin", &cookie).header("origin", "https://evil.example");
        crossed.form(&[("form", hidden(&page, "form").as_str()), ("act", "authenticator")]).send().await.expect(403);
    }

    // ASVS 7.4.3: whoever else has the account is signed out, if that is asked for.
    async fn everybody_else_is_signed_out_if_asked(rig: Rig) {
        let thief = rig.user(ADA).await;
        let mut browser = Browser::new(&rig);
        let page = security(&mut browser).await;
        let square = act(&mut browser, &page, "authenticator", &[]).await.expect(200);
        let app = Authenticator::of_page(&square);
        confirm(&mut browser, &square, &app.code(&rig), &[("others", "1")]).await.expect(200);
        rig.session(&thief.access).await.refused(401, "token-invalid");
        browser.get("/account").await.expect(200);
        let factors = rig.get("/api/account/factors").cookie("signin", browser.cookie("signin").unwrap()).send().await;
        assert_eq!(factors.expect(200).json()["items"][0]["kind"], json!("totp"));
    }
}
