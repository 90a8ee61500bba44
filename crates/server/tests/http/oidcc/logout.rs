//! RP-Initiated Logout OP. A request that is not proved to be this person's asks them first and leads nowhere; the suite looks at
//! a picture of that page.

use countersign_jose::b64;
use serde_json::json;

use super::flow::{Flow, authorize, client_with, error_at, provider};
use crate::{
    browser::{Browser, Client, hidden, location, query},
    rig::{Answer, Rig},
};

const AFTER: &str = "https://one.example/bye";

async fn client(rig: &Rig) -> Client {
    client_with(rig, "one", json!({ "post_logout_redirect_uris": [AFTER] })).await
}

fn url(pairs: &[(&str, &str)]) -> String {
    format!("/logout?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// Whether the browser has no sign-in any more.
async fn signed_out(client: &Client, browser: &mut Browser<'_>) -> bool {
    let answer = browser.get(&client.url(&[("prompt", "none")])).await.expect(303);
    if query(&answer).contains_key("code") {
        return false;
    }
    assert_eq!(error_at(client, &answer), "login_required");
    true
}

/// The person is asked, stays signed in until they say yes, and is sent nowhere then.
async fn asks_and_leads_nowhere(rig: &Rig, client: &Client, browser: &mut Browser<'_>, pairs: &[(&str, &str)]) {
    let page = browser.get(&url(pairs)).await.expect(200);
    assert!(page.body.contains("Sign out?") && !page.headers.contains_key("location"), "{}", page.body);
    assert!(!signed_out(client, browser).await);
    let request = hidden(&page, "request").replace("&#38;", "&").replace("&amp;", "&");
    let form = [("request", &*request), ("form", &*hidden(&page, "form"))];
    let yes = rig.post("/ui/signout").form(&form).same_origin();
    done(&browser.send(yes).await);
    assert!(signed_out(client, browser).await);
}

/// The page at the end of a sign-out that leads nowhere.
#[track_caller]
fn done(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    assert!(answer.body.contains("You are signed out") && !answer.headers.contains_key("location"));
}

async fn signed_in(rig: &Rig, client: &Client, browser: &mut Browser<'_>) -> Flow {
    authorize(rig, client, browser, &[]).await
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    let hint = signed_in(&rig, &client, &mut browser).await.id_token();
    let asked = [("id_token_hint", &*hint), ("post_logout_redirect_uri", AFTER), ("state", "s-1_2")];
    let out = browser.get(&url(&asked)).await.expect(303);
    // `state` unchanged, and nothing else.
    assert_eq!(location(&out), format!("{AFTER}?state=s-1_2"));
    assert!(signed_out(&client, &mut browser).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    let hint = signed_in(&rig, &client, &mut browser).await.id_token();
    let out = browser.get(&url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)])).await.expect(303);
    assert_eq!(location(&out), AFTER);
    assert!(signed_out(&client, &mut browser).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    let hint = signed_in(&rig, &client, &mut browser).await.id_token();
    done(&browser.get(&url(&[("id_token_hint", &hint), ("state", "s")])).await);
    assert!(signed_out(&client, &mut browser).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    let hint = signed_in(&rig, &client, &mut browser).await.id_token();
    let bad = format!("{AFTER}/a0b1c2");
    done(&browser.get(&url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", &bad), ("state", "s")])).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    let hint = signed_in(&rig, &client, &mut browser).await.id_token();
    let bad = format!("{AFTER}?foo=bar");
    done(&browser.get(&url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", &bad), ("state", "s")])).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    signed_in(&rig, &client, &mut browser).await;
    asks_and_leads_nowhere(&rig, &client, &mut browser, &[("post_logout_redirect_uri", AFTER), ("state", "s")]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    signed_in(&rig, &client, &mut browser).await;
    asks_and_leads_nowhere(&rig, &client, &mut browser, &[]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    signed_in(&rig, &client, &mut browser).await;
    asks_and_leads_nowhere(&rig, &client, &mut browser, &[("state", "s")]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    let hint = signed_in(&rig, &client, &mut browser).await.id_token();
    // Another byte in the middle of the signature, so that it is not a question of padding.
    let at = hint.rfind('.').unwrap() + 20;
    let other = if hint.as_bytes()[at] == b'A' { "B" } else { "A" };
    let modified = format!("{}{other}{}", &hint[..at], &hint[at + 1..]);
    let asked = [("id_token_hint", &*modified), ("post_logout_redirect_uri", AFTER), ("state", "s")];
    asks_and_leads_nowhere(&rig, &client, &mut browser, &asked).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let rig = provider().await;
    let client = client(&rig).await;
    let mut browser = Browser::new(&rig);
    let hint = signed_in(&rig, &client, &mut browser).await.id_token();
    // Signed by the client itself, with its secret.
    let input = format!("{}.{}", b64::encode(r#"{"alg":"HS256"}"#), hint.split('.').nth(1).unwrap());
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, client.secret.as_deref().unwrap().as_bytes());
    let forged = format!("{input}.{}", b64::encode(aws_lc_rs::hmac::sign(&key, input.as_bytes())));
    let asked = [("id_token_hint", &*forged), ("post_logout_redirect_uri", AFTER), ("state", "s")];
    asks_and_leads_nowhere(&rig, &client, &mut browser, &asked).await;
}
