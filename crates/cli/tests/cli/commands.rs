//! The commands, with a running server and without one.

mod flags;

use crate::rig::{PASSWORD, Rig, member};

// OAU-08: a secret overlaps with the next one for as long as is said. Of a key the public half goes to the issuer; the
// private one does not leave the machine.
fn secrets_and_keys(rig: &Rig) {
    let (out, _) = rig.expect(0, &["--json", "client", "rotate-secret", "orders"], "");
    assert!(member(&out, "client_secret").starts_with("csk_"));
    rig.expect(0, &["client", "rotate-secret", "orders", "--overlap", "1d"], "");
    rig.expect(1, &["client", "rotate-secret", "orders", "--overlap", "91d"], "");
    let (private, _) = rig.expect(0, &["jwk", "generate", "--alg", "ES256"], "");
    let jwk: serde_json::Value = serde_json::from_str(&private).unwrap();
    let mut public = jwk.clone();
    public.as_object_mut().unwrap().remove("d");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let path = file.to_str().unwrap();
    std::fs::write(&file, public.to_string()).unwrap();
    let (out, _) = rig.expect(0, &["--json", "client", "add", "signer", "--jwks", path], "");
    let added: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&added["client_secret"], &added["jwks"]["keys"][0]["x"]), (&serde_json::Value::Null, &public["x"]));
    std::fs::write(&file, serde_json::json!({ "keys": [public] }).to_string()).unwrap();
    rig.expect(0, &["client", "update", "orders", "--jwks", path], "");
    rig.expect(1, &["client", "rotate-secret", "orders"], "");
    for secret in [jwk.clone(), serde_json::json!({ "keys": [jwk] })] {
        std::fs::write(&file, secret.to_string()).unwrap();
        let (_, err) = rig.expect(2, &["client", "add", "leak", "--jwks", path], "");
        assert!(err.contains("private"), "{err}");
    }
}

fn clients(rig: &Rig, id: &str) {
    let (out, _) =
        rig.expect(0, &["--json", "client", "add", "orders", "--scope", "stock:read", "--access-token-ttl", "5m"], "");
    assert!(member(&out, "client_secret").starts_with("csk_"));
    secrets_and_keys(rig);
    flags::every_flag_of_a_client(rig);
    flags::looks(rig);
    let (out, _) = rig.expect(0, &["--json", "user", "identities", id], "");
    assert!(out.contains("\"items\": []"), "{out}");
    rig.expect(1, &["user", "disconnect", id, "https://other.example", "nobody"], "");
    let (out, _) = rig.expect(0, &["user", "mfa", "list", id], "");
    assert!(out.contains("recovery codes left: 0"), "{out}");
    let (out, _) = rig.expect(0, &["user", "mfa", "reset", id], "");
    assert!(out.contains("no second factor"), "{out}");
    rig.expect(1, &["user", "mfa", "list", "nobody@example.com"], "");
    rig.expect(0, &["client", "list"], "");
    let shop = ["--json", "client", "add", "shop", "--redirect-uri", "https://shop.example/cb"];
    let (out, _) = rig.expect(0, &[&shop[..], &["--post-logout-redirect-uri", "https://shop.example/"]].concat(), "");
    let added: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(added["grants"], serde_json::json!(["authorization_code", "refresh_token"]));
    assert_eq!(added["scopes"], serde_json::json!(["email", "openid", "profile"]));
    assert_eq!(added["redirect_uris"], serde_json::json!(["https://shop.example/cb"]));
    rig.expect(1, &["client", "add", "bad", "--redirect-uri", "http://shop.example/cb"], "");
    let update = ["--json", "client", "update", "shop", "--consent", "implied", "--post-logout-redirect-uri", ""];
    let (out, _) = rig.expect(0, &update, "");
    let updated: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&updated["consent"], &updated["post_logout_redirect_uris"]),
        (&"implied".into(), &serde_json::json!([]))
    );
    let (out, _) =
        rig.expect(0, &["client", "update", "orders", "--scope", "stock:read", "--scope", "stock:write"], "");
    assert!(out.contains("stock:read stock:write"), "{out}");
    rig.expect(0, &["client", "disable", "orders"], "");
    rig.expect(0, &["client", "enable", "orders"], "");
    revocations(rig, id);
    rig.expect(2, &["client", "remove", "orders"], "");
    rig.expect(0, &["client", "remove", "orders", "--yes"], "");
}

