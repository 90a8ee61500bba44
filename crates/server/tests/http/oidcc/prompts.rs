//! Basic OP: who must sign in, again or not at all.

use std::time::Duration;

use super::flow::{ADA, authorize, client, complete, error_at, provider};
use crate::{
    browser::{Browser, location},
    rig::PASSWORD,
};

#[tokio::test]
async fn oidcc_prompt_login() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    let first = authorize(&rig, &client, &mut browser, &[]).await;
    rig.advance(Duration::from_secs(1));
    let to = browser.get(&client.url(&[("prompt", "login")])).await.expect(303);
    assert!(location(&to).starts_with("/ui/signin"));
    let page = browser.follow(&to).await.expect(200);
    let answer = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
    let second = complete(&rig, &client, &answer, &[]).await;
    assert_eq!(second.claims.sub, first.claims.sub);
    assert!(second.claims.auth_time > first.claims.auth_time);
}

#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let refused = Browser::new(&rig).get(&client.url(&[("prompt", "none")])).await.expect(303);
    let error = error_at(&client, &refused);
    let allowed = ["login_required", "interaction_required", "account_selection_required", "consent_required"];
    assert!(allowed.contains(&error.as_str()), "{error}");
}

#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    let first = authorize(&rig, &client, &mut browser, &[]).await;
    rig.advance(Duration::from_secs(1));
    let answer = browser.get(&client.url(&[("prompt", "none")])).await.expect(303);
    let second = complete(&rig, &client, &answer, &[]).await;
    assert_eq!((second.claims.sub, second.claims.auth_time), (first.claims.sub, first.claims.auth_time));
}

#[tokio::test]
async fn oidcc_max_age_1() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    let first = authorize(&rig, &client, &mut browser, &[]).await;
    rig.advance(Duration::from_secs(2));
    let to = browser.get(&client.url(&[("max_age", "1")])).await.expect(303);
    assert!(location(&to).starts_with("/ui/signin"));
    let page = browser.follow(&to).await.expect(200);
    let answer = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
    let second = complete(&rig, &client, &answer, &[]).await;
    let auth_time = second.claims.auth_time.unwrap();
    assert!(auth_time > first.claims.auth_time.unwrap() && rig.app.clock.now().secs() - auth_time <= 1);
    assert_eq!(second.claims.sub, first.claims.sub);
}

#[tokio::test]
async fn oidcc_max_age_10000() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    let first = authorize(&rig, &client, &mut browser, &[("max_age", "15000")]).await;
    assert!(first.claims.auth_time.is_some());
    rig.advance(Duration::from_secs(2));
    let answer = browser.get(&client.url(&[("max_age", "10000")])).await.expect(303);
    let second = complete(&rig, &client, &answer, &[]).await;
    assert_eq!((second.claims.sub, second.claims.auth_time), (first.claims.sub, first.claims.auth_time));
}

#[tokio::test]
async fn oidcc_id_token_hint() {
    let rig = provider().await;
    let client = client(&rig, "one").await;
    let mut browser = Browser::new(&rig);
    let first = authorize(&rig, &client, &mut browser, &[]).await;
    rig.advance(Duration::from_secs(1));
    let hint = first.id_token();
    let answer = browser.get(&client.url(&[("prompt", "none"), ("id_token_hint", &hint)])).await.expect(303);
    let second = complete(&rig, &client, &answer, &[]).await;
    assert_eq!((second.claims.sub, second.claims.auth_time), (first.claims.sub, first.claims.auth_time));
}
