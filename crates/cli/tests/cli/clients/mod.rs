//! Client libraries of other people sign in against a running server, unchanged: npm's openid-client, Python's authlib, and the
//! crate oauth2. The libraries make every request but the browser's, and judge every answer.

mod browser;
mod other_grants;
mod upstream;

use browser::{Browser, EMAIL};
use serde_json::{Value, json};

use crate::{
    peers::Process,
    rig::{PASSWORD, Rig, Server, member},
};

const REDIRECT: &str = "https://app.example/cb";
const AFTER: &str = "https://app.example/bye";
const SCOPE: &str = "openid email offline_access";

/// A running issuer with one person.
struct Site {
    rig: Rig,
    _server: Server,
    issuer: String,
}

impl Site {
    /// `scheme`: `https` as behind a proxy that speaks TLS.
    fn open(scheme: &str, settings: &[(&str, &str)]) -> Self {
        let rig = Rig::new();
        let issuer = format!("{scheme}://127.0.0.1:{}", rig.address.port());
        let mut variables =
            vec![("COUNTERSIGN_ISSUER", &*issuer), ("COUNTERSIGN_LIMITS_ADDRESS_PER_MINUTE", "1000000")];
        variables.extend(settings);
        let server = rig.serve(&variables);
        let person = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
        assert_eq!(rig.admin("POST", "/api/admin/users", &person).unwrap().0, 201);
        Self { rig, _server: server, issuer }
    }

    /// Registers a client that proves itself by this method, and sets it up in its library.
    fn client<'s>(&'s self, library: &'s Process, id: &str, method: &str, dpop: bool) -> Client<'s> {
        let public = method == "none";
        let grants = ["authorization_code", "refresh_token", "client_credentials"];
        let mut wanted = json!({
            "client_id": id, "public": public, "grants": grants[..if public { 2 } else { 3 }], "audiences": ["api"],
            "scopes": ["openid", "email", "offline_access", "orders:read"], "dpop_bound_access_tokens": dpop,
            "redirect_uris": [REDIRECT], "post_logout_redirect_uris": [AFTER],
        });
        let key = (method == "private_key_jwt").then(key);
        if let Some(key) = &key {
            let mut shown = key.clone();
            shown.as_object_mut().unwrap().remove("d");
            wanted["jwks"] = json!({ "keys": [shown] });
        }
        if !public {
            wanted["serves"] = json!(["api"]);
        }
        self.set_up(library, method, &wanted, key.as_ref())
    }

    /// Registers a client, and sets it up in its library.
    fn set_up<'s>(&'s self, library: &'s Process, method: &str, wanted: &Value, key: Option<&Value>) -> Client<'s> {
        let id = text(wanted, "client_id");
        let (status, added) = self.rig.admin("POST", "/api/admin/clients", &wanted.to_string()).unwrap();
        assert_eq!(status, 201, "{added}");
        let secret = method.starts_with("client_secret").then(|| member(&added, "client_secret"));
        let set_up = json!({
            "op": "setup", "issuer": self.issuer, "id": id, "method": method, "secret": secret, "key": key,
            "redirect": REDIRECT, "dpop": wanted["dpop_bound_access_tokens"],
        });
        let number = library.ask(&set_up).unwrap()["client"].clone();
        Client { library, id, public: method == "none", number }
    }

    fn browser(&self) -> Browser {
        Browser::new(self.rig.address, &self.issuer)
    }
}

/// The key of RFC 7515, appendix A.3.
fn key() -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "mine",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    })
}

/// A client as its library knows it.
struct Client<'s> {
    library: &'s Process,
    id: String,
    public: bool,
    number: Value,
}

