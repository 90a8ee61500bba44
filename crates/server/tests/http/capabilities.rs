//! Everything that the metadata advertises is used here (OAU-16). What nothing here uses fails the test: a new capability needs a
//! line in this file.

use std::{collections::BTreeSet, time::Duration};

use base64_simd::STANDARD;
use countersign_jose::{
    Algorithm, Verifier,
    jwe::{DecryptionKey, Decryptor},
    profile::IdToken,
};
use http::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{
    authenticator::{Authenticator, second, to_second},
    browser::{Browser, Client, hidden, location, query},
    dpop::Holder,
    forms::{SignedAnswer, keys},
    rig::{Answer, ISSUER, PASSWORD, Rig},
    token::assertion::Signer,
};

const ADA: &str = "ada@example.com";

/// An issuer with a person of whom everything is known, and a client that may have it.
struct Site {
    rig: Rig,
    client: Client,
    /// Names for further clients.
    next: Mutex<usize>,
}

impl Site {
    async fn open() -> Self {
        let rig = Rig::sqlite().await;
        rig.register(ADA).await;
        let text = |name: &str| (name.to_owned(), json!("x"));
        let mut known: serde_json::Map<String, Value> =
            countersign_server::domain::person::names().into_iter().map(text).collect();
        known.extend(["street_address", "country"].map(text));
        let user = format!("/api/admin/users/{ADA}");
        rig.admin(Method::PUT, &format!("{user}/attributes"), &json!({ "attributes": known })).await.expect(200);
        rig.admin(Method::PUT, &format!("{user}/roles"), &json!({ "roles": ["buyer"] })).await.expect(200);
        let scopes = countersign_server::domain::authorize::IDENTITY_SCOPES;
        let client = json!({ "client_id": "app", "redirect_uris": ["https://app.example/cb"], "scopes": scopes, "serves": ["api"] });
        Self { client: Client::add(&rig, client).await, rig, next: Mutex::new(0) }
    }

    async fn name(&self) -> String {
        let mut next = self.next.lock().await;
        *next += 1;
        format!("client-{next}")
    }

    async fn tokens(&self, extra: &[(&str, &str)]) -> Answer {
        Browser::new(&self.rig).tokens(&self.client, extra, ADA).await
    }

    async fn userinfo(&self, tokens: &Answer) -> Value {
        self.rig.get("/userinfo").bearer(&tokens.text("access_token")).send().await.expect(200).json()
    }

    fn path(url: &Value) -> &str {
        url.as_str().unwrap().strip_prefix(ISSUER).unwrap()
    }

    async fn there(&self, url: &Value) -> Answer {
        let answer = self.rig.get(Self::path(url)).send().await;
        assert_ne!(answer.status, 404, "{url}");
        answer
    }

    /// What a request at an endpoint answers to a client that proves itself by this method.
    async fn proves(&self, path: &str, method: &str) {
        let rig = &self.rig;
        let tokens = self.tokens(&[]).await;
        let token = tokens.text("refresh_token");
        let form = match path {
            "/token" => vec![("grant_type", "refresh_token"), ("refresh_token", &*token)],
            _ => vec![("token", &*token)],
        };
        let secret = self.client.secret.as_deref().unwrap();
        let answer = match method {
            "client_secret_basic" => {
                let basic = STANDARD.encode_to_string(format!("app:{secret}"));
                rig.post(path).header("authorization", &format!("Basic {basic}")).form(&form).send().await
            }
            "client_secret_post" => {
                let more = [("client_id", "app"), ("client_secret", secret)];
                rig.post(path).form(&[&form[..], &more].concat()).send().await
            }
            "private_key_jwt" => self.signed(path, Algorithm::ES256).await,
            "none" => {
                let body = json!({ "client_id": self.name().await, "public": true, "redirect_uris": ["https://spa.example/cb"] });
                let spa = Client::add(rig, body).await;
                let tokens = Browser::new(rig).tokens(&spa, &[], ADA).await;
                let token = tokens.text("refresh_token");
                let form = match path {
                    "/token" => {
                        [("grant_type", "refresh_token"), ("refresh_token", &*token), ("client_id", &*spa.id)].to_vec()
                    }
                    _ => [("token", &*token), ("client_id", &*spa.id)].to_vec(),
                };
                rig.post(path).form(&form).send().await
            }
            other => panic!("nothing here proves a client by {other}"),
        };
        answer.expect(200);
    }

