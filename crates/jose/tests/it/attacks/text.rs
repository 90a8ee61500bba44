//! The text of a token.

use super::*;

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
    let token = forger.token();
    assert!(Unverified::parse_up_to(&token, token.len()).is_ok());
    let refused = Err(Error::TooLong { bytes: token.len(), limit: token.len() - 1 });
    assert_eq!(Unverified::parse_up_to(&token, token.len() - 1).map(drop), refused);
    let huge = forger.sign(forger.header(), payload_with("pad", &format!("\"{}\"", "x".repeat(MAX_TOKEN_BYTES))));
    assert!(matches!(forger.verify(&huge), Err(Error::TooLong { .. })));
    let mut claims = claims();
    claims.extra.insert("pad".into(), "x".repeat(MAX_TOKEN_BYTES).into());
    assert!(matches!(sign::<AccessToken>(&forger.key, &claims), Err(Error::TooLong { .. })));
}
