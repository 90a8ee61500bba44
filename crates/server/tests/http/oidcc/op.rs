//! The provider that a module is run against: this issuer, or npm's oidc-provider, which is certified. A module finds everything in
//! its metadata, signs in as a person does, and does not know which one it is.

use std::{
    net::{SocketAddr, TcpListener},
    ops::Deref,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64_simd::STANDARD;
use countersign_jose::{
    Algorithm, ClientAssertionClaims, IdClaims, Jwk, JwkSet, SigningKey, Verifier, VerifyingKey,
    profile::{ClientAssertion, IdToken},
    sign,
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Client, hidden, location},
    peers::Process,
    rig::{Answer, Ask, ISSUER, PASSWORD, Rig, Site},
    token::assertion::{TYPE, jwks},
};

pub const ADA: &str = "ada@example.com";
const SCOPES: &str = "openid profile email address phone offline_access";

/// See the module.
pub struct Op {
    kind: Kind,
    pub issuer: String,
    pub metadata: Value,
}

enum Kind {
    Ours { rig: Box<Rig>, ticket: String },
    Theirs(&'static Provider),
}

/// npm's oidc-provider, running.
pub struct Provider {
    process: Process,
    address: SocketAddr,
    own_clock: bool,
}

/// One for all modules that leave its clock alone.
static SHARED: LazyLock<Provider> = LazyLock::new(|| Provider::start(false));

impl Provider {
    fn start(own_clock: bool) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Process::node("oidc_provider.mjs");
        let mut claims = standard_claims();
        claims["email"] = json!(ADA);
        claims["email_verified"] = json!(true);
        process.ask(&json!({ "op": "certified", "port": address.port(), "claims": claims })).unwrap();
        Self { process, address, own_clock }
    }
}

/// A client, with what it proves itself by.
pub struct Rp {
    client: Client,
    key: Option<SigningKey>,
    /// What the provider said when it was registered.
    pub registered: Value,
}

impl Deref for Rp {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// What came at the client, and how often its person was asked to sign in on the way.
pub struct Walk {
    pub answer: Answer,
    pub signed_in: usize,
}

impl Op {
    /// This issuer, with one person of whom everything is known that a standard scope tells.
    pub async fn ours() -> Self {
        let settings = [
            ("clients.registration", "token"),
            ("clients.scopes", "openid, profile, email, address, phone, offline_access"),
            ("outbound.allow", "127.0.0.1"),
        ];
        let rig = Rig::with(&settings).await;
        rig.register(ADA).await;
        let attributes = json!({ "attributes": attributes() });
        rig.admin(Method::PUT, &format!("/api/admin/users/{ADA}/attributes"), &attributes).await.expect(200);
        let ticket = rig.admin(Method::POST, "/api/admin/registration-tokens", &json!({ "uses": 100 })).await;
        let ticket = ticket.expect(201).text("token");
        Self::discovered(Kind::Ours { rig: Box::new(rig), ticket }, ISSUER.to_owned()).await
    }

    pub async fn theirs() -> Self {
        let provider = &*SHARED;
        Self::discovered(Kind::Theirs(provider), format!("http://{}", provider.address)).await
    }

    /// One whose clock the module may set.
    pub async fn theirs_with_a_clock() -> Self {
        let provider: &Provider = Box::leak(Box::new(Provider::start(true)));
        Self::discovered(Kind::Theirs(provider), format!("http://{}", provider.address)).await
    }

    async fn discovered(kind: Kind, issuer: String) -> Self {
        let mut op = Self { kind, issuer, metadata: Value::Null };
        op.metadata = op.get("/.well-known/openid-configuration").send().await.expect(200).json();
        assert_eq!(op.metadata["issuer"], op.issuer.as_str());
        op
    }

    /// This issuer, for what only its administrator can do.
    pub fn rig(&self) -> &Rig {
        match &self.kind {
            Kind::Ours { rig, .. } => rig,
            Kind::Theirs(_) => panic!("the module is about this issuer alone"),
        }
    }

    pub fn is_ours(&self) -> bool {
        matches!(self.kind, Kind::Ours { .. })
    }

