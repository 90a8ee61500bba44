//! `POST /logout`

use std::time::Duration;

use serde_json::json;

use crate::{both, rig::Tokens};

both! {
    async fn each_thing_that_somebody_holds_ends_the_sign_in(rig: Rig) {
        let first = rig.user("ada@example.com").await;
        let log_in = async || Tokens::of(&rig.login("ada@example.com").await.expect(200));

        // A refresh token, even of an older generation (RLO-05).
        let newer = Tokens::of(&rig.refresh(&first.refresh).await.expect(200));
        rig.post("/logout").json(&json!({ "refresh_token": first.refresh })).send().await.expect(204);
        rig.refresh(&newer.refresh).await.refused(400, "refresh-revoked");
        rig.session(&newer.access).await.refused(401, "token-invalid");

        // An access token, even an expired one.
        let second = log_in().await;
        rig.advance(Duration::from_hours(2));
        rig.session(&second.access).await.refused(401, "token-invalid");
        rig.post("/logout").json(&json!({})).bearer(&second.access).send().await.expect(204);
        rig.refresh(&second.refresh).await.refused(400, "refresh-revoked");

        // What is over already is over.
        rig.post("/logout").json(&json!({ "refresh_token": second.refresh })).send().await.expect(204);

        // Another sign-in of the same person lives on, unless everything ends.
        let (here, there) = (log_in().await, log_in().await);
        rig.post("/logout").json(&json!({ "refresh_token": here.refresh })).send().await.expect(204);
        let there = Tokens::of(&rig.refresh(&there.refresh).await.expect(200));
        let last = log_in().await;
        let everything = json!({ "refresh_token": last.refresh, "everywhere": true });
        rig.post("/logout").json(&everything).send().await.expect(204);
        rig.refresh(&there.refresh).await.refused(400, "refresh-revoked");
        rig.session(&there.access).await.refused(401, "token-invalid");

        // Who signs in afterwards, in the same second even, is not touched (invariant I6); nor can the old token do more.
        let fresh = log_in().await;
        rig.post("/logout").json(&everything).send().await.expect(204);
        rig.session(&fresh.access).await.expect(200);
    }

    async fn what_was_not_made_here_ends_nothing(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let forged = format!("{}AAAA", &user.refresh[..user.refresh.len() - 4]);
        rig.post("/logout").json(&json!({ "refresh_token": forged })).send().await.refused(400, "refresh-invalid");
        rig.post("/logout").json(&json!({})).send().await.refused(401, "token-missing");
        rig.post("/logout").json(&json!({})).bearer("x.y.z").send().await.refused(401, "token-invalid");
        rig.session(&user.access).await.expect(200);
    }
}

mod by_clients {
    //! `GET·POST /logout`: a client sends its person here (OpenID Connect RP-Initiated Logout).

    use std::time::Duration;

    use serde_json::json;

    use crate::{
        both,
        browser::{Browser, Client, hidden, location},
        rig::Rig,
    };

    const ADA: &str = "ada@example.com";
    const AFTER: &str = "https://shop.example/bye";

    async fn shop(rig: &Rig) -> Client {
        let body = json!({ "client_id": "shop", "redirect_uris": ["https://shop.example/cb"], "post_logout_redirect_uris": [AFTER] });
        Client::add(rig, body).await
    }