impl Client<'_> {
    fn ask(&self, op: &str, more: Value) -> Result<Value, String> {
        let Value::Object(mut request) = more else { panic!("{more}") };
        request.insert("op".to_owned(), op.into());
        request.insert("client".to_owned(), self.number.clone());
        self.library.ask(&Value::Object(request))
    }

    #[track_caller]
    fn good(&self, op: &str, more: Value) -> Value {
        self.ask(op, more).unwrap_or_else(|why| panic!("{} {op}: {why}", self.id))
    }

    /// One that the library reports as this error.
    #[track_caller]
    fn refused(&self, op: &str, more: Value, error: &str) {
        let why = self.ask(op, more).unwrap_err();
        assert!(why.contains(error), "{} {op}: {why}", self.id);
    }

    #[track_caller]
    fn begin(&self, more: &Value) -> String {
        text(&self.good("begin", json!({ "scope": SCOPE, "more": more })), "url")
    }

    #[track_caller]
    fn sign_in(&self, browser: &mut Browser) -> Value {
        let back = browser.visit(&self.begin(&json!({})));
        self.good("finish", json!({ "url": back }))
    }
}

#[track_caller]
fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// Every flow that a client can go: sign-in, refresh, introspection, a token of its own, revocation.
fn every_flow(client: &Client<'_>, browser: &mut Browser) -> Value {
    let signed_in = client.sign_in(browser);
    let tokens = &signed_in["tokens"];
    let refreshed = client.good("refresh", json!({ "token": text(tokens, "refresh_token") }));
    let (access, refresh) = (text(&refreshed["tokens"], "access_token"), text(&refreshed["tokens"], "refresh_token"));
    assert_ne!((&access, &refresh), (&text(tokens, "access_token"), &text(tokens, "refresh_token")));
    if !client.public {
        let told = client.good("introspect", json!({ "token": access }));
        assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!(client.id)));
        let own = client.good("credentials", json!({ "scope": "orders:read", "resource": "api" }));
        assert_eq!(own["tokens"]["scope"], "orders:read");
    }
    client.good("revoke", json!({ "token": refresh }));
    client.refused("refresh", json!({ "token": refresh }), "invalid_grant");
    if !client.public {
        assert_eq!(client.good("introspect", json!({ "token": access }))["active"], false);
    }
    signed_in
}

/// What a library of OpenID Connect can do besides: who it is, and signing out.
fn identity(client: &Client<'_>, browser: &mut Browser) {
    let signed_in = client.sign_in(browser);
    let (tokens, claims) = (&signed_in["tokens"], &signed_in["claims"]);
    assert_eq!((&claims["aud"], &claims["amr"]), (&json!(client.id), &json!(["pwd"])));
    let access = text(tokens, "access_token");
    let told = client.good("userinfo", json!({ "token": access, "sub": text(claims, "sub") }));
    assert_eq!((&told["sub"], &told["email"]), (&claims["sub"], &json!(EMAIL)));
    let more = json!({ "hint": text(tokens, "id_token"), "to": AFTER, "state": "s 1" });
    let out = browser.visit(&text(&client.good("logout", more), "url"));
    assert!(out == format!("{AFTER}?state=s+1"), "{out}");
    client.refused("refresh", json!({ "token": text(tokens, "refresh_token") }), "invalid_grant");
}

// OAU-08, OAU-16: each way in which a client proves itself.
#[test]
fn openid_client_goes_every_flow_by_each_method() {
    let (site, library) = (Site::open("http", &[]), Process::node("openid_client.mjs"));
    for method in ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"] {
        let client = site.client(&library, &format!("node-{method}"), method, false);
        let mut browser = site.browser();
        every_flow(&client, &mut browser);
        identity(&client, &mut browser);
    }
}

// RFC 9449: code, refresh, a token of its own, UserInfo; with and without nonces of the server.
#[test]
fn openid_client_binds_its_tokens_to_a_key() {
    let library = Process::node("openid_client.mjs");
    for nonce in ["off", "required"] {
        let site = Site::open("http", &[("COUNTERSIGN_DPOP_NONCE", nonce)]);
        for method in ["none", "private_key_jwt"] {
            let client = site.client(&library, &format!("bound-{method}"), method, true);
            let mut browser = site.browser();
            let signed_in = every_flow(&client, &mut browser);
            assert!(text(&signed_in["tokens"], "token_type").eq_ignore_ascii_case("DPoP"));
            identity(&client, &mut browser);
        }
    }
}

