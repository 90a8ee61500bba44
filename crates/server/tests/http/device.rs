//! The device flow (RFC 8628): `POST /device`, the page where a person lets the device in, and what it hears at `/token`.

use std::time::Duration;

use countersign_jose::{AccessClaims, Algorithm, b64, claims::Claims};
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    browser::{Browser, hidden, location},
    dpop::Holder,
    rig::{Answer, PASSWORD, Rig, Tokens},
    token::assertion::Signer,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const ADA: &str = "ada@example.com";

/// A television: a public client that cannot show a page.
async fn television(rig: &Rig) {
    let body = json!({
        "client_id": "tv", "name": "The television", "public": true, "audiences": ["api"],
        "grants": ["device_code", "refresh_token"], "scopes": ["openid", "email", "orders:read"],
    });
    rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201);
    rig.register(ADA).await;
}

struct Waiting {
    device_code: String,
    user_code: String,
}

async fn begin(rig: &Rig, more: &[(&str, &str)]) -> Waiting {
    let form = [&[("client_id", "tv")], more].concat();
    let answer = rig.post("/device").form(&form).send().await.expect(200);
    Waiting { device_code: answer.text("device_code"), user_code: answer.text("user_code") }
}

async fn poll_as(rig: &Rig, client: &str, device_code: &str) -> Answer {
    let form = [("grant_type", GRANT), ("client_id", client), ("device_code", device_code)];
    rig.post("/token").form(&form).send().await
}

/// Asks at the pace that was said.
async fn poll(rig: &Rig, waiting: &Waiting) -> Answer {
    rig.advance(Duration::from_secs(5));
    poll_as(rig, "tv", &waiting.device_code).await
}

#[track_caller]
fn hears(answer: Answer, error: &str, code: &str) {
    let refused = answer.refused(400, code);
    assert_eq!(refused.text("error"), error);
}

/// From the form with the code to the answer.
async fn type_code(browser: &mut Browser<'_>, typed: &str) -> Answer {
    let page = browser.get("/ui/device").await.expect(200);
    let form = hidden(&page, "form");
    browser.post("/ui/device", &[("form", &form), ("user_code", typed)]).await
}

/// Types the code, signs in where that is asked for, and comes to the question.
async fn question(browser: &mut Browser<'_>, typed: &str, email: &str) -> Answer {
    let found = type_code(browser, typed).await.expect(303);
    let mut page = browser.follow(&found).await;
    if page.status == 303 {
        assert!(location(&page).starts_with("/ui/signin?request=d."));
        let form = browser.follow(&page).await.expect(200);
        let signed_in = browser.sign_in(&form, email, PASSWORD).await.expect(303);
        page = browser.follow(&signed_in).await;
    }
    page.expect(200)
}

async fn decide(browser: &mut Browser<'_>, page: &Answer, decision: &str) -> Answer {
    let (request, form) = (hidden(page, "request"), hidden(page, "form"));
    browser.post("/ui/device", &[("request", &request), ("form", &form), ("decision", decision)]).await
}

/// Everything that makes tokens of a device's code.
pub async fn goes_the_whole_way(rig: &Rig) {
    let body = json!({ "client_id": "tv", "public": true, "audiences": ["api"], "grants": ["device_code"], "scopes": ["openid"] });
    // It may be here already.
    rig.admin(Method::POST, "/api/admin/clients", &body).await;
    let waiting = begin(rig, &[]).await;
    allow(rig, &waiting).await;
    poll(rig, &waiting).await.expect(200);
}

async fn allow(rig: &Rig, waiting: &Waiting) {
    let mut browser = Browser::new(rig);
    let page = question(&mut browser, &waiting.user_code, ADA).await;
    decide(&mut browser, &page, "allow").await.expect(200);
}

