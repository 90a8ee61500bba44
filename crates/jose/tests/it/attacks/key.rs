//! The key.

use super::*;

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

// RFC 7515 §4.1.4: a key that the caller chose, and a token that names another
#[test]
fn key_of_another_id_with_the_same_secret() {
    let forger = Forger::new(Algorithm::HS256);
    let token = forger.token();
    let parse = || Unverified::parse(&token).unwrap();
    let authentic = parse().verify_signature(&forger.public).unwrap();
    assert_eq!((authentic.kid(), authentic.typ()), (Some("k1"), Some("at+jwt")));
    let other = VerifyingKey::hmac(Algorithm::HS256, "k2", &LONG_SECRET[..32]).unwrap();
    let refused = Error::UnknownKey { kid: Some("k1".into()) };
    assert_eq!(parse().verify_signature(&other).unwrap_err(), refused);
    assert!(parse().verify_signature(&other.without_kid()).is_ok());
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

// RFC 8725 §3.4, CVE-2017-16007: a point that is not on the curve
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

// RFC 8037 §2: what is agreed on with one curve signs nothing on the other.
#[test]
fn a_key_of_another_curve_verifies_nothing() {
    let mut point = [7; 32];
    point[31] = 0x10;
    let jwk = format!(r#"{{"kty":"OKP","crv":"X25519","x":"{}"}}"#, b64::encode(point));
    let refused = VerifyingKey::from_jwk_as(&Jwk::parse(jwk.as_bytes()).unwrap(), Algorithm::Ed25519).unwrap_err();
    assert_eq!(refused, Error::Key(KeyError::WrongAlgorithm(Algorithm::Ed25519)));
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
    // Two and each small prime by itself, whatever else divides the number.
    let mut near = b64::decode(RFC7638_N).unwrap();
    for last in 0..=u8::MAX {
        *near.last_mut().unwrap() = last;
        let divides = |prime: u32| near.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime) == 0;
        let weak = (2..=167).filter(|number| (2..*number).all(|divisor| number % divisor != 0)).any(divides);
        let expected = if weak { Err(KeyError::RsaWeak) } else { Ok(()) };
        assert_eq!(rsa(&b64::encode(&near), "AQAB"), expected, "{last}");
    }
    let mut short = b64::decode(RFC7638_N).unwrap();
    short[0] = 0x7f;
    assert_eq!(rsa(&b64::encode(short), "AQAB"), Err(KeyError::RsaSize(2047)));
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
    // What the limits allow is read.
    let keys = vec!["{}"; 256].join(",");
    assert_eq!(JwkSet::parse(format!("{{\"keys\":[{keys}]}}").as_bytes()).unwrap().skipped.len(), 256);
    let exact = format!("{{\"keys\":[]{}}}", " ".repeat(MAX_JWK_SET_BYTES - 11));
    assert_eq!(exact.len(), MAX_JWK_SET_BYTES);
    assert!(JwkSet::parse(exact.as_bytes()).is_ok());
    assert_eq!(JwkSet::parse(br#"{"keys":[],"keys":[]}"#), Err(Error::Duplicate { name: "keys".into() }));
}
