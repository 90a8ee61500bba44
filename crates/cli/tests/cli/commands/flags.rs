//! Each flag of `countersign client add` and `client update`, by what the issuer says that the client is afterwards.

use serde_json::{Value, json};

use crate::rig::Rig;

/// Runs a command on a client, and checks these members of what it is then.
#[track_caller]
fn becomes(rig: &Rig, command: &[&str], wanted: &Value) {
    let (out, _) = rig.expect(0, &[&["--json", "client"], command].concat(), "");
    let client: Value = serde_json::from_str(&out).unwrap();
    for (member, value) in wanted.as_object().unwrap() {
        assert_eq!(&client[member], value, "{member} after {command:?}");
    }
}

/// The public half of a new key, in a file.
fn key(rig: &Rig, alg: &str) -> (String, Value) {
    let (private, _) = rig.expect(0, &["jwk", "generate", "--alg", alg], "");
    let mut jwk: Value = serde_json::from_str(&private).unwrap();
    jwk.as_object_mut().unwrap().remove("d");
    let file = rig.folder.path().join(format!("{alg}.json"));
    std::fs::write(&file, jwk.to_string()).unwrap();
    (file.to_str().unwrap().to_owned(), jwk)
}

pub fn every_flag_of_a_client(rig: &Rig) {
    let (signs, public) = key(rig, "ES256");
    let (opens, recipient) = key(rig, "ECDH-ES+A256KW");
    let full = [
        &["add", "flags", "--name", "All flags", "--redirect-uri", "https://flags.example/cb", "--required-acr=2"][..],
        &["--backchannel-logout-uri", "https://flags.example/out", "--id-token-alg", "RS256", "--consent", "implied"],
        &["--par", "--signed-requests", "--jwks", &signs, "--dpop", "--serves", "api", "--exchange", "api"],
        &["--access-token-format", "opaque", "--userinfo-alg", "ES256", "--encrypt-id-token", &opens],
    ];
    let grants = json!(["authorization_code", "refresh_token", "token_exchange"]);
    becomes(
        rig,
        &full.concat(),
        &json!({
            "name": "All flags", "grants": grants, "serves": ["api"], "exchanges": ["api"], "consent": "implied",
            "backchannel_logout_uri": "https://flags.example/out", "id_token_alg": "RS256",
            "require_pushed_authorization_requests": true, "require_signed_request_object": true,
            "dpop_bound_access_tokens": true, "access_token_format": "opaque", "userinfo_signed_response_alg": "ES256",
            "id_token_encryption": { "jwk": recipient, "enc": "A256GCM" }, "jwks": { "keys": [public] },
            "subject_type": "public", "sector": null, "required_acr": "2",
        }),
    );
    let less = [
        &["update", "flags", "--par", "false", "--signed-requests", "false", "--dpop", "false", "--serves", ""][..],
        &["--exchange", "", "--grant", "authorization_code", "--access-token-format", "signed", "--userinfo-alg", ""],
        &["--encrypt-id-token", "", "--backchannel-logout-uri", "", "--jwks-uri", "https://flags.example/keys"],
    ];
    becomes(
        rig,
        &less.concat(),
        &json!({
            "require_pushed_authorization_requests": false, "require_signed_request_object": false, "name": "All flags",
            "dpop_bound_access_tokens": false, "serves": [], "exchanges": [], "grants": ["authorization_code"],
            "access_token_format": "signed", "userinfo_signed_response_alg": null, "id_token_encryption": null,
            "backchannel_logout_uri": null, "jwks": null, "jwks_uri": "https://flags.example/keys",
        }),
    );
    pairwise(rig);
    rig.expect(0, &["audience", "add", "sealed", "--encryption-key", &opens], "");
    let (out, _) = rig.expect(0, &["--json", "audience", "update", "sealed", "--encryption-key", ""], "");
    assert!(out.contains("\"encryption\": null"), "{out}");
    rig.expect(0, &["audience", "remove", "sealed", "--yes"], "");
    let refused = [
        &["update", "flags", "--exchange", "api"][..],
        &["update", "flags", "--pairwise", "true"],
        &["update", "flags", "--jwks-uri", "http://flags.example/keys"],
        &["add", "secret", "--signed-requests"],
    ];
    for command in refused {
        rig.expect(1, &[&["client"], command].concat(), "");
    }
    let misused = [
        &["add", "both", "--jwks", &signs, "--jwks-uri", "https://flags.example/keys"][..],
        &["add", "open", "--public", "--jwks-uri", "https://flags.example/keys"],
        &["add", "lone", "--sector", "flags.example"],
        &["update", "flags", "--access-token-format", "plain"],
    ];
    for command in misused {
        rig.expect(2, &[&["client"], command].concat(), "");
    }
    rig.expect(0, &["client", "remove", "flags", "--yes"], "");
}

