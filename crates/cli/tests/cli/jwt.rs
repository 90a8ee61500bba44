//! `countersign jwt`, `jwk`, `jwks` and `explain` as a person runs them: no configuration, no data folder, no network.

use serde_json::Value;

use crate::rig::{Rig, member, mode};

/// Every algorithm of signatures and of encryption by its registered name.
const SIGNATURES: [&str; 17] = [
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "Ed25519",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];
const ENCRYPTIONS: [&str; 14] = [
    "A128KW",
    "A192KW",
    "A256KW",
    "A128GCMKW",
    "A192GCMKW",
    "A256GCMKW",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "RSA-OAEP-384",
    "RSA-OAEP-512",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A192KW",
    "ECDH-ES+A256KW",
];
const CHECKS: [&str; 4] = ["--issuer", "https://id.example", "--audience", "orders"];

/// Draws a key into `NAME.jwk`, and its public half into `NAME.pub` where it has one.
fn key(rig: &Rig, alg: &str, name: &str) {
    let (private, public) = (format!("{name}.jwk"), format!("{name}.pub"));
    let mut arguments = vec!["jwk", "generate", "--alg", alg, "-o", &private];
    if !(alg.starts_with("HS") || (alg.starts_with('A') && alg.ends_with("KW"))) {
        arguments.extend(["--public-out", &public]);
    }
    rig.expect(0, &arguments, "");
}

fn token(rig: &Rig, key: &str, more: &[&str]) -> String {
    let mut arguments = vec!["jwt", "sign", "--key", key, "--subject", "user-1"];
    arguments.extend(CHECKS);
    arguments.extend(more);
    rig.expect(0, &arguments, "").0.trim().to_owned()
}

#[track_caller]
fn verify(rig: &Rig, code: i32, key: &str, token: &str, more: &[&str]) -> (String, String) {
    let mut arguments = vec!["jwt", "verify", "--key", key];
    arguments.extend(CHECKS);
    arguments.extend(more);
    rig.expect(code, &arguments, token)
}

/// The token with the last character but four of one of its parts changed.
fn altered(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let at = parts[part].len() - 5;
    let other = if &parts[part][at..=at] == "A" { "B" } else { "A" };
    parts[part].replace_range(at..=at, other);
    parts.join(".")
}

#[test]
fn every_algorithm_signs_and_verifies_and_no_other_key_does() {
    let rig = Rig::new();
    for alg in SIGNATURES {
        key(&rig, alg, alg);
        assert_eq!(mode(&rig.folder.path().join(format!("{alg}.jwk"))), 0o600);
        let secret = alg.starts_with("HS");
        let verifying = if secret { format!("{alg}.jwk") } else { format!("{alg}.pub") };
        let token = token(&rig, &format!("{alg}.jwk"), &[]);
        let (out, _) = verify(&rig, 0, &verifying, &token, &[]);
        assert_eq!(member(&out, "sub"), "user-1");
        let (_, err) = verify(&rig, 1, &verifying, &altered(&token, 2), &[]);
        assert!(err.contains("bad_signature"), "{alg}: {err}");
        // The key is bound to its algorithm; another one's key is refused, whatever the header says.
        let other = if alg == "ES256" { "ES384" } else { "ES256" };
        key(&rig, other, "other");
        let (out, _) = verify(&rig, 1, "other.jwk", &token, &["--json"]);
        assert!(["unknown_key", "algorithm_mismatch"].contains(&member(&out, "code").as_str()), "{alg}: {out}");
        std::fs::remove_file(rig.folder.path().join("other.jwk")).unwrap();
        std::fs::remove_file(rig.folder.path().join("other.pub")).unwrap();
    }
    assert!(!rig.data().exists());
}

