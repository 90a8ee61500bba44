//! `POST /token`, `grant_type=authorization_code`

use std::time::Duration;

use serde_json::json;

use crate::{
    both,
    browser::{Browser, Client, VERIFIER, query},
    dpop::Holder,
    rig::{Answer, Rig},
};

const ADA: &str = "ada@example.com";

/// Somebody who agreed, and the code that the client got.
async fn code(rig: &Rig, client: &Client) -> String {
    query(&Browser::new(rig).authorize(client, &[], ADA).await)["code"].clone()
}

/// Redeems a code with a proof, or without.
async fn redeem_proved(rig: &Rig, client: &Client, code: &str, proof: Option<&str>) -> Answer {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", &*client.id),
        ("code", code),
        ("code_verifier", VERIFIER),
    ];
    form.extend(client.secret.as_deref().map(|secret| ("client_secret", secret)));
    let ask = rig.post("/token").form(&form);
    proof.into_iter().fold(ask, |ask, proof| ask.header("dpop", proof)).send().await
}

/// Both tokens work, or neither does.
async fn alive(rig: &Rig, client: &Client, tokens: &Answer, alive: bool) {
    let told = rig.get("/userinfo").bearer(&tokens.text("access_token")).send().await;
    let refreshed = client.refresh(rig, &tokens.text("refresh_token")).await;
    if alive {
        told.expect(200);
        refreshed.expect(200);
    } else {
        told.refused(401, "token-invalid");
        refreshed.refused(400, "refresh-revoked");
    }
}

both! {
    // OAU-05, I-8: the second valid use ends what the first one got, whenever it comes.
    async fn a_second_valid_use_ends_the_session(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        for later in [0, 59, 3600] {
            let code = code(&rig, &client).await;
            let tokens = client.redeem(&rig, &code).await.expect(200);
            alive(&rig, &client, &tokens, true).await;
            rig.advance(Duration::from_secs(later));
            let reused = client.redeem(&rig, &code).await.refused(400, "code-reused");
            assert_eq!(reused.text("error"), "invalid_grant");
            let refreshed = client.refresh(&rig, &tokens.text("refresh_token")).await;
            refreshed.refused(400, "refresh-revoked");
            rig.get("/userinfo").bearer(&tokens.text("access_token")).send().await.refused(401, "token-invalid");
        }
        let page = rig.admin(http::Method::GET, &format!("/api/admin/sessions?user={ADA}"), &json!({})).await.expect(200);
        assert_eq!(page.json()["items"][0]["ended_reason"], "reuse");
    }

    // OAU-05: whoever has the code alone, or is somebody else, ends nothing.
    async fn a_second_invalid_use_changes_nothing(rig: Rig) {
        rig.register(ADA).await;
        let (client, other) = (Client::web(&rig, "shop").await, Client::web(&rig, "other").await);
        let code = code(&rig, &client).await;
        let tokens = client.redeem(&rig, &code).await.expect(200);
        let wrong = "A".repeat(43);
        for (who, form) in [
            (&client, &[("code_verifier", wrong.as_str())][..]),
            (&client, &[("code_verifier", "short")]),
            (&client, &[("code_verifier", VERIFIER), ("redirect_uri", "https://shop.example/other")]),
            (&other, &[("code_verifier", VERIFIER)]),
        ] {
            who.redeem_with(&rig, &code, form).await.refused(400, "code-invalid");
        }
        client.redeem_with(&rig, &code, &[]).await.refused(400, "missing-parameter");
        let stranger = Client { id: "shop".into(), secret: Some("csk_wrong".into()), redirect: client.redirect.clone() };
        stranger.redeem(&rig, &code).await.refused(401, "invalid-client");
        alive(&rig, &client, &tokens, true).await;
    }

    // OAU-05, I-8: many at once; one is first, and since they are all valid its session ends.
    async fn at_once_a_code_is_redeemed_once(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let code = code(&rig, &client).await;
        let secret = client.secret.clone().unwrap();
        let mut asks = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let form = [
                ("grant_type", "authorization_code"), ("client_id", "shop"), ("client_secret", &secret),
                ("code", &code), ("code_verifier", VERIFIER),
            ];
            asks.spawn(rig.post("/token").form(&form).send());
        }
        let answers = asks.join_all().await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        // The first may itself see that its session has ended before it signs.
        assert!(good.len() <= 1, "{} were redeemed", good.len());
        for answer in bad {
            let code = answer.code();
            assert!(["code-reused", "refresh-revoked"].contains(&code.as_str()), "{code}");
        }
        for tokens in &good {
            alive(&rig, &client, tokens, false).await;
        }
        let page = rig.admin(http::Method::GET, &format!("/api/admin/sessions?user={ADA}"), &json!({})).await.expect(200);
        let sessions = page.json()["items"].as_array().unwrap().clone();
        assert_eq!((sessions.len(), &sessions[0]["ended_reason"]), (1, &json!("reuse")));
    }

    // OAU-05, REF-02, RFC 9449 §5, §10: the key that the request named, at the code, at each refresh and beside the access token.
    async fn a_code_for_a_key_is_worth_nothing_without_it(rig: Rig) {
        let (owner, thief) = (Holder::new(), Holder::new());
        rig.register(ADA).await;
        let client = Client::native(&rig, "app").await;
        let jkt = owner.thumbprint();
        let answer = Browser::new(&rig).authorize(&client, &[("dpop_jkt", &jkt)], ADA).await;
        let code = query(&answer)["code"].clone();
        let path = "/token";
        let stolen = thief.proof_now(&rig, path);
        redeem_proved(&rig, &client, &code, None).await.refused(400, "code-invalid");
        redeem_proved(&rig, &client, &code, Some(&stolen)).await.refused(400, "code-invalid");
        let proof = owner.proof_now(&rig, path);
        let tokens = redeem_proved(&rig, &client, &code, Some(&proof)).await.expect(200);
        assert_eq!(tokens.text("token_type"), "DPoP");

        // A repeated request is no second valid use, whoever repeats it; a new proof of the same key makes it one.
        redeem_proved(&rig, &client, &code, Some(&proof)).await.refused(400, "dpop-replayed");
        let access = tokens.text("access_token");
        rig.get("/userinfo").bearer(&access).send().await.refused(401, "token-invalid");
        let told = |scheme: &str, proof: String| {
            rig.get("/userinfo").header("authorization", &format!("{scheme} {access}")).header("dpop", &proof).send()
        };
        told("DPoP", owner.proof_for(&rig, ("GET", "/userinfo"), &access)).await.expect(200);
        told("DPoP", thief.proof_for(&rig, ("GET", "/userinfo"), &access)).await.refused(401, "dpop-proof");
        client.refresh(&rig, &tokens.text("refresh_token")).await.refused(400, "refresh-invalid");
        let again = owner.proof_now(&rig, path);
        redeem_proved(&rig, &client, &code, Some(&again)).await.refused(400, "code-reused");
    }

    // RFC 9449 §5: a confidential client's refresh token stays with the client; its access token is bound all the same.
    async fn a_key_that_the_request_did_not_name_binds_too(rig: Rig) {
        let owner = Holder::new();
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let code = code(&rig, &client).await;
        let proof = owner.proof_now(&rig, "/token");
        let tokens = redeem_proved(&rig, &client, &code, Some(&proof)).await.expect(200);
        assert_eq!(tokens.text("token_type"), "DPoP");
        client.refresh(&rig, &tokens.text("refresh_token")).await.expect(200);

        let must = json!({
            "client_id": "must", "public": true, "dpop_bound_access_tokens": true,
            "redirect_uris": ["https://must.example/cb"],
        });
        let must = Client::add(&rig, must).await;
        let code = self::code(&rig, &must).await;
        redeem_proved(&rig, &must, &code, None).await.refused(400, "dpop-missing");
        let proof = owner.proof_now(&rig, "/token");
        redeem_proved(&rig, &must, &code, Some(&proof)).await.expect(200);
    }

    // OAU-05, REF-11, RLO-08: time, and everything that ends a sign-in.
    async fn a_code_dies_with_its_time_and_its_sign_in(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        let late = code(&rig, &client).await;
        rig.advance(Duration::from_secs(60));
        client.redeem(&rig, &late).await.refused(400, "code-invalid");

        let mut browser = Browser::new(&rig);
        let answer = browser.authorize(&client, &[], ADA).await;
        let out = rig.post("/logout").json(&json!({})).same_origin();
        browser.send(out).await.expect(204);
        client.redeem(&rig, &query(&answer)["code"]).await.refused(400, "code-invalid");

        let everywhere = code(&rig, &client).await;
        let user = rig.admin(http::Method::GET, &format!("/api/admin/users/{ADA}"), &json!({})).await.text("user_id");
        let body = json!({ "kind": "user", "id": user, "reason": "test" });
        rig.admin(http::Method::POST, "/api/admin/revocations", &body).await.expect(200);
        client.redeem(&rig, &everywhere).await.refused(400, "code-invalid");

        let disabled = code(&rig, &client).await;
        rig.admin(http::Method::POST, "/api/admin/clients/shop/disable", &json!({})).await.expect(200);
        client.redeem(&rig, &disabled).await.refused(401, "invalid-client");
    }
}