fn tour(rig: &Rig) {
    let (out, _) =
        rig.expect(0, &["user", "add", "ada@example.com", "--role", "admin", "--role", "buyer@orders"], PASSWORD);
    assert!(out.starts_with("added usr_"), "{out}");
    let (out, _) = rig.expect(0, &["--json", "user", "show", "ada@example.com"], "");
    let id = member(&out, "user_id");
    rig.expect(0, &["user", "show", &id], "");
    let (out, _) = rig.expect(0, &["user", "roles", &id, "--add", "tester", "--remove", "buyer@orders"], "");
    assert_eq!(out, "admin tester\n");
    let (out, _) = rig.expect(0, &["user", "list"], "");
    assert!(out.contains("ada@example.com"), "{out}");
    rig.expect(0, &["user", "password", &id], "seven green parrots sang\n");
    rig.expect(0, &["user", "add", "bob@example.com"], PASSWORD);
    rig.expect(0, &["user", "disable", "bob@example.com"], "");
    rig.expect(0, &["user", "enable", "bob@example.com"], "");

    clients(rig, &id);
    let (out, _) = rig.expect(0, &["audience", "add", "beta", "--alg", "HS256", "--claim", "tier=plan"], "");
    assert!(out.contains("kid ") && out.contains("secret"), "{out}");
    rig.expect(0, &["audience", "update", "beta", "--claim", "tier=level", "--access-token-ttl", "5m"], "");
    rig.expect(0, &["audience", "list"], "");
    rig.expect(2, &["audience", "remove", "beta"], "");
    rig.expect(0, &["audience", "remove", "beta", "--yes"], "");
    let (_, err) = rig.expect(1, &["audience", "remove", "api", "--yes"], "");
    assert!(err.contains("the issuer's own"), "{err}");
    let (out, _) = rig.expect(0, &["floor", "raise", "--over", "10s"], "");
    assert!(out.contains("rises to") && out.contains("effective"), "{out}");
    rig.expect(0, &["floor", "raise"], "");
    rig.expect(0, &["floor", "show"], "");
    rig.expect(0, &["session", "list", "ada@example.com"], "");
    rig.expect(0, &["key", "list"], "");
    let (out, _) = rig.expect(0, &["key", "rotate"], "");
    assert!(out.contains("published"), "{out}");
    let (out, _) = rig.expect(0, &["doctor"], "");
    assert!(!out.contains("WRONG"), "{out}");
}

/// Every kind; how it ends what it names is tested over HTTP.
fn revocations(rig: &Rig, user: &str) {
    let (out, _) = rig.expect(0, &["revoke", "user", "bob@example.com", "--reason", "left", "--wait=strict"], "");
    assert!(out.contains("effective") && out.contains("no service with the profile strict"), "{out}");
    let (out, _) = rig.expect(0, &["--json", "revoke", "user", user], "");
    assert!(out.contains("\"appended\": 1"), "{out}");
    rig.expect(0, &["revoke", "client", "orders"], "");
    rig.expect(0, &["revoke", "token", "a-jti"], "");
    rig.expect(1, &["revoke", "token", "-"], "not.a.token\n");
    rig.expect(1, &["revoke", "session", "nothing"], "");
    let (_, err) = rig.expect(2, &["revoke", "tenant", "default"], "");
    assert!(err.contains("--yes"), "{err}");
    rig.expect(0, &["revoke", "tenant", "default", "--yes"], "");
    let (out, _) = rig.expect(0, &["--json", "key", "list"], "");
    let keys: serde_json::Value = serde_json::from_str(&out).unwrap();
    let kid = keys["items"].as_array().unwrap().iter().find(|key| key["purpose"] == "token").unwrap()["kid"].clone();
    rig.expect(0, &["key", "revoke", kid.as_str().unwrap(), "--reason", "a test"], "");
    rig.expect(0, &["revoke", "key", kid.as_str().unwrap()], "");
    rig.expect(1, &["revoke", "key", "nothing"], "");
    rig.expect(0, &["audience", "disable-scope", "api", "stock:write"], "");
    let (out, _) = rig.expect(0, &["audience", "enable-scope", "api", "stock:write"], "");
    assert_eq!(out, "disabled at api: \n");
}

