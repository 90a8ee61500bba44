//! The JSON inside.

use super::*;

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