    /// The same with a key of this algorithm.
    async fn signed(&self, path: &str, alg: Algorithm) -> Answer {
        let id: &'static str = self.name().await.leak();
        let signer = Signer::add(&self.rig, id, alg, &json!({ "serves": ["api"] })).await;
        let form = match path {
            "/token" => [("grant_type", "client_credentials")],
            _ => [("token", "x")],
        };
        signer.post(&self.rig, path, &form).await
    }

    async fn grant(&self, grant: &str) {
        let rig = &self.rig;
        match grant {
            "authorization_code" => drop(self.tokens(&[]).await),
            "refresh_token" => {
                let tokens = self.tokens(&[]).await;
                self.client.refresh(rig, &tokens.text("refresh_token")).await.expect(200);
            }
            "client_credentials" => drop(self.signed("/token", Algorithm::ES256).await.expect(200)),
            "urn:ietf:params:oauth:grant-type:device_code" => crate::device::goes_the_whole_way(rig).await,
            "urn:ietf:params:oauth:grant-type:token-exchange" => {
                let settings = json!({ "serves": ["api"], "exchanges": ["api"], "grants": ["token_exchange"] });
                let service = Signer::add(rig, self.name().await.leak(), Algorithm::ES256, &settings).await;
                let token = self.tokens(&[]).await.text("access_token");
                let kind = "urn:ietf:params:oauth:token-type:access_token";
                let form = [
                    ("grant_type", grant),
                    ("subject_token", &token),
                    ("subject_token_type", kind),
                    ("audience", "api"),
                ];
                service.post(rig, "/token", &form).await.expect(200);
            }
            other => panic!("nothing here uses the grant {other}"),
        }
    }

    async fn prompt(&self, prompt: &str) {
        let rig = &self.rig;
        let mut browser = Browser::new(rig);
        browser.authorize(&self.client, &[], ADA).await;
        rig.advance(Duration::from_secs(1));
        let answer = browser.get(&self.client.url(&[("prompt", prompt)])).await.expect(303);
        let to = location(&answer);
        match prompt {
            "none" => assert!(query(&answer).contains_key("code"), "{to}"),
            "login" | "select_account" => assert!(to.starts_with("/ui/signin"), "{to}"),
            "consent" => assert!(to.starts_with("/ui/consent"), "{to}"),
            other => panic!("nothing here uses prompt={other}"),
        }
    }

    async fn response_mode(&self, mode: &str) {
        let mut browser = Browser::new(&self.rig);
        browser.authorize(&self.client, &[], ADA).await;
        let answer = browser.get(&self.client.url(&[("response_mode", mode)])).await;
        let code = match mode {
            "query" => query(&answer)["code"].clone(),
            "form_post" => hidden(&answer, "code"),
            other => panic!("nothing here uses response_mode={other}"),
        };
        self.client.redeem(&self.rig, &code).await.expect(200);
    }

    async fn scope(&self, scope: &str) {
        let tokens = self.tokens(&[("scope", &format!("openid {scope}"))]).await;
        assert!(tokens.text("scope").split(' ').any(|word| word == scope), "{scope}");
        let told = self.userinfo(&tokens).await;
        let claim = match scope {
            "openid" => "sub",
            "profile" => "name",
            "email" => "email",
            "address" => "address",
            "phone" => "phone_number",
            "roles" => "roles",
            // It says how long, not what.
            "offline_access" => {
                return drop(self.client.refresh(&self.rig, &tokens.text("refresh_token")).await.expect(200));
            }
            other => panic!("nothing here uses the scope {other}"),
        };
        assert!(!told[claim].is_null(), "{scope}: {told}");
    }

    async fn id_token_alg(&self, alg: &str) {
        let (client, tokens) = self.other(&json!({ "id_token_alg": alg })).await;
        client.id_token(&self.rig, &tokens).await;
        assert_eq!(head(&tokens.text("id_token"))["alg"], alg);
    }