#[test]
fn what_does_not_hold_is_refused_with_its_code() {
    let rig = Rig::new();
    key(&rig, "ES256", "k");
    let code = |token: &str, more: &[&str]| {
        let (out, _) = verify(&rig, 1, "k.pub", token, &[more, &["--json"]].concat());
        member(&out, "code")
    };
    let good = token(&rig, "k.jwk", &[]);
    assert_eq!(code(&token(&rig, "k.jwk", &["--ttl", "0s"]), &["--leeway", "0s"]), "expired");
    assert_eq!(code(&good, &["--at", "2100-01-01T00:00:00Z"]), "expired");
    assert_eq!(code(&good, &["--at", "1000"]), "issued_in_future");
    assert_eq!(code(&good, &["--max-lifetime", "1m"]), "lifetime_too_long");
    assert_eq!(code(&good, &["--typ", "access"]), "wrong_type");
    assert_eq!(code(&altered(&good, 1), &[]), "bad_signature");
    assert_eq!(code(&good.replace('.', ".."), &[]), "wrong_parts");
    assert_eq!(code(&format!("{good}="), &[]), "bad_character");
    // TOK-03: {"alg":"none"} in every spelling
    for none in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIn0", "eyJhbGciOiJOT05FIn0"] {
        let payload = good.split('.').nth(1).unwrap();
        assert_eq!(code(&format!("{none}.{payload}."), &[]), "algorithm_unknown");
    }
    let (out, _) = rig.expect(
        1,
        &["jwt", "verify", "--key", "k.pub", "--issuer", "https://id.example", "--audience", "beta", "--json", &good],
        "",
    );
    assert_eq!((member(&out, "code"), member(&out, "got")), ("wrong_audience".into(), "orders".into()));
    let (_, err) =
        rig.expect(1, &["jwt", "verify", "--key", "k.pub", "--issuer", "https://x", "--any-audience", &good], "");
    assert!(err.contains("wrong_issuer"), "{err}");
}

#[test]
fn a_question_that_cannot_be_decided_is_a_usage_error() {
    let rig = Rig::new();
    key(&rig, "RS256", "rsa");
    key(&rig, "ES256", "k");
    let token = token(&rig, "k.jwk", &[]);
    verify(&rig, 2, "missing.jwk", &token, &[]);
    std::fs::write(rig.folder.path().join("noise"), "noise").unwrap();
    let (_, err) = verify(&rig, 2, "noise", &token, &[]);
    assert!(err.contains("key_form"), "{err}");
    rig.expect(2, &["jwt", "verify", "--key", "k.pub", "--issuer", "https://id.example", &token], "");
    rig.expect(2, &["jwt", "verify", "--key", "k.pub", "--any-audience", &token], "");
    let bearer = format!("Bearer {token}");
    let (_, err) = rig.expect(2, &[&["jwt", "verify", "--key", "k.pub"][..], &CHECKS, &[&bearer]].concat(), "");
    assert!(err.contains("neither a file nor a token"), "{err}");
    // Narrowing: ES256 is not RS256, and an RSA key without `alg` needs one.
    verify(&rig, 2, "k.pub", &token, &["--alg", "RS256"]);
    verify(&rig, 2, "k.pub", &token, &["--alg", "none"]);
    rig.expect(0, &["jwk", "convert", "--to", "pem", "-o", "rsa.pem", "rsa.jwk"], "");
    let (_, err) = verify(&rig, 2, "rsa.pem", &token, &[]);
    assert!(err.contains("name the algorithm with --alg"), "{err}");
    let (_, err) = rig.expect(2, &["jwk", "generate", "--alg", "none"], "");
    assert!(err.contains("ES256"), "{err}");
    for twice in [["jwt", "verify", "--raw", "--key", "-", "-"], ["jwt", "sign", "--raw", "--key", "-", "-"]] {
        let (_, err) = rig.expect(2, &twice, &std::fs::read_to_string(rig.folder.path().join("k.jwk")).unwrap());
        assert!(err.contains("standard input"), "{err}");
    }
}

// ADM-06
#[test]
fn a_secret_comes_from_a_file_and_is_bound_to_an_algorithm() {
    let rig = Rig::new();
    std::fs::write(rig.folder.path().join("secret"), "0123456789abcdef0123456789abcdef\n").unwrap();
    std::fs::write(rig.folder.path().join("short"), "0123456789abcdef").unwrap();
    let sign = |code, file, alg: &[&str]| {
        let arguments =
            [&["jwt", "sign", "--secret-file", file][..], alg, &CHECKS, &["--claim", "admin=true"]].concat();
        rig.expect(code, &arguments, "").0.trim().to_owned()
    };
    let token = sign(0, "secret", &["--alg", "HS256"]);
    sign(2, "secret", &[]);
    sign(2, "short", &["--alg", "HS256"]);
    sign(2, "secret", &["--alg", "HS512"]);
    let arguments = [&["jwt", "verify", "--secret-file", "secret", "--alg", "HS256"][..], &CHECKS, &[&token]].concat();
    let (out, _) = rig.expect(0, &arguments, "");
    assert!(out.contains("\"admin\": true"), "{out}");
    assert!(!token.is_empty() && !rig.expect(0, &["jwt", "decode", &token], "").0.contains("\"kid\""));
}

