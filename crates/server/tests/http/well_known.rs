//! Metadata, keys, health.

use http::Method;
use serde_json::Value;

use crate::rig::{ISSUER, Rig};

// KEY-05
#[tokio::test]
async fn the_key_set_is_public_cacheable_and_holds_no_private_member() {
    let rig = Rig::sqlite().await;
    let first = rig.get("/.well-known/jwks.json").send().await.expect(200);
    assert_eq!(first.headers["cache-control"], "public, max-age=300");
    assert_eq!(first.headers["access-control-allow-origin"], "*");
    let keys = first.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 1);
    for member in ["d", "k", "p", "q"] {
        assert_eq!(keys[0][member], Value::Null);
    }
    assert_eq!((keys[0]["alg"].as_str(), keys[0]["use"].as_str()), (Some("ES256"), Some("sig")));
    let etag = first.headers["etag"].to_str().unwrap();
    let again = rig.get("/.well-known/jwks.json").header("if-none-match", etag).send().await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""));
}

// OAU-16
#[tokio::test]
async fn the_metadata_names_this_issuer_and_nothing_that_does_not_work() {
    let rig = Rig::sqlite().await;
    let metadata = rig.get("/.well-known/openid-configuration").send().await.expect(200).json();
    assert_eq!(metadata["issuer"], ISSUER);
    for member in [
        "jwks_uri",
        "token_endpoint",
        "authorization_endpoint",
        "pushed_authorization_request_endpoint",
        "device_authorization_endpoint",
        "userinfo_endpoint",
        "end_session_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "service_documentation",
        "revocation_feed_uri",
        "revocation_feed_jwks_uri",
    ] {
        let path = metadata[member].as_str().unwrap().strip_prefix(ISSUER).unwrap();
        assert_ne!(rig.get(path).send().await.status.as_u16(), 404, "{member}");
    }
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["code"]));
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    let algs = metadata["id_token_signing_alg_values_supported"].as_array().unwrap();
    assert!(algs.contains(&"RS256".into()) && algs.contains(&"ES256".into()) && !algs.contains(&"HS256".into()));
    assert_eq!(metadata["revocation_feed_heartbeat_ms"], 200);
    assert_eq!(metadata["access_token_ttl_cap"], 3600);
    assert_eq!(rig.get("/.well-known/oauth-authorization-server").send().await.expect(200).json(), metadata);
}

#[tokio::test]
async fn health_readiness_errors_and_openapi_answer() {
    let rig = Rig::sqlite().await;
    rig.get("/healthz").send().await.expect(200);
    rig.get("/readyz").send().await.expect(200);
    let page = rig.get("/docs/errors").send().await.expect(200).body;
    for code in countersign_server::errors::CODES {
        assert!(page.contains(&format!("id=\"{}\"", code.name)), "{}", code.name);
    }
    assert_eq!(rig.get("/openapi.json").send().await.expect(200).json()["openapi"], "3.0.3");
    rig.app.start_draining();
    rig.get("/readyz").send().await.refused(503, "unavailable");
    rig.get("/healthz").send().await.expect(200);
}

// What lies ready passes by the router and its layers; a HEAD does not. Both say the same, and both are counted.
#[tokio::test]
async fn what_lies_ready_says_what_the_router_would_say() {
    for issuer in ["http://localhost:8080", "https://id.example"] {
        let rig = Rig::with(&[("issuer", issuer)]).await;
        for path in
            ["/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
        {
            let mut ready = rig.get(path).send().await.expect(200).headers;
            let mut routed = rig.request(Method::HEAD, path).send().await.expect(200).headers;
            assert_ne!(ready.remove("x-request-id").unwrap(), routed.remove("x-request-id").unwrap());
            routed.remove("content-length");
            assert_eq!(ready, routed, "{path}");
            rig.post(path).send().await.refused(405, "method-not-allowed");
            let metrics = rig.get("/metrics").local().send().await.expect(200).body;
            for method in ["GET", "HEAD"] {
                let count = format!("_requests_total{{method=\"{method}\",route=\"{path}\",status=\"200\"}} 1");
                assert!(metrics.contains(&count), "{count}: {metrics}");
            }
        }
    }
}

// CSR-09, CSR-10
#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let rig = Rig::sqlite().await;
    for path in ["/healthz", "/nothing", "/session", "/docs/errors", "/.well-known/jwks.json"] {
        let answer = rig.get(path).send().await;
        for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!answer.headers.contains_key("strict-transport-security"));
    }
    assert_eq!(rig.get("/session").send().await.headers["cache-control"], "no-store");
    let https = Rig::with(&[("issuer", "https://id.example")]).await;
    assert!(https.get("/healthz").send().await.headers.contains_key("strict-transport-security"));
}
