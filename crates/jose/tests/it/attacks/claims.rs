//! The claims, and what is shown of a token.

use super::*;

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
        ("permissions", &[r#""orders:refund""#, "null", "{}", r#"["orders:refund",1]"#]),
        ("org", &[r#""acme""#, "null", "[]", "{}", r#"{"id":1}"#, r#"{"id":""}"#, r#"{"name":"acme"}"#]),
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
    assert!(capped.verify(&sign::<AccessToken>(&key, &claims).unwrap(), NOW + 310).is_ok());
    let old = capped.verify(&sign::<AccessToken>(&key, &claims).unwrap(), NOW + 311);
    assert_eq!(old, Err(Error::TooOld { limit: 300, got: 311 }));
    claims.exp += 1;
    let long = capped.verify(&sign::<AccessToken>(&key, &claims).unwrap(), NOW);
    assert_eq!(long, Err(Error::Lifetime { limit: 600, got: 601 }));
}

// A check that was asked for does not pass because the token is silent
#[test]
fn claim_absent_that_a_check_was_asked_for() {
    let forger = Forger::new(ES256);
    let builder = || Verifier::<Generic>::builder().issuer(ISSUER).audience(AUDIENCE).key(forger.public.clone());
    let header = r#"{"alg":"ES256","kid":"k1","typ":"generic+jwt"}"#;
    fn missing<T>(claim: &'static str) -> Result<T, Error> {
        Err(Error::ClaimMissing { claim })
    }
    let hour = Duration::from_secs(3600);
    let (old, long) = (builder().max_age(hour).build(), builder().max_lifetime(hour).build());
    let (plain, late) = (builder().build(), builder().accept_expired().build());
    let outcome = |verifier: &Verifier<Generic>, payload: &str| {
        verifier.verify(&forger.sign(header, payload), NOW).map(|claims| claims.iat)
    };

    let without = payload_without("iat");
    assert_eq!(outcome(&plain, &without), Ok(None));
    assert_eq!((outcome(&old, &without), outcome(&long, &without)), (missing("iat"), missing("iat")));
    assert_eq!(outcome(&old, &payload()), Ok(Some(NOW)));
    assert_eq!(outcome(&long, &payload()), Ok(Some(NOW)));
    for verifier in [&plain, &old, &long, &late] {
        assert_eq!(outcome(verifier, &payload_without("exp")), missing("exp"));
    }
    // A kind of token without `exp` has no lifetime that could be judged.
    let proof = r#"{"jti":"j","htm":"GET","htu":"https://api.example/","iat":1790000000}"#;
    let proof = forger.sign(r#"{"alg":"ES256","typ":"dpop+jwt"}"#, proof);
    let any = Verifier::<DpopProof>::builder().key(forger.public.clone());
    assert!(any.clone().build().verify(&proof, NOW).is_ok());
    assert_eq!(any.max_lifetime(hour).build().verify(&proof, NOW).map(drop), missing("exp"));
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
