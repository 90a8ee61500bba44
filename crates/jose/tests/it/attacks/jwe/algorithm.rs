//! The algorithm.

use super::*;

// RFC 8725 §3.2; TOK-13; CVE-2016-6298, CVE-2026-28490: million messages against PKCS #1 v1.5
#[test]
fn rsa1_5_in_every_spelling() {
    for name in ["RSA1_5", "rsa1_5", "RSA1_5 ", "RSA-PKCS1", "RSA"] {
        assert_eq!(with_header(&format!(r#"{{"alg":"{name}","enc":"A256GCM"}}"#)), unknown(name));
        assert_eq!(name.parse::<KeyAlgorithm>(), unknown(name));
    }
    let jwk = rsa_jwk().public_jwk().unwrap();
    let json = serde_json::to_string(&jwk).unwrap().replacen('{', r#"{"alg":"RSA1_5","#, 1);
    let named = Jwk::parse(json.as_bytes()).unwrap();
    assert_eq!(EncryptionKey::from_jwk(&named).unwrap_err(), KeyError::Unsupported("RSA1_5".into()).into());
    for alg in KeyAlgorithm::all() {
        assert_eq!(EncryptionKey::from_jwk_as(&named, alg).unwrap_err(), KeyError::DoesNotFit(alg).into());
    }
}

// RFC 8725 §3.1: compared exactly; a name of a signature encrypts nothing
#[test]
fn algorithms_that_do_not_exist_here() {
    let signatures = Algorithm::all().map(Algorithm::as_str);
    for name in ["none", "None", "DIR", "Dir", "a256kw", "A256KW ", "A256GCM", "ECDH-SS", "", "\u{ff21}256KW"]
        .into_iter()
        .chain(signatures)
    {
        assert_eq!(with_header(&format!(r#"{{"alg":"{name}","enc":"A256GCM"}}"#)), unknown(name));
    }
    for name in ["none", "a256gcm", "A256KW", "dir", "A256CBC", "A128CBC+HS256", "XC20P", ""] {
        assert_eq!(with_header(&format!(r#"{{"alg":"dir","enc":"{name}"}}"#)), unknown(name));
    }
}

// RFC 7516 §4.1.1, §4.1.2
#[test]
fn algorithms_absent_or_no_texts() {
    assert_eq!(with_header(r#"{"enc":"A256GCM"}"#), Err(Error::HeaderMissing { member: "alg" }));
    assert_eq!(with_header(r#"{"alg":"dir"}"#), Err(Error::HeaderMissing { member: "enc" }));
    for value in ["null", "[]", r#"["dir"]"#, "0", "true", r#"{"dir":1}"#] {
        assert_eq!(with_header(&format!(r#"{{"alg":{value},"enc":"A256GCM"}}"#)), malformed("alg"));
        assert_eq!(with_header(&format!(r#"{{"alg":"dir","enc":{value}}}"#)), malformed("enc"));
    }
}

// TOK-01, TOK-02; RFC 8725 §3.1: the key decides; every pair of algorithms
#[test]
fn the_header_never_chooses_the_algorithm() {
    let keys: Vec<_> = KeyAlgorithm::all().map(key_of).collect();
    let messages: Vec<_> = keys.iter().map(message_to).collect();
    for key in &keys {
        let decryptor = Decryptor::new(key.clone());
        for (other, message) in keys.iter().zip(&messages).filter(|(other, _)| other.alg() != key.alg()) {
            let refused = Error::KeyAlgorithmMismatch { expected: key.alg(), got: other.alg() };
            assert_eq!(decryptor.decrypt(message), Err(refused));
        }
    }
}

// RFC 8725 §3.1: the secret that wraps is no content key, whatever the header says, and the reverse
#[test]
fn a_wrapping_secret_is_no_content_key() {
    let direct_to_wrapping = wrapping().decrypt(&forge(HEADER).compact());
    let refused = Error::KeyAlgorithmMismatch { expected: KeyAlgorithm::A256KW, got: KeyAlgorithm::Dir };
    assert_eq!(direct_to_wrapping, Err(refused));
    let header = r#"{"alg":"A256KW","enc":"A256GCM","kid":"k"}"#;
    let wrapping_to_direct = direct().decrypt(&seal(header, &[5; 32], &wrap(&[5; 32]), None).compact());
    let refused = Error::KeyAlgorithmMismatch { expected: KeyAlgorithm::Dir, got: KeyAlgorithm::A256KW };
    assert_eq!(wrapping_to_direct, Err(refused));
}

// RFC 8725 §3.1: an allowlist of the content's algorithms, too
#[test]
fn content_algorithms_that_the_recipient_does_not_accept() {
    let key = DecryptionKey::secret(KeyAlgorithm::A256KW, "k", &SECRET).unwrap();
    let public = key.encryption_key();
    for enc in ContentAlgorithm::all() {
        let text = Encryptor::new(&public).enc(enc).encrypt(CONTENT).unwrap();
        let others = ContentAlgorithm::all().filter(|other| *other != enc);
        let decryptor = Decryptor::new(key.clone()).accept(others);
        assert_eq!(decryptor.decrypt(&text), Err(Error::ContentAlgorithm { got: enc }));
    }
}

// One key in two algorithms, of which either could betray it: a content key is for one
#[test]
fn a_content_key_is_for_one_algorithm() {
    let refused = Err(Error::ContentAlgorithm { got: ContentAlgorithm::A128CbcHs256 });
    assert_eq!(with_header(r#"{"alg":"dir","enc":"A128CBC-HS256"}"#), refused);
    let key = EncryptionKey::direct(ContentAlgorithm::A256GCM, "k", &SECRET).unwrap();
    let encrypted = Encryptor::new(&key).enc(ContentAlgorithm::A128CbcHs256).encrypt(CONTENT);
    assert_eq!(encrypted, Err(Error::ContentAlgorithm { got: ContentAlgorithm::A128CbcHs256 }));
    let nameless = PrivateJwk::parse(br#"{"kty":"oct","k":"BwcHBwcHBwcHBwcHBwcHBw","kid":"k"}"#).unwrap();
    let refused = DecryptionKey::from_jwk_as(&nameless, KeyAlgorithm::Dir).unwrap_err();
    assert_eq!(refused, KeyError::AlgorithmMissing.into());
}
