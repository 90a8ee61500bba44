//! What holds for every algorithm and any content.

use countersign_jose::{
    Algorithm, Error, JwkSet, PrivateJwk, SigningKey, b64,
    jwe::{ContentAlgorithm, Curve, DecryptionKey, Decryptor, EncryptionKey, Encryptor, KeyAlgorithm},
    key::import,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery staple";

/// A key of an algorithm for each of its kinds, all with the same id; a password is hashed as rarely as is allowed.
fn keys(alg: KeyAlgorithm, enc: ContentAlgorithm) -> Vec<(EncryptionKey, DecryptionKey)> {
    let name = alg.as_str();
    let keys = if alg == KeyAlgorithm::Dir {
        vec![DecryptionKey::generate_direct(enc, "k").unwrap()]
    } else if alg.is_password() {
        vec![DecryptionKey::password(alg, "k", PASSWORD).unwrap()]
    } else if name.starts_with("RSA") {
        let jwk = PrivateJwk::parse(crate::support::encrypted::A1_KEY.as_bytes()).unwrap().with_kid("k");
        vec![DecryptionKey::from_jwk_as(&jwk, alg).unwrap()]
    } else if name.starts_with("ECDH") {
        Curve::all().map(|curve| DecryptionKey::generate_on(curve, alg, "k").unwrap()).collect()
    } else {
        vec![DecryptionKey::generate(alg, "k").unwrap()]
    };
    keys.into_iter().map(|key| (key.encryption_key().with_rounds(1000).unwrap_or(key.encryption_key()), key)).collect()
}

#[test]
fn every_algorithm_with_every_other_and_every_serialization() {
    let content = b"content \xff\x00 that is no text";
    for alg in KeyAlgorithm::all() {
        for enc in ContentAlgorithm::all() {
            for (public, key) in keys(alg, enc) {
                let encryptor = Encryptor::new(&public).enc(enc).typ("t").cty("c").parties(b"Alice", b"Bob");
                let decryptor = Decryptor::new(key).accept([enc]);
                let compact = decryptor.decrypt(&encryptor.encrypt(content).unwrap()).unwrap();
                assert_eq!(**compact, *content, "{alg} {enc}");
                assert_eq!((compact.alg(), compact.enc(), compact.kid()), (alg, enc, Some("k")));
                assert_eq!((compact.typ(), compact.cty(), compact.aad()), (Some("t"), Some("c"), None));

                let encryptor = encryptor.aad(b"more").unprotected("note", json!("public"));
                for text in [encryptor.flattened(content), encryptor.general(content)] {
                    let general = decryptor.decrypt_general(&text.unwrap()).unwrap();
                    assert_eq!((&***general, general.aad()), (content.as_slice(), Some(b"more".as_slice())));
                }
            }
        }
    }
}

#[test]
fn every_recipient_of_several_decrypts() {
    let all: Vec<_> = KeyAlgorithm::all()
        .filter(|alg| !alg.is_direct() && (!alg.is_password() || *alg == KeyAlgorithm::Pbes2HS256A128KW))
        .flat_map(|alg| keys(alg, ContentAlgorithm::A256GCM).into_iter().take(1))
        .collect();
    let encryptor = Encryptor::new(&all[0].0);
    let encryptor = all[1..].iter().fold(encryptor, |encryptor, (public, _)| encryptor.recipient(public));
    let text = encryptor.general(b"to all").unwrap();
    for (_, key) in all {
        assert_eq!(**Decryptor::new(key).decrypt_general(&text).unwrap(), b"to all");
    }
}

#[test]
fn keys_that_were_written_are_read_again() {
    for alg in KeyAlgorithm::all().filter(|alg| !alg.is_password()) {
        for (public, key) in keys(alg, ContentAlgorithm::A128CbcHs256) {
            let text = Encryptor::new(&public).encrypt(b"content").unwrap();
            let json = key.private_jwk().unwrap().to_json();
            let again = import(json.as_bytes()).unwrap().keys[0].decryption_key(None).unwrap();
            assert_eq!((again.alg(), again.kid(), again.enc()), (key.alg(), key.kid(), key.enc()));
            assert_eq!(**Decryptor::new(again).decrypt(&text).unwrap(), b"content");
            let whole = import(json.as_bytes()).unwrap().keys[0].encryption_key(None).unwrap();
            let text = Encryptor::new(&whole).encrypt(b"content").unwrap();
            assert_eq!(**Decryptor::new(key.clone()).decrypt(&text).unwrap(), b"content");
            let json = match key.public_jwk() {
                Some(jwk) => serde_json::to_string(&jwk).unwrap().into(),
                None => key.private_jwk().unwrap().to_json(),
            };
            let public = import(json.as_bytes()).unwrap().keys[0].encryption_key(None).unwrap();
            let text = Encryptor::new(&public).encrypt(b"content").unwrap();
            assert_eq!(**Decryptor::new(key).decrypt(&text).unwrap(), b"content");
        }
    }
}

#[test]
fn a_key_set_with_keys_for_both_uses() {
    let (public, key) = keys(KeyAlgorithm::EcdhEsA256KW, ContentAlgorithm::A256GCM).remove(0);
    let signing = SigningKey::generate(Algorithm::ES256, "s").unwrap();
    let set = JwkSet::from(vec![signing.public_jwk().unwrap(), key.public_jwk().unwrap()]);
    let set = JwkSet::parse(&serde_json::to_vec(&set).unwrap()).unwrap();
    assert_eq!(set.verifying_keys().filter_map(|key| key.kid().map(String::from)).collect::<Vec<_>>(), ["s"]);
    assert_eq!(set.encryption_keys().filter_map(|key| key.kid().map(String::from)).collect::<Vec<_>>(), ["k"]);
    assert_eq!(set.encryption_keys().next().map(|key| key.alg()), Some(public.alg()));
}

/// Every byte of every part, changed; every part cut and lengthened.
fn refuses_every_change(decryptor: &Decryptor, text: &str) {
    let parts: Vec<Vec<u8>> = text.split('.').map(|part| b64::decode(part).unwrap()).collect();
    let join = |parts: &[Vec<u8>]| parts.iter().map(b64::encode).collect::<Vec<_>>().join(".");
    assert!(decryptor.decrypt(&join(&parts)).is_ok());
    for part in 0..5 {
        for at in 0..parts[part].len() {
            for bit in [1, 0x80] {
                let mut changed = parts.clone();
                changed[part][at] ^= bit;
                assert!(decryptor.decrypt(&join(&changed)).is_err(), "{bit} at {at} of part {part}");
            }
        }
        let (mut shorter, mut longer) = (parts.clone(), parts.clone());
        longer[part].push(0);
        assert!(decryptor.decrypt(&join(&longer)).is_err());
        if shorter[part].pop().is_some() {
            assert!(decryptor.decrypt(&join(&shorter)).is_err());
        }
    }
    for at in 0..text.len() {
        assert!(decryptor.decrypt(&text[..at]).is_err(), "the first {at}");
        let without = format!("{}{}", &text[..at], &text[at + 1..]);
        assert!(decryptor.decrypt(&without).is_err(), "without {at}");
    }
}

#[test]
fn any_change_of_any_byte_is_refused() {
    for alg in KeyAlgorithm::all() {
        let encs: Vec<_> =
            if alg == KeyAlgorithm::Dir { ContentAlgorithm::all().collect() } else { vec![ContentAlgorithm::A256GCM] };
        for enc in encs {
            for (public, key) in keys(alg, enc).into_iter().rev().take(1) {
                let text = Encryptor::new(&public).enc(enc).encrypt(b"content").unwrap();
                refuses_every_change(&Decryptor::new(key), &text);
            }
        }
    }
}

// The tag covers the content and the protected header; `epk`, salts and wrapped keys outside of it spoil the content key.
#[test]
fn any_change_of_any_character_of_a_member_is_refused() {
    let (public, key) = keys(KeyAlgorithm::EcdhEsA256KW, ContentAlgorithm::A256GCM).remove(3);
    let other = keys(KeyAlgorithm::A256GCMKW, ContentAlgorithm::A256GCM).remove(0).0;
    let text = Encryptor::new(&public).recipient(&other).aad(b"more").general(b"content").unwrap();
    let decryptor = Decryptor::new(key);
    let message: Value = serde_json::from_str(&text).unwrap();
    let places = [
        "/protected",
        "/iv",
        "/ciphertext",
        "/tag",
        "/aad",
        "/recipients/0/encrypted_key",
        "/recipients/0/header/epk/x",
    ];
    for place in places {
        let original = message.pointer(place).unwrap().as_str().unwrap().to_owned();
        for at in 0..original.len() {
            let mut changed = original.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let mut message = message.clone();
            *message.pointer_mut(place).unwrap() = String::from_utf8(changed).unwrap().into();
            assert!(decryptor.decrypt_general(&message.to_string()).is_err(), "{place} at {at}");
        }
    }
}

// Nothing is chosen twice: neither keys nor vectors, salts or points.
#[test]
fn two_messages_have_nothing_in_common() {
    for alg in KeyAlgorithm::all() {
        for (public, _) in keys(alg, ContentAlgorithm::A256CbcHs512) {
            let encryptor = Encryptor::new(&public).enc(ContentAlgorithm::A256CbcHs512);
            let (one, two) = (encryptor.encrypt(b"content").unwrap(), encryptor.encrypt(b"content").unwrap());
            for (part, (one, two)) in one.split('.').zip(two.split('.')).enumerate().skip(1) {
                assert!(one != two || (alg.is_direct() && part == 1), "{alg}, part {part}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_content_comes_back(content: Vec<u8>, aad: Vec<u8>, at in 0..6usize) {
        let enc = ContentAlgorithm::all().nth(at).unwrap();
        let key = DecryptionKey::secret(KeyAlgorithm::A192KW, "k", &[3; 24]).unwrap();
        let public = key.encryption_key();
        let encryptor = Encryptor::new(&public).enc(enc);
        let decryptor = Decryptor::new(key);
        prop_assert_eq!(&***decryptor.decrypt(&encryptor.encrypt(&content).unwrap()).unwrap(), &*content);
        let general = decryptor.decrypt_general(&encryptor.aad(&aad).general(&content).unwrap()).unwrap();
        prop_assert_eq!(&***general, &*content);
        prop_assert_eq!(general.aad().unwrap_or_default(), &*aad);
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text: String, parts in proptest::collection::vec("[A-Za-z0-9_-]{0,40}", 0..8)) {
        let key = DecryptionKey::secret(KeyAlgorithm::A192KW, "k", &[3; 24]).unwrap();
        let decryptor = Decryptor::new(key);
        prop_assert!(decryptor.decrypt(&text).is_err());
        prop_assert!(decryptor.decrypt_general(&text).is_err());
        prop_assert!(decryptor.decrypt(&parts.join(".")).is_err());
    }

    #[test]
    fn any_header_is_refused_without_a_panic(member in "alg|enc|kid|epk|p2c|p2s|iv|tag|apu|crit|zip|typ", value in any_json()) {
        let mut header = json!({"alg": "A192KW", "enc": "A256GCM", "kid": "k"});
        header[&member] = value;
        let key = DecryptionKey::secret(KeyAlgorithm::A192KW, "k", &[3; 24]).unwrap();
        let text = format!("{}.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", b64::encode(header.to_string()));
        let refused = Decryptor::new(key).decrypt(&text).unwrap_err();
        prop_assert_ne!(refused, Error::Encrypt);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((".{0,4}", inner), 0..4)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}