    /// A client with these settings, and what it got.
    async fn other(&self, settings: &Value) -> (Client, Answer) {
        let mut body = json!({ "client_id": self.name().await, "redirect_uris": ["https://other.example/cb"] });
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let client = Client::add(&self.rig, body).await;
        self.rig.advance(Duration::from_hours(1));
        let tokens = Browser::new(&self.rig).tokens(&client, &[], ADA).await;
        (client, tokens)
    }

    /// An ID token that only its client can read.
    async fn encrypted(&self, alg: &str, enc: &str) {
        let own = DecryptionKey::generate(alg.parse().unwrap(), "own").unwrap();
        let settings = json!({ "id_token_encryption": { "jwk": own.public_jwk().unwrap(), "enc": enc } });
        let (client, tokens) = self.other(&settings).await;
        let token = tokens.text("id_token");
        assert_eq!((&head(&token)["alg"], &head(&token)["enc"]), (&json!(alg), &json!(enc)));
        let verifier = Verifier::<IdToken>::builder().issuer(ISSUER).audience(&*client.id);
        let verifier = verifier.keys(keys(&self.rig).await).build();
        let opener = Decryptor::new(own).accept([enc.parse().unwrap()]);
        opener.decrypt_and_verify(&verifier, &token, self.rig.app.clock.now().secs()).unwrap();
    }

    async fn dpop_alg(&self, alg: &str) {
        let holder = Holder::of(alg.parse().unwrap());
        let body = json!({ "email": ADA, "password": PASSWORD });
        let proof = holder.proof_now(&self.rig, "/login");
        let tokens = self.rig.post("/login").json(&body).header("dpop", &proof).send().await.expect(200);
        assert_eq!(tokens.text("token_type"), "DPoP");
    }