// OAU-05, OAU-18
#[tokio::test]
async fn garbage_is_refused_in_oauths_own_words() {
    let rig = Rig::sqlite().await;
    let client = Client::web(&rig, "shop").await;
    for garbage in ["x", &"A".repeat(43), &"A".repeat(500), "' OR 1=1"] {
        let refused = client.redeem(&rig, garbage).await.refused(400, "code-invalid");
        assert_eq!(refused.text("error"), "invalid_grant");
    }
    client.redeem(&rig, "").await.refused(400, "missing-parameter");
    let service = json!({ "client_id": "job", "grants": ["client_credentials"], "audiences": ["api"] });
    let secret = rig.admin(http::Method::POST, "/api/admin/clients", &service).await.expect(201).text("client_secret");
    let job = Client { id: "job".into(), secret: Some(secret), redirect: String::new() };
    job.redeem_with(&rig, &"A".repeat(43), &[("code_verifier", VERIFIER)]).await.refused(400, "unauthorized-client");
}

// AUD-02: neither code nor verifier nor cookie is in the store in clear.
#[tokio::test]
async fn the_store_keeps_hashes_alone() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    let answer = browser.authorize(&client, &[], ADA).await;
    let code = query(&answer)["code"].clone();
    rig.advance(Duration::from_secs(1));
    let waiting = browser.get(&client.url(&[("prompt", "login")])).await.expect(303);
    let secrets = [&*code, VERIFIER, browser.cookie("signin").unwrap(), browser.cookie("browser").unwrap()];
    let name = query(&waiting)["request"].clone();
    let folder = rig.folder.path().join("data");
    for file in ["countersign.db", "countersign.db-wal"] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        for secret in secrets.iter().copied().chain([&*name]) {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} is in {file}");
        }
    }
}
