//! The text of a message.

use super::*;

// TOK-07, TOK-08: one text for each message
#[test]
fn texts_that_are_not_canonical() {
    let text = forge(HEADER).compact();
    let parts: Vec<&str> = text.split('.').collect();
    let mut spellings = 0;
    for at in [0, 3, 4] {
        let last = parts[at].chars().last().unwrap();
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars().filter(|c| *c != last) {
            let mut parts: Vec<String> = parts.iter().map(|part| (*part).into()).collect();
            parts[at].pop();
            parts[at].push(other);
            spellings += usize::from(direct().decrypt(&parts.join(".")) == Err(Error::Base64));
        }
    }
    assert!(spellings >= 45, "{spellings}");
    for (at, foreign) in [(0, ' '), (3, '='), (9, '+'), (9, '/'), (5, '\n'), (5, '\u{e9}')] {
        let mut changed = text.clone();
        changed.insert(at, foreign);
        assert_eq!(direct().decrypt(&changed), Err(Error::Character { at }));
    }
    assert_eq!(direct().decrypt(&forge(HEADER).flattened(&json!({}))), Err(Error::Character { at: 0 }));
}

// TOK-10; CVE-2023-51774; RFC 8725 §3.3: what is signed is not what is encrypted
#[test]
fn signed_token_where_an_encrypted_one_is_expected() {
    let token = Forger::new(Algorithm::ES256).token();
    assert_eq!(direct().decrypt(&token), Err(Error::NotEncrypted { got: 3 }));
    let text = forge(HEADER).compact();
    for (text, got) in [
        (format!("{text}."), 6),
        (format!("{text}.AAAA"), 6),
        (text[..text.rfind('.').unwrap()].into(), 4),
        (String::new(), 1),
    ] {
        assert_eq!(direct().decrypt(&text), Err(Error::NotEncrypted { got }));
    }
    for member in ["payload", "signatures", "signature"] {
        let both = forge(HEADER).flattened(&json!({member: "AAAA"}));
        assert_eq!(direct().decrypt_general(&both), Err(Error::Member { member }));
    }
}