    /// The path of an endpoint, as the metadata have it.
    #[track_caller]
    pub fn endpoint(&self, member: &str) -> String {
        let url = self.metadata[member].as_str().unwrap_or_else(|| panic!("no {member}"));
        self.path(url).to_owned()
    }

    fn path<'u>(&self, url: &'u str) -> &'u str {
        url.strip_prefix(&self.issuer).unwrap_or(url)
    }

    pub fn get(&self, url: &str) -> Ask {
        self.ask(Method::GET, url)
    }

    pub fn post(&self, url: &str) -> Ask {
        self.ask(Method::POST, url)
    }

    pub fn now(&self) -> i64 {
        match &self.kind {
            Kind::Ours { rig, .. } => rig.app.clock.now().secs(),
            Kind::Theirs(provider) => provider.process.ask(&json!({ "op": "now" })).unwrap()["now"].as_i64().unwrap(),
        }
    }

    pub fn advance(&self, by: Duration) {
        match &self.kind {
            Kind::Ours { rig, .. } => rig.advance(by),
            Kind::Theirs(provider) => {
                assert!(provider.own_clock, "others look at this clock, too");
                provider.process.ask(&json!({ "op": "advance", "seconds": by.as_secs() })).unwrap();
            }
        }
    }

    /// A client with a secret, as the suite's static ones: here an administrator adds it. `more` in the words of registrations.
    pub async fn client(&self, id: &str, more: Value) -> Rp {
        let mut wanted = json!({
            "redirect_uris": [format!("https://{id}.example/cb")], "grant_types": ["authorization_code", "refresh_token"],
            "scope": SCOPES,
        });
        wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        match &self.kind {
            Kind::Theirs(_) => self.registered(wanted, None).await,
            Kind::Ours { rig, .. } => {
                let scopes: Vec<&str> = SCOPES.split(' ').collect();
                let mut body = json!({
                    "client_id": id, "redirect_uris": wanted["redirect_uris"], "scopes": scopes,
                    "id_token_alg": wanted["id_token_signed_response_alg"],
                });
                for same in ["post_logout_redirect_uris", "backchannel_logout_uri", "userinfo_signed_response_alg"] {
                    if !wanted[same].is_null() {
                        body[same] = wanted[same].clone();
                    }
                }
                let client = Client::add(rig, body).await;
                rig.advance(Duration::from_hours(1));
                Rp { client, key: None, registered: Value::Null }
            }
        }
    }

    /// A client that registers itself, with a key of its own, as those of the suite's dynamic plan.
    pub async fn dynamic(&self, more: Value) -> Rp {
        let key = SigningKey::generate(Algorithm::ES256, "k").unwrap();
        let mut wanted = metadata();
        wanted["jwks"] = jwks(&key);
        wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if !wanted["jwks_uri"].is_null() {
            wanted.as_object_mut().unwrap().remove("jwks");
        }
        self.registered(wanted, Some(key)).await
    }

    async fn registered(&self, metadata: Value, key: Option<SigningKey>) -> Rp {
        let registered = self.register(&metadata).await.expect(201).json();
        let client = Client {
            id: registered["client_id"].as_str().unwrap().to_owned(),
            secret: registered["client_secret"].as_str().map(str::to_owned),
            redirect: registered["redirect_uris"][0].as_str().unwrap().to_owned(),
        };
        if let Kind::Ours { rig, .. } = &self.kind {
            // A key of an algorithm that nobody used before signs when every cache can know it (KEY-02).
            rig.advance(Duration::from_hours(1));
        }
        Rp { client, key, registered }
    }

    /// Asks the registration endpoint.
    pub async fn register(&self, metadata: &Value) -> Answer {
        let ask = self.post(&self.endpoint("registration_endpoint")).json(metadata);
        match &self.kind {
            Kind::Ours { ticket, .. } => ask.bearer(ticket).send().await,
            Kind::Theirs(_) => ask.send().await,
        }
    }

    pub fn url(&self, rp: &Rp, changes: &[(&str, &str)]) -> String {
        format!("{}?{}", self.endpoint("authorization_endpoint"), rp.query(changes))
    }

    /// From an authorization request over every page to the answer at the client, or to a page that leads nowhere.
    pub async fn walk(&self, browser: &mut Browser<'_>, rp: &Rp, changes: &[(&str, &str)]) -> Walk {
        let answer = browser.get(&self.url(rp, changes)).await;
        self.walk_on(browser, answer).await
    }

    pub async fn walk_on(&self, browser: &mut Browser<'_>, mut answer: Answer) -> Walk {
        let mut signed_in = 0;
        for _ in 0..12 {
            if answer.headers.contains_key("location") {
                let to = location(&answer);
                if !to.starts_with('/') && !to.starts_with(&self.issuer) {
                    break;
                }
                signed_in += usize::from(to.contains("/interaction/login/"));
                answer = browser.get(self.path(&to)).await;
            } else if answer.body.contains("action=\"/ui/signin\"") {
                signed_in += 1;
                answer = browser.sign_in(&answer, ADA, PASSWORD).await;
            } else if answer.body.contains("action=\"/ui/consent\"") {
                answer = browser.decide(&answer, "allow").await;
            } else {
                break;
            }
        }
        Walk { answer, signed_in }
    }

    /// Says yes on the page that asks whether to sign out, if it is one.
    pub async fn confirm(&self, browser: &mut Browser<'_>, page: Answer) -> Answer {
        if page.body.contains("action=\"/ui/signout\"") {
            let request = hidden(&page, "request").replace("&#38;", "&").replace("&amp;", "&");
            let form = [("request", &*request), ("form", &*hidden(&page, "form"))];
            return browser.post("/ui/signout", &form).await;
        }
        let begin = "id=\"op.logoutForm\" method=\"post\" action=\"";
        let Some(at) = page.body.find(begin) else { return page };
        let action = page.body[at + begin.len()..].split('"').next().unwrap().to_owned();
        let form = [("xsrf", &*hidden(&page, "xsrf")), ("logout", "yes")];
        let answer = browser.post(self.path(&action), &form).await;
        // It tells so on a page of its own.
        if answer.headers.contains_key("location") && location(&answer).starts_with(&self.issuer) {
            return browser.get(self.path(&location(&answer))).await;
        }
        answer
    }

    /// A request to the token endpoint, by a client that proves itself in its own way.
    pub async fn token(&self, rp: &Rp, form: &[(&str, &str)]) -> Answer {
        let ask = self.post(&self.endpoint("token_endpoint"));
        match (&rp.key, &rp.secret) {
            (Some(key), _) => {
                let assertion = self.assertion(rp, key);
                let proof =
                    [("client_assertion_type", TYPE), ("client_assertion", &*assertion), ("client_id", &*rp.id)];
                ask.form(&[&proof, form].concat()).send().await
            }
            (None, Some(secret)) => {
                let basic = STANDARD.encode_to_string(format!("{}:{secret}", rp.id));
                ask.header("authorization", &format!("Basic {basic}")).form(form).send().await
            }
            (None, None) => ask.form(&[&[("client_id", &*rp.id)], form].concat()).send().await,
        }
    }

    /// Its `aud` is the issuer and nothing else.
    fn assertion(&self, rp: &Rp, key: &SigningKey) -> String {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let claims = ClientAssertionClaims {
            iss: rp.id.clone(),
            sub: rp.id.clone(),
            aud: self.issuer.as_str().into(),
            jti: format!("op-{}", SERIAL.fetch_add(1, Ordering::Relaxed)),
            exp: self.now() + 60,
            ..ClientAssertionClaims::default()
        };
        sign::<ClientAssertion>(key, &claims).unwrap()
    }

    /// The claims of an ID token, verified as the client verifies it.
    pub async fn id_token(&self, rp: &Rp, tokens: &Answer) -> IdClaims {
        let verifier =
            Verifier::<IdToken>::builder().issuer(&*self.issuer).audience(&*rp.id).keys(self.keys().await).build();
        verifier.verify(&tokens.text("id_token"), self.now()).unwrap().into_inner()
    }

    pub async fn keys(&self) -> Vec<VerifyingKey> {
        let set = self.get(&self.endpoint("jwks_uri")).send().await.expect(200);
        // OpenID Connect takes RS256 where an RSA key does not say what it is for.
        let key = |jwk: &Jwk| VerifyingKey::from_jwk(jwk).or_else(|_| VerifyingKey::from_jwk_as(jwk, Algorithm::RS256));
        JwkSet::parse(set.body.as_bytes()).unwrap().keys.iter().map(|jwk| key(jwk).unwrap()).collect()
    }
}

