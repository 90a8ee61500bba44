//! What the libraries can do besides sending a browser: let a device in (RFC 8628), exchange a token (RFC 8693).

use serde_json::{Value, json};

use super::{Client, EMAIL, Site, text};
use crate::peers::Process;

const SCOPE: &str = "openid email offline_access";

/// A client with these grants; `public` if it has no secret.
fn client<'s>(site: &'s Site, library: &'s Process, id: &str, public: bool, more: &Value) -> Client<'s> {
    let mut wanted = json!({
        "client_id": id, "public": public, "grants": ["device_code", "refresh_token"], "audiences": ["api"],
        "scopes": ["openid", "email", "offline_access", "read"],
    });
    wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    site.set_up(library, if public { "none" } else { "client_secret_basic" }, &wanted, None)
}

/// From the code on the device to its tokens.
fn let_in(site: &Site, client: &Client<'_>) -> Value {
    let begun = client.good("device", json!({ "scope": SCOPE }));
    site.browser().let_in(&text(&begun, "verification_uri_complete"));
    let got = client.good("poll", json!({}));
    let refreshed = client.good("refresh", json!({ "token": text(&got["tokens"], "refresh_token") }));
    assert_ne!(refreshed["tokens"]["access_token"], got["tokens"]["access_token"]);
    got
}

// OAU-17
#[test]
fn each_library_lets_a_device_in() {
    for (scheme, library, knows_people) in [
        ("http", Process::node("openid_client.mjs"), true),
        ("http", Process::python("authlib_client.py"), true),
        ("https", Process::rust("oauth2-client"), false),
    ] {
        let site = Site::open(scheme, &[]);
        for public in [true, false] {
            let client = client(&site, &library, if public { "tv" } else { "till" }, public, &json!({}));
            let got = let_in(&site, &client);
            if knows_people {
                assert_eq!(got["claims"]["aud"], client.id);
                let asked =
                    json!({ "token": text(&got["tokens"], "access_token"), "sub": text(&got["claims"], "sub") });
                assert_eq!(client.good("userinfo", asked)["email"], EMAIL);
            }
        }
    }
}

// RFC 8693: the next service's token, by a service that was shown one of its own.
#[test]
fn the_libraries_that_know_how_exchange_a_token() {
    for library in [Process::node("openid_client.mjs"), Process::python("authlib_client.py")] {
        let site = Site::open("http", &[]);
        let bills = json!({ "audience": "bills", "scopes": ["read"] }).to_string();
        assert_eq!(site.rig.admin("POST", "/api/admin/audiences", &bills).unwrap().0, 201);
        let tv = client(&site, &library, "tv", true, &json!({}));
        let more = json!({ "grants": ["client_credentials", "token_exchange"], "serves": ["api"], "exchanges": ["bills"], "scopes": ["read"] });
        let service = client(&site, &library, "orders", false, &more);
        let shown = text(&let_in(&site, &tv)["tokens"], "access_token");
        let got = service.good("exchange", json!({ "token": shown, "audience": "bills" }));
        let token = text(&got["tokens"], "access_token");
        assert_ne!(token, shown);
        assert_eq!(got["tokens"]["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        service.refused("exchange", json!({ "token": shown, "audience": "elsewhere" }), "invalid_target");
        service.refused("exchange", json!({ "token": "garbage", "audience": "bills" }), "invalid_");
    }
}
