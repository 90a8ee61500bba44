//! Several recipients.

use super::*;

// RFC 7516 §5.1 step 5, §7.2.1
#[test]
fn mixed_recipients() {
    let wrapped = json!({"header": {"alg": "A256KW", "kid": "k"}, "encrypted_key": b64::encode(wrap(&SECRET))});
    let parts = seal(r#"{"enc":"A256GCM"}"#, &SECRET, b"", None);
    let general = |recipients: Value| wrapping().decrypt_general(&parts.flattened(&json!({"recipients": recipients})));
    assert_eq!(**general(json!([wrapped])).unwrap(), *CONTENT);
    // A recipient who shares or agrees on the content key gives it to the others, or takes theirs.
    for alg in ["dir", "ECDH-ES"] {
        for recipients in [json!([wrapped, {"header": {"alg": alg}}]), json!([{"header": {"alg": alg}}, wrapped])] {
            assert_eq!(general(recipients), Err(Error::Recipients { got: 2 }));
        }
    }
    let direct = DecryptionKey::direct(ContentAlgorithm::A256GCM, "d", &SECRET).unwrap().encryption_key();
    let wrap_key = EncryptionKey::secret(KeyAlgorithm::A256KW, "k", &SECRET).unwrap();
    let mixed = Encryptor::new(&wrap_key).recipient(&direct).general(CONTENT);
    assert_eq!(mixed, Err(Error::Recipients { got: 2 }));
    // The header of every recipient is checked, not only that of one who decrypts.
    let zip = json!([wrapped, {"header": {"alg": "A128KW", "zip": "DEF"}, "encrypted_key": "AAAA"}]);
    assert_eq!(general(zip), Err(Error::Compressed));
    let twice = json!([wrapped, {"header": {"alg": "A128KW", "enc": "A256GCM"}, "encrypted_key": "AAAA"}]);
    assert_eq!(general(twice), Err(Error::Duplicate { name: "enc".into() }));
}

// RFC 7516 §7.2.1: the content is encrypted once
#[test]
fn recipients_who_differ_in_the_content_algorithm() {
    let recipient =
        |enc: &str| json!({"header": {"alg": "A256KW", "enc": enc}, "encrypted_key": b64::encode(wrap(&SECRET))});
    let parts = seal("{}", &SECRET, b"", None);
    for other in [recipient("A128GCM"), json!({"header": {"alg": "A256KW"}})] {
        let text = parts.flattened(&json!({"recipients": [recipient("A256GCM"), other]}));
        assert_eq!(wrapping().accept([ContentAlgorithm::A256GCM]).decrypt_general(&text), malformed("enc"));
    }
}

#[test]
fn recipients_none_or_too_many() {
    let parts = seal(r#"{"enc":"A256GCM"}"#, &SECRET, b"", None);
    let general = |others: Value| wrapping().decrypt_general(&parts.flattened(&others));
    let recipient = json!({"header": {"alg": "A256KW"}, "encrypted_key": b64::encode(wrap(&SECRET))});
    assert_eq!(general(json!({"recipients": []})), Err(Error::Recipients { got: 0 }));
    let many = vec![recipient.clone(); MAX_RECIPIENTS + 1];
    assert_eq!(general(json!({"recipients": many})), Err(Error::Recipients { got: MAX_RECIPIENTS + 1 }));
    let key = EncryptionKey::secret(KeyAlgorithm::A256KW, "k", &SECRET).unwrap();
    let to_many = (0..MAX_RECIPIENTS).fold(Encryptor::new(&key), |encryptor, _| encryptor.recipient(&key));
    assert_eq!(to_many.general(CONTENT), Err(Error::Recipients { got: MAX_RECIPIENTS + 1 }));
    assert_eq!(to_many.flattened(CONTENT), Err(Error::Member { member: "recipients" }));
    assert_eq!(to_many.encrypt(CONTENT), Err(Error::Member { member: "recipients" }));
    for recipients in [json!({}), json!("x"), json!([1]), json!([[]]), json!(null)] {
        assert_eq!(general(json!({"recipients": recipients})), Err(Error::Member { member: "recipients" }));
    }
    for (member, value) in [("header", json!({})), ("encrypted_key", json!("AAAA"))] {
        let both = general(json!({"recipients": [recipient], member: value}));
        assert_eq!(both, Err(Error::Member { member }));
    }
}

// RFC 7516 §7.2.1: members of the right type, absent where they are empty
#[test]
fn serializations_that_are_malformed() {
    let parts = forge(HEADER);
    for member in ["protected", "iv", "tag", "aad", "ciphertext", "encrypted_key"] {
        for value in [json!(null), json!(1), json!([]), json!({})] {
            let text = parts.flattened(&json!({member: value}));
            assert_eq!(direct().decrypt_general(&text), Err(Error::Member { member }));
        }
        if member != "ciphertext" {
            let text = parts.flattened(&json!({member: ""}));
            assert_eq!(direct().decrypt_general(&text), Err(Error::Member { member }));
        }
        let text = parts.flattened(&json!({member: "AB"})); // trailing bits
        assert_eq!(direct().decrypt_general(&text), Err(Error::Base64));
    }
    for member in ["unprotected", "header"] {
        for value in [json!(null), json!("x"), json!([])] {
            let text = parts.flattened(&json!({member: value}));
            assert_eq!(direct().decrypt_general(&text), Err(Error::Member { member }));
        }
    }
    for text in ["", "{}", "[]", "null", "{\"ciphertext\":\"\"}"] {
        assert!(direct().decrypt_general(text).is_err());
    }
}

// RFC 7516 §5.1 step 14
#[test]
fn additional_data_changed_added_or_taken_away() {
    let parts = seal(HEADER, &SECRET, b"", Some(b"more"));
    let with = |aad: Value| direct().decrypt_general(&parts.flattened(&aad));
    assert_eq!(with(json!({"aad": b64::encode("more")})).unwrap().aad(), Some(b"more".as_slice()));
    assert_eq!(with(json!({"aad": b64::encode("less")})), Err(Error::Decrypt));
    assert_eq!(with(json!({})), Err(Error::Decrypt));
    let added = forge(HEADER).flattened(&json!({"aad": b64::encode("more")}));
    assert_eq!(direct().decrypt_general(&added), Err(Error::Decrypt));
    // Additional data that a compact message would lose.
    let key = EncryptionKey::direct(ContentAlgorithm::A256GCM, "k", &SECRET).unwrap();
    let lost = Encryptor::new(&key).aad(b"more").encrypt(CONTENT);
    assert_eq!(lost, Err(Error::Member { member: "aad" }));
    let lost = Encryptor::new(&key).unprotected("a", json!(1)).encrypt(CONTENT);
    assert_eq!(lost, Err(Error::Member { member: "unprotected" }));
    let reserved = Encryptor::new(&key).unprotected("zip", json!("DEF")).flattened(CONTENT);
    assert_eq!(reserved, Err(Error::ClaimReserved { name: "zip".into() }));
}
