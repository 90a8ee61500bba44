//! Config OP: the provider's metadata.

use serde_json::Value;

use super::op::{Op, at_each};
use crate::rig::Rig;

fn texts(metadata: &Value, member: &str) -> Vec<String> {
    let list = metadata[member].as_array().unwrap_or_else(|| panic!("{member} is no list: {}", metadata[member]));
    list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

at_each! {
    async fn oidcc_discovery_endpoint_verification(op: Op) {
        let answer = op.get("/.well-known/openid-configuration").send().await.expect(200);
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/json"));
        for member in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "registration_endpoint"] {
            let url = op.metadata[member].as_str().unwrap();
            assert!(url.starts_with(&format!("{}/", op.issuer)) && !url.contains('#'), "{member}: {url}");
        }
        complete(&op.metadata);
        keys(&op).await;
    }

    async fn oidcc_rp_initiated_logout_discovery_endpoint_verification(op: Op) {
        let url = op.metadata["end_session_endpoint"].as_str().unwrap();
        assert!(url.starts_with(&format!("{}/", op.issuer)) && !url.contains(['#', '?']), "{url}");
    }

    async fn oidcc_backchannel_logout_discovery_endpoint_verification(op: Op) {
        assert!(op.metadata["end_session_endpoint"].is_string());
        for flag in ["backchannel_logout_supported", "backchannel_logout_session_supported"] {
            assert_eq!(op.metadata[flag], true, "{flag}");
        }
        keys(&op).await;
    }
}

/// What the suite wants to find.
fn complete(metadata: &Value) {
    let has =
        |member: &str, wanted: &str| assert!(texts(metadata, member).iter().any(|found| found == wanted), "{member}");
    has("scopes_supported", "openid");
    has("response_types_supported", "code");
    has("response_modes_supported", "query");
    has("grant_types_supported", "authorization_code");
    has("subject_types_supported", "public");
    has("subject_types_supported", "pairwise");
    has("id_token_signing_alg_values_supported", "RS256");
    has("token_endpoint_auth_methods_supported", "client_secret_basic");
    has("token_endpoint_auth_methods_supported", "private_key_jwt");
    has("claims_supported", "sub");
    for algs in metadata.as_object().unwrap().keys().filter(|name| name.ends_with("_alg_values_supported")) {
        assert!(!texts(metadata, algs).iter().any(|alg| alg.eq_ignore_ascii_case("none")), "{algs}");
    }
    // What is true if it is left out is said.
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    for flag in ["claims_parameter_supported", "request_parameter_supported"] {
        assert!(metadata[flag].is_boolean(), "{flag}");
    }
}

/// What the keys must be, wherever a module fetches them (KEY-05).
pub async fn keys(op: &Op) -> Vec<Value> {
    let keys = op.get(&op.endpoint("jwks_uri")).send().await.expect(200).json()["keys"].as_array().unwrap().clone();
    let mut names: Vec<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), keys.len(), "each key has a name of its own");
    for key in &keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key[private].is_null(), "{private}");
        }
    }
    keys
}

// The suite wants each endpoint at https, as at a public issuer.
#[tokio::test]
async fn every_endpoint_of_a_public_issuer_is_at_https() {
    let rig = Rig::with(&[("issuer", "https://id.example")]).await;
    let metadata = rig.get("/.well-known/openid-configuration").send().await.expect(200).json();
    assert_eq!(metadata["issuer"], "https://id.example");
    let endpoints =
        metadata.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri"));
    for (name, url) in endpoints {
        assert!(url.as_str().unwrap().starts_with("https://id.example/"), "{name}: {url}");
    }
}