impl Site for Op {
    fn ask(&self, method: Method, url: &str) -> Ask {
        match &self.kind {
            Kind::Ours { rig, .. } => rig.request(method, self.path(url)),
            Kind::Theirs(provider) => Ask::over(provider.address, method, self.path(url)),
        }
    }
}

impl Rp {
    /// Signs with another key from now on, and says which.
    pub fn rotate(&mut self, kid: &str) -> Value {
        let key = SigningKey::generate(Algorithm::ES256, kid).unwrap();
        let set = jwks(&key);
        self.key = Some(key);
        set
    }

    /// The public half of its key.
    pub fn jwks(&self) -> Value {
        jwks(self.key.as_ref().unwrap())
    }
}

/// What the suite's dynamic clients register.
pub fn metadata() -> Value {
    json!({
        "redirect_uris": ["https://rp.example/cb"], "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "token_endpoint_auth_method": "private_key_jwt", "scope": SCOPES,
    })
}

fn standard_claims() -> Value {
    json!({
        "name": "Ada King", "family_name": "King", "given_name": "Ada", "middle_name": "Augusta", "nickname": "Ada",
        "preferred_username": "ada", "profile": "https://ada.example", "picture": "https://ada.example/me.png",
        "website": "https://ada.example", "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London",
        "locale": "en-GB", "updated_at": 1_790_000_000, "phone_number": "+44 20 7946 0000", "phone_number_verified": true,
        "address": { "street_address": "12 St James's Square", "country": "GB" },
    })
}