fn claims(token: &str) -> AccessClaims {
    AccessClaims::from_json(&b64::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

both! {
    // OAU-17, RFC 8628: from the device to the page and back.
    async fn a_device_is_let_in(rig: Rig) {
        television(&rig).await;
        let answer = rig.post("/device").form(&[("client_id", "tv"), ("scope", "openid orders:read")]).send().await.expect(200);
        let (json, user_code) = (answer.json(), answer.text("user_code"));
        assert_eq!((&json["expires_in"], &json["interval"]), (&json!(600), &json!(5)));
        assert_eq!(json["verification_uri"], json!("http://localhost:8080/ui/device"));
        assert_eq!(json["verification_uri_complete"], json!(format!("http://localhost:8080/ui/device?user_code={user_code}")));
        assert_eq!(answer.headers["cache-control"], "no-store");
        let waiting = Waiting { device_code: answer.text("device_code"), user_code };
        hears(poll(&rig, &waiting).await, "authorization_pending", "device-pending");
        let mut browser = Browser::new(&rig);
        // People type it as they like.
        let page = question(&mut browser, &waiting.user_code.to_lowercase().replace('-', " "), ADA).await;
        for shown in ["The television", &waiting.user_code, ADA, "use the permission orders:read", "know which account is yours"] {
            assert!(page.body.contains(shown), "{shown}: {}", page.body);
        }
        hears(poll(&rig, &waiting).await, "authorization_pending", "device-pending");
        assert!(decide(&mut browser, &page, "allow").await.expect(200).body.contains("Your device goes on"));
        let answer = poll(&rig, &waiting).await.expect(200);
        let (tokens, claims) = (Tokens::of(&answer), claims(&answer.text("access_token")));
        assert_eq!((&*claims.client_id, claims.scope.as_deref()), ("tv", Some("openid orders:read")));
        assert!(claims.aud.contains("api") && claims.sub.starts_with("usr_") && answer.json()["id_token"].is_string());
        let form = [("grant_type", "refresh_token"), ("client_id", "tv"), ("refresh_token", &*tokens.refresh)];
        rig.post("/token").form(&form).send().await.expect(200);
        // In the same browser the next one is asked about, too, without a password.
        let next = begin(&rig, &[]).await;
        let page = question(&mut browser, &next.user_code, "nobody").await;
        decide(&mut browser, &page, "allow").await.expect(200);
        poll(&rig, &next).await.expect(200);
    }

    // OAU-17: no, and no more.
    async fn a_device_is_not_let_in(rig: Rig) {
        television(&rig).await;
        let waiting = begin(&rig, &[]).await;
        let mut browser = Browser::new(&rig);
        let page = question(&mut browser, &waiting.user_code, ADA).await;
        assert!(decide(&mut browser, &page, "deny").await.expect(200).body.contains("Not let in"));
        for _ in 0..2 {
            hears(poll(&rig, &waiting).await, "access_denied", "device-denied");
        }
        decide(&mut browser, &page, "allow").await.refused_page("form-expired");
        type_code(&mut browser, &waiting.user_code).await.expect(400);
    }

    // OAU-17, I-8: redeemed once; whoever shows the code again ends what the first one got.
    async fn a_device_code_is_redeemed_once(rig: Rig) {
        television(&rig).await;
        let waiting = begin(&rig, &[]).await;
        allow(&rig, &waiting).await;
        let form = [("grant_type", GRANT), ("client_id", "tv"), ("device_code", &*waiting.device_code)];
        let mut asks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            asks.spawn(rig.post("/token").form(&form).send());
        }
        let answers = asks.join_all().await;
        let good: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert!(good.len() <= 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert!(["code-reused", "refresh-revoked"].contains(&&*answer.code()), "{}", answer.body);
        }
        for answer in good {
            rig.session(&answer.text("access_token")).await.refused(401, "token-invalid");
        }
        hears(poll(&rig, &waiting).await, "invalid_grant", "code-reused");
    }

    // OAU-17, RFC 8628 §3.5: too fast is told, counted by all replicas, and slows down.
    async fn a_device_that_asks_too_fast_is_slowed_down(rig: Rig) {
        television(&rig).await;
        let waiting = begin(&rig, &[]).await;
        let after = async |secs: u64| {
            rig.advance(Duration::from_secs(secs));
            poll_as(&rig, "tv", &waiting.device_code).await
        };
        hears(after(0).await, "authorization_pending", "device-pending");
        hears(after(4).await, "authorization_pending", "device-pending");
        hears(after(3).await, "slow_down", "device-too-fast");
        hears(after(8).await, "slow_down", "device-too-fast");
        hears(after(15).await, "authorization_pending", "device-pending");
        allow(&rig, &waiting).await;
        // What is there is not withheld.
        after(0).await.expect(200);
    }

    // OAU-17: ten minutes, to the second, on every side; then nothing is left of it.
    async fn a_device_waits_ten_minutes(rig: Rig) {
        television(&rig).await;
        let (waiting, other) = (begin(&rig, &[]).await, begin(&rig, &[]).await);
        let (mut browser, mut late) = (Browser::new(&rig), Browser::new(&rig));
        let page = question(&mut browser, &waiting.user_code, ADA).await;
        rig.advance(Duration::from_secs(599));
        hears(poll_as(&rig, "tv", &waiting.device_code).await, "authorization_pending", "device-pending");
        assert_eq!(type_code(&mut late, &other.user_code).await.status, 303);
        decide(&mut browser, &page, "allow").await.expect(200);
        rig.advance(Duration::from_secs(1));
        hears(poll_as(&rig, "tv", &waiting.device_code).await, "expired_token", "device-expired");
        hears(poll_as(&rig, "tv", &other.device_code).await, "expired_token", "device-expired");
        type_code(&mut late, &other.user_code).await.expect(400);
    }

    // RLO-08: whatever ends the person's authority between their yes and the device's question ends the device's.
    async fn what_was_allowed_dies_with_who_allowed_it(rig: Rig) {
        television(&rig).await;
        for end in ["everywhere", "disabled"] {
            let waiting = begin(&rig, &[]).await;
            allow(&rig, &waiting).await;
            let body = match end {
                "everywhere" => json!({ "kind": "user", "id": ADA, "reason": "test" }),
                _ => json!({}),
            };
            let path = if end == "disabled" { "/api/admin/users/ada@example.com/disable" } else { "/api/admin/revocations" };
            rig.admin(Method::POST, path, &body).await.expect(200);
            hears(poll(&rig, &waiting).await, "invalid_grant", "device-code-invalid");
        }
        rig.admin(Method::POST, "/api/admin/users/ada@example.com/enable", &json!({})).await.expect(200);
        let waiting = begin(&rig, &[]).await;
        allow(&rig, &waiting).await;
        rig.admin(Method::POST, "/api/admin/clients/tv/disable", &json!({})).await.expect(200);
        poll(&rig, &waiting).await.refused(401, "invalid-client");
    }

    // OAU-11: what was allowed is listed, and taken back before the device asks, it is worth nothing. So it is when the client has
    // lost the audience meanwhile.
    async fn what_was_allowed_can_be_taken_back(rig: Rig) {
        television(&rig).await;
        let waiting = begin(&rig, &[]).await;
        allow(&rig, &waiting).await;
        let body = json!({ "email": ADA, "password": PASSWORD });
        let mine = rig.post("/login").json(&body).send().await.expect(200).text("access_token");
        let list = rig.get("/api/account/consents").bearer(&mine).send().await.expect(200).json();
        assert_eq!((&list["items"][0]["client_id"], list["items"].as_array().unwrap().len()), (&json!("tv"), 1));
        rig.request(Method::DELETE, "/api/account/consents/tv").bearer(&mine).send().await.expect(204);
        hears(poll(&rig, &waiting).await, "invalid_grant", "device-code-invalid");

        let waiting = begin(&rig, &[]).await;
        rig.admin(Method::POST, "/api/admin/audiences", &json!({ "audience": "films" })).await.expect(201);
        rig.admin(Method::PUT, "/api/admin/clients/tv", &json!({ "audiences": ["films"] })).await.expect(200);
        allow(&rig, &waiting).await;
        hears(poll(&rig, &waiting).await, "invalid_grant", "device-code-invalid");
    }

    // The device has a sign-in of its own: signing out where it was allowed leaves it, signing out everywhere does not.
    async fn signing_out_elsewhere_leaves_the_device(rig: Rig) {
        television(&rig).await;
        let waiting = begin(&rig, &[]).await;
        let mut browser = Browser::new(&rig);
        let page = question(&mut browser, &waiting.user_code, ADA).await;
        decide(&mut browser, &page, "allow").await.expect(200);
        let sign_out = rig.post("/logout").json(&json!({})).same_origin();
        browser.send(sign_out).await.expect(204);
        let device = poll(&rig, &waiting).await.expect(200).text("access_token");
        rig.session(&device).await.expect(200);
        rig.post("/logout").json(&json!({ "everywhere": true })).bearer(&device).send().await.expect(204);
        rig.session(&device).await.refused(401, "token-invalid");
    }

    // RFC 9449: a public client's device stays with the key that it proved.
    async fn a_device_binds_its_tokens_to_its_key(rig: Rig) {
        television(&rig).await;
        let waiting = begin(&rig, &[]).await;
        allow(&rig, &waiting).await;
        let holder = Holder::new();
        let form = [("grant_type", GRANT), ("client_id", "tv"), ("device_code", &*waiting.device_code)];
        let answer = rig.post("/token").form(&form).header("dpop", &holder.proof("/token")).send().await.expect(200);
        assert_eq!(answer.text("token_type"), "DPoP");
        let form = [("grant_type", "refresh_token"), ("client_id", "tv"), ("refresh_token", &*answer.text("refresh_token"))];
        rig.post("/token").form(&form).send().await.refused(400, "refresh-invalid");
    }

    // OAU-08: a confidential device.
    async fn a_device_with_a_key_proves_itself(rig: Rig) {
        rig.register(ADA).await;
        let signer = Signer::add(&rig, "kiosk", Algorithm::ES256, &json!({ "grants": ["device_code"], "scopes": ["email"] })).await;
        rig.post("/device").form(&[("client_id", "kiosk")]).send().await.refused(401, "invalid-client");
        let answer = signer.post(&rig, "/device", &[]).await.expect(200);
        let waiting = Waiting { device_code: answer.text("device_code"), user_code: answer.text("user_code") };
        allow(&rig, &waiting).await;
        let form = [("grant_type", GRANT), ("device_code", &*waiting.device_code)];
        let json = signer.post(&rig, "/token", &form).await.expect(200).json();
        assert!(json["refresh_token"].is_null() && json["access_token"].is_string());
    }
}

// OAU-17, RFC 8628 §5.1: guesses are counted, whether or not they look like codes.
#[tokio::test]
async fn guesses_are_limited() {
    let rig = Rig::with(&[("limits.address_per_minute", "5")]).await;
    let mut browser = Browser::new(&rig);
    for guess in ["BBBB-BBBB", "x", "", "CCCC-CCCC", "DDDD-DDDD"] {
        let page = type_code(&mut browser, guess).await.expect(400);
        assert!(page.body.contains("No device is waiting") && page.body.contains("aria-describedby"), "{guess}");
    }
    let page = browser.get("/ui/device").await.expect(200);
    let form = hidden(&page, "form");
    let refused = browser.post("/ui/device", &[("form", &form), ("user_code", "FFFF-FFFF")]).await.expect(429);
    assert!(refused.headers.contains_key("retry-after"));
}

// CSR-05, CSR-06: the forms are this browser's, from this site, for this device and this person.
#[tokio::test]
async fn the_forms_cannot_be_sent_for_somebody() {
    let rig = Rig::sqlite().await;
    television(&rig).await;
    let waiting = begin(&rig, &[]).await;
    let mut browser = Browser::new(&rig);
    // A link with the code fills in the form, and that is all.
    let page = browser.get(&format!("/ui/device?user_code={}", waiting.user_code)).await.expect(200);
    assert!(page.body.contains(&format!("value=\"{}\"", waiting.user_code)));
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("form-action 'self';"));
    let form = hidden(&page, "form");
    let fields = [("form", &*form), ("user_code", &*waiting.user_code)];
    rig.post("/ui/device").form(&fields).send().await.expect(403);
    rig.post("/ui/device").form(&fields).same_origin().send().await.refused_page("form-expired");
    for wrong in ["", "x"] {
        let fields = [("form", wrong), ("user_code", &*waiting.user_code)];
        browser.post("/ui/device", &fields).await.refused_page("form-expired");
    }
    let page = question(&mut browser, &waiting.user_code, ADA).await;
    let (request, token) = (hidden(&page, "request"), hidden(&page, "form"));
    let mut other = Browser::new(&rig);
    other.get("/ui/device").await.expect(200);
    let fields = [("request", &*request), ("form", &*token), ("decision", "allow")];
    other.post("/ui/device", &fields).await.refused_page("form-expired");
    browser.post("/ui/device", &[fields[0], ("form", &*form), fields[2]]).await.refused_page("form-expired");
    browser.post("/ui/device", &[fields[0], fields[1], ("decision", "perhaps")]).await.refused_page("malformed-form");
    // Somebody else signs in meanwhile, in another tab: they have not agreed.
    rig.register("bob@example.com").await;
    let switch = browser.get(&format!("/ui/signin?request={request}&switch=1")).await.expect(200);
    browser.sign_in(&switch, "bob@example.com", PASSWORD).await.expect(303);
    browser.post("/ui/device", &fields).await.refused_page("form-expired");
    hears(poll(&rig, &waiting).await, "authorization_pending", "device-pending");
    for nowhere in ["/ui/device?request=d.x", "/ui/device?request=x", &format!("/ui/consent?request={request}")] {
        browser.get(nowhere).await.expect(400);
    }
}

