//! The content key.

use super::*;

// go-jose#265: a content key shorter than `enc` asks for
#[test]
fn content_key_of_another_length() {
    for (len, enc) in [(16, "A256GCM"), (24, "A256GCM"), (64, "A256GCM"), (32, "A128GCM"), (32, "A256CBC-HS512")] {
        let content_key = vec![5; len];
        let header = format!(r#"{{"alg":"A256KW","enc":"{enc}"}}"#);
        let iv_and_tag = message_to_secret(enc.parse().unwrap());
        let parts =
            Parts { protected: b64::encode(header), encrypted_key: b64::encode(wrap(&content_key)), ..iv_and_tag };
        assert_eq!(wrapping().decrypt(&parts.compact()), Err(Error::Decrypt));
    }
}

// RFC 7516 §5.2 step 10; jwx#2209, jwcrypto#391: an encrypted key that nothing covers
#[test]
fn encrypted_key_where_there_is_none() {
    for len in [1, 8, 40, 256] {
        let parts = Parts { encrypted_key: b64::encode(vec![1; len]), ..forge(HEADER) };
        let refused = Err(Error::PartLength { part: "encrypted_key", expected: 0, got: len });
        assert_eq!(direct().decrypt(&parts.compact()), refused);
        let key = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "k").unwrap();
        let parts = Parts { encrypted_key: b64::encode(vec![1; len]), ..Parts::of(&message_to(&key)) };
        assert_eq!(Decryptor::new(key).decrypt(&parts.compact()), refused);
    }
}

// CVE-2026-34986: an empty or short encrypted key, which made others panic
#[test]
fn encrypted_key_empty_or_short() {
    for alg in KeyAlgorithm::all().filter(|alg| !alg.is_direct()) {
        let key = key_of(alg);
        let parts = Parts::of(&message_to(&key));
        let decryptor = Decryptor::new(key);
        for len in [0, 1, 7, 8, 9, 15, 16, 24, 32, 255, 257, 4096] {
            let parts = Parts { encrypted_key: b64::encode(vec![0; len]), ..parts.clone() };
            assert_eq!(decryptor.decrypt(&parts.compact()), Err(Error::Decrypt), "{alg} {len}");
        }
        // RFC 7516 §7.2.1: absent where it is empty
        let empty = parts.flattened(&json!({"encrypted_key": ""}));
        assert_eq!(decryptor.decrypt_general(&empty), Err(Error::Member { member: "encrypted_key" }));
    }
}

// RFC 7516 §11.5, RFC 8725 §3.2: what failed cannot be told apart
#[test]
fn every_failed_decryption_is_the_same_error() {
    let key = key_of(KeyAlgorithm::RsaOaep);
    let parts = Parts::of(&message_to(&key));
    let decryptor = Decryptor::new(key);
    let jwk = serde_json::to_value(rsa_jwk().public_jwk().unwrap()).unwrap();
    let [n, e] = ["n", "e"].map(|name| b64::decode(jwk[name].as_str().unwrap()).unwrap());
    let public: PublicEncryptingKey = PublicKeyComponents { n: &n, e: &e }.try_into().unwrap();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let oaep = |content_key: &[u8]| {
        let mut encrypted_key = vec![0; 256];
        public.encrypt(&OAEP_SHA1_MGF1SHA1, content_key, &mut encrypted_key, None).unwrap();
        b64::encode(encrypted_key)
    };
    let encrypted_keys = [
        ("padding that does not hold", b64::encode([0x41; 256])),
        ("a number above the modulus", b64::encode([0xff; 256])),
        ("zero", b64::encode([0; 256])),
        ("another content key", oaep(&[9; 32])),
        ("a short content key", oaep(&[9; 16])),
        ("no content key", oaep(&[])),
    ];
    for (what, encrypted_key) in encrypted_keys {
        let parts = Parts { encrypted_key, ..parts.clone() };
        assert_eq!(decryptor.decrypt(&parts.compact()), Err(Error::Decrypt), "{what}");
    }
    let wrong_tag = Parts { tag: b64::encode([0; 16]), ..parts };
    assert_eq!(decryptor.decrypt(&wrong_tag.compact()), Err(Error::Decrypt));
    let other = DecryptionKey::generate(KeyAlgorithm::A256KW, "k").unwrap();
    assert_eq!(wrapping().decrypt(&message_to(&other)), Err(Error::Decrypt));
}
