//! Known attacks, one test each. A test forges with the issuer's own key wherever it can, so that it is the check under test that
//! refuses and not the signature.

#![cfg(test)]

mod support;

use std::time::Duration;

use countersign_jose::{
    Algorithm, Error, Jwk, JwkSet, KeyError, SigningKey, Unverified, Verifier, VerifyingKey, b64,
    limits::{MAX_DEPTH, MAX_JWK_SET_BYTES, MAX_KID_BYTES, MAX_TOKEN_BYTES},
    profile::AccessToken,
    sign,
};
use support::{vectors::*, *};

const ES256: Algorithm = Algorithm::ES256;

fn unknown(name: &str) -> Error {
    Error::AlgorithmUnknown { got: name.into() }
}

fn is_malformed(outcome: &Outcome, name: &str) -> bool {
    matches!(outcome, Err(Error::ClaimMalformed { claim, .. }) if *claim == name)
}

/// Replaces the signature of a token.
fn with_signature(token: &str, signature: &[u8]) -> String {
    format!("{}.{}", token.rsplit_once('.').unwrap().0, b64::encode(signature))
}

fn signature_of(token: &str) -> Vec<u8> {
    b64::decode(token.rsplit_once('.').unwrap().1).unwrap()
}

// ---- the algorithm ----

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

// ---- the key ----

// TOK-05; CVE-2018-0114; RFC 8725 §3.10
#[test]
fn key_embedded_in_the_header() {
    let (attacker, _) = pair(ES256);
    let jwk = serde_json::to_string(&attacker.public_jwk().unwrap()).unwrap();
    let forger = Forger::new(ES256);
    let token = forge(&attacker, forger.header_and(&format!("\"jwk\":{jwk}")).as_bytes(), payload().as_bytes());
    assert_eq!(forger.verify(&token), Err(Error::Signature));
    assert!(
        forger.with_header(forger.header_and(&format!("\"jwk\":{jwk}"))).is_ok(),
        "an unused member is only ignored"
    );
}

// TOK-05; RFC 8725 §3.10: request forgery on top
#[test]
fn key_set_url_in_the_header() {
    let (attacker, _) = pair(ES256);
    let forger = Forger::new(ES256);
    for member in [
        r#""jku":"https://evil.example/jwks.json""#,
        r#""jku":"http://169.254.169.254/""#,
        r#""jku":"file:///etc/passwd""#,
    ] {
        let token = forge(&attacker, forger.header_and(member).as_bytes(), payload().as_bytes());
        assert_eq!(forger.verify(&token), Err(Error::Signature));
    }
}

// TOK-05; RFC 8725 §3.10
#[test]
fn certificate_or_its_url_in_the_header() {
    let (attacker, _) = pair(ES256);
    let forger = Forger::new(ES256);
    for member in [r#""x5u":"https://evil.example/cert.pem""#, r#""x5c":["MIIB"]"#, r#""x5t#S256":"AAAA""#] {
        let token = forge(&attacker, forger.header_and(member).as_bytes(), payload().as_bytes());
        assert_eq!(forger.verify(&token), Err(Error::Signature));
    }
}

// KEY-05; RFC 8725 §3.10: path traversal, SQL, LDAP, shell, format strings
#[test]
fn key_id_as_a_path_or_a_query() {
    let forger = Forger::new(ES256);
    for kid in [
        "../../../../dev/null",
        "/etc/passwd",
        "k1' OR '1'='1",
        "k1' UNION SELECT 'key' --",
        "k1;id",
        "$(id)",
        "*)(kid=*",
        "%s%n",
        "K1",
        "k1 ",
        " k1",
        "k1\u{200b}",
        "https://evil.example/k1",
    ] {
        let header = serde_json::json!({"alg": "ES256", "kid": kid, "typ": "at+jwt"}).to_string();
        assert_eq!(forger.with_header(header), Err(Error::UnknownKey { kid: Some(kid.into()) }));
    }
}