    /// Every claim, in the ID token or at UserInfo.
    async fn claims(&self, advertised: &Value) {
        let all = countersign_server::domain::authorize::IDENTITY_SCOPES.join(" ");
        let tokens = self.tokens(&[("scope", &all)]).await;
        let payload = countersign_jose::b64::decode(tokens.text("id_token").split('.').nth(1).unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        let told = self.userinfo(&tokens).await;
        let seen: BTreeSet<&str> = [&payload, &told]
            .iter()
            .flat_map(|object| object.as_object().unwrap().keys())
            .map(String::as_str)
            .collect();
        for claim in advertised.as_array().unwrap() {
            assert!(seen.contains(claim.as_str().unwrap()), "{claim} is advertised and never told");
        }
        assert_eq!(seen.len(), advertised.as_array().unwrap().len(), "{seen:?}");
    }
}

/// The header of a token, unverified.
fn head(token: &str) -> Value {
    serde_json::from_slice(&countersign_jose::b64::decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

/// Uses one member of the metadata; `None` if nothing here does.
async fn endpoint(site: &Site, member: &str, value: &Value) -> Option<()> {
    match member {
        "issuer" => assert_eq!(value, ISSUER),
        "jwks_uri" | "service_documentation" | "revocation_feed_jwks_uri" => drop(site.there(value).await.expect(200)),
        "authorization_endpoint" | "end_session_endpoint" | "userinfo_endpoint" | "revocation_feed_uri" => {
            drop(site.there(value).await);
        }
        "pushed_authorization_request_endpoint" => {
            let form = site.client.query(&[]) + "&client_secret=" + site.client.secret.as_deref().unwrap();
            site.rig.post(Site::path(value)).raw("application/x-www-form-urlencoded", form).send().await.expect(201);
        }
        "device_authorization_endpoint" => crate::device::goes_the_whole_way(&site.rig).await,
        "token_endpoint" | "revocation_endpoint" | "introspection_endpoint" => {
            site.signed(Site::path(value), Algorithm::ES256).await.expect(200);
        }
        "access_token_ttl_cap" => assert_eq!(*value, site.rig.app.config.access_token_ttl_cap.as_secs()),
        // `revocations/anchor.rs` and `revocations/follower.rs` measure it.
        "revocation_feed_heartbeat_ms" => assert!(value.as_u64().unwrap() > 0),
        _ => return None,
    }
    Some(())
}

async fn flag(site: &Site, member: &str, value: bool) -> Option<()> {
    let mut browser = Browser::new(&site.rig);
    browser.authorize(&site.client, &[], ADA).await;
    let back = async |browser: &mut Browser<'_>, changes: &[(&str, &str)]| {
        query(&browser.get(&site.client.url(changes)).await)
    };
    match (member, value) {
        ("authorization_response_iss_parameter_supported", true) => {
            assert_eq!(back(&mut browser, &[]).await["iss"], ISSUER);
        }
        ("claims_parameter_supported", true) => {
            let name = [("scope", "openid"), ("claims", r#"{"userinfo":{"name":null}}"#)];
            assert_eq!(site.userinfo(&site.tokens(&name).await).await["name"], "x");
        }
        ("request_parameter_supported", true) => {
            crate::request_object::signed_by(&site.rig, site.name().await.leak(), Algorithm::ES256).await;
        }
        ("require_signed_request_object", false) => assert!(back(&mut browser, &[]).await.contains_key("code")),
        ("request_uri_parameter_supported", false) => {
            let foreign = [("request_uri", "https://app.example/r")];
            assert_eq!(back(&mut browser, &foreign).await["error"], "request_uri_not_supported");
        }
        ("require_pushed_authorization_requests", false) => assert!(back(&mut browser, &[]).await.contains_key("code")),
        // `backchannel.rs` and `oidcc/backchannel.rs` listen to them.
        ("backchannel_logout_supported" | "backchannel_logout_session_supported", true) => {
            let to = json!({ "backchannel_logout_uri": "https://app.example/out" });
            site.rig.admin(Method::PUT, "/api/admin/clients/app", &to).await.expect(200);
        }
        _ => return None,
    }
    Some(())
}

/// The ways in which a client proves itself, at each endpoint.
async fn proof(site: &Site, member: &str, value: &str) -> Option<()> {
    let endpoint = |prefix: &str| match prefix {
        "token" => Some("/token"),
        "revocation" => Some("/revoke"),
        "introspection" => Some("/introspect"),
        _ => None,
    };
    if let Some(prefix) = member.strip_suffix("_endpoint_auth_methods_supported") {
        site.proves(endpoint(prefix)?, value).await;
        return Some(());
    }
    let prefix = member.strip_suffix("_endpoint_auth_signing_alg_values_supported")?;
    site.signed(endpoint(prefix)?, value.parse().unwrap()).await.expect(200);
    Some(())
}

async fn one_of(site: &Site, member: &str, value: &str) -> Option<()> {
    match (member, value) {
        ("grant_types_supported", grant) => site.grant(grant).await,
        ("response_types_supported", "code") | ("code_challenge_methods_supported", "S256") => {
            drop(site.tokens(&[]).await);
        }
        ("response_modes_supported", mode) => site.response_mode(mode).await,
        ("prompt_values_supported", prompt) => site.prompt(prompt).await,
        ("scopes_supported", scope) => site.scope(scope).await,
        _ => return subject(site, member, value).await,
    }
    Some(())
}

async fn subject(site: &Site, member: &str, value: &str) -> Option<()> {
    match (member, value) {
        ("subject_types_supported", "public") => {
            let other = Client::web(&site.rig, &site.name().await).await;
            let (mine, theirs) = (site.tokens(&[]).await, Browser::new(&site.rig).tokens(&other, &[], ADA).await);
            assert_eq!(site.client.id_token(&site.rig, &mine).await.sub, other.id_token(&site.rig, &theirs).await.sub);
        }
        ("subject_types_supported", "pairwise") => {
            let body = json!({ "subject_type": "pairwise", "access_token_format": "opaque" });
            let (client, tokens) = site.other(&body).await;
            let mine = site.tokens(&[]).await;
            let (other, own) =
                (client.id_token(&site.rig, &tokens).await, site.client.id_token(&site.rig, &mine).await);
            assert_ne!(other.sub, own.sub);
        }
        _ => return form_of_tokens(site, member, value).await,
    }
    Some(())
}

async fn form_of_tokens(site: &Site, member: &str, value: &str) -> Option<()> {
    match (member, value) {
        ("id_token_encryption_alg_values_supported", alg) => site.encrypted(alg, "A128CBC-HS256").await,
        ("id_token_encryption_enc_values_supported", enc) => site.encrypted("ECDH-ES+A128KW", enc).await,
        ("userinfo_signing_alg_values_supported", alg) => {
            let (client, tokens) = site.other(&json!({ "userinfo_signed_response_alg": alg })).await;
            site.rig.advance(Duration::from_secs(1));
            let told = site.rig.get("/userinfo").bearer(&tokens.text("access_token")).send().await.expect(200);
            let verifier = Verifier::<SignedAnswer>::builder().issuer(ISSUER).audience(&*client.id);
            let verifier = verifier.keys(keys(&site.rig).await).build();
            verifier.verify(&told.body, site.rig.app.clock.now().secs()).unwrap();
            assert_eq!(head(&told.body)["alg"], alg);
        }
        _ => return asked_for(site, member, value).await,
    }
    Some(())
}

/// Somebody of their own: whoever else signs in here has no second factor.
async fn with_a_second_factor(site: &Site) {
    const EVE: &str = "eve-with-an-app@example.com";
    let app = Authenticator::of_new_user(&site.rig, EVE).await;
    let mut browser = Browser::new(&site.rig);
    let page = to_second(&mut browser, &site.client.url(&[("acr_values", "2")]), EVE).await;
    let to = second(&mut browser, &page, &app.code(&site.rig)).await.expect(303);
    let consent = browser.follow(&to).await.expect(200);
    let to = browser.decide(&consent, "allow").await.expect(303);
    let tokens = site.client.redeem(&site.rig, &query(&to)["code"]).await.expect(200);
    assert_eq!(site.client.id_token(&site.rig, &tokens).await.acr.as_deref(), Some("2"));
}

async fn asked_for(site: &Site, member: &str, value: &str) -> Option<()> {
    match (member, value) {
        ("request_object_signing_alg_values_supported", alg) => {
            crate::request_object::signed_by(&site.rig, site.name().await.leak(), alg.parse().unwrap()).await;
        }
        ("acr_values_supported", "2") => with_a_second_factor(site).await,
        ("acr_values_supported", acr) => {
            let tokens = site.tokens(&[("acr_values", acr)]).await;
            assert_eq!(site.client.id_token(&site.rig, &tokens).await.acr.as_deref(), Some(acr));
        }
        ("ui_locales_supported", language) => {
            let mut browser = Browser::new(&site.rig);
            let to = browser.get(&site.client.url(&[("ui_locales", language)])).await.expect(303);
            let page = browser.follow(&to).await.expect(200);
            assert!(page.body.contains(&format!("<html lang=\"{language}\">")));
        }
        ("id_token_signing_alg_values_supported", alg) => site.id_token_alg(alg).await,
        ("dpop_signing_alg_values_supported", alg) => site.dpop_alg(alg).await,
        _ => return proof(site, member, value).await,
    }
    Some(())
}

#[tokio::test]
async fn everything_that_is_advertised_is_used_here() {
    let site = Site::open().await;
    let metadata = site.rig.get("/.well-known/openid-configuration").send().await.expect(200).json();
    for (member, value) in metadata.as_object().unwrap() {
        let used = match value {
            Value::Bool(value) => flag(&site, member, *value).await,
            Value::Array(_) if member == "claims_supported" => {
                site.claims(value).await;
                Some(())
            }
            Value::Array(values) => {
                assert!(!values.is_empty(), "{member}");
                let mut used = Some(());
                for value in values {
                    let value = value.as_str().unwrap();
                    used = used.and(one_of(&site, member, value).await);
                    assert!(used.is_some(), "nothing here uses {member}: {value}");
                }
                used
            }
            other => endpoint(&site, member, other).await,
        };
        assert!(used.is_some(), "nothing here uses {member}: {value}");
    }
}
