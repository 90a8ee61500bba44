//! Attacks on a sign-in by a client (RFC 9700 §4) that no other file is about. Replayed codes are in `token/code.rs`, forged forms
//! (login CSRF) in `ui.rs`, foreign origins in `cors.rs`.

use http::Method;
use serde_json::json;

use crate::{
    browser::{Browser, Client, VERIFIER, hidden, location, query},
    rig::{ISSUER, Rig},
};

const ADA: &str = "ada@example.com";

async fn signed_in<'r>(rig: &'r Rig, client: &Client) -> Browser<'r> {
    rig.register(ADA).await;
    let mut browser = Browser::new(rig);
    browser.authorize(client, &[], ADA).await;
    browser
}

/// Addresses that are nearly the registered one, or look like it to some parser.
const TRICKS: &[&str] = &[
    "https://shop.example/cb/",
    "https://shop.example/cb?",
    "https://shop.example/cb?x=1",
    "https://shop.example/cb#",
    "https://shop.example/cb#x",
    "https://shop.example/CB",
    "https://shop.example/cb%2f",
    "https://shop.example/cb%00",
    "https://shop.example/cb%0d%0aLocation:%20https://evil.example",
    "https://shop.example/cb/../cb",
    "https://shop.example/cb/..",
    "https://shop.example/cb/..;/evil",
    "https://shop.example/./cb",
    "https://shop.example//cb",
    "https://shop.example/c%62",
    "https://shop.example:443/cb",
    "https://shop.example:8443/cb",
    "https://shop.example./cb",
    "https://SHOP.example/cb",
    "https://www.shop.example/cb",
    "https://shop.example.evil.example/cb",
    "https://evil.example/https://shop.example/cb",
    "https://evil.example/cb?https://shop.example/cb",
    "https://shop.example@evil.example/cb",
    "https://shop.example:x@evil.example/cb",
    "https://shop.example%40evil.example/cb",
    "https://evil.example#https://shop.example/cb",
    "https://evil.example%23@shop.example/cb",
    "https://evil.example\\@shop.example/cb",
    "https://shop.example\\@evil.example/cb",
    "https:\\\\shop.example\\cb",
    "https:/shop.example/cb",
    "https:shop.example/cb",
    "https:///shop.example/cb",
    "//shop.example/cb",
    "/cb",
    "cb",
    "http://shop.example/cb",
    "HTTPS://shop.example/cb",
    "javascript:alert(1)//https://shop.example/cb",
    "data:text/html,https://shop.example/cb",
    " https://shop.example/cb",
    "https://shop.example/cb ",
    "https://shоp.example/cb",
    "https://*.example/cb",
    "https://shop.example/cb,https://evil.example/cb",
    "https://shop.example/cb https://evil.example/cb",
];

// OAU-01, OAU-02: redirect tricks, while the person is signed in and has agreed, so that a hole would give a code away at once.
#[tokio::test]
async fn no_spelling_of_an_address_leads_anywhere_else() {
    let rig = Rig::sqlite().await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = signed_in(&rig, &client).await;
    assert!(TRICKS.len() >= 30);
    for trick in TRICKS {
        let changes = [("redirect_uri", *trick)];
        for answer in [
            browser.get(&client.url(&changes)).await,
            rig.post("/authorize").raw("application/x-www-form-urlencoded", client.query(&changes)).send().await,
        ] {
            assert_eq!(answer.status, 400, "{trick:?}: {}", answer.body);
            assert!(!answer.headers.contains_key("location"), "{trick:?}");
        }
    }
    // The right one still leads there.
    assert!(query(&browser.get(&client.url(&[])).await).contains_key("code"));
}

// OAU-07: each parameter twice, with the same value and with another, in either order. Nobody is to guess which one counts.
#[tokio::test]
async fn no_parameter_counts_twice() {
    let rig = Rig::sqlite().await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = signed_in(&rig, &client).await;
    for name in countersign_server::domain::authorize::PARAMETERS {
        let good = client.query(&[]);
        let value = good.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap_or("x");
        for polluted in [
            format!("{good}&{name}={value}&{name}={value}"),
            format!("{name}=evil&{good}&{name}={value}"),
            format!("{name}={value}&{good}&{name}=evil"),
        ] {
            let answer = browser.get(&format!("/authorize?{polluted}")).await;
            if answer.headers.contains_key("location") {
                assert!(location(&answer).starts_with(&client.redirect), "{name}: {}", location(&answer));
                assert_eq!(query(&answer)["error"], "invalid_request", "{name}");
            } else {
                answer.expect(400);
            }
        }
    }
    let code = query(&browser.get(&client.url(&[])).await)["code"].clone();
    let secret = client.secret.clone().unwrap();
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("client_id", "shop"),
        ("client_secret", &secret),
        ("redirect_uri", &client.redirect),
    ];
    for twice in pairs {
        for value in [twice.1, "evil"] {
            let form: Vec<_> = pairs.into_iter().chain([(twice.0, value)]).collect();
            let refused = rig.post("/token").form(&form).send().await.refused(400, "duplicate-parameter");
            assert_eq!(refused.text("error"), "invalid_request");
        }
    }
    // OAU-07: what stands in the address of the token endpoint counts for nothing; and the code is as good as before.
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    rig.post(&format!("/token?{query}")).form(&[]).send().await.refused(400, "missing-parameter");
    client.redeem(&rig, &code).await.expect(200);
}