// AUD-03: what would forge a line of the log, and what is no text at all
#[test]
fn key_id_that_is_no_name() {
    let forger = Forger::new(ES256);
    let long = format!("\"{}\"", "k".repeat(MAX_KID_BYTES + 1));
    for kid in [
        r#""k1\n2026-01-01 login ok""#,
        r#""k1\u0000""#,
        r#""\u001b[2J""#,
        r#""""#,
        "1",
        "null",
        "[\"k1\"]",
        "{}",
        &long,
    ] {
        let header = format!(r#"{{"alg":"ES256","kid":{kid},"typ":"at+jwt"}}"#);
        assert_eq!(forger.with_header(header), Err(Error::HeaderMalformed { member: "kid" }), "{kid}");
    }
}

// TOK-19: two issuers that use the same key id
#[test]
fn key_of_another_issuer_with_the_same_id() {
    let (mine, theirs) = (Forger::new(ES256), Forger::new(ES256));
    assert_eq!(mine.verify(&theirs.token()), Err(Error::Signature));
    let impostor = theirs.sign(theirs.header(), payload_with("iss", r#""https://evil.example""#));
    let refused = Err(Error::Issuer { expected: ISSUER.into(), got: "https://evil.example".into() });
    assert_eq!(theirs.verify(&impostor), refused);
}

// TOK-02: without a key id the choice is only ever the one key of the algorithm
#[test]
fn key_id_absent_among_several_keys() {
    let forger = Forger::new(ES256);
    let other = SigningKey::generate(ES256, "k2").unwrap();
    let nameless = forger.sign(r#"{"alg":"ES256","typ":"at+jwt"}"#, payload());
    assert!(forger.verify(&nameless).is_ok());
    let both = Verifier::<AccessToken>::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .keys([forger.public.clone(), other.verifying_key().unwrap()])
        .build();
    assert_eq!(both.verify(&nameless, NOW), Err(Error::UnknownKey { kid: None }));
    assert!(both.verify(&forger.token(), NOW).is_ok());
}

// RFC 7517 §4.2, §4.3
#[test]
fn key_published_for_encryption() {
    let members = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
    for usage in [r#""use":"enc""#, r#""key_ops":["encrypt"]"#, r#""key_ops":[]"#, r#""use":"sig","key_ops":["sign"]"#]
    {
        let jwk = Jwk::parse(format!("{{{members},{usage}}}").as_bytes()).unwrap();
        assert_eq!(VerifyingKey::from_jwk(&jwk).unwrap_err(), Error::Key(KeyError::NotForSignatures), "{usage}");
    }
    for usage in [r#""key_ops":["verify","verify"]"#, r#""key_ops":"verify""#, r#""key_ops":[1]"#] {
        let refused = Jwk::parse(format!("{{{members},{usage}}}").as_bytes()).unwrap_err();
        assert_eq!(refused, Error::Key(KeyError::Member("key_ops")), "{usage}");
    }
}

// TOK-02; CVE-2026-22817, CVE-2026-22818: `alg` of the key, where it is missing or another
#[test]
fn key_that_leaves_or_names_another_algorithm() {
    let rsa = format!(r#"{{"kty":"RSA","n":"{RFC7638_N}","e":"AQAB"}}"#);
    let rsa = Jwk::parse(rsa.as_bytes()).unwrap();
    assert_eq!(VerifyingKey::from_jwk(&rsa).unwrap_err(), Error::Key(KeyError::AlgorithmMissing));
    assert!(VerifyingKey::from_jwk_as(&rsa, Algorithm::PS256).is_ok());
    for wrong in [ES256, Algorithm::Ed25519, Algorithm::HS256] {
        assert_eq!(VerifyingKey::from_jwk_as(&rsa, wrong).unwrap_err(), Error::Key(KeyError::WrongAlgorithm(wrong)));
    }
    let named = format!(r#"{{"kty":"RSA","n":"{RFC7638_N}","e":"AQAB","alg":"RS256"}}"#);
    let named = Jwk::parse(named.as_bytes()).unwrap();
    let refused = VerifyingKey::from_jwk_as(&named, Algorithm::PS256).unwrap_err();
    assert_eq!(refused, Error::Key(KeyError::WrongAlgorithm(Algorithm::PS256)));
    let hmac = format!(r#"{{"kty":"RSA","n":"{RFC7638_N}","e":"AQAB","alg":"HS256"}}"#);
    let hmac = Jwk::parse(hmac.as_bytes()).unwrap();
    assert_eq!(VerifyingKey::from_jwk(&hmac).unwrap_err(), Error::Key(KeyError::WrongAlgorithm(Algorithm::HS256)));
}

// KEY-05: a published private key or secret is everybody's
#[test]
fn private_or_shared_key_in_a_public_set() {
    for jwk in [RSA_JWK, EC_JWK, ED_JWK, HMAC_JWK] {
        assert_eq!(Jwk::parse(jwk.as_bytes()), Err(Error::Key(KeyError::Private)));
        let set = JwkSet::parse(format!("{{\"keys\":[{jwk}]}}").as_bytes()).unwrap();
        assert_eq!((set.keys.len(), &set.skipped[0].1), (0, &Error::Key(KeyError::Private)));
    }
}

// RFC 8725 §3.4, CVE-2017-16007, CVE-2020-0601: a point that is not on the curve
#[test]
fn elliptic_point_off_the_curve() {
    let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    let ec = |x: &str, y: &str| Jwk::parse(format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#).as_bytes());
    assert!(ec("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y).is_ok());
    let invalid = Err(Error::Key(KeyError::Point));
    assert_eq!(ec("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV", y), Err(Error::Key(KeyError::Member("x"))));
    assert_eq!(ec("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEE", y), invalid);
    assert_eq!(ec(y, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), invalid);
    // At and above the prime of the field.
    let prime = b64::encode([&[0xff; 4][..], &[0, 0, 0, 1], &[0; 12], &[0xff; 12]].concat());
    assert_eq!(ec(&prime, y), invalid);
    assert_eq!(ec(&b64::encode([0xff; 32]), y), invalid);
}

// RFC 8725 §3.4: the neutral point in every form it could take
#[test]
fn elliptic_point_at_infinity() {
    let ec = |x: &str, y: &str| Jwk::parse(format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#).as_bytes());
    let zero = b64::encode([0; 32]);
    assert_eq!(ec(&zero, &zero), Err(Error::Key(KeyError::Point)));
    assert_eq!(ec("", ""), Err(Error::Key(KeyError::Member("x"))));
    assert_eq!(ec("AA", "AA"), Err(Error::Key(KeyError::Member("x"))));
}

// RFC 7518 §6.2.1.2: coordinates have their full length
#[test]
fn elliptic_coordinates_of_another_length() {
    let (x, y) = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let padded = b64::encode([&[0][..], &b64::decode(x).unwrap()].concat());
    for (x, y, member) in [(&padded[..], y, "x"), (x, &padded[..], "y"), (&x[..40], y, "x"), (x, &y[..40], "y")] {
        let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
        assert_eq!(Jwk::parse(jwk.as_bytes()), Err(Error::Key(KeyError::Member(member))));
    }
}

// RFC 8725 §3.4: with a key of small order one signature holds for many messages
#[test]
fn ed25519_key_of_all_zeros_or_of_small_order() {
    let identity = {
        let mut point = [0; 32];
        point[0] = 1;
        point
    };
    for point in [[0; 32], identity] {
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, b64::encode(point));
        assert_eq!(Jwk::parse(jwk.as_bytes()), Err(Error::Key(KeyError::Point)));
    }
}

// KEY-06; RFC 8725 §3.5; RFC 7518 §3.3
#[test]
fn rsa_keys_that_are_small_even_or_have_a_small_exponent() {
    let rsa = |n: &str, e: &str| {
        Jwk::parse(format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#).as_bytes()).map(drop).map_err(
            |error| match error {
                Error::Key(error) => error,
                other => panic!("{other:?}"),
            },
        )
    };
    assert_eq!(rsa(RFC7638_N, "AQAB"), Ok(()));
    assert_eq!(rsa(RSA_1024_N, "AQAB"), Err(KeyError::RsaSize(1024)));
    assert_eq!(rsa(RSA_E3_N, "Aw"), Err(KeyError::RsaExponent));
    for exponent in ["AQ", "AQAA", "AAEAAQ", "AQAAAAE"] {
        assert_eq!(rsa(RFC7638_N, exponent), Err(KeyError::RsaExponent), "{exponent}");
    }
    let mut even = b64::decode(RFC7638_N).unwrap();
    *even.last_mut().unwrap() &= 0xfe;
    assert_eq!(rsa(&b64::encode(&even), "AQAB"), Err(KeyError::RsaWeak));
    let padded = [&[0][..], &b64::decode(RFC7638_N).unwrap()].concat();
    assert_eq!(rsa(&b64::encode(padded), "AQAB"), Err(KeyError::Member("n")));
    assert_eq!(rsa(&b64::encode([0xff; 2000]), "AQAB"), Err(KeyError::RsaSize(16_000)));
}

// KEY-07: a set that is meant to exhaust the reader
#[test]
fn key_set_that_is_too_large() {
    let keys = vec!["{}"; 257].join(",");
    assert_eq!(JwkSet::parse(format!("{{\"keys\":[{keys}]}}").as_bytes()), Err(Error::Key(KeyError::Member("keys"))));
    let large = format!("{{\"keys\":[]{}}}", " ".repeat(MAX_JWK_SET_BYTES));
    assert!(matches!(JwkSet::parse(large.as_bytes()), Err(Error::TooLong { .. })));
    assert_eq!(JwkSet::parse(br#"{"keys":[],"keys":[]}"#), Err(Error::Duplicate { name: "keys".into() }));
}

// ---- the signature ----

/// The order of the group of each curve (SEC 2 §2).
const ORDERS: [(Algorithm, &str); 4] = [
    (Algorithm::ES256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    (
        Algorithm::ES384,
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    ),
    (
        Algorithm::ES512,
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
    (Algorithm::ES256K, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
];

// CVE-2022-21449 ("psychic signatures"), CVE-2022-24884; RFC 8725 §3.4
#[test]
fn ecdsa_signature_of_zeros() {
    assert_eq!(ORDERS.len(), Algorithm::all().filter(|alg| alg.kty() == "EC").count());
    for (alg, order) in ORDERS {
        let forger = Forger::new(alg);
        let order = hex(order);
        let mut above = order.clone();
        *above.last_mut().unwrap() += 1;
        let zero = vec![0; order.len()];
        let mut one = zero.clone();
        *one.last_mut().unwrap() = 1;
        let most = vec![0xff; order.len()];
        let good = signature_of(&forger.token());
        let (r, s) = good.split_at(order.len());
        for (r, s) in [
            (&zero[..], &zero[..]),
            (&zero, s),
            (r, &zero),
            (&zero, &one),
            (&one, &zero),
            (&one, &one),
            (&order, &order),
            (r, &order),
            (&order, s),
            (&above, s),
            (r, &above),
            (&most, &most),
        ] {
            let token = with_signature(&forger.token(), &[r, s].concat());
            assert_eq!(forger.verify(&token), Err(Error::Signature), "{alg}");
        }
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

// RFC 7518 §3.4: R ‖ S of 64 bytes, nothing else; CVE-2024-42461
#[test]
fn ecdsa_signature_in_der_or_of_another_length() {
    let forger = Forger::new(ES256);
    let good = signature_of(&forger.token());
    let (r, s) = good.split_at(32);
    let integer = |bytes: &[u8]| [&[2, 33, 0][..], bytes].concat();
    let der = [&[0x30, 70][..], &integer(r), &integer(s)].concat();
    let longer = [&[0][..], r, &[0], s].concat();
    for signature in [der, longer, good[..63].to_vec(), [&good[..], &[0]].concat(), good[..32].to_vec(), Vec::new()] {
        let token = with_signature(&forger.token(), &signature);
        assert_eq!(forger.verify(&token), Err(Error::Signature), "{} bytes", signature.len());
    }
}

// CVE-2024-48949; RFC 8032 §5.1.7, §8.4: S is below the order, so that nobody makes a second signature out of one
#[test]
fn ed25519_signature_with_a_shifted_s() {
    let forger = Forger::new(Algorithm::Ed25519);
    let token = forger.token();
    let mut signature = signature_of(&token);
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    for (digit, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*digit) + u16::from(add) + carry;
        *digit = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert_eq!(forger.verify(&with_signature(&token, &signature)), Err(Error::Signature));
    assert_eq!(forger.verify(&with_signature(&token, &[0; 64])), Err(Error::Signature));
}

// FIPS 204 §5.3, §D.3: one length, and hints in their one order
#[test]
fn ml_dsa_signature_of_another_length_or_with_other_hints() {
    for alg in Algorithm::all().filter(|alg| alg.kty() == "AKP") {
        let forger = Forger::new(alg);
        let token = forger.token();
        let good = signature_of(&token);
        let mut hints = good.clone();
        *hints.last_mut().unwrap() = 0xff;
        for signature in [
            hints,
            good[..good.len() - 1].to_vec(),
            [&good[..], &[0]].concat(),
            vec![0; good.len()],
            vec![0xff; good.len()],
            Vec::new(),
        ] {
            assert_eq!(forger.verify(&with_signature(&token, &signature)), Err(Error::Signature), "{alg}");
        }
    }
}

// RFC 8017 §8.1.2, §8.2.2: exactly as long as the modulus, and below it
#[test]
fn rsa_signature_padded_shortened_or_above_the_modulus() {
    for alg in Algorithm::all().filter(|alg| alg.kty() == "RSA") {
        let forger = Forger::new(alg);
        let token = forger.token();
        let good = signature_of(&token);
        for signature in [
            [&[0][..], &good].concat(),
            good[1..].to_vec(),
            vec![0; 256],
            vec![0xff; 256],
            [&[0; 255][..], &[1]].concat(),
            Vec::new(),
        ] {
            assert_eq!(forger.verify(&with_signature(&token, &signature)), Err(Error::Signature), "{alg}");
        }
    }
}

// CVE-2009-0217: a truncated MAC
#[test]
fn hmac_tag_cut_short() {
    for alg in Algorithm::all().filter(|alg| alg.is_symmetric()) {
        let forger = Forger::new(alg);
        let token = forger.token();
        let tag = signature_of(&token);
        for len in [0, 1, 10, 16, 31, tag.len() / 2, tag.len() - 1] {
            assert_eq!(forger.verify(&with_signature(&token, &tag[..len])), Err(Error::Signature));
        }
        assert_eq!(forger.verify(&with_signature(&token, &[&tag[..], &[0]].concat())), Err(Error::Signature));
    }
}

// RFC 8725 §3.2: parts of two good tokens
#[test]
fn parts_of_two_tokens_put_together() {
    for alg in Algorithm::all() {
        let forger = Forger::new(alg);
        let (one, two) = (forger.token(), forger.sign(forger.header(), payload_with("sub", r#""admin""#)));
        let (one, two): (Vec<_>, Vec<_>) = (one.split('.').collect(), two.split('.').collect());
        let spliced = [one[0], two[1], one[2]].join(".");
        assert_eq!(forger.verify(&spliced), Err(Error::Signature), "{alg}");
    }
}

// CVE-2020-28042: no signature under a name that asks for one
#[test]
fn signature_stripped() {
    for alg in Algorithm::all() {
        let forger = Forger::new(alg);
        let token = forger.token();
        let input = token.rsplit_once('.').unwrap().0;
        assert_eq!(forger.verify(&format!("{input}.")), Err(Error::Signature));
        assert_eq!(forger.verify(input), Err(Error::Segments { got: 2 }));
    }
}

// ---- the text ----

// TOK-08; RFC 4648 §3.5: trailing bits give one signature many spellings
#[test]
fn base64_with_trailing_bits() {
    let forger = Forger::new(ES256);
    let token = forger.token();
    let last = token.chars().last().unwrap();
    let spellings = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']);
    let accepted = spellings.filter(|other| forger.verify(&format!("{}{other}", &token[..token.len() - 1])).is_ok());
    assert_eq!(accepted.collect::<Vec<_>>(), [last]);

    // The same in the header and the payload, correctly signed as spelled.
    for (header, payload) in [("e31", "e30"), ("e30", "e31")] {
        let input = format!("{header}.{payload}");
        let signature = forger.key.sign_raw(input.as_bytes()).unwrap();
        assert_eq!(forger.verify(&format!("{input}.{}", b64::encode(signature))), Err(Error::Base64));
    }
}

// TOK-07; RFC 8725 §2.11
#[test]
fn padding_white_space_and_other_alphabets() {
    let forger = Forger::new(ES256);
    let token = forger.token();
    let parts: Vec<_> = token.split('.').collect();
    let at = token.len();
    for (text, at) in [
        (format!("{token}="), at),
        (format!("{token}=="), at),
        (format!("{token}\n"), at),
        (format!("{token} "), at),
        (format!(" {token}"), 0),
        (format!("Bearer {token}"), 6),
        (format!("\"{token}\""), 0),
        (format!("{token}%3D"), at),
        (format!("{token}\0"), at),
        (format!("{token}é"), at),
        (format!("{}\r\n.{}.{}", parts[0], parts[1], parts[2]), parts[0].len()),
        (format!("{}+.{}.{}", parts[0], parts[1], parts[2]), parts[0].len()),
        (format!("{}/.{}.{}", parts[0], parts[1], parts[2]), parts[0].len()),
        (format!("{}~.{}.{}", parts[0], parts[1], parts[2]), parts[0].len()),
    ] {
        assert_eq!(forger.verify(&text), Err(Error::Character { at }), "{text}");
    }
}

// TOK-07: the JSON serializations (RFC 7515 §7.2), and a text that is both
#[test]
fn json_serialization_for_a_compact_token() {
    let forger = Forger::new(ES256);
    let token = forger.token();
    let parts: Vec<_> = token.split('.').collect();
    let flattened = format!(r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#, parts[0], parts[1], parts[2]);
    let polyglot = format!(r#"{{"a":"{token}","protected":"{}","payload":"{}"}}"#, parts[0], parts[1]);
    for text in [flattened, polyglot, "{}".into(), "[]".into()] {
        assert_eq!(forger.verify(&text), Err(Error::Character { at: 0 }));
    }
}

// TOK-10; CVE-2023-51774, CVE-2026-29000: an encrypted token is not a signed one
#[test]
fn encrypted_token_for_a_signed_one() {
    let forger = Forger::new(ES256);
    let jwe = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp.48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzO.XFBoMYUZodetZdvT";
    assert_eq!(forger.verify(jwe), Err(Error::Segments { got: 5 }));
    let direct = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA";
    assert_eq!(forger.verify(direct), Err(Error::Segments { got: 5 }));
}

// RFC 7515 §5.2 step 1; CVE-2025-22868, CVE-2025-27144, CVE-2025-30204: a text of dots costs no memory
#[test]
fn too_few_or_too_many_parts() {
    let forger = Forger::new(ES256);
    let token = forger.token();
    for (text, got) in [
        (String::new(), 1),
        ("abc".into(), 1),
        (".".into(), 2),
        (format!("{token}."), 4),
        (format!(".{token}"), 4),
        ("....".into(), 5),
        (format!("{token}.{token}"), 6),
    ] {
        assert_eq!(forger.verify(&text), Err(Error::Segments { got }), "{text}");
    }
    assert!(matches!(forger.verify(".."), Err(Error::Json { at: 0 })));
    let dots = ".".repeat(MAX_TOKEN_BYTES);
    assert_eq!(forger.verify(&dots), Err(Error::Segments { got: MAX_TOKEN_BYTES + 1 }));
}

// TOK-09: refused by its length alone
#[test]
fn oversized_input() {
    let forger = Forger::new(ES256);
    let long = "A".repeat(MAX_TOKEN_BYTES + 1);
    let refused = Err(Error::TooLong { bytes: MAX_TOKEN_BYTES + 1, limit: MAX_TOKEN_BYTES });
    assert_eq!(forger.verify(&long), refused);
    let huge = forger.sign(forger.header(), payload_with("pad", &format!("\"{}\"", "x".repeat(MAX_TOKEN_BYTES))));
    assert!(matches!(forger.verify(&huge), Err(Error::TooLong { .. })));
    let mut claims = claims();
    claims.extra.insert("pad".into(), "x".repeat(MAX_TOKEN_BYTES).into());
    assert!(matches!(sign::<AccessToken>(&forger.key, &claims), Err(Error::TooLong { .. })));
}

// ---- the JSON ----

// TOK-09; RFC 7515 §4: two parsers, two meanings
#[test]
fn header_member_twice() {
    let forger = Forger::new(ES256);
    for (header, name) in [
        (r#"{"alg":"none","alg":"ES256","kid":"k1","typ":"at+jwt"}"#.to_owned(), "alg"),
        (r#"{"alg":"ES256","alg":"ES256","kid":"k1","typ":"at+jwt"}"#.into(), "alg"),
        (r#"{"alg":"ES256","\u0061lg":"none","kid":"k1","typ":"at+jwt"}"#.into(), "alg"),
        (forger.header_and(r#""kid":"k2""#), "kid"),
        (forger.header_and(r#""typ":"JWT""#), "typ"),
        (forger.header_and(r#""jku":"a","jku":"b""#), "jku"),
        (forger.header_and(r#""jwk":{"kty":"EC","kty":"oct"}"#), "kty"),
        (forger.header_and(r#""crit":["x"],"crit":["x"]"#), "crit"),
    ] {
        assert_eq!(forger.with_header(header), Err(Error::Duplicate { name: name.into() }));
    }
}

// TOK-09; RFC 7519 §4
#[test]
fn claim_twice_at_any_level() {
    let forger = Forger::new(ES256);
    let twice = |member: &str| format!("{},{member}}}", payload().trim_end_matches('}'));
    for (member, name) in [
        (r#""sub":"admin""#, "sub"),
        (r#""s\u0075b":"admin""#, "sub"),
        (r#""exp":99999999999"#, "exp"),
        (r#""roles":["admin"]"#, "roles"),
        (r#""custom":1,"custom":2"#, "custom"),
        (r#""cnf":{"jkt":"a","jkt":"b"}"#, "jkt"),
        (r#""deep":[{"a":{"b":1,"c":2,"b":3}}]"#, "b"),
    ] {
        assert_eq!(forger.with_payload(twice(member)), Err(Error::Duplicate { name: name.into() }));
    }
}

// TOK-09; CWE-674: a stack that overflows
#[test]
fn nesting_that_is_too_deep() {
    let forger = Forger::new(ES256);
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(forger.with_claim("deep", &deep(MAX_DEPTH - 1)).is_ok());
    assert_eq!(forger.with_claim("deep", &deep(MAX_DEPTH)), Err(Error::Depth));
    assert_eq!(forger.with_claim("deep", &"[".repeat(5000)), Err(Error::Depth));
    assert_eq!(forger.with_header(forger.header_and(&format!("\"x\":{}", deep(MAX_DEPTH)))), Err(Error::Depth));
    let objects = format!("{}1{}", "{\"a\":".repeat(1500), "}".repeat(1500));
    assert_eq!(forger.with_claim("deep", &objects), Err(Error::Depth));
}

// TOK-09; RFC 8725 §3.7
#[test]
fn encodings_other_than_utf8() {
    let forger = Forger::new(ES256);
    let utf16: Vec<u8> = payload().encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(matches!(forger.with_payload(utf16), Err(Error::Json { .. })));
    assert!(matches!(forger.with_payload(format!("\u{feff}{}", payload())), Err(Error::Json { at: 0 })));
    assert!(matches!(forger.with_header(format!("\u{feff}{}", forger.header())), Err(Error::Json { at: 0 })));
    for bytes in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"] {
        let claim = [payload().trim_end_matches('}').as_bytes(), b",\"x\":\"", bytes, b"\"}"].concat();
        assert_eq!(forger.with_payload(claim), Err(Error::Utf8));
        let header = [b"{\"alg\":\"ES256\",\"kid\":\"", bytes, b"\"}"].concat();
        assert_eq!(forger.with_header(header), Err(Error::Utf8));
    }
    assert!(matches!(forger.with_claim("x", r#""\ud800""#), Err(Error::Json { .. })));
}

// RFC 7519 §7.2 step 10: the claims are one object
#[test]
fn payload_that_is_not_one_object() {
    let forger = Forger::new(ES256);
    for text in ["", "null", "1", "\"text\"", "[]", "[{}]", "{}{}", "{} {}", "{", "}", "\u{0}", "{\"x\":}", "<xml/>"] {
        assert!(matches!(forger.with_payload(text), Err(Error::Json { .. })), "{text:?}");
    }
    for tail in [" x", ",", "}", "\0", "{}", "/*"] {
        assert!(matches!(forger.with_payload(format!("{}{tail}", payload())), Err(Error::Json { .. })), "{tail:?}");
    }
    assert!(forger.with_payload(format!(" \t\r\n{}\n", payload())).is_ok(), "white space is part of JSON");
}

// TOK-11: a signed token as the payload of another
#[test]
fn token_inside_a_token() {
    let forger = Forger::new(ES256);
    let nested = forger.sign(r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","cty":"JWT"}"#, forger.token());
    assert!(matches!(forger.verify(&nested), Err(Error::Json { at: 0 })));
}

// ---- the header ----

// TOK-06; RFC 7515 §4.1.11; CVE-2025-59420, CVE-2026-32597, CVE-2026-35042
#[test]
fn critical_member_that_nobody_understands() {
    let forger = Forger::new(ES256);
    for name in ["x", "exp", "http://example.com/UNDEFINED", "cnf", "bork"] {
        let header = forger.header_and(&format!("\"crit\":[\"{name}\"],\"{name}\":true"));
        assert_eq!(forger.with_header(header), Err(Error::Critical { got: name.into() }));
    }
    assert_eq!(
        forger.with_header(forger.header_and(r#""crit":["absent"]"#)),
        Err(Error::Critical { got: "absent".into() })
    );
}

// TOK-06; RFC 7515 §4.1.11
#[test]
fn critical_list_that_is_malformed() {
    let forger = Forger::new(ES256);
    for crit in ["[]", r#"["x","x"]"#, "null", "true", r#""x""#, "[1]", r#"["x",null]"#, "{}", r#"[["x"]]"#] {
        let header = forger.header_and(&format!("\"crit\":{crit}"));
        assert_eq!(forger.with_header(header), Err(Error::HeaderMalformed { member: "crit" }), "{crit}");
    }
    assert_eq!(forger.with_header(forger.header_and(r#""crit":["alg"]"#)), Err(Error::Critical { got: "alg".into() }));
}

// TOK-06; RFC 7797 §6, §7: an unencoded payload is not for tokens
#[test]
fn unencoded_payload() {
    let forger = Forger::new(ES256);
    for b64 in ["false", "0", "null", r#""true""#] {
        for crit in ["", r#","crit":["b64"]"#] {
            let header = forger.header_and(&format!("\"b64\":{b64}{crit}"));
            assert_eq!(forger.with_header(header), Err(Error::Unencoded), "{b64}");
        }
    }
    let header = forger.header_and(r#""crit":["b64"],"b64":true"#);
    assert_eq!(forger.with_header(header), Err(Error::Critical { got: "b64".into() }));
    assert!(forger.with_header(forger.header_and(r#""b64":true"#)).is_ok());
}

// TOK-16; RFC 9068 §4; RFC 8725 §3.11
#[test]
fn type_of_another_kind() {
    let forger = Forger::new(ES256);
    for typ in ["at+jwt", "application/at+jwt"] {
        assert!(forger.with_header(format!(r#"{{"alg":"ES256","kid":"k1","typ":"{typ}"}}"#)).is_ok());
    }
    for typ in [
        "JWT",
        "jwt",
        "AT+JWT",
        "at+jwt ",
        "at",
        "",
        "application/application/at+jwt",
        "text/at+jwt",
        "id+jwt",
        "dpop+jwt",
    ] {
        let refused = Err(Error::Type { expected: "at+jwt".into(), got: Some(typ.into()) });
        assert_eq!(forger.with_header(format!(r#"{{"alg":"ES256","kid":"k1","typ":"{typ}"}}"#)), refused);
    }
    let refused = Err(Error::Type { expected: "at+jwt".into(), got: None });
    assert_eq!(forger.with_header(r#"{"alg":"ES256","kid":"k1"}"#), refused);
    assert_eq!(
        forger.with_header(r#"{"alg":"ES256","kid":"k1","typ":null}"#),
        Err(Error::HeaderMalformed { member: "typ" })
    );
}

// ---- the claims ----

// TOK-14; CVE-2026-25537
#[test]
fn times_of_the_wrong_type_are_never_absent() {
    let forger = Forger::new(ES256);
    for claim in ["exp", "nbf", "iat", "rsn", "auth_time"] {
        for json in [
            r#""9999999999""#,
            r#""""#,
            "null",
            "true",
            "[]",
            "[9999999999]",
            "{}",
            "9999999999.0",
            "9999999999.5",
            "9e9",
            "9E9",
            "-1",
            "-0",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "1e400",
            "-1e400",
            "99999999999999999999999999999999999999",
            "1790000600.0000000000000000000001",
        ] {
            assert!(is_malformed(&forger.with_claim(claim, json), claim), "{claim}: {json}");
        }
        for json in ["NaN", "Infinity", "-Infinity", "0x7fffffff", "+1", "01", "1_000", ".5", "9999999999.", "nul"] {
            let outcome = forger.with_claim(claim, json);
            assert!(matches!(outcome, Err(Error::Json { .. } | Error::ClaimMalformed { .. })), "{claim}: {json}");
        }
    }
}

// CVE-2024-53861, CVE-2025-30144: an issuer that is contained in another, or a list
#[test]
fn issuer_that_is_not_exactly_the_one() {
    let forger = Forger::new(ES256);
    for iss in [
        "https://id.exampl",
        "https://id.example/",
        "https://id.example.evil",
        "HTTPS://ID.EXAMPLE",
        "id",
        " https://id.example",
    ] {
        let refused = Err(Error::Issuer { expected: ISSUER.into(), got: iss.into() });
        assert_eq!(forger.with_claim("iss", &format!("\"{iss}\"")), refused);
    }
    for json in ["123", "null", r#"["https://id.example"]"#, r#"{"https://id.example":1}"#, "true", r#""""#] {
        assert!(is_malformed(&forger.with_claim("iss", json), "iss"), "{json}");
    }
}

// TOK-18; RFC 8725 §3.9
#[test]
fn audience_that_is_not_exactly_this_one() {
    let forger = Forger::new(ES256);
    assert!(forger.with_claim("aud", r#"["other","orders"]"#).is_ok());
    for (json, got) in [
        (r#""order""#, "order"),
        (r#""orders2""#, "orders2"),
        (r#""ORDERS""#, "ORDERS"),
        (r#"["order","s"]"#, "order s"),
        (r#""orders other""#, "orders other"),
        (r#""*""#, "*"),
        (r#"["*"]"#, "*"),
    ] {
        assert_eq!(forger.with_claim("aud", json), Err(Error::Audience { expected: AUDIENCE.into(), got: got.into() }));
    }
    for json in [
        "42",
        "null",
        "[]",
        r#""""#,
        r#"["orders",""]"#,
        r#"["orders",1]"#,
        r#"[["orders"]]"#,
        r#"{"orders":1}"#,
        "true",
    ] {
        assert!(is_malformed(&forger.with_claim("aud", json), "aud"), "{json}");
    }
}

// TOK-16; RFC 9068 §2.2
#[test]
fn required_claim_absent() {
    let forger = Forger::new(ES256);
    for claim in ["iss", "sub", "aud", "client_id", "jti", "iat", "exp"] {
        assert_eq!(forger.with_payload(payload_without(claim)), Err(Error::ClaimMissing { claim }));
    }
}

// TOK-14 for the other claims: roles and scopes of the wrong type grant nothing and are not ignored
#[test]
fn claims_of_the_wrong_type() {
    let forger = Forger::new(ES256);
    for (claim, values) in [
        ("sub", &["1", "null", "[]", "{}", r#""""#][..]),
        ("jti", &["1", "null", r#"["a"]"#]),
        ("client_id", &["1", "true"]),
        ("roles", &[r#""admin""#, "null", r#"{"admin":true}"#, r#"["admin",1]"#, r#"[["admin"]]"#, "true"]),
        ("amr", &[r#""pwd""#, "[null]"]),
        ("scope", &[r#"["read"]"#, "1", "null"]),
        ("sid", &["1", "null"]),
        ("cnf", &[r#""jkt""#, "[]", "null"]),
        ("act", &[r#""admin""#, "1"]),
        ("tid", &["0", "null"]),
    ] {
        for json in values {
            assert!(is_malformed(&forger.with_claim(claim, json), claim), "{claim}: {json}");
        }
    }
}

// TOK-15: expired, not yet, from the future, dead before it was born
#[test]
fn times_outside_their_bounds() {
    let forger = Forger::new(ES256);
    let time = |claim: &str, at: i64| forger.with_claim(claim, &at.to_string());
    assert_eq!(time("exp", 0), Err(Error::Expired { exp: 0, now: NOW }));
    assert_eq!(time("exp", NOW - 10), Err(Error::Expired { exp: NOW - 10, now: NOW }));
    assert_eq!(time("exp", NOW - 9), Err(Error::Lifetime { limit: i64::MAX, got: -9 }));
    assert_eq!(time("nbf", NOW + 11), Err(Error::NotYet { nbf: NOW + 11, now: NOW }));
    assert_eq!(time("iat", NOW + 11), Err(Error::IssuedInFuture { iat: NOW + 11, now: NOW }));
    assert!(time("nbf", NOW + 10).is_ok() && time("iat", NOW + 10).is_ok());
}

// TOK-15: no verifier forgives more than 60 s, whatever it was asked
#[test]
fn leeway_without_bounds() {
    let (key, public) = pair(ES256);
    let generous = Verifier::<AccessToken>::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .key(public)
        .leeway(Duration::from_secs(86_400 * 365))
        .build();
    let token = sign::<AccessToken>(&key, &claims()).unwrap();
    assert!(generous.verify(&token, NOW + 659).is_ok());
    assert_eq!(generous.verify(&token, NOW + 660), Err(Error::Expired { exp: NOW + 600, now: NOW + 660 }));
    assert_eq!(generous.verify(&token, NOW - 61), Err(Error::IssuedInFuture { iat: NOW, now: NOW - 61 }));
    for now in [i64::MIN, i64::MAX, 0, -1] {
        assert!(generous.verify(&token, now).is_err(), "{now}");
    }
}

// TOK-23: a token that was made to live for ever
#[test]
fn lifetime_beyond_the_cap() {
    let (key, public) = pair(ES256);
    let capped = Verifier::<AccessToken>::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .key(public)
        .max_lifetime(Duration::from_secs(600))
        .max_age(Duration::from_secs(300))
        .build();
    let mut claims = claims();
    assert!(capped.verify(&sign::<AccessToken>(&key, &claims).unwrap(), NOW).is_ok());
    let old = capped.verify(&sign::<AccessToken>(&key, &claims).unwrap(), NOW + 311);
    assert_eq!(old, Err(Error::TooOld { limit: 300, got: 311 }));
    claims.exp += 1;
    let long = capped.verify(&sign::<AccessToken>(&key, &claims).unwrap(), NOW);
    assert_eq!(long, Err(Error::Lifetime { limit: 600, got: 601 }));
}

// RLO-03: an expired token may end a session; a forged or foreign one may not
#[test]
fn expired_token_where_that_is_allowed() {
    let forger = Forger::new(ES256);
    let lenient = Verifier::<AccessToken>::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .key(forger.public.clone())
        .accept_expired()
        .build();
    assert!(lenient.verify(&forger.token(), NOW + 1_000_000).is_ok());
    let other = Forger::new(ES256).token();
    assert_eq!(lenient.verify(&other, NOW), Err(Error::Signature));
    let without = forger.sign(forger.header(), payload_without("exp"));
    assert_eq!(lenient.verify(&without, NOW), Err(Error::ClaimMissing { claim: "exp" }));
}

// A cache must not keep what time has ended
#[test]
fn cached_claims_that_expired_since() {
    let forger = Forger::new(ES256);
    let claims = forger.verify(&forger.token()).unwrap();
    let policy = forger.verifier.policy();
    assert_eq!(policy.check_times(&claims, NOW + 609), Ok(()));
    assert_eq!(policy.check_times(&claims, NOW + 610), Err(Error::Expired { exp: NOW + 600, now: NOW + 610 }));
    assert_eq!(policy.check_times(&claims, NOW - 11), Err(Error::IssuedInFuture { iat: NOW, now: NOW - 11 }));
}

// AUD-03: what an error repeats of a token is short
#[test]
fn errors_do_not_repeat_long_input() {
    let forger = Forger::new(ES256);
    let long = "x".repeat(5000);
    for header in [
        format!(r#"{{"alg":"{long}"}}"#),
        format!(r#"{{"alg":"ES256","typ":"{long}"}}"#),
        forger.header_and(&format!(r#""crit":["{long}"]"#)),
        forger.header_and(&format!(r#""{long}":1,"{long}":1"#)),
    ] {
        let error = forger.with_header(header).unwrap_err();
        assert!(error.to_string().len() < 200, "{error}");
    }
    for claim in ["iss", "aud"] {
        let error = forger.with_claim(claim, &format!("\"{long}\"")).unwrap_err();
        assert!(error.to_string().len() < 200, "{error}");
    }
}

// AUD-02: what is printed for debugging names the key and shows nothing of it, and nothing of an unverified payload
#[test]
fn debug_output_keeps_secrets() {
    let forger = Forger::new(Algorithm::HS256);
    let token = forger.token();
    let unverified = Unverified::parse(&token).unwrap();
    let shown = format!("{:?} {:?} {:?} {unverified:?}", forger.key, forger.public, forger.verifier);
    assert!(shown.contains("k1") && !shown.contains("user-1") && !shown.contains("secret"), "{shown}");
    let shown = format!("{:?}", unverified.verify_signature(&forger.public).unwrap());
    assert!(shown.contains("k1") && !shown.contains("user-1"), "{shown}");
}

// Key ids of keys obey the same rule as those of tokens
#[test]
fn key_with_an_unusable_id() {
    for kid in ["", "a\nb", &"k".repeat(MAX_KID_BYTES + 1)] {
        assert_eq!(SigningKey::generate(ES256, kid).unwrap_err(), Error::Key(KeyError::Kid));
        assert_eq!(VerifyingKey::hmac(Algorithm::HS256, kid, SECRET).unwrap_err(), Error::Key(KeyError::Kid));
    }
}

// A private key whose halves do not belong together, or that is for another algorithm
#[test]
fn private_key_whose_parts_disagree() {
    let mixed = EC_JWK.replace("jpsQnnGQ", "AAAQnnGQ");
    let refused = SigningKey::from_jwk(ES256, mixed.as_bytes()).unwrap_err();
    assert_eq!(refused, Error::Key(KeyError::Malformed));
    let mixed = ED_JWK.replace("nWGxne", "AAAAne");
    let refused = SigningKey::from_jwk(Algorithm::Ed25519, mixed.as_bytes()).unwrap_err();
    assert_eq!(refused, Error::Key(KeyError::Malformed));
    for (alg, jwk) in
        [(Algorithm::RS256, EC_JWK), (ES256, ED_JWK), (Algorithm::HS256, RSA_JWK), (Algorithm::Ed25519, HMAC_JWK)]
    {
        assert_eq!(SigningKey::from_jwk(alg, jwk.as_bytes()).unwrap_err(), Error::Key(KeyError::WrongAlgorithm(alg)));
    }
    let (key, _) = pair(ES256);
    let pkcs8 = key.to_pkcs8().unwrap();
    for alg in [Algorithm::RS256, Algorithm::Ed25519] {
        assert_eq!(SigningKey::from_pkcs8(alg, "k1", &pkcs8).unwrap_err(), Error::Key(KeyError::WrongAlgorithm(alg)));
    }
    for cut in 0..pkcs8.len() {
        assert!(SigningKey::from_pkcs8(ES256, "k1", &pkcs8[..cut]).is_err());
    }
}
