//! The header.

use super::*;

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