// OAU-07, OAU-18: what is refused at once.
#[tokio::test]
async fn a_bad_request_is_refused() {
    let rig = Rig::sqlite().await;
    television(&rig).await;
    let body = json!({ "client_id": "app", "public": true, "grants": ["refresh_token"], "audiences": ["api"] });
    rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201);
    let ask = async |form: &[(&str, &str)]| rig.post("/device").form(form).send().await;
    ask(&[("client_id", "app")]).await.refused(400, "unauthorized-client");
    ask(&[("client_id", "nobody")]).await.refused(401, "invalid-client");
    ask(&[("client_id", "tv"), ("scope", "admin")]).await.refused(400, "invalid-scope");
    ask(&[("client_id", "tv"), ("resource", "admin")]).await.refused(400, "invalid-target");
    ask(&[("client_id", "tv"), ("client_id", "tv")]).await.refused(400, "duplicate-parameter");
    let waiting = begin(&rig, &[]).await;
    for wrong in ["x", &"A".repeat(43), &waiting.user_code] {
        hears(poll_as(&rig, "tv", wrong).await, "invalid_grant", "device-code-invalid");
    }
    poll_as(&rig, "tv", "").await.refused(400, "missing-parameter");
    poll_as(&rig, "app", &waiting.device_code).await.refused(400, "unauthorized-client");
    let body = json!({ "client_id": "radio", "public": true, "grants": ["device_code"], "audiences": ["api"] });
    rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201);
    hears(poll_as(&rig, "radio", &waiting.device_code).await, "invalid_grant", "device-code-invalid");
    // That was no question of the device's own: it was not too fast.
    hears(poll_as(&rig, "tv", &waiting.device_code).await, "authorization_pending", "device-pending");
}

// OAU-16
#[tokio::test]
async fn the_flow_is_advertised_where_clients_look() {
    let rig = Rig::sqlite().await;
    let metadata = rig.get("/.well-known/openid-configuration").send().await.expect(200).json();
    assert_eq!(metadata["device_authorization_endpoint"], json!("http://localhost:8080/device"));
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)));
    let stored: Value = json!({ "client_id": "tv", "public": true, "grants": ["device_code"], "audiences": ["api"] });
    let shown = rig.admin(Method::POST, "/api/admin/clients", &stored).await.expect(201).json();
    assert_eq!(shown["grants"], json!(["device_code"]));
}

// The store does not grow with what is over.
#[tokio::test]
async fn devices_are_forgotten() {
    let rig = Rig::sqlite().await;
    television(&rig).await;
    begin(&rig, &[]).await;
    let now = rig.app.clock.now();
    let purge = async |later: u64| {
        let before = now.plus(Duration::from_secs(later));
        rig.app
            .store
            .write(move |tx| Box::pin(countersign_server::store::devices::purge(tx, before, 10)))
            .await
            .unwrap()
    };
    assert_eq!((purge(600).await, purge(601).await, purge(601).await), (0, 1, 0));
}