#[test]
fn decode_says_on_every_output_that_nothing_was_verified() {
    let rig = Rig::new();
    key(&rig, "ES256", "k");
    let token = altered(&token(&rig, "k.jwk", &[]), 2);
    let (out, err) = rig.expect(0, &["jwt", "decode", "-"], &token);
    assert!(out.starts_with("NOTHING WAS VERIFIED") && err.contains("NOTHING WAS VERIFIED"), "{out}{err}");
    assert!(out.contains("user-1") && out.contains("exp   2") && !out.contains('\u{1b}'), "{out}");
    let (out, err) = rig.expect(0, &["--json", "jwt", "decode", &token], "");
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["verified"], false);
    assert!(answer["warning"].as_str().unwrap().contains("NOTHING") && err.contains("NOTHING"));
    assert_eq!((&answer["payload"]["sub"], &answer["header"]["alg"]), (&"user-1".into(), &"ES256".into()));
    rig.expect(1, &["jwt", "decode", "-"], "no token");
}

#[test]
fn explain_shows_every_check_and_its_code_has_a_page() {
    let rig = Rig::new();
    key(&rig, "ES256", "k");
    let token = token(&rig, "k.jwk", &[]);
    let explain = |code, token: &str| {
        let arguments = [&["--json", "jwt", "explain", "--key", "k.pub"][..], &CHECKS, &[token]].concat();
        let answer: Value = serde_json::from_str(&rig.expect(code, &arguments, "").0).unwrap();
        answer["checks"].as_array().unwrap().clone()
    };
    assert!(explain(0, &token).iter().all(|row| row["state"] == "passed"));
    let rows = explain(1, &altered(&token, 2));
    let states: Vec<_> = rows.iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states[..5], ["passed", "passed", "passed", "passed", "failed"]);
    assert!(states[5..].iter().all(|state| *state == "not reached"));
    let code = rows[4]["code"].as_str().unwrap();
    assert!(rows[4]["fix"].as_str().unwrap().len() > 20);
    let (out, _) = rig.expect(0, &["explain", code], "");
    assert!(out.starts_with("bad_signature"), "{out}");
    let arguments = [&["jwt", "explain", "--key", "k.pub"][..], &CHECKS, &["--at", "1", &token]].concat();
    let (out, _) = rig.expect(1, &arguments, "");
    assert!(out.contains("FAILED") && out.contains("issued_in_future") && !out.contains('\u{1b}'), "{out}");
    rig.expect(0, &["explain", "token-invalid"], "");
    let (_, err) = rig.expect(2, &["explain", "signature"], "");
    assert!(err.contains("bad_signature"), "{err}");
}

