//! Vector and tag.

use super::*;

// CVE-2023-37464, CVE-2018-1000539; RFC 7518 §5.3: a tag of one byte is guessed in 256 tries
#[test]
fn truncated_tag() {
    for enc in ContentAlgorithm::all() {
        let parts = message_to_secret(enc);
        let tag = b64::decode(&parts.tag).unwrap();
        for len in (0..tag.len()).chain([tag.len() + 1]) {
            let mut tag = tag.clone();
            tag.resize(len, 0);
            let parts = Parts { tag: b64::encode(tag), ..parts.clone() };
            let refused = Err(Error::PartLength { part: "tag", expected: enc.tag_len(), got: len });
            assert_eq!(wrapping().decrypt(&parts.compact()), refused);
        }
    }
}

// RFC 7518 §5.2.3, §5.3
#[test]
fn vector_empty_short_or_long() {
    for enc in ContentAlgorithm::all() {
        let parts = message_to_secret(enc);
        for len in (0..enc.iv_len()).chain([enc.iv_len() + 1, 64]) {
            let parts = Parts { iv: b64::encode(vec![1; len]), ..parts.clone() };
            let refused = Err(Error::PartLength { part: "iv", expected: enc.iv_len(), got: len });
            assert_eq!(wrapping().decrypt(&parts.compact()), refused);
        }
    }
    let without = forge(HEADER).flattened(&json!({})).replace(r#""iv":"AQEBAQEBAQEBAQEB","#, "");
    assert_eq!(direct().decrypt_general(&without), Err(Error::PartLength { part: "iv", expected: 12, got: 0 }));
}

// RFC 7518 §4.7.1: the same for the vector and the tag of a content key
#[test]
fn vector_and_tag_of_a_wrapped_key() {
    let key = DecryptionKey::secret(KeyAlgorithm::A256GCMKW, "k", &SECRET).unwrap();
    let decryptor = Decryptor::new(key);
    let message = |iv: &str, tag: &str| {
        let header = format!(r#"{{"alg":"A256GCMKW","enc":"A256GCM","iv":{iv},"tag":{tag}}}"#);
        decryptor.decrypt(&seal(&header, &[5; 32], &[5; 32], None).compact())
    };
    let (iv, tag) = (format!("\"{}\"", b64::encode([1; 12])), format!("\"{}\"", b64::encode([1; 16])));
    assert_eq!(message(&iv, &tag), Err(Error::Decrypt));
    for len in [0, 1, 4, 8, 11, 13, 16, 64] {
        assert_eq!(message(&format!("\"{}\"", b64::encode(vec![1; len])), &tag), malformed("iv"));
    }
    for len in [0, 1, 4, 12, 15, 17, 64] {
        assert_eq!(message(&iv, &format!("\"{}\"", b64::encode(vec![1; len]))), malformed("tag"));
    }
    for value in ["null", "[]", "1", "\"=\"", "\"AA==\""] {
        assert_eq!(message(value, &tag), malformed("iv"));
        assert_eq!(message(&iv, value), malformed("tag"));
    }
}

// RFC 7518 §5.2.2.2: the tag first; whether the padding would have been right nobody learns (GHSA for python-jose, 2026)
#[test]
fn padding_oracle() {
    let parts = message_to_secret(ContentAlgorithm::A128CbcHs256);
    let ciphertext = b64::decode(&parts.ciphertext).unwrap();
    for at in 0..ciphertext.len() {
        for bit in 0..8 {
            let mut changed = ciphertext.clone();
            changed[at] ^= 1 << bit;
            let parts = Parts { ciphertext: b64::encode(changed), ..parts.clone() };
            assert_eq!(wrapping().decrypt(&parts.compact()), Err(Error::Decrypt));
        }
    }
    for len in [0, 1, 15, 17, 31, 33] {
        let parts = Parts { ciphertext: b64::encode(vec![0; len]), ..parts.clone() };
        assert_eq!(wrapping().decrypt(&parts.compact()), Err(Error::Decrypt));
    }
}

// Parts of two messages to the same key, put together
#[test]
fn spliced_messages() {
    for enc in ContentAlgorithm::all() {
        let (one, two) = (message_to_secret(enc), message_to_secret(enc));
        let spliced = [
            Parts { encrypted_key: two.encrypted_key.clone(), ..one.clone() },
            Parts { iv: two.iv.clone(), ..one.clone() },
            Parts { ciphertext: two.ciphertext.clone(), ..one.clone() },
            Parts { tag: two.tag.clone(), ..one.clone() },
            Parts { protected: two.protected, encrypted_key: two.encrypted_key, ..one.clone() },
        ];
        for parts in spliced {
            assert_eq!(wrapping().decrypt(&parts.compact()), Err(Error::Decrypt));
        }
    }
}