// OAU-04: PKCE cannot be left out, weakened, or moved to another request.
#[tokio::test]
async fn pkce_cannot_be_downgraded() {
    let rig = Rig::sqlite().await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = signed_in(&rig, &client).await;
    for weak in [
        &[("code_challenge", ""), ("code_challenge_method", "")][..],
        &[("code_challenge", "")],
        &[("code_challenge_method", "")],
        &[("code_challenge_method", "plain")],
        &[("code_challenge_method", "plain"), ("code_challenge", VERIFIER)],
        &[("code_challenge_method", "none")],
        &[("code_challenge_method", "s256")],
        &[("code_challenge_method", "S512")],
    ] {
        assert_eq!(query(&browser.get(&client.url(weak)).await)["error"], "invalid_request", "{weak:?}");
    }
    let mine = query(&browser.get(&client.url(&[])).await)["code"].clone();
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    for (verifier, refusal) in [
        ("", "missing-parameter"),
        (challenge, "code-invalid"),
        (&VERIFIER[..42], "code-invalid"),
        ("A".repeat(43).leak(), "code-invalid"),
    ] {
        let form = [("code_verifier", verifier)];
        client.redeem_with(&rig, &mine, &form).await.refused(400, refusal);
    }
    client.redeem(&rig, &mine).await.expect(200);
}

// RFC 9700 §4.4, OAU-06: mix-up. Every answer names its issuer, and a code is worth nothing to another client, however it was
// brought there.
#[tokio::test]
async fn an_answer_says_whose_it_is_and_a_code_stays_with_its_client() {
    let rig = Rig::sqlite().await;
    let (honest, evil) = (Client::web(&rig, "honest").await, Client::web(&rig, "evil").await);
    let mut browser = signed_in(&rig, &honest).await;
    for (changes, member) in [
        (&[][..], "code"),
        (&[("scope", "openid nothing")], "error"),
        (&[("prompt", "none"), ("max_age", "0"), ("nonce", "")], "error"),
        (&[("response_type", "token")], "error"),
    ] {
        if member == "error" && changes.len() == 3 {
            rig.advance(std::time::Duration::from_secs(1));
        }
        let back = query(&browser.get(&honest.url(changes)).await);
        assert!(back.contains_key(member), "{changes:?}: {back:?}");
        assert_eq!(back["iss"], ISSUER, "{changes:?}");
        let form: Vec<_> = changes.iter().copied().chain([("response_mode", "form_post")]).collect();
        let page = browser.get(&honest.url(&form)).await.expect(200);
        assert_eq!(hidden(&page, "iss"), ISSUER, "{changes:?}");
    }
    // The attacker's client got the honest one's code from a confused browser.
    let code = query(&browser.get(&honest.url(&[])).await)["code"].clone();
    let with_address = [("code_verifier", VERIFIER), ("redirect_uri", &*honest.redirect)];
    evil.redeem_with(&rig, &code, &with_address).await.refused(400, "code-invalid");
    evil.redeem(&rig, &code).await.refused(400, "code-invalid");
    // Named as the honest client, but with the attacker's secret.
    let posing = Client { id: "honest".into(), secret: evil.secret.clone(), redirect: honest.redirect.clone() };
    posing.redeem(&rig, &code).await.refused(401, "invalid-client");
    honest.redeem(&rig, &code).await.expect(200);
}

// RFC 9700 §4.7, CSR-06: login CSRF by a link. What an attacker began, or has agreed to, is never answered in the victim's browser.
#[tokio::test]
async fn an_attackers_request_is_not_answered_in_another_browser() {
    let rig = Rig::sqlite().await;
    let client = Client::web(&rig, "shop").await;
    let mut attacker = signed_in(&rig, &client).await;
    let to = attacker.get(&client.url(&[("prompt", "consent")])).await.expect(303);
    assert!(location(&to).starts_with("/ui/consent"));
    rig.register("victim@example.com").await;
    let mut victim = Browser::new(&rig);
    victim.authorize(&client, &[], "victim@example.com").await;
    let page = victim.follow(&to).await.expect(400);
    assert!(page.body.contains("form-expired"));
    // The attacker's own page, posted by the victim's browser, with all that the attacker could have read of it.
    let page = attacker.follow(&to).await.expect(200);
    victim.decide(&page, "allow").await.expect(400);
    let sub = |answer: &crate::rig::Answer| answer.text("user_id");
    let (ada, other) = (
        rig.admin(Method::GET, &format!("/api/admin/users/{ADA}"), &json!({})).await,
        victim.tokens(&client, &[], "victim@example.com").await,
    );
    assert_ne!(client.id_token(&rig, &other).await.sub, sub(&ada));
}