#[test]
fn any_payload_in_any_serialization() {
    let rig = Rig::new();
    key(&rig, "ES256", "a");
    key(&rig, "Ed25519", "b");
    std::fs::write(rig.folder.path().join("payload"), b"any bytes \xff\0").unwrap();
    let payload = std::fs::read(rig.folder.path().join("payload")).unwrap();
    let verify = |code, message: &str, more: &[&str]| {
        let output = rig.run(&[&["jwt", "verify", "--raw", "--key", "a.pub"], more].concat(), message);
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    for format in ["compact", "flattened", "general"] {
        let sign = ["jwt", "sign", "--raw", "--format", format, "--key", "a.jwk", "payload"];
        let (message, _) = rig.expect(0, &sign, "");
        assert_eq!(verify(0, &message, &[]), payload);
        assert_eq!(verify(1, &message, &["--key", "b.pub", "--all-keys"]), b"");
        let (message, _) = rig.expect(0, &[&sign[..], &["--detached"]].concat(), "");
        assert_eq!(verify(0, &message, &["--payload", "payload"]), payload);
        verify(1, &message, &[]);
        verify(1, &message, &["--payload", "a.pub"]);
    }
    let both = ["jwt", "sign", "--raw", "--format", "general", "--key", "a.jwk", "--key", "b.jwk", "payload"];
    let (message, _) = rig.expect(0, &both, "");
    assert_eq!(verify(0, &message, &["--key", "b.pub", "--all-keys"]), payload);
    let (out, _) = rig.expect(0, &["--json", "jwt", "verify", "--raw", "--key", "b.pub", "-"], &message);
    assert!(!member(&out, "payload_base64url").is_empty());
    let (message, _) = rig.expect(0, &["jwt", "sign", "--raw", "--unencoded", "--key", "a.jwk", "-"], "as it stands");
    verify(1, &message, &[]);
    assert_eq!(verify(0, &message, &["--allow-unencoded"]), b"as it stands");
}

#[test]
fn every_algorithm_encrypts_and_decrypts() {
    let rig = Rig::new();
    for (index, alg) in ENCRYPTIONS.into_iter().enumerate() {
        key(&rig, alg, alg);
        let private = format!("{alg}.jwk");
        let public = format!("{alg}.pub");
        let to = if rig.folder.path().join(&public).exists() { &public } else { &private };
        let enc = ["A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"][index % 6];
        let format = ["compact", "flattened", "general"][index % 3];
        let (message, _) =
            rig.expect(0, &["jwt", "encrypt", "--key", to, "--enc", enc, "--format", format], "meet me at noon");
        let decrypt = ["jwt", "decrypt", "--raw", "--key", &private];
        assert_eq!(rig.expect(0, &decrypt, &message).0, "meet me at noon", "{alg}");
        let (_, err) = rig.expect(
            1,
            &[&decrypt[..], &["--enc", if enc == "A128GCM" { "A256GCM" } else { "A128GCM" }]].concat(),
            &message,
        );
        assert!(err.contains("content_algorithm"), "{err}");
        if format == "compact" {
            let (_, err) = rig.expect(1, &decrypt, &altered(message.trim(), 3));
            assert!(err.contains("decrypt_failed"), "{err}");
        }
    }
    // TOK-13: a password only where one was given
    std::fs::write(rig.folder.path().join("password"), "correct horse battery staple\n").unwrap();
    let password = ["--alg", "PBES2-HS256+A128KW", "--password-file", "password"];
    let (message, _) = rig.expect(0, &[&["jwt", "encrypt"][..], &password].concat(), "hello");
    assert_eq!(rig.expect(0, &[&["jwt", "decrypt", "--raw"][..], &password].concat(), &message).0, "hello");
    rig.expect(1, &["jwt", "decrypt", "--raw", "--key", "A128KW.jwk"], &message);
}

// TOK-11
#[test]
fn a_token_that_is_encrypted_is_verified_too() {
    let rig = Rig::new();
    key(&rig, "ES256", "signer");
    key(&rig, "ECDH-ES+A256KW", "reader");
    let token = token(&rig, "signer.jwk", &[]);
    let decrypt = |code, message: &str, audience: &str| {
        let keys = ["jwt", "decrypt", "--key", "reader.jwk", "--signer-key", "signer.pub"];
        let checks = ["--issuer", "https://id.example", "--audience", audience];
        rig.expect(code, &[&keys[..], &checks].concat(), message)
    };
    let (message, _) = rig.expect(0, &["jwt", "encrypt", "--signed", "--key", "reader.pub", &token], "");
    assert_eq!(member(&decrypt(0, &message, "orders").0, "sub"), "user-1");
    assert!(decrypt(1, &message, "beta").1.contains("wrong_audience"));
    let (message, _) = rig.expect(0, &["jwt", "encrypt", "--key", "reader.pub"], "{\"sub\":\"admin\"}");
    assert!(decrypt(1, &message, "orders").1.contains("wrong_content_type"));
    let claims = r#"{"sub":"admin"}"#;
    let (message, _) = rig.expect(0, &["jwt", "encrypt", "--cty", "JWT", "--key", "reader.pub"], claims);
    assert!(decrypt(1, &message, "orders").1.contains("refused"));
    assert!(decrypt(1, &token, "orders").1.contains("not_encrypted"));

    // An RSA key that names no algorithm verifies nothing until it is told.
    key(&rig, "RS256", "rsa");
    rig.expect(0, &["jwk", "convert", "--to", "pem", "--public", "-o", "rsa.pem", "rsa.jwk"], "");
    let message =
        rig.expect(0, &["jwt", "encrypt", "--signed", "--key", "reader.pub"], &self::token(&rig, "rsa.jwk", &[]));
    let decrypt = |code, more: &[&str]| {
        let keys = ["jwt", "decrypt", "--key", "reader.jwk", "--signer-key", "rsa.pem"];
        rig.expect(code, &[&keys[..], &CHECKS, more].concat(), &message.0)
    };
    assert!(decrypt(2, &[]).1.contains("--signer-alg"));
    assert_eq!(member(&decrypt(0, &["--signer-alg", "RS256"]).0, "sub"), "user-1");
    decrypt(0, &["--signer-alg", "PS256", "--signer-alg", "RS256"]);
    decrypt(1, &["--signer-alg", "PS256"]);
}

#[test]
fn keys_in_all_their_forms_are_the_same_key() {
    let rig = Rig::new();
    for (alg, narrow) in [("ES256", None), ("RS256", Some("RS256")), ("Ed25519", None), ("ML-DSA-44", None)] {
        key(&rig, alg, alg);
        let token = token(&rig, &format!("{alg}.jwk"), &[]);
        let narrow: Vec<&str> = narrow.map(|alg| vec!["--alg", alg]).unwrap_or_default();
        let (thumbprint, _) = rig.expect(0, &["jwk", "thumbprint", &format!("{alg}.jwk")], "");
        for form in ["jwk", "jwks", "pem", "der"] {
            for public in [true, false] {
                let file = format!("{alg}.{public}.{form}");
                let source = format!("{alg}.jwk");
                let mut arguments = vec!["jwk", "convert", "--to", form, "-o", &file, &source];
                if public {
                    arguments.push("--public");
                }
                rig.expect(0, &arguments, "");
                verify(&rig, 0, &file, &token, &narrow);
                assert_eq!(rig.expect(0, &["jwk", "thumbprint", &file], "").0, thumbprint);
                let (out, _) = rig.expect(0, &["--json", "jwk", "show", &file], "");
                assert!(!out.contains("\"d\"") && !out.contains("\"priv\""), "{out}");
            }
        }
        let (out, _) = rig.expect(0, &["jwk", "show", &format!("{alg}.jwk")], "");
        assert!(out.contains("private") && out.contains(thumbprint.trim()), "{out}");
    }
    let (_, err) = rig.expect(2, &["jwk", "generate", "--alg", "ES256", "-o", "ES256.jwk"], "");
    assert!(err.contains("--force"), "{err}");
    key(&rig, "HS256", "secret");
    rig.expect(2, &["jwk", "thumbprint", "secret.jwk"], "");
    rig.expect(2, &["jwk", "convert", "--to", "pem", "secret.jwk"], "");
    rig.expect(2, &["jwk", "convert", "--to", "jwk", "--public", "secret.jwk"], "");
    let (out, _) = rig.expect(0, &["--json", "jwk", "show", "secret.jwk"], "");
    assert!(!out.contains("\"k\""), "{out}");
}

#[test]
fn a_published_key_set_is_looked_at() {
    let rig = Rig::new();
    key(&rig, "ES256", "k");
    rig.expect(0, &["jwk", "convert", "--to", "jwks", "--public", "-o", "good.json", "k.jwk"], "");
    rig.expect(0, &["jwk", "convert", "--to", "jwks", "-o", "leak.json", "k.jwk"], "");
    let (out, _) = rig.expect(0, &["jwks", "lint", "good.json"], "");
    assert!(out.contains("no problem"), "{out}");
    let (out, _) = rig.expect(1, &["--json", "jwks", "lint", "leak.json"], "");
    assert!(out.contains("key_private"), "{out}");
    let (out, _) = rig.expect(1, &["--json", "jwks", "lint", "-"], r#"{"keys":[]}"#);
    assert!(out.contains("no key in the set"), "{out}");
    rig.expect(0, &["jwks", "show", "good.json"], "");
    rig.expect(3, &["jwks", "show", &format!("http://{}/jwks", rig.address)], "");
    let _server = rig.serve(&[]);
    let address = format!("http://{}/.well-known/jwks.json", rig.address);
    let (out, _) = rig.expect(0, &["jwks", "show", &address], "");
    assert!(out.contains("ES256"), "{out}");
    rig.expect(0, &["jwks", "lint", &address], "");
}

#[test]
fn two_tokens_are_compared() {
    let rig = Rig::new();
    key(&rig, "ES256", "k");
    let (a, b) =
        (token(&rig, "k.jwk", &["--claim", "n=1"]), token(&rig, "k.jwk", &["--claim", "n=2", "--claim", "m=x"]));
    let (out, err) = rig.expect(0, &["--json", "jwt", "diff", &a, &b], "");
    let answer: Value = serde_json::from_str(&out).unwrap();
    let places: Vec<_> =
        answer["differences"].as_array().unwrap().iter().map(|row| row["at"].as_str().unwrap()).collect();
    assert!(
        places.contains(&"payload.n") && places.contains(&"payload.m") && !places.contains(&"payload.sub"),
        "{out}"
    );
    assert_eq!(answer["verified"], false);
    assert!(err.contains("NOTHING WAS VERIFIED"), "{err}");
    let (out, _) = rig.expect(0, &["jwt", "diff", &a, &a], "");
    assert!(out.contains("the two say the same"), "{out}");
}