/// Names are base64url: one in 64 begins with a hyphen, and is no flag for that.
fn names_with_a_hyphen(rig: &Rig) {
    let (kid, sid, jti) = ("-07joRJNJSHL", "-7-Qm0o0lOqVQyPHR0ZyWk1_", "-q1nQm0o0lOqVQyPHR0ZyW");
    rig.expect(1, &["key", "revoke", kid, "--reason", "copied"], "");
    rig.expect(1, &["key", "revoke", "--reason", "copied", kid], "");
    rig.expect(1, &["session", "revoke", sid], "");
    rig.expect(0, &["revoke", "token", jti, "--reason", "copied"], "");
    let (key, _) = rig.expect(0, &["jwk", "generate", "--alg", "ES256", "--kid", kid], "");
    assert!(key.contains(kid), "{key}");
}

fn refusals(rig: &Rig) {
    let (_, err) = rig.expect(1, &["user", "add", "cyd@example.com"], "short");
    assert!(err.contains("at least 15 characters"), "{err}");
    let (_, err) = rig.expect(1, &["user", "show", "nobody@example.com"], "");
    assert!(err.contains("no such user"), "{err}");
    let (out, _) = rig.expect(1, &["--json", "user", "show", "nobody@example.com"], "");
    assert_eq!(member(&out, "code"), "not-found");
    rig.expect(1, &["user", "disable", "ada@example.com"], "");
    rig.expect(1, &["session", "revoke", "nothing"], "");
    rig.expect(2, &["user", "add", "cyd@example.com"], "");
    rig.expect(2, &["user", "frobnicate"], "");
}

#[test]
fn every_command_over_the_socket_of_a_running_server() {
    let rig = Rig::new();
    let _server = rig.serve(&[]);
    tour(&rig);
    refusals(&rig);
    names_with_a_hyphen(&rig);
}

#[test]
fn every_command_on_the_store_when_no_server_runs() {
    let rig = Rig::new();
    drop(rig.serve(&[]));
    tour(&rig);
    refusals(&rig);
    names_with_a_hyphen(&rig);
}

#[test]
fn without_a_data_folder_nothing_is_made() {
    let rig = Rig::new();
    let (_, err) = rig.expect(3, &["user", "list"], "");
    assert!(err.contains("there is no data folder"), "{err}");
    assert!(!rig.data().exists());
}

// ADM-06
#[test]
fn configuration_is_shown_with_its_origin_and_without_secrets() {
    let rig = Rig::new();
    std::fs::write(rig.folder.path().join("countersign.toml"), "database = \"postgres://u:hunter2@db.example/x\"\n")
        .unwrap();
    let (out, _) = rig.expect(0, &["config", "show", "--origin"], "");
    assert!(out.contains("environment COUNTERSIGN_LISTEN") && out.contains("file countersign.toml"), "{out}");
    assert!(!out.contains("hunter2"), "{out}");
    rig.expect(0, &["config", "check"], "");
    rig.expect(1, &["--set", "access_token_ttl=2h", "config", "check"], "");
}

#[test]
fn completions_and_manual_pages_are_made() {
    let rig = Rig::new();
    let (out, _) = rig.expect(0, &["completions", "bash"], "");
    assert!(out.contains("rotate-secret"), "{out}");
    rig.expect(0, &["man", "pages"], "");
    assert!(rig.folder.path().join("pages/countersign.1").exists());
    assert!(rig.folder.path().join("pages/countersign-user-add.1").exists());
}

#[test]
fn a_reader_that_had_enough_is_no_error() {
    let rig = Rig::new();
    for arguments in [&["config", "show"][..], &["--json", "config", "show"]] {
        let mut command = rig.command(arguments);
        let mut child =
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}
