//! `POST /par` (RFC 9126), and what `/authorize` makes of a request that was pushed.

use std::time::Duration;

use countersign_jose::Algorithm;
use http::Method;
use serde_json::json;

use crate::{
    both,
    browser::{Browser, Client, location, query},
    dpop::Holder,
    rig::{Answer, Rig},
    token::assertion::Signer,
};

const ADA: &str = "ada@example.com";
const URN: &str = "urn:ietf:params:oauth:request_uri:";

fn parameters(client: &Client, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    form_urlencoded::parse(client.query(changes).as_bytes()).into_owned().collect()
}

async fn push(rig: &Rig, client: &Client, changes: &[(&str, &str)]) -> Answer {
    let mut form = parameters(client, changes);
    form.extend(client.secret.clone().map(|secret| ("client_secret".to_owned(), secret)));
    let form: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
    rig.post("/par").form(&form).send().await
}

/// The address that the person is sent to.
async fn pushed(rig: &Rig, client: &Client, changes: &[(&str, &str)]) -> String {
    url(client, &push(rig, client, changes).await.expect(201).text("request_uri"))
}

fn url(client: &Client, request_uri: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_id", &*client.id), ("request_uri", request_uri)])
        .finish();
    format!("/authorize?{query}")
}

/// Over the pages that `url` leads to, up to the answer at the client.
async fn arrive(browser: &mut Browser<'_>, url: &str) -> Answer {
    let first = browser.get(url).await.expect(303);
    if !location(&first).starts_with("/ui/signin") {
        return first;
    }
    let page = browser.follow(&first).await.expect(200);
    let asked = browser.sign_in(&page, ADA, crate::rig::PASSWORD).await.expect(303);
    let page = browser.follow(&asked).await.expect(200);
    browser.decide(&page, "allow").await.expect(303)
}

both! {
    // OAU-09: the request is what was pushed, whatever the address says, and it is granted once.
    async fn a_pushed_request_is_granted_once(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let answer = push(&rig, &client, &[("scope", "openid profile")]).await.expect(201);
        assert_eq!((answer.json()["expires_in"].as_u64(), answer.headers["cache-control"].to_str().unwrap()), (Some(60), "no-store"));
        let uri = answer.text("request_uri");
        assert_eq!((uri.starts_with(URN), uri.len()), (true, URN.len() + 43));
        let tampered = format!("{}&scope=email&state=evil&redirect_uri=https%3A%2F%2Fevil.example", url(&client, &uri));
        let mut browser = Browser::new(&rig);
        // A person may come back, or reload, for as long as nothing was granted.
        browser.get(&tampered).await.expect(303);
        let back = arrive(&mut browser, &tampered).await;
        assert!(location(&back).starts_with("https://shop.example/cb?"));
        assert_eq!(query(&back)["state"], "st&te");
        let tokens = client.redeem(&rig, &query(&back)["code"]).await.expect(200);
        assert_eq!(tokens.text("scope"), "openid profile");
        for mut again in [browser, Browser::new(&rig)] {
            again.get(&tampered).await.refused_page("authorize-invalid");
        }
    }

    // OAU-09, I-8: the same request in two tabs; one of them gets the code.
    async fn of_two_tabs_one_is_granted(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let url = pushed(&rig, &client, &[]).await;
        let mut browser = Browser::new(&rig);
        let first = browser.get(&url).await.expect(303);
        let second = browser.get(&url).await.expect(303);
        let page = browser.follow(&first).await.expect(200);
        let asked = browser.sign_in(&page, ADA, crate::rig::PASSWORD).await.expect(303);
        let page = browser.follow(&asked).await.expect(200);
        let other = browser.follow(&second).await.expect(303);
        let other = browser.follow(&other).await.expect(200);
        assert!(query(&browser.decide(&page, "allow").await.expect(303)).contains_key("code"));
        browser.decide(&other, "allow").await.refused_page("form-expired");
    }

    // OAU-09: a no uses it up as a yes does.
    async fn a_refused_request_is_over(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let url = pushed(&rig, &client, &[]).await;
        let mut browser = Browser::new(&rig);
        let first = browser.get(&url).await.expect(303);
        let page = browser.follow(&first).await.expect(200);
        let asked = browser.sign_in(&page, ADA, crate::rig::PASSWORD).await.expect(303);
        let page = browser.follow(&asked).await.expect(200);
        assert_eq!(query(&browser.decide(&page, "deny").await.expect(303))["error"], "access_denied");
        browser.get(&url).await.refused_page("authorize-invalid");
    }

    // OAU-09: a minute to arrive, half an hour on the pages; one client's, and known to nobody else.
    async fn a_pushed_request_has_its_time_and_its_client(rig: Rig) {
        rig.register(ADA).await;
        let (client, other) = (Client::web(&rig, "shop").await, Client::web(&rig, "other").await);
        let uri = push(&rig, &client, &[]).await.expect(201).text("request_uri");
        for foreign in [url(&other, &uri), url(&client, &format!("{URN}{}", "A".repeat(43))), url(&client, URN)] {
            rig.get(&foreign).send().await.refused_page("authorize-invalid");
        }
        let mut browser = Browser::new(&rig);
        rig.advance(Duration::from_secs(59));
        let late = browser.get(&url(&client, &uri)).await.expect(303);
        rig.advance(Duration::from_secs(1));
        browser.get(&url(&client, &uri)).await.refused_page("authorize-invalid");
        rig.advance(Duration::from_secs(1700));
        let page = browser.follow(&late).await.expect(200);
        browser.sign_in(&page, ADA, crate::rig::PASSWORD).await.expect(303);
    }

    // OAU-08, OAU-09: a client with keys, whose requests must be pushed.
    async fn a_client_can_be_held_to_it(rig: Rig) {
        rig.register(ADA).await;
        let settings = json!({
            "grants": ["authorization_code"], "redirect_uris": ["https://bank.example/cb"], "scopes": ["openid", "email"],
            "require_pushed_authorization_requests": true,
        });
        let signer = Signer::add(&rig, "bank", Algorithm::ES256, &settings).await;
        let client = Client { id: "bank".into(), secret: None, redirect: "https://bank.example/cb".into() };
        let refused = rig.get(&client.url(&[])).send().await.expect(303);
        assert_eq!(query(&refused)["error"], "invalid_request");
        let form = parameters(&client, &[("client_id", "")]);
        let form: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).filter(|(_, value)| !value.is_empty()).collect();
        push(&rig, &client, &[]).await.refused(401, "invalid-client");
        let uri = signer.post(&rig, "/par", &form).await.expect(201).text("request_uri");
        let back = arrive(&mut Browser::new(&rig), &url(&client, &uri)).await;
        let redeem = [
            ("grant_type", "authorization_code"), ("code", &*query(&back)["code"]), ("code_verifier", crate::browser::VERIFIER),
        ];
        signer.post(&rig, "/token", &redeem).await.expect(200);
        let open = json!({ "require_pushed_authorization_requests": false });
        rig.admin(Method::PUT, "/api/admin/clients/bank", &open).await.expect(200);
        assert!(location(&rig.get(&client.url(&[])).send().await.expect(303)).starts_with("/ui/signin"));
    }
}