// TOK-10; CVE-2023-51774; RFC 8725 §3.3: encrypted to the verifier's public key by whoever wants
#[test]
fn encrypted_token_where_a_signed_one_is_expected() {
    let forger = Forger::new(Algorithm::ES256);
    let jwk = forger.key.public_jwk().unwrap();
    // The key says `use: sig`, and whoever wants to ignores it.
    let json = serde_json::to_string(&jwk).unwrap().replace(r#","alg":"ES256","use":"sig""#, "");
    let public = EncryptionKey::from_jwk_as(&Jwk::parse(json.as_bytes()).unwrap(), KeyAlgorithm::EcdhEs).unwrap();
    let token = Encryptor::new(&public).typ("at+jwt").encrypt(payload().as_bytes()).unwrap();
    assert_eq!(forger.verify(&token), Err(Error::Segments { got: 5 }));
    assert_eq!(Unverified::parse(&token).unwrap_err(), Error::Segments { got: 5 });
    assert_eq!(UnverifiedJws::parse(&token).unwrap_err(), Error::Segments { got: 5 });
    let general = Encryptor::new(&public).general(CONTENT).unwrap();
    assert!(matches!(UnverifiedJws::parse(&general), Err(Error::Member { .. })));
}

// TOK-11; CVE-2026-29000: encrypted claims that nobody signed
#[test]
fn encrypted_and_not_signed() {
    let forger = Forger::new(Algorithm::ES256);
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "k").unwrap();
    let (public, decryptor) = (key.encryption_key(), Decryptor::new(key));
    let nested = |cty: Option<&str>, content: &str| {
        let encryptor = cty.into_iter().fold(Encryptor::new(&public), Encryptor::cty);
        decryptor.decrypt_and_verify(&forger.verifier, &encryptor.encrypt(content.as_bytes()).unwrap(), NOW)
    };
    let signed = forger.token();
    assert_eq!(nested(Some("JWT"), &signed).unwrap().into_inner(), claims());
    assert!(nested(Some("jwt"), &signed).is_ok());

    // The claims themselves, unsecured, signed by another, and encrypted once more.
    assert_eq!(nested(Some("JWT"), &payload()), Err(Error::Character { at: 0 }));
    let unsecured = format!("{}.{}.", b64::encode(r#"{"alg":"none","typ":"at+jwt"}"#), b64::encode(payload()));
    assert_eq!(nested(Some("JWT"), &unsecured), Err(Error::AlgorithmUnknown { got: "none".into() }));
    assert_eq!(nested(Some("JWT"), &Forger::new(Algorithm::ES256).token()), Err(Error::Signature));
    let encrypted = Encryptor::new(&public).cty("JWT").encrypt(signed.as_bytes()).unwrap();
    assert_eq!(nested(Some("JWT"), &encrypted), Err(Error::Segments { got: 5 }));
    // A signature alone is not what was asked for either.
    assert_eq!(decryptor.decrypt_and_verify(&forger.verifier, &signed, NOW), Err(Error::NotEncrypted { got: 3 }));

    for cty in [None, Some("json"), Some("application/jwt"), Some("JWT ")] {
        let refused = Error::ContentType { expected: "JWT", got: cty.map(Into::into) };
        assert_eq!(nested(cty, &signed), Err(refused));
    }
}

// TOK-11, TOK-17: the inner layer is of the kind that was asked for, and both layers are checked in one call
#[test]
fn signed_and_encrypted_as_another_kind() {
    let forger = Forger::new(Algorithm::ES256);
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "k").unwrap();
    let (public, decryptor) = (key.encryption_key(), Decryptor::new(key));
    let text = Encryptor::new(&public).sign_and_encrypt::<AccessToken>(&forger.key, &claims()).unwrap();
    assert_eq!(decryptor.decrypt_and_verify(&forger.verifier, &text, NOW).unwrap().into_inner(), claims());
    let late = claims().exp + 60;
    assert!(matches!(decryptor.decrypt_and_verify(&forger.verifier, &text, late), Err(Error::Expired { .. })));
    let another = forger.sign(r#"{"alg":"ES256","kid":"k1","typ":"logout+jwt"}"#, payload());
    let text = Encryptor::new(&public).encrypt_signed(&another).unwrap();
    assert!(matches!(decryptor.decrypt_and_verify(&forger.verifier, &text, NOW), Err(Error::Type { .. })));
    for content in ["", "a.b", "no token", &text] {
        assert!(Encryptor::new(&public).encrypt_signed(content).is_err(), "{content}");
    }
}

// RFC 8725 §2.10 and ours: bounded before anything is read
#[test]
fn texts_and_parts_too_long() {
    let text = "A".repeat(MAX_ENCRYPTED_BYTES + 1);
    let too_long = |bytes, limit| Err(Error::TooLong { bytes, limit });
    assert_eq!(direct().decrypt(&text), too_long(text.len(), MAX_ENCRYPTED_BYTES));
    assert_eq!(direct().decrypt_general(&text), too_long(text.len(), MAX_ENCRYPTED_BYTES));
    let message = forge(HEADER).compact();
    let limit = message.len() - 1;
    assert_eq!(direct().limit(limit).decrypt(&message), too_long(message.len(), limit));
    let key = EncryptionKey::secret(KeyAlgorithm::A256KW, "k", &SECRET).unwrap();
    let refused = Encryptor::new(&key).encrypt(&vec![0; MAX_ENCRYPTED_BYTES]);
    assert!(matches!(refused, Err(Error::TooLong { limit: MAX_ENCRYPTED_BYTES, .. })));
    let more = Encryptor::new(&key).limit(4 * MAX_ENCRYPTED_BYTES).encrypt(&vec![0; MAX_ENCRYPTED_BYTES]).unwrap();
    assert_eq!(wrapping().decrypt(&more), too_long(more.len(), MAX_ENCRYPTED_BYTES));
    assert_eq!(wrapping().limit(more.len()).decrypt(&more).unwrap().len(), MAX_ENCRYPTED_BYTES);
    // The longest parts that fit.
    let huge = b64::encode(vec![0; 700_000]);
    let parts = message_to_secret(ContentAlgorithm::A256GCM);
    for parts in
        [Parts { ciphertext: huge.clone(), ..parts.clone() }, Parts { encrypted_key: huge.clone(), ..parts.clone() }]
    {
        assert_eq!(wrapping().decrypt(&parts.compact()), Err(Error::Decrypt));
    }
    let iv = Parts { iv: huge, ..parts };
    assert!(matches!(wrapping().decrypt(&iv.compact()), Err(Error::PartLength { part: "iv", .. })));
}
