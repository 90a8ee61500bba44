//! Passwords.

use super::*;

/// The outcome for a message that asks for this many rounds.
fn with_rounds(decryptor: &Decryptor, rounds: &str) -> Outcome {
    let header = format!(r#"{{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2s":"AAAAAAAAAAAAAAAA","p2c":{rounds}}}"#);
    decryptor.decrypt(&seal(&header, &[5; 32], &[0; 40], None).compact())
}

fn password() -> DecryptionKey {
    DecryptionKey::password(KeyAlgorithm::Pbes2HS256A128KW, "k", PASSWORD).unwrap()
}

// CVE-2022-36083, CVE-2023-6681, CVE-2023-49290, CVE-2023-50966, CVE-2023-50967; TOK-13: a bomb of rounds
#[test]
fn rounds_without_end() {
    let decryptor = Decryptor::new(password());
    let limit = *PBES2_ROUNDS.end();
    for got in [u64::from(limit) + 1, u64::from(u32::MAX), u64::from(u32::MAX) + 1001, u64::MAX] {
        assert_eq!(with_rounds(&decryptor, &got.to_string()), Err(Error::Rounds { got, limit }));
    }
    assert_eq!(with_rounds(&decryptor, "1e400"), Err(Error::Number));
    assert_eq!(with_rounds(&decryptor, "18446744073709551616"), Err(Error::Number));
    let careful = Decryptor::new(password().with_max_rounds(10_000).unwrap());
    assert_eq!(with_rounds(&careful, "10001"), Err(Error::Rounds { got: 10_001, limit: 10_000 }));
    assert_eq!(with_rounds(&careful, "10000"), Err(Error::Decrypt));
    let refused = Err(Error::Rounds { got: u64::from(limit) + 1, limit });
    assert_eq!(password().with_max_rounds(limit + 1).map(drop), refused);
    assert_eq!(password().encryption_key().with_rounds(limit + 1).map(drop), refused);
}

// RFC 7518 §4.8.1.2: so few that the password lies open
#[test]
fn rounds_too_few_or_malformed() {
    let decryptor = Decryptor::new(password());
    for got in [0, 1, 999] {
        assert_eq!(with_rounds(&decryptor, &got.to_string()), Err(Error::Rounds { got, limit: *PBES2_ROUNDS.end() }));
        assert!(password().encryption_key().with_rounds(u32::try_from(got).unwrap()).is_err());
    }
    for value in ["-1", "1000.5", "1000.0", "1e3", "\"1000\"", "null", "[1000]", "true"] {
        assert_eq!(with_rounds(&decryptor, value), malformed("p2c"), "{value}");
    }
    let header = r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2s":"AAAAAAAAAAAAAAAA"}"#;
    let without = decryptor.decrypt(&seal(header, &[5; 32], &[0; 40], None).compact());
    assert_eq!(without, Err(Error::HeaderMissing { member: "p2c" }));
}

// RFC 7518 §4.8.1.1
#[test]
fn salt_short_long_or_absent() {
    let decryptor = Decryptor::new(password());
    let with_salt = |salt: Value| {
        let header = json!({"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "p2s": salt, "p2c": 1000}).to_string();
        decryptor.decrypt(&seal(&header, &[5; 32], &[0; 40], None).compact())
    };
    for len in [0, 1, 7, 129, 100_000] {
        assert_eq!(with_salt(b64::encode(vec![1; len]).into()), malformed("p2s"));
    }
    assert_eq!(with_salt(json!(null)), malformed("p2s"));
    assert_eq!(with_salt(b64::encode([1; 8]).into()), Err(Error::Decrypt));
    let header = r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":1000}"#;
    let without = decryptor.decrypt(&seal(header, &[5; 32], &[0; 40], None).compact());
    assert_eq!(without, Err(Error::HeaderMissing { member: "p2s" }));
}

// jose.md rule 9: no password was asked for, so that none is hashed, whatever the key
#[test]
fn password_where_none_was_asked_for() {
    let message = message_to(&password());
    for alg in KeyAlgorithm::all().filter(|alg| !alg.is_password()) {
        let refused = Decryptor::new(key_of(alg)).decrypt(&message);
        assert_eq!(refused, Err(Error::KeyAlgorithmMismatch { expected: alg, got: KeyAlgorithm::Pbes2HS256A128KW }));
    }
    for alg in KeyAlgorithm::all().filter(|alg| alg.is_password()) {
        for key in [DecryptionKey::secret(alg, "k", &SECRET), DecryptionKey::from_jwk_as(&rsa_jwk(), alg)] {
            assert_eq!(key.unwrap_err(), KeyError::DoesNotFit(alg).into());
        }
    }
}

// A bomb of recipients: each password costs as much as its sender likes
#[test]
fn several_passwords_in_one_message() {
    let key = password();
    let public = key.encryption_key().with_rounds(1000).unwrap();
    let twice = Encryptor::new(&public).recipient(&public).general(CONTENT);
    assert_eq!(twice, Err(Error::Recipients { got: 2 }));
    let header = json!({"alg": "PBES2-HS256+A128KW", "p2s": "AAAAAAAAAAAAAAAA", "p2c": 1_200_000});
    let recipients = vec![json!({"header": header, "encrypted_key": "AAAA"}); MAX_RECIPIENTS];
    let parts = seal(r#"{"enc":"A256GCM"}"#, &[5; 32], b"", None);
    let refused = Decryptor::new(key).decrypt_general(&parts.flattened(&json!({"recipients": recipients})));
    assert_eq!(refused, Err(Error::Recipients { got: MAX_RECIPIENTS }));
}
