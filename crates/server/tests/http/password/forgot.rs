//! `POST /password/forgot` and its page

use http::Method;
use serde_json::json;

use crate::{
    both,
    browser::{Browser, hidden},
    mailbox::{Cost, letters, one},
    rig::{Answer, Rig},
};

const ADA: &str = "ada@example.com";

async fn forgot(rig: &Rig, email: &str) -> Answer {
    rig.post("/password/forgot").json(&json!({ "email": email })).send().await
}

both! {
    // LOG-05: known, unknown and disabled: the same answer, the same number of statements and of hashes.
    async fn nobody_learns_who_has_an_account(rig: Rig) {
        rig.register(ADA).await;
        rig.register("off@example.com").await;
        rig.admin(Method::POST, "/api/admin/users/off@example.com/disable", &json!({})).await.expect(200);
        letters(&rig).await;
        let mut seen = Vec::new();
        for email in [ADA, "nobody@example.com", "off@example.com"] {
            let cost = Cost::begin(&rig);
            let answer = forgot(&rig, email).await.expect(202);
            seen.push((answer.body, cost.end(&rig)));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
        let letters = letters(&rig).await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert_eq!(letters[0].to, ADA);
        forgot(&rig, "no address").await.refused(422, "invalid-email");
    }

    // LOG-06: nobody fills a mailbox from afar, and nobody learns by the limit who has an account.
    async fn an_address_gets_a_few_mails_at_once(rig: Rig) {
        rig.register(ADA).await;
        letters(&rig).await;
        for email in [ADA, "nobody@example.com"] {
            for _ in 0..5 {
                forgot(&rig, email).await.expect(202);
            }
            let limited = forgot(&rig, email).await.refused(429, "too-many-attempts");
            assert_eq!(limited.headers["retry-after"], "1");
        }
        assert_eq!(letters(&rig).await.len(), 3);
        // The account itself is not slowed down by that.
        rig.login(ADA).await.expect(200);
    }
}

// NET-06: all that one address of the network asks for counts together.
#[tokio::test]
async fn a_network_address_asks_for_a_few_mails() {
    let rig = Rig::with(&[("limits.address_per_minute", "3")]).await;
    for n in 0..3 {
        forgot(&rig, &format!("n{n}@example.com")).await.expect(202);
    }
    forgot(&rig, "n3@example.com").await.refused(429, "too-many-attempts");
}

// LOG-10: the link is the configured issuer's, whatever a request says about hosts.
#[tokio::test]
async fn a_link_leads_to_the_issuer_whatever_the_request_says() {
    let rig = Rig::with(&[("trusted_proxies", "127.0.0.1")]).await;
    rig.register(ADA).await;
    letters(&rig).await;
    let ask = rig.post("/password/forgot").json(&json!({ "email": ADA })).host("evil.example");
    let ask = ask.header("x-forwarded-host", "evil.example").header("forwarded", "host=evil.example;proto=https");
    ask.header("x-forwarded-proto", "https").send().await.expect(202);
    let letter = one(&letters(&rig).await, "Set a new password");
    assert!(letter.link().starts_with("/ui/password/reset?token="));
    assert!(!letter.text.contains("evil"), "{}", letter.text);
}

#[tokio::test]
async fn the_page_works_without_a_script() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    letters(&rig).await;
    let mut browser = Browser::new(&rig);
    let page = browser.get("/ui/password/forgot").await.expect(200);
    let form = hidden(&page, "form");
    let wrong = browser.post("/ui/password/forgot", &[("form", &form), ("email", "ada")]).await.expect(422);
    assert!(wrong.body.contains("not a valid e-mail address") && wrong.body.contains("role=\"alert\""));
    let mut bodies = Vec::new();
    for email in [ADA, "nobody@example.com"] {
        bodies.push(browser.post("/ui/password/forgot", &[("form", &form), ("email", email)]).await.expect(200).body);
    }
    assert_eq!(bodies[0], bodies[1]);
    one(&letters(&rig).await, "Set a new password");
    // CSR-06: nobody else's page sends this form.
    let foreign = rig.post("/ui/password/forgot").form(&[("form", &form), ("email", ADA)]).send().await;
    foreign.expect(403);
    Browser::new(&rig)
        .post("/ui/password/forgot", &[("form", &form), ("email", ADA)])
        .await
        .refused_page("form-expired");
}
