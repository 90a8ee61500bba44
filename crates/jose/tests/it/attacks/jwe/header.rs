//! The header.

use super::*;

// CVE-2024-28180, CVE-2024-28176, CVE-2025-63811; RFC 8725 §3.6; TOK-13: refused before anything is decrypted
#[test]
fn compressed_bomb() {
    for zip in [r#""zip":"DEF""#, r#""zip":"GZ""#, r#""zip":"""#, r#""zip":null"#, r#""zip":[]"#] {
        assert_eq!(with_members(zip), Err(Error::Compressed));
    }
    let parts = forge(HEADER);
    for place in ["unprotected", "header"] {
        let text = parts.flattened(&json!({place: {"zip": "DEF"}}));
        assert_eq!(direct().decrypt_general(&text), Err(Error::Compressed));
    }
}

// RFC 7516 §4.1.13; RFC 8725 §3.10; TOK-06
#[test]
fn critical_members() {
    let critical = |got: &str| Err(Error::Critical { got: got.into() });
    assert_eq!(with_members(r#""crit":["exp"],"exp":1"#), critical("exp"));
    assert_eq!(with_members(r#""crit":["b64"],"b64":false"#), critical("b64"));
    assert_eq!(with_members(r#""crit":["alg"]"#), critical("alg"));
    for crit in ["[]", "null", "{}", "\"exp\"", "[1]", "[\"a\",1]", r#"["a","a"]"#, r#"[["a"]]"#] {
        assert_eq!(with_members(&format!(r#""crit":{crit}"#)), malformed("crit"), "{crit}");
    }
    let parts = forge(HEADER);
    for place in ["unprotected", "header"] {
        let text = parts.flattened(&json!({place: {"crit": ["exp"], "exp": 1}}));
        assert_eq!(direct().decrypt_general(&text), malformed("crit"));
    }
}

// RFC 8725 §3.10; TOK-05: keys in the header are no keys
#[test]
fn keys_in_the_header_select_nothing() {
    let theirs = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "evil").unwrap();
    let jwk = serde_json::to_string(&theirs.public_jwk().unwrap()).unwrap();
    let members =
        format!(r#""jwk":{jwk},"jku":"https://evil.example/jwks","x5u":"https://evil.example/x5","x5c":["MIIB"]"#);
    assert_eq!(**with_members(&members).unwrap(), *CONTENT);
    let message = seal(&format!(r#"{{"alg":"dir","enc":"A256GCM",{members}}}"#), &[8; 32], b"", None);
    assert_eq!(direct().decrypt(&message.compact()), Err(Error::Decrypt));
}

// RFC 8725 §3.10: a name to look up and nothing else
#[test]
fn key_ids() {
    assert_eq!(with_members(r#""kid":"other""#), Err(Error::UnknownKey { kid: Some("other".into()) }));
    for kid in
        ["\"\"", "null", "1", "[\"k\"]", "\"a\\u0000\"", "\"a\\nb\"", &format!("\"{}\"", "k".repeat(MAX_KID_BYTES + 1))]
    {
        assert_eq!(with_members(&format!(r#""kid":{kid}"#)), malformed("kid"), "{kid}");
    }
    // Two keys that fit and a message that names none: none is tried.
    let other = DecryptionKey::direct(ContentAlgorithm::A256GCM, "l", &SECRET).unwrap();
    let both = direct().or_key(other);
    let nameless = forge(r#"{"alg":"dir","enc":"A256GCM"}"#).compact();
    assert_eq!(both.decrypt(&nameless), Err(Error::UnknownKey { kid: None }));
    assert_eq!(both.decrypt(&forge(HEADER).compact()).unwrap().kid(), Some("k"));
}

// RFC 7516 §4.1.11, §4.1.12
#[test]
fn types_that_are_no_texts() {
    for value in ["null", "1", "[]", "{}", "[\"JWT\"]"] {
        assert_eq!(with_members(&format!(r#""typ":{value}"#)), malformed("typ"));
        assert_eq!(with_members(&format!(r#""cty":{value}"#)), malformed("cty"));
    }
}

// TOK-09; RFC 7516 §4, RFC 8725 §3.7
#[test]
fn duplicate_members() {
    let duplicate = |name: &str| Err(Error::Duplicate { name: name.into() });
    assert_eq!(with_members(r#""enc":"A128GCM""#), duplicate("enc"));
    assert_eq!(with_members(r#""a":{"b":1,"b":2}"#), duplicate("b"));
    assert_eq!(with_members(r#""\u0061lg":"dir""#), duplicate("alg"));
    let text = forge(HEADER).flattened(&json!({}));
    let twice = text.replacen('{', r#"{"tag":"AAAA","#, 1);
    assert_eq!(direct().decrypt_general(&twice), duplicate("tag"));
}

// RFC 7516 §7.2.1: the names in the three headers differ
#[test]
fn a_member_in_two_headers() {
    let parts = forge(HEADER);
    let cases = [
        (json!({"unprotected": {"enc": "A256GCM"}}), "enc"),
        (json!({"header": {"alg": "dir"}}), "alg"),
        (json!({"unprotected": {"x": 1}, "header": {"x": 1}}), "x"),
    ];
    for (others, name) in cases {
        let refused = direct().decrypt_general(&parts.flattened(&others));
        assert_eq!(refused, Err(Error::Duplicate { name: name.into() }));
    }
}

// What is not protected can be changed by anybody: it decides nothing
#[test]
fn unprotected_members_decide_nothing() {
    let parts = seal(r#"{"alg":"dir"}"#, &SECRET, b"", None);
    let text = parts.flattened(&json!({"unprotected": {"enc": "A256GCM", "typ": "JWT", "cty": "JWT"}}));
    // The content key itself is for one algorithm, so that `enc` only repeats it.
    let decrypted = direct().decrypt_general(&text).unwrap();
    assert_eq!((decrypted.typ(), decrypted.cty()), (None, None));
    let parts = seal("{}", &[5; 32], &wrap(&[5; 32]), None);
    let text = parts.flattened(&json!({"unprotected": {"alg": "A256KW", "enc": "A256GCM"}}));
    assert_eq!(wrapping().decrypt_general(&text), malformed("enc"));
    let one = wrapping().accept([ContentAlgorithm::A256GCM]);
    assert_eq!(**one.decrypt_general(&text).unwrap(), *CONTENT);
    // A protected member moved out of protection.
    let parts = Parts { protected: String::new(), ..forge(HEADER) };
    let moved = parts.flattened(&json!({"unprotected": {"alg": "dir", "enc": "A256GCM", "kid": "k"}}));
    assert_eq!(direct().decrypt_general(&moved), Err(Error::Decrypt));
}

// RFC 8725 §3.7: UTF-8 only, one JSON object, bounded depth
#[test]
fn headers_that_are_no_objects() {
    for header in ["", "null", "[]", "\"dir\"", "{", "{}{}", "\u{feff}{}", "{\"alg\":\"dir\",}"] {
        assert!(matches!(with_header(header), Err(Error::Json { .. })), "{header}");
    }
    let deep = format!(r#""a":{}1{}"#, "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(with_members(&deep), Err(Error::Depth));
    let parts = Parts { protected: b64::encode(b"{\"alg\":\"\xff\"}"), ..forge(HEADER) };
    assert_eq!(direct().decrypt(&parts.compact()), Err(Error::Utf8));
}
