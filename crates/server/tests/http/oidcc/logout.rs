//! RP-Initiated Logout OP. Whoever cannot be told for sure is asked first; the suite looks at pictures of those pages.

use countersign_jose::b64;
use serde_json::json;

use super::{
    flow::{Flow, authorize, error_at},
    op::{Op, Rp, at_each},
};
use crate::{
    browser::{Browser, location, query},
    rig::Answer,
};

const AFTER: &str = "https://one.example/bye";

async fn client(op: &Op) -> Rp {
    op.client("one", json!({ "post_logout_redirect_uris": [AFTER] })).await
}

/// Asks to sign out, and says yes if the person is asked.
async fn sign_out(op: &Op, browser: &mut Browser<'_>, pairs: &[(&str, &str)]) -> Answer {
    let page = ask(op, browser, pairs).await;
    op.confirm(browser, page).await
}

async fn ask(op: &Op, browser: &mut Browser<'_>, pairs: &[(&str, &str)]) -> Answer {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    browser.get(&format!("{}?{query}", op.endpoint("end_session_endpoint"))).await
}

/// Whether the browser has no sign-in any more.
async fn signed_out(op: &Op, rp: &Rp, browser: &mut Browser<'_>) -> bool {
    let answer = browser.get(&op.url(rp, &[("prompt", "none")])).await.expect(303);
    if query(&answer).contains_key("code") {
        return false;
    }
    assert_eq!(error_at(op, rp, &answer), "login_required");
    true
}

/// Nothing that is not proved leads anywhere: the person is asked, or told that it is wrong. Here they can sign out then.
async fn leads_nowhere(op: &Op, rp: &Rp, browser: &mut Browser<'_>, pairs: &[(&str, &str)]) {
    let page = ask(op, browser, pairs).await;
    assert!(!page.headers.contains_key("location"), "{:?}", page.headers);
    assert!(!signed_out(op, rp, browser).await);
    if op.is_ours() {
        assert!(page.body.contains("Sign out?"), "{}", page.body);
    }
    if page.status == 200 {
        done(&op.confirm(browser, page).await);
        assert!(signed_out(op, rp, browser).await);
    }
}

/// The page at the end of a sign-out that leads nowhere.
#[track_caller]
fn done(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    assert!(!answer.headers.contains_key("location"));
    let words = answer.body.to_lowercase();
    assert!(words.contains("signed out") || words.contains("sign-out success"), "{}", answer.body);
}

async fn signed_in(op: &Op, rp: &Rp, browser: &mut Browser<'_>) -> Flow {
    authorize(op, rp, browser, &[]).await
}

at_each! {
    async fn oidcc_rp_initiated_logout(op: Op) {
        let rp = client(&op).await;
        let mut browser = Browser::new(&op);
        let hint = signed_in(&op, &rp, &mut browser).await.id_token();
        let asked = [("id_token_hint", &*hint), ("post_logout_redirect_uri", AFTER), ("state", "s-1_2")];
        let out = sign_out(&op, &mut browser, &asked).await.expect(303);
        // `state` unchanged, and nothing else.
        assert_eq!(location(&out), format!("{AFTER}?state=s-1_2"));
        assert!(signed_out(&op, &rp, &mut browser).await);
    }

    async fn oidcc_rp_initiated_logout_no_state(op: Op) {
        let rp = client(&op).await;
        let mut browser = Browser::new(&op);
        let hint = signed_in(&op, &rp, &mut browser).await.id_token();
        let asked = [("id_token_hint", &*hint), ("post_logout_redirect_uri", AFTER)];
        assert_eq!(location(&sign_out(&op, &mut browser, &asked).await.expect(303)), AFTER);
        assert!(signed_out(&op, &rp, &mut browser).await);
    }

    async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri(op: Op) {
        let rp = client(&op).await;
        let mut browser = Browser::new(&op);
        let hint = signed_in(&op, &rp, &mut browser).await.id_token();
        done(&sign_out(&op, &mut browser, &[("id_token_hint", &hint), ("state", "s")]).await);
        assert!(signed_out(&op, &rp, &mut browser).await);
    }

    async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(op: Op) {
        goes_nowhere_unregistered(&op, &format!("{AFTER}/a0b1c2")).await;
    }

    async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(op: Op) {
        goes_nowhere_unregistered(&op, &format!("{AFTER}?foo=bar")).await;
    }

    async fn oidcc_rp_initiated_logout_no_id_token_hint(op: Op) {
        let rp = client(&op).await;
        let mut browser = Browser::new(&op);
        signed_in(&op, &rp, &mut browser).await;
        leads_nowhere(&op, &rp, &mut browser, &[("post_logout_redirect_uri", AFTER), ("state", "s")]).await;
    }

    async fn oidcc_rp_initiated_logout_no_params(op: Op) {
        let rp = client(&op).await;
        let mut browser = Browser::new(&op);
        signed_in(&op, &rp, &mut browser).await;
        leads_nowhere(&op, &rp, &mut browser, &[]).await;
    }

    async fn oidcc_rp_initiated_logout_only_state(op: Op) {
        let rp = client(&op).await;
        let mut browser = Browser::new(&op);
        signed_in(&op, &rp, &mut browser).await;
        leads_nowhere(&op, &rp, &mut browser, &[("state", "s")]).await;
    }

    async fn oidcc_rp_initiated_logout_modified_id_token_hint(op: Op) {
        let rp = client(&op).await;
        let mut browser = Browser::new(&op);
        let hint = signed_in(&op, &rp, &mut browser).await.id_token();
        // Another byte in the middle of the signature, so that it is not a question of padding.
        let at = hint.rfind('.').unwrap() + 20;
        let other = if hint.as_bytes()[at] == b'A' { "B" } else { "A" };
        let modified = format!("{}{other}{}", &hint[..at], &hint[at + 1..]);
        let asked = [("id_token_hint", &*modified), ("post_logout_redirect_uri", AFTER), ("state", "s")];
        leads_nowhere(&op, &rp, &mut browser, &asked).await;
    }

    async fn oidcc_rp_initiated_logout_bad_id_token_hint(op: Op) {
        let rp = client(&op).await;
        let mut browser = Browser::new(&op);
        let hint = signed_in(&op, &rp, &mut browser).await.id_token();
        // Signed by the client itself, with its secret.
        let input = format!("{}.{}", b64::encode(r#"{"alg":"HS256"}"#), hint.split('.').nth(1).unwrap());
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, rp.secret.as_deref().unwrap().as_bytes());
        let forged = format!("{input}.{}", b64::encode(aws_lc_rs::hmac::sign(&key, input.as_bytes())));
        let asked = [("id_token_hint", &*forged), ("post_logout_redirect_uri", AFTER), ("state", "s")];
        leads_nowhere(&op, &rp, &mut browser, &asked).await;
    }
}

/// An address that nobody registered: this issuer signs out and sends nobody anywhere, others say that it is wrong.
async fn goes_nowhere_unregistered(op: &Op, bad: &str) {
    let rp = client(op).await;
    let mut browser = Browser::new(op);
    let hint = signed_in(op, &rp, &mut browser).await.id_token();
    let asked = [("id_token_hint", &*hint), ("post_logout_redirect_uri", bad), ("state", "s")];
    let answer = sign_out(op, &mut browser, &asked).await;
    assert!(!answer.headers.contains_key("location"), "{:?}", answer.headers);
    if op.is_ours() {
        done(&answer);
        assert!(signed_out(op, &rp, &mut browser).await);
    }
}
