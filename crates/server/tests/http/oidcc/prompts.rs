//! Basic OP: who must sign in, again or not at all.

use std::time::Duration;

use serde_json::json;

use super::{
    flow::{authorize, error_at},
    op::{at_each, at_each_with_a_clock},
};
use crate::browser::Browser;

at_each! {
    async fn oidcc_prompt_none_not_logged_in(op: Op) {
        let rp = op.client("one", json!({})).await;
        let refused = Browser::new(&op).get(&op.url(&rp, &[("prompt", "none")])).await.expect(303);
        let error = error_at(&op, &rp, &refused);
        let allowed = ["login_required", "interaction_required", "account_selection_required", "consent_required"];
        assert!(allowed.contains(&error.as_str()), "{error}");
    }
}

at_each_with_a_clock! {
    async fn oidcc_prompt_login(op: Op) {
        let rp = op.client("one", json!({})).await;
        let mut browser = Browser::new(&op);
        let first = authorize(&op, &rp, &mut browser, &[("max_age", "10000")]).await;
        op.advance(Duration::from_secs(2));
        let second = authorize(&op, &rp, &mut browser, &[("prompt", "login"), ("max_age", "10000")]).await;
        assert_eq!((first.signed_in, second.signed_in), (1, 1));
        assert_eq!(second.claims.sub, first.claims.sub);
        assert!(second.claims.auth_time > first.claims.auth_time);
    }

    async fn oidcc_prompt_none_logged_in(op: Op) {
        let rp = op.client("one", json!({})).await;
        let mut browser = Browser::new(&op);
        let first = authorize(&op, &rp, &mut browser, &[]).await;
        op.advance(Duration::from_secs(1));
        let second = authorize(&op, &rp, &mut browser, &[("prompt", "none")]).await;
        assert_eq!(second.signed_in, 0);
        assert_eq!((second.claims.sub, second.claims.auth_time), (first.claims.sub, first.claims.auth_time));
    }

    async fn oidcc_max_age_1(op: Op) {
        let rp = op.client("one", json!({})).await;
        let mut browser = Browser::new(&op);
        let first = authorize(&op, &rp, &mut browser, &[("max_age", "10000")]).await;
        op.advance(Duration::from_secs(2));
        let before = op.now();
        let second = authorize(&op, &rp, &mut browser, &[("max_age", "1")]).await;
        assert_eq!(second.signed_in, 1);
        let auth_time = second.claims.auth_time.unwrap();
        assert!(auth_time > first.claims.auth_time.unwrap() && (before..=op.now()).contains(&auth_time));
        assert_eq!(second.claims.sub, first.claims.sub);
    }

    async fn oidcc_max_age_10000(op: Op) {
        let rp = op.client("one", json!({})).await;
        let mut browser = Browser::new(&op);
        let first = authorize(&op, &rp, &mut browser, &[("max_age", "15000")]).await;
        assert!(first.claims.auth_time.is_some());
        op.advance(Duration::from_secs(2));
        let second = authorize(&op, &rp, &mut browser, &[("max_age", "10000")]).await;
        assert_eq!(second.signed_in, 0);
        assert_eq!((second.claims.sub, second.claims.auth_time), (first.claims.sub, first.claims.auth_time));
    }

    async fn oidcc_id_token_hint(op: Op) {
        let rp = op.client("one", json!({})).await;
        let mut browser = Browser::new(&op);
        let first = authorize(&op, &rp, &mut browser, &[]).await;
        op.advance(Duration::from_secs(1));
        let hint = first.id_token();
        let second = authorize(&op, &rp, &mut browser, &[("prompt", "none"), ("id_token_hint", &hint)]).await;
        assert_eq!((second.claims.sub, second.claims.auth_time), (first.claims.sub, first.claims.auth_time));
    }
}
