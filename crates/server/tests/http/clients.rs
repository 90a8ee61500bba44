//! `/clients`: clients that register themselves (RFC 7591, RFC 7592).

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Client, location, query},
    rig::{Answer, Ask, ISSUER, Rig},
    support::postgres::Cluster,
};

const ADA: &str = "ada@example.com";
const ON: &[(&str, &str)] = &[("clients.registration", "token"), ("clients.scopes", "openid, email")];

macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($rig:ident: Rig) $body:block)+) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn body($rig: Rig) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body(Rig::with(ON).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body(Rig::on(&Cluster::shared().create_database().await, ON).await).await;
            }
        }
    )+};
}

/// An initial access token.
async fn ticket(rig: &Rig, uses: u32) -> String {
    rig.admin(Method::POST, "/api/admin/registration-tokens", &json!({ "uses": uses })).await.expect(201).text("token")
}

fn metadata(change: &Value) -> Value {
    let mut body = json!({
        "redirect_uris": ["https://app.example/cb"], "client_name": "App", "id_token_signed_response_alg": "ES256",
        "grant_types": ["authorization_code", "refresh_token"],
    });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

async fn register(rig: &Rig, token: &str, change: Value) -> Answer {
    rig.post("/clients").bearer(token).json(&metadata(&change)).send().await
}

fn client(registered: &Answer) -> Client {
    let json = registered.json();
    Client {
        id: registered.text("client_id"),
        secret: json["client_secret"].as_str().map(str::to_owned),
        redirect: json["redirect_uris"][0].as_str().unwrap().to_owned(),
    }
}

/// A request about its own registration.
async fn own(rig: &Rig, method: Method, id: &str, token: &str, body: Option<&Value>) -> Answer {
    let ask = rig.request(method, &format!("/clients/{id}")).bearer(token);
    body.into_iter().fold(ask, Ask::json).send().await
}

on_both! {
    // RFC 7591 §3.2.1, OAU-16: registered, and used at once.
    async fn a_client_registers_and_signs_people_in(rig: Rig) {
        rig.register(ADA).await;
        let metadata = rig.get("/.well-known/openid-configuration").send().await.json();
        assert_eq!(metadata["registration_endpoint"], format!("{ISSUER}/clients"));
        let registered = register(&rig, &ticket(&rig, 1).await, json!({})).await.expect(201);
        assert_eq!(registered.headers["cache-control"], "no-store");
        let shown = registered.json();
        assert_eq!((&shown["client_secret_expires_at"], &shown["scope"]), (&json!(0), &json!("email openid")));
        assert_eq!(shown["registration_client_uri"], format!("{ISSUER}/clients/{}", registered.text("client_id")));
        let client = client(&registered);
        let tokens = Browser::new(&rig).tokens(&client, &[], ADA).await;
        client.id_token(&rig, &tokens).await;
        let tokens = client.refresh(&rig, &tokens.text("refresh_token")).await.expect(200);
        // For whom it speaks is chosen where its person agrees, not behind their back.
        let secret = client.secret.clone().unwrap();
        let form = [("grant_type", "refresh_token"), ("client_id", &client.id), ("client_secret", &secret), ("organization", "acme")];
        let refresh = tokens.text("refresh_token");
        let ask = rig.post("/token").form(&[&form[..], &[("refresh_token", &refresh)]].concat());
        ask.send().await.refused(400, "unauthorized-client");
        client.refresh(&rig, &refresh).await.expect(200);
        let listed = rig.admin(Method::GET, "/api/admin/clients", &json!({})).await.json();
        let listed = listed["items"].as_array().unwrap().iter().find(|item| item["client_id"] == client.id.as_str()).unwrap().clone();
        assert_eq!((&listed["registered_itself"], &listed["consent"]), (&json!(true), &json!("ask")));
    }

    // RFC 7592: it looks after itself, and only after itself.
    async fn it_reads_changes_and_removes_its_own_registration(rig: Rig) {
        rig.register(ADA).await;
        let ticket = ticket(&rig, 2).await;
        let (first, other) = (register(&rig, &ticket, json!({})).await.expect(201), register(&rig, &ticket, json!({})).await.expect(201));
        let (id, token) = (first.text("client_id"), first.text("registration_access_token"));
        let shown = own(&rig, Method::GET, &id, &token, None).await.expect(200).json();
        assert_eq!((&shown["client_name"], shown.get("client_secret")), (&json!("App"), None));
        let client = client(&first);
        let tokens = Browser::new(&rig).tokens(&client, &[("scope", "openid email")], ADA).await;

        let less = metadata(&json!({ "client_id": id, "scope": "openid", "client_name": "Less" }));
        rig.advance(Duration::from_secs(1));
        let changed = own(&rig, Method::PUT, &id, &token, Some(&less)).await.expect(200).json();
        assert_eq!((&changed["client_name"], &changed["scope"]), (&json!("Less"), &json!("openid")));
        rig.get("/userinfo").bearer(&tokens.text("access_token")).send().await.refused(401, "token-invalid");
        let next = client.refresh(&rig, &tokens.text("refresh_token")).await.expect(200);
        assert_eq!(next.text("scope"), "openid");

        for wrong in [json!({ "client_id": other.text("client_id") }), json!({})] {
            own(&rig, Method::PUT, &id, &token, Some(&metadata(&wrong))).await.refused(400, "registration-invalid");
        }
        let public = metadata(&json!({ "client_id": id, "token_endpoint_auth_method": "none" }));
        own(&rig, Method::PUT, &id, &token, Some(&public)).await.refused(400, "registration-invalid");
        for stranger in [&other.text("registration_access_token"), &ticket, &first.text("client_secret"), &tokens.text("access_token")] {
            own(&rig, Method::GET, &id, stranger, None).await.refused(401, "token-invalid");
            own(&rig, Method::DELETE, &id, stranger, None).await.refused(401, "token-invalid");
        }
        for unknown in ["first-party", "nobody", "../first-party", "usr_AAAAAAAAAAAAAAAAAAAAAQ"] {
            let answer = own(&rig, Method::GET, unknown, &token, None).await;
            assert!([401, 404].contains(&answer.status.as_u16()), "{unknown}: {}", answer.body);
        }
        own(&rig, Method::DELETE, &id, &token, None).await.expect(204);
        own(&rig, Method::GET, &id, &token, None).await.refused(401, "token-invalid");
        client.refresh(&rig, &next.text("refresh_token")).await.refused(401, "invalid-client");
        own(&rig, Method::GET, &other.text("client_id"), &other.text("registration_access_token"), None).await.expect(200);
    }

    // OAU-13: so many, for so long, and not without; what was refused costs nothing.
    async fn an_initial_token_lets_in_as_many_as_it_says(rig: Rig) {
        let ticket = ticket(&rig, 2).await;
        rig.post("/clients").json(&metadata(&json!({}))).send().await.refused(401, "token-missing");
        for wrong in ["", "cit_AAAA", &ticket[1..]] {
            let answer = register(&rig, wrong, json!({})).await.refused(401, "token-invalid");
            assert_eq!(answer.text("error"), "invalid_token");
        }
        let refused = register(&rig, &ticket, json!({ "redirect_uris": ["http://app.example/cb"] })).await;
        assert_eq!(refused.refused(400, "registration-invalid").text("error"), "invalid_redirect_uri");
        let refused = register(&rig, &ticket, json!({ "redirect_uris": 7 })).await.expect(400);
        assert_eq!(refused.text("error"), "invalid_client_metadata");
        let mut asks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            asks.spawn(rig.post("/clients").bearer(&ticket).json(&metadata(&json!({}))).send());
        }
        let good = asks.join_all().await.into_iter().filter(|answer| answer.status == 201).count();
        assert_eq!(good, 2);
        let late = self::ticket(&rig, 1).await;
        rig.advance(Duration::from_secs(86_400));
        register(&rig, &late, json!({})).await.refused(401, "token-invalid");
        for bad in [json!({ "uses": 0 }), json!({ "uses": 1001 }), json!({ "expires_in": 0 }), json!({ "expires_in": 7_776_001 })] {
            rig.admin(Method::POST, "/api/admin/registration-tokens", &bad).await.refused(422, "invalid-value");
        }
    }

    // OAU-11, OAU-13, ADM-01: a stranger stays one, whatever it says of itself and whoever trusts it.
    async fn a_registration_gives_nobody_more(rig: Rig) {
        rig.register(ADA).await;
        let ticket = ticket(&rig, 3).await;
        for more in [
            json!({ "grant_types": ["client_credentials"] }),
            json!({ "grant_types": ["authorization_code", "first_party"] }),
            json!({ "scope": "openid admin" }),
            json!({ "jwks_uri": "http://169.254.169.254/" }),
        ] {
            register(&rig, &ticket, more.clone()).await.refused(400, "registration-invalid");
        }
        let sly = json!({ "consent": "implied", "roles": ["admin"], "audiences": ["admin"], "serves": ["api"], "client_id": "first-party" });
        let registered = register(&rig, &ticket, sly).await.expect(201);
        let client = client(&registered);
        assert_ne!(client.id, "first-party");
        let mut browser = Browser::new(&rig);
        let tokens = browser.tokens(&client, &[], ADA).await;
        // Asked again, though it has a secret and the person agreed a moment ago.
        let again = browser.get(&client.url(&[])).await.expect(303);
        assert!(location(&again).starts_with("/ui/consent"), "{}", location(&again));
        let none = browser.get(&client.url(&[("prompt", "none")])).await.expect(303);
        assert_eq!(query(&none)["error"], "consent_required");
        // The account is its person's own.
        for path in ["/session", "/api/account/sessions", "/api/account/consents"] {
            rig.get(path).bearer(&tokens.text("access_token")).send().await.refused(403, "forbidden");
        }
        let form = [
            ("client_id", client.id.as_str()), ("client_secret", client.secret.as_deref().unwrap()),
            ("token", &tokens.text("access_token")),
        ];
        assert_eq!(rig.post("/introspect").form(&form).send().await.expect(200).json(), json!({ "active": false }));
        let form = [form[0], form[1], ("grant_type", "client_credentials")];
        rig.post("/token").form(&form).send().await.refused(400, "unauthorized-client");

        // An administrator's word holds against its own: what was taken away does not come back because it asks.
        let less = json!({ "scopes": ["openid"], "access_token_format": "opaque" });
        rig.admin(Method::PUT, &format!("/api/admin/clients/{}", client.id), &less).await.expect(200);
        let token = registered.text("registration_access_token");
        let asks = metadata(&json!({ "client_id": client.id, "scope": "openid email" }));
        own(&rig, Method::PUT, &client.id, &token, Some(&asks)).await.refused(400, "registration-invalid");
        let asks = metadata(&json!({ "client_id": client.id }));
        assert_eq!(own(&rig, Method::PUT, &client.id, &token, Some(&asks)).await.expect(200).text("scope"), "openid");
        let next = client.refresh(&rig, &tokens.text("refresh_token")).await.expect(200);
        assert!(next.text("access_token").starts_with("at1."));
        rig.admin(Method::POST, &format!("/api/admin/clients/{}/disable", client.id), &json!({})).await.expect(200);
        own(&rig, Method::GET, &client.id, &token, None).await.refused(401, "token-invalid");
        let back = metadata(&json!({ "client_id": client.id }));
        own(&rig, Method::PUT, &client.id, &token, Some(&back)).await.refused(401, "token-invalid");
    }

    // OpenID Connect Core §8.1
    async fn a_pairwise_client_registers(rig: Rig) {
        rig.register(ADA).await;
        let registered = register(&rig, &ticket(&rig, 1).await, json!({ "subject_type": "pairwise" })).await.expect(201);
        assert_eq!(registered.text("subject_type"), "pairwise");
        let client = client(&registered);
        let tokens = Browser::new(&rig).tokens(&client, &[], ADA).await;
        assert!(tokens.text("access_token").starts_with("at1."));
        let user = rig.admin(Method::GET, &format!("/api/admin/users/{ADA}"), &json!({})).await.text("user_id");
        assert_ne!(client.id_token(&rig, &tokens).await.sub, user);
    }
}

// OAU-13: off unless somebody turned it on, and then there is nothing.
#[tokio::test]
async fn it_is_off_by_default() {
    let rig = Rig::sqlite().await;
    let metadata = rig.get("/.well-known/openid-configuration").send().await.json();
    assert!(metadata.get("registration_endpoint").is_none());
    for (method, path) in [(Method::POST, "/clients"), (Method::GET, "/clients/x"), (Method::DELETE, "/clients/x")] {
        let answer = rig.request(method, path).bearer("cit_x").json(&json!({})).send().await;
        answer.refused(404, "not-found");
    }
    let body = json!({ "uses": 1 });
    rig.admin(Method::POST, "/api/admin/registration-tokens", &body).await.refused(409, "conflict");
}
