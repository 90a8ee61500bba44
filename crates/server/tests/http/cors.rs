//! Which answers a page of another origin may read (CSR-08).

use countersign_server::routes::{ROUTES, Takes, Verb};
use http::Method;

use crate::rig::{Answer, Rig};

const EVIL: &str = "https://evil.example";

/// What is for every page: adding to this list is a decision.
const OPEN: &[&str] = &[
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
    "/clients",
    "/clients/{id}",
    "/par",
    "/revocations/{stream}/jwks.json",
    "/revoke",
    "/token",
    "/userinfo",
];

fn allowed(answer: &Answer) -> Vec<&str> {
    answer.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("access-control-")).collect()
}

// CSR-08, by generation from the table: no other row has any such header, whoever asks and however it ends.
#[tokio::test]
async fn pages_of_other_origins_read_what_the_table_says_and_nothing_else() {
    let rig = Rig::sqlite().await;
    for route in ROUTES {
        assert_eq!(route.any_origin, OPEN.contains(&route.path), "{}", route.path);
        let path =
            route.path.replace("{id}", "x").replace("{sid}", "x").replace("{stream}", "0").replace("{colour}", "x");
        let method = match route.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
            Verb::Delete => Method::DELETE,
        };
        let ask = rig.request(method, &path).header("origin", EVIL);
        let answer = match route.takes {
            Takes::Json(_) => ask.raw("application/json", "{}"),
            Takes::Form(_) => ask.form(&[("client_id", "x")]),
            Takes::Nothing | Takes::Query(_) => ask,
        };
        let answer = answer.send().await;
        let asked = ["authorization", "dpop", "content-type"].join(",");
        let preflight = rig.request(Method::OPTIONS, &path).header("origin", EVIL);
        let preflight = preflight.header("access-control-request-method", route.verb.as_str());
        let preflight = preflight.header("access-control-request-headers", &asked).send().await;
        if !route.any_origin {
            assert_eq!((allowed(&answer), allowed(&preflight)), (vec![], vec![]), "{path}");
            preflight.refused(405, "method-not-allowed");
            continue;
        }
        for answer in [&answer, &preflight] {
            assert_eq!(answer.headers["access-control-allow-origin"], "*", "{path}: {}", answer.body);
            assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        }
        assert!(preflight.status.is_success(), "{path}: {}", preflight.body);
        let methods = preflight.headers["access-control-allow-methods"].to_str().unwrap();
        assert!(methods.split(", ").any(|method| method == route.verb.as_str()), "{path}: {methods}");
        let headers = preflight.headers["access-control-allow-headers"].to_str().unwrap();
        assert!(asked.split(',').all(|name| headers.contains(name)), "{headers}");
    }
}

// A refusal is an answer, too: without these headers a page would see a network error, and no nonce (RFC 9449 §8).
#[tokio::test]
async fn a_page_can_read_why_it_was_refused() {
    let rig = Rig::sqlite().await;
    let refused = rig.get("/userinfo").header("origin", EVIL).bearer("x").send().await.refused(401, "token-invalid");
    assert_eq!(refused.headers["access-control-allow-origin"], "*");
    let exposed = refused.headers["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("dpop-nonce") && exposed.contains("www-authenticate"), "{exposed}");
}

// CSR-05: a page of another origin cannot use the browser's sign-in at the token endpoint either.
#[tokio::test]
async fn a_cookie_counts_for_nothing_in_a_page_of_another_origin() {
    let rig = Rig::sqlite().await;
    rig.register("ada@example.com").await;
    let body =
        serde_json::json!({ "email": "ada@example.com", "password": crate::rig::PASSWORD, "transport": "cookie" });
    let signed_in = rig.post("/login").json(&body).same_origin().send().await.expect(200);
    let cookie = signed_in.cookie("signin").unwrap();
    let ask = |origin: &str| {
        let ask = rig.post("/token").form(&[("grant_type", "refresh_token")]).cookie("signin", &cookie);
        ask.header("origin", origin).send()
    };
    ask(EVIL).await.refused(400, "cross-site");
    ask(crate::rig::ISSUER).await.expect(200);
}