// RFC 9126, with and without a key that the tokens are bound to.
#[test]
fn openid_client_pushes_its_requests() {
    let (site, library) = (Site::open("http", &[]), Process::node("openid_client.mjs"));
    for (id, method, dpop) in
        [("basic", "client_secret_basic", false), ("key", "private_key_jwt", true), ("open", "none", true)]
    {
        let client = site.client(&library, id, method, dpop);
        let begun = client.good("begin", json!({ "scope": SCOPE, "pushed": true }));
        let url = text(&begun, "url");
        assert!(url.contains("request_uri=urn") && !url.contains("code_challenge"), "{url}");
        let back = site.browser().visit(&url);
        let signed_in = client.good("finish", json!({ "url": back }));
        assert_eq!(signed_in["claims"]["aud"], client.id);
    }
}

#[test]
fn authlib_goes_every_flow_by_each_method() {
    let (site, library) = (Site::open("http", &[]), Process::python("authlib_client.py"));
    for method in ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"] {
        let client = site.client(&library, &format!("python-{method}"), method, false);
        let mut browser = site.browser();
        every_flow(&client, &mut browser);
        identity(&client, &mut browser);
    }
}

#[test]
fn the_crate_oauth2_goes_every_flow_by_each_method() {
    let (site, library) = (Site::open("https", &[]), Process::rust("oauth2-client"));
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        let client = site.client(&library, &format!("rust-{method}"), method, false);
        every_flow(&client, &mut site.browser());
    }
}

// What goes wrong is told in words that each library understands.
#[test]
fn each_library_hears_why_it_gets_nothing() {
    for (scheme, library) in [
        ("http", Process::node("openid_client.mjs")),
        ("http", Process::python("authlib_client.py")),
        ("https", Process::rust("oauth2-client")),
    ] {
        let site = Site::open(scheme, &[]);
        let client = site.client(&library, "app", "client_secret_basic", false);
        let mut browser = site.browser();
        let denied = browser.visit_and(&client.begin(&json!({})), "deny");
        client.refused("finish", json!({ "url": denied }), "access_denied");
        let silent = site.browser().visit(&client.begin(&json!({ "prompt": "none" })));
        client.refused("finish", json!({ "url": silent }), "login_required");
        let more = text(&client.good("begin", json!({ "scope": "openid admin" })), "url");
        client.refused("finish", json!({ "url": browser.visit(&more) }), "invalid_scope");
        // OAU-05: the second use of a code, with another verifier even.
        let back = browser.visit(&client.begin(&json!({})));
        client.good("finish", json!({ "url": back }));
        let state = |url: &str| url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let fresh = client.begin(&json!({}));
        client.refused("finish", json!({ "url": back.replace(&state(&back), &state(&fresh)) }), "invalid_grant");
        client.refused("refresh", json!({ "token": "rt1.garbage" }), "invalid_grant");
        client.refused("credentials", json!({ "scope": "admin", "resource": "api" }), "invalid_scope");
    }
}

// RFC 9207, OpenID Connect Core §3.1.3.7: what the library refuses, since the server says enough.
#[test]
fn openid_client_notices_another_issuer_and_a_sign_in_that_is_too_old() {
    let (site, library) = (Site::open("http", &[]), Process::node("openid_client.mjs"));
    let client = site.client(&library, "app", "client_secret_post", false);
    let mut browser = site.browser();
    let back = browser.visit(&client.begin(&json!({})));
    let (kept, _) = back.split_once("&iss=").unwrap();
    client.refused("finish", json!({ "url": format!("{kept}&iss=https%3A%2F%2Fevil.example") }), "iss");
    client.refused("finish", json!({ "url": kept }), "iss");
    // OAU-06: with the right name the same code is good.
    client.good("finish", json!({ "url": back }));
    // MFA-06: the library checks `auth_time` itself.
    let back = browser.visit(&client.begin(&json!({ "max_age": "0" })));
    client.good("finish", json!({ "url": back }));
}