fn pairwise(rig: &Rig) {
    becomes(rig, &["update", "flags", "--required-acr", "1"], &json!({ "required_acr": "1" }));
    let uris = ["--redirect-uri", "https://one.example/cb", "--redirect-uri", "https://two.example/cb"];
    rig.expect(1, &[&["client", "add", "pair", "--pairwise"][..], &uris].concat(), "");
    let added = [&["add", "pair", "--pairwise", "--sector", "house.example"][..], &uris].concat();
    let wanted = json!({ "subject_type": "pairwise", "sector": "house.example", "access_token_format": "opaque" });
    becomes(rig, &added, &wanted);
    let public = ["update", "pair", "--pairwise", "false", "--access-token-format", "signed"];
    becomes(rig, &public, &json!({ "subject_type": "public", "sector": null }));
    let at = ["add", "keys", "--jwks-uri", "https://keys.example/set"];
    becomes(rig, &at, &json!({ "jwks_uri": "https://keys.example/set", "client_secret": null, "public": false }));
    for client in ["pair", "keys"] {
        rig.expect(0, &["client", "remove", client, "--yes"], "");
    }
}

/// A picture of one red pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\
                       \xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

// ADM-05
pub fn looks(rig: &Rig) {
    let file = rig.folder.path().join("logo.png");
    std::fs::write(&file, PIXEL).unwrap();
    let path = file.to_str().unwrap();
    let brand = |more: &[&str]| {
        let (out, _) = rig.expect(0, &[&["--json", "client", "brand", "orders"], more].concat(), "");
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let none = json!({ "logo": null, "colour": null, "policy_uri": null, "tos_uri": null });
    assert_eq!(brand(&[]), none);
    let links = ["--policy-uri", "https://orders.example/privacy", "--tos-uri", "https://orders.example/terms"];
    let set = brand(&[&["--logo", path, "--colour", "#1F4FD1"][..], &links].concat());
    assert_eq!((&set["colour"], &set["tos_uri"]), (&json!("#1f4fd1"), &json!("https://orders.example/terms")));
    assert!(set["logo"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    assert_eq!(brand(&["--colour", ""])["policy_uri"], "https://orders.example/privacy");
    let (out, _) = rig.expect(0, &["client", "brand", "orders"], "");
    assert!(out.contains("a picture") && out.contains("https://orders.example/terms"), "{out}");
    std::fs::write(&file, "<svg onload='alert(1)'/>").unwrap();
    for bad in [["--logo", path], ["--colour", "red"], ["--policy-uri", "http://orders.example/"]] {
        rig.expect(1, &[&["client", "brand", "orders"][..], &bad].concat(), "");
    }
    rig.expect(1, &["client", "brand", "nobody", "--colour", "#000000"], "");
    rig.expect(2, &["client", "brand", "orders", "--logo", "/does/not/exist"], "");
    assert_eq!(brand(&["--logo", "", "--policy-uri", "", "--tos-uri", ""]), none);
}
