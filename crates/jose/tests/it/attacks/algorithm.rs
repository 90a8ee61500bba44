//! The algorithm.

use super::*;

// TOK-03; CVE-2015-9235, CVE-2022-23540; RFC 8725 §3.1
#[test]
fn none_in_every_spelling() {
    let forger = Forger::new(ES256);
    for name in ["none", "None", "NONE", "nOnE", "none ", "no\u{0}ne", "", "null", "NoNe\n"] {
        let header = serde_json::json!({"alg": name, "kid": "k1", "typ": "at+jwt"}).to_string();
        let input = format!("{}.{}", b64::encode(&header), b64::encode(payload()));
        for token in [format!("{input}."), forger.sign(&header, payload())] {
            assert_eq!(forger.verify(&token), Err(unknown(name)));
        }
    }
}

// RFC 7515 §4.1.1
#[test]
fn algorithm_absent_or_not_a_text() {
    let forger = Forger::new(ES256);
    assert_eq!(forger.with_header(r#"{"kid":"k1","typ":"at+jwt"}"#), Err(Error::HeaderMissing { member: "alg" }));
    for alg in ["null", "[]", r#"["ES256"]"#, "0", "true", r#"{"ES256":1}"#] {
        let header = format!(r#"{{"alg":{alg},"kid":"k1","typ":"at+jwt"}}"#);
        assert_eq!(forger.with_header(header), Err(Error::HeaderMalformed { member: "alg" }), "{alg}");
    }
}

// RFC 8725 §3.1: an allowlist, compared exactly
#[test]
fn algorithms_that_do_not_exist_here() {
    let forger = Forger::new(ES256);
    for name in [
        "es256",
        "ES256 ",
        "HS1",
        "RS1",
        "ES256K1",
        "ES256KR",
        "ML-DSA",
        "ML-DSA-44 ",
        "mldsa44",
        "Ed448",
        "RSA1_5",
        "dir",
        "A128GCM",
        "SHA256",
        "ES\u{ff12}56",
    ] {
        let header = format!(r#"{{"alg":"{name}","kid":"k1","typ":"at+jwt"}}"#);
        assert_eq!(forger.with_header(header), Err(unknown(name)));
    }
}

// TOK-01, TOK-02; RFC 8725 §3.1: the key decides; every pair of algorithms
#[test]
fn the_header_never_chooses_the_algorithm() {
    for mine in Algorithm::all() {
        let (_, public) = pair(mine);
        for theirs in Algorithm::all().filter(|theirs| *theirs != mine) {
            let forger = Forger::new(theirs);
            let refused = verifier(public.clone()).verify(&forger.token(), NOW);
            assert_eq!(refused, Err(Error::AlgorithmMismatch { expected: mine, got: theirs }));
        }
    }
}

// CVE-2015-9235, CVE-2016-10555, CVE-2023-48223, CVE-2024-54150, CVE-2026-34950; RFC 8725 §2.1
#[test]
fn public_key_as_hmac_secret_in_pem() {
    let spki = [
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n",
        "-----BEGIN RSA PUBLIC KEY-----\nMIIBCgKCAQEA\n-----END RSA PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIBCgKCAQEA\n-----END CERTIFICATE-----",
        "\n \t-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n", // the blank that defeated an anchored expression
        "x509: -----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
    ];
    for text in spki {
        refuse_secret(text.as_bytes());
    }
}

// CVE-2015-9235; RFC 8725 §2.1
#[test]
fn public_key_as_hmac_secret_in_der() {
    for alg in [ES256, Algorithm::RS256, Algorithm::Ed25519] {
        let (key, _) = pair(alg);
        refuse_secret(&key.to_pkcs8().unwrap());
    }
    let spki_ec = b64::decode(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72bfocs3-257rn0s2ldbqkLJK2KRiMohYjlrQ",
    );
    refuse_secret(&spki_ec.unwrap());
    let modulus = b64::decode(RFC7638_N).unwrap();
    let pkcs1 = [&[0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0], modulus.as_slice(), &[2, 3, 1, 0, 1]].concat();
    refuse_secret(&pkcs1);
    // The frame of the PEM text left out, as consoles show it.
    refuse_secret(base64_lines(&pkcs1).as_bytes());
}

// CVE-2015-9235, CVE-2026-48526; RFC 8725 §2.1: the key in the very form in which it is published
#[test]
fn public_key_as_hmac_secret_in_jwk() {
    let (key, _) = pair(ES256);
    let jwk = serde_json::to_string(&key.public_jwk().unwrap()).unwrap();
    refuse_secret(jwk.as_bytes());
    refuse_secret(format!("\n  {jwk}\n").as_bytes());
    refuse_secret(format!("{{\"keys\":[{jwk}]}}").as_bytes());
}

// CVE-2022-29217: the text that ssh-keygen writes
#[test]
fn public_key_as_hmac_secret_in_openssh() {
    refuse_secret(b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPuDj3N5UMKk8Xl4Qm1 user@host");
    refuse_secret(b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDJ4hYWnmJ user@host");
    refuse_secret(b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI user@host");
}

// CVE-2022-29217 for elliptic curves: the bare point
#[test]
fn public_key_as_hmac_secret_as_a_point() {
    let members: serde_json::Value = serde_json::from_str(EC_JWK).unwrap();
    let coordinate = |name: &str| b64::decode(members[name].as_str().unwrap()).unwrap();
    refuse_secret(&[&[4][..], &coordinate("x"), &coordinate("y")].concat());
}

// What begins as a point does, and is none, is as good a secret as any
#[test]
fn secret_that_only_looks_like_a_key() {
    for secret in [[&[4][..], &[7; 64]].concat(), [&[0x30, 0x82][..], &[7; 64]].concat(), vec![b'{'; 65]] {
        assert!(SigningKey::hmac(Algorithm::HS512, "k", &secret).is_ok());
        assert!(VerifyingKey::hmac(Algorithm::HS512, "k", &secret).is_ok());
    }
}

// RFC 8725 §2.1: even where a secret of public bytes was made elsewhere, the verifier's key is for another algorithm
#[test]
fn token_signed_with_the_public_key_as_secret() {
    for alg in [ES256, Algorithm::RS256, Algorithm::Ed25519] {
        let (key, public) = pair(alg);
        let header = r#"{"alg":"HS256","kid":"k1","typ":"at+jwt"}"#;
        let input = format!("{}.{}", b64::encode(header), b64::encode(payload()));
        let secret = key.public_jwk().unwrap().thumbprint(); // known to everybody
        let confused = SigningKey::hmac(Algorithm::HS256, "k1", secret.as_bytes()).unwrap();
        let token = format!("{input}.{}", b64::encode(confused.sign_raw(input.as_bytes()).unwrap()));
        let refused = Err(Error::AlgorithmMismatch { expected: alg, got: Algorithm::HS256 });
        assert_eq!(verifier(public).verify(&token, NOW), refused);
    }
}

fn refuse_secret(secret: &[u8]) {
    let refused = Error::Key(KeyError::SecretIsKey);
    let text = String::from_utf8_lossy(secret);
    assert_eq!(VerifyingKey::hmac(Algorithm::HS256, "k1", secret).unwrap_err(), refused, "{text}");
    assert_eq!(SigningKey::hmac(Algorithm::HS256, "k1", secret).unwrap_err(), refused, "{text}");
}

/// Standard base64 in lines of 64 characters, as in PEM.
fn base64_lines(bytes: &[u8]) -> String {
    let mut text = b64::encode(bytes).replace('-', "+").replace('_', "/");
    text.push_str(["", "", "==", "="][text.len() % 4]);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    lines.join("\n")
}

// TOK-04; RFC 7518 §3.2; RFC 8725 §3.5; CVE-2025-45769
#[test]
fn weak_hmac_secrets() {
    for len in [0, 1, 6, 31] {
        let refused = Error::Key(KeyError::SecretShort(len));
        assert_eq!(SigningKey::hmac(Algorithm::HS256, "k1", &SECRET[..len]).unwrap_err(), refused);
        assert_eq!(VerifyingKey::hmac(Algorithm::HS256, "k1", &SECRET[..len]).unwrap_err(), refused);
    }
    assert!(SigningKey::hmac(Algorithm::HS256, "k1", SECRET).is_ok());
    let short = r#"{"kty":"oct","k":"c2VjcmV0","kid":"k1"}"#;
    let refused = SigningKey::from_jwk(Algorithm::HS256, short.as_bytes()).unwrap_err();
    assert_eq!(refused, Error::Key(KeyError::SecretShort(6)));
}

// TOK-02: one RSA key, two paddings and three hashes
#[test]
fn rsa_signature_of_another_padding_or_hash() {
    let rsa = || Algorithm::all().filter(|alg| alg.kty() == "RSA");
    for (signed, expected) in rsa().flat_map(|signed| rsa().map(move |expected| (signed, expected))) {
        let forger = Forger::new(signed);
        let relabelled = format!(r#"{{"alg":"{expected}","kid":"k1","typ":"at+jwt"}}"#);
        let token = forger.sign(relabelled, payload());
        let (_, public) = pair(expected);
        let outcome = verifier(public).verify(&token, NOW).map(drop);
        assert_eq!(outcome, if signed == expected { Ok(()) } else { Err(Error::Signature) });
    }
}