    fn url(pairs: &[(&str, &str)]) -> String {
        format!("/logout?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    }

    both! {
        // RLO-01, RLO-02: with an ID token of this person there is no question, and every client's session ends.
        async fn one_sign_out_ends_them_all(rig: Rig) {
            rig.register(ADA).await;
            let (shop, bank) = (shop(&rig).await, Client::web(&rig, "bank").await);
            let mut browser = Browser::new(&rig);
            let (first, second) = (browser.tokens(&shop, &[], ADA).await, browser.tokens(&bank, &[], ADA).await);
            let hint = first.text("id_token");
            // RLO-03: an expired one is as good.
            rig.advance(Duration::from_hours(2));
            let out = browser.get(&url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER), ("state", "s 1")])).await;
            let out = out.expect(303);
            assert_eq!(location(&out), format!("{AFTER}?state=s+1"));
            assert!(out.headers.contains_key("clear-site-data"));
            assert_eq!(browser.cookie("signin"), None);
            shop.refresh(&rig, &first.text("refresh_token")).await.refused(400, "refresh-revoked");
            bank.refresh(&rig, &second.text("refresh_token")).await.refused(400, "refresh-revoked");
            let again = browser.get(&shop.url(&[])).await.expect(303);
            assert!(location(&again).starts_with("/ui/signin"));
            // Signed out already, and still on the way back.
            let out = browser.get(&url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)])).await.expect(303);
            assert_eq!(location(&out), AFTER);
        }

        // RLO-02, CSR-05: else the person is asked, and nobody else can say yes.
        async fn without_proof_the_person_is_asked(rig: Rig) {
            rig.register(ADA).await;
            let shop = shop(&rig).await;
            let mut browser = Browser::new(&rig);
            let tokens = browser.tokens(&shop, &[], ADA).await;
            let page = browser.get(&url(&[("client_id", "shop"), ("post_logout_redirect_uri", AFTER)])).await.expect(200);
            assert!(page.body.contains("Sign out?") && browser.cookie("signin").is_some());
            let policy = page.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
            let (request, form) = (hidden(&page, "request").replace("&#38;", "&").replace("&amp;", "&"), hidden(&page, "form"));
            let yes = |request: &str, form: &str| rig.post("/ui/signout").form(&[("request", request), ("form", form)]);
            browser.send(yes(&request, &form)).await.expect(403);
            browser.send(yes(&request, "x").same_origin()).await.expect(400);
            browser.send(yes("", &form).same_origin()).await.expect(400);
            assert!(browser.cookie("signin").is_some());
            shop.refresh(&rig, &tokens.text("refresh_token")).await.expect(200);
            let out = browser.send(yes(&request, &form).same_origin()).await.expect(303);
            assert_eq!((location(&out).as_str(), browser.cookie("signin")), (AFTER, None));
            shop.refresh(&rig, &tokens.text("refresh_token")).await.refused(400, "refresh-revoked");
        }
    }

    // RLO-02, RLO-03: no open redirect, whatever comes with it.
    #[tokio::test]
    async fn nobody_is_sent_where_the_client_has_not_said() {
        let rig = Rig::sqlite().await;
        rig.register(ADA).await;
        let (shop, bank) = (shop(&rig).await, Client::web(&rig, "bank").await);
        let mut browser = Browser::new(&rig);
        let (mine, other) = (browser.tokens(&shop, &[], ADA).await, browser.tokens(&bank, &[], ADA).await);
        let (hint, foreign, access) = (mine.text("id_token"), other.text("id_token"), mine.text("access_token"));
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", hint.split('.').nth(1).unwrap());
        let altered = format!("{hint}A");
        for bad in [
            &[("post_logout_redirect_uri", AFTER)][..],
            &[("post_logout_redirect_uri", AFTER), ("client_id", "nobody")],
            &[("post_logout_redirect_uri", AFTER), ("client_id", "bank"), ("id_token_hint", &hint)],
            &[("post_logout_redirect_uri", AFTER), ("client_id", "shop"), ("id_token_hint", &foreign)],
            &[("post_logout_redirect_uri", AFTER), ("id_token_hint", &unsigned)],
            &[("post_logout_redirect_uri", AFTER), ("id_token_hint", &altered)],
            &[("post_logout_redirect_uri", AFTER), ("client_id", "shop"), ("id_token_hint", &access)],
        ] {
            // The question, with no way out of it.
            let page = browser.get(&url(bad)).await.expect(200);
            let policy = page.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("form-action 'self';"), "{bad:?}: {policy}");
        }
        let anonymous =
            rig.get(&url(&[("post_logout_redirect_uri", AFTER), ("client_id", "shop")])).send().await.expect(200);
        assert!(anonymous.body.contains("You are signed out"));
        for evil in [
            "https://evil.example/",
            "https://shop.example/bye/",
            "https://shop.example/bye?x=1",
            "//evil.example",
            "javascript:alert(1)",
        ] {
            let out =
                Browser::new(&rig).get(&url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", evil)])).await;
            assert!(!out.expect(200).headers.contains_key("location"), "{evil}");
        }
        assert!(browser.cookie("signin").is_some());
    }

    // A form of another site carries no cookie, so it comes back as a query.
    #[tokio::test]
    async fn a_client_may_send_a_form() {
        let rig = Rig::sqlite().await;
        let form = [("post_logout_redirect_uri", AFTER), ("state", "a&b"), ("utm", "x")];
        let to = rig.post("/logout").form(&form).send().await.expect(303);
        assert_eq!(location(&to), url(&form[..2]));
    }
}