// OAU-09, OAU-10: what /authorize would refuse is refused here, in the same words.
#[tokio::test]
async fn a_bad_request_is_refused_when_it_is_pushed() {
    let rig = Rig::sqlite().await;
    let client = Client::web(&rig, "shop").await;
    for (error, bad) in [
        ("invalid_request", ("redirect_uri", "https://shop.example/other")),
        ("invalid_request", ("redirect_uri", "")),
        ("invalid_request", ("code_challenge", "")),
        ("invalid_request", ("code_challenge_method", "plain")),
        ("invalid_request", ("request_uri", "https://shop.example/r")),
        ("invalid_request", ("request_uri", "urn:ietf:params:oauth:request_uri:x")),
        ("unsupported_response_type", ("response_type", "token")),
        ("invalid_scope", ("scope", "openid admin")),
        ("invalid_target", ("resource", "admin")),
        ("request_not_supported", ("request", "x")),
    ] {
        let refused = push(&rig, &client, &[bad]).await.refused(400, "push-refused");
        assert_eq!(refused.text("error"), error, "{bad:?}");
    }
    push(&rig, &client, &[("scope", "openid"), ("scope", "email")]).await.refused(400, "duplicate-parameter");
    let wrong = Client { secret: Some("csk_wrong".into()), ..client };
    push(&rig, &wrong, &[]).await.refused(401, "invalid-client");
    let none = Client { secret: None, ..wrong };
    push(&rig, &none, &[]).await.refused(401, "invalid-client");
}

// RFC 9449 §10.1: the key that was proved with the push is the key that the code is for.
#[tokio::test]
async fn a_proof_beside_the_push_binds_the_code() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let client = Client::native(&rig, "app").await;
    let (owner, thief) = (Holder::new(), Holder::new());
    let form = parameters(&client, &[]);
    let form: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
    let jkt = thief.thumbprint();
    let other = [&form[..], &[("dpop_jkt", &*jkt)]].concat();
    let ask = rig.post("/par").form(&other).header("dpop", &owner.proof_now(&rig, "/par"));
    ask.send().await.refused(400, "dpop-proof");
    let proof = owner.proof_now(&rig, "/par");
    let answer = rig.post("/par").form(&form).header("dpop", &proof).send().await.expect(201);
    rig.post("/par").form(&form).header("dpop", &proof).send().await.refused(400, "dpop-replayed");
    let back = arrive(&mut Browser::new(&rig), &url(&client, &answer.text("request_uri"))).await;
    let code = query(&back)["code"].clone();
    client.redeem(&rig, &code).await.refused(400, "code-invalid");
}