/// The same as this issuer keeps it.
fn attributes() -> Value {
    let mut attributes = standard_claims();
    let attributes_map = attributes.as_object_mut().unwrap();
    attributes_map.remove("address");
    let place = json!({
        "street_address": "12 St James's Square", "locality": "London", "postal_code": "SW1Y 4JH", "country": "GB",
    });
    attributes_map.extend(place.as_object().unwrap().clone());
    attributes
}

/// Makes a test of each module, `name::ours` and `name::theirs`.
macro_rules! at_each {
    ($($(#[$attribute:meta])* async fn $name:ident($op:ident: Op) $body:block)+) => {
        $crate::oidcc::op::run_at! { theirs $($(#[$attribute])* async fn $name($op: Op) $body)+ }
    };
}
pub(super) use at_each;

/// The same for modules that set the provider's clock.
macro_rules! at_each_with_a_clock {
    ($($(#[$attribute:meta])* async fn $name:ident($op:ident: Op) $body:block)+) => {
        $crate::oidcc::op::run_at! { theirs_with_a_clock $($(#[$attribute])* async fn $name($op: Op) $body)+ }
    };
}
pub(super) use at_each_with_a_clock;

macro_rules! run_at {
    ($other:ident $($(#[$attribute:meta])* async fn $name:ident($op:ident: Op) $body:block)+) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "some modules need nothing of their file")]
            use super::*;
            use $crate::oidcc::op::Op;

            async fn module($op: Op) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn ours() {
                module(Op::ours().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn theirs() {
                module(Op::$other().await).await;
            }
        }
    )+};
}
pub(super) use run_at;

/// Makes a test of a module that is run against this issuer alone; `docs/conformance.md` says why.
macro_rules! at_ours {
    ($($(#[$attribute:meta])* async fn $name:ident($op:ident: Op) $body:block)+) => {$(
        $(#[$attribute])*
        #[tokio::test]
        async fn $name() {
            let $op = $crate::oidcc::op::Op::ours().await;
            $body
        }
    )+};
}
pub(super) use at_ours;
