//! Keys, and what is shown of them.

use super::*;

// RFC 7518 §4.4, §4.7; RFC 8725 §3.5
#[test]
fn secrets_of_another_length() {
    for alg in KeyAlgorithm::all() {
        let Some(expected) = alg.secret_len() else { continue };
        for got in (0..expected).chain([expected + 1, 64]) {
            let refused = DecryptionKey::secret(alg, "k", &vec![1; got]).unwrap_err();
            assert_eq!(refused, KeyError::SecretLength { expected, got }.into());
            assert!(EncryptionKey::secret(alg, "k", &vec![1; got]).is_err());
        }
    }
    for enc in ContentAlgorithm::all() {
        for got in [0, 15, enc.key_len() - 1, enc.key_len() + 1] {
            let refused = DecryptionKey::direct(enc, "k", &vec![1; got]).unwrap_err();
            assert_eq!(refused, KeyError::SecretLength { expected: enc.key_len(), got }.into());
        }
    }
    for password in ["", "password", "fifteen letters", &"x".repeat(1025)] {
        let refused = EncryptionKey::password(KeyAlgorithm::Pbes2HS256A128KW, "k", password).unwrap_err();
        assert_eq!(refused, KeyError::PasswordLength(password.len()).into());
    }
}

// RFC 7517 §4.2, §4.3: `use` and `key_ops` are obeyed; KEY-09
#[test]
fn keys_that_are_for_something_else() {
    let public = rsa_jwk().public_jwk().unwrap();
    let json = serde_json::to_string(&public).unwrap();
    let with = |member: &str| Jwk::parse(json.replacen('{', &format!("{{{member},"), 1).as_bytes()).unwrap();
    for member in
        [r#""use":"sig""#, r#""key_ops":["verify"]"#, r#""key_ops":[]"#, r#""use":"enc","key_ops":["deriveKey"]"#]
    {
        let refused = EncryptionKey::from_jwk_as(&with(member), KeyAlgorithm::RsaOaep256).unwrap_err();
        assert_eq!(refused, KeyError::NotForEncryption.into(), "{member}");
    }
    for member in [r#""use":"enc""#, r#""key_ops":["wrapKey"]"#, r#""key_ops":["encrypt"]"#] {
        assert!(EncryptionKey::from_jwk_as(&with(member), KeyAlgorithm::RsaOaep256).is_ok());
    }
    let signing = SigningKey::generate(Algorithm::ES256, "k").unwrap().public_jwk().unwrap();
    let refused = EncryptionKey::from_jwk_as(&signing, KeyAlgorithm::EcdhEs).unwrap_err();
    assert_eq!(refused, KeyError::DoesNotFit(KeyAlgorithm::EcdhEs).into());
    // Of a key to agree with, an empty list says nothing: it speaks of the private half.
    let agreed = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "k").unwrap().public_jwk().unwrap();
    for (ops, fits) in [("[]", true), (r#"["deriveKey"]"#, true), (r#"["deriveBits"]"#, true), (r#"["verify"]"#, false)]
    {
        let json = serde_json::to_string(&agreed).unwrap().replacen('{', &format!(r#"{{"key_ops":{ops},"#), 1);
        assert_eq!(EncryptionKey::from_jwk(&Jwk::parse(json.as_bytes()).unwrap()).is_ok(), fits, "{ops}");
    }
    let private = rsa_jwk().to_json();
    for (member, fits) in [
        (r#""use":"sig""#, false),
        (r#""key_ops":["sign"]"#, false),
        (r#""key_ops":["wrapKey"]"#, false),
        (r#""key_ops":["unwrapKey"]"#, true),
    ] {
        let jwk = PrivateJwk::parse(private.replacen('{', &format!("{{{member},"), 1).as_bytes()).unwrap();
        assert_eq!(DecryptionKey::from_jwk_as(&jwk, KeyAlgorithm::RsaOaep256).is_ok(), fits, "{member}");
    }
    let unnamed = EncryptionKey::from_jwk(&public).unwrap_err();
    assert_eq!(unnamed, KeyError::AlgorithmMissing.into());
}

// TOK-02: a key of another kind is refused when it is made, not when it is used
#[test]
fn keys_of_another_kind() {
    // On these two curves only signatures are made.
    let signing = ["Ed25519", "ES256K"].map(|name| {
        let key = PrivateJwk::generate(name.parse().unwrap()).unwrap();
        let json = key.to_json().replace(&format!(r#","alg":"{name}","use":"sig""#), "");
        PrivateJwk::parse(json.as_bytes()).unwrap()
    });
    let oct = PrivateJwk::parse(br#"{"kty":"oct","k":"BwcHBwcHBwcHBwcHBwcHBw","kid":"k"}"#).unwrap();
    for alg in KeyAlgorithm::all() {
        for key in &signing {
            assert_eq!(DecryptionKey::from_jwk_as(key, alg).unwrap_err(), KeyError::DoesNotFit(alg).into());
        }
        let rsa = DecryptionKey::from_jwk_as(&rsa_jwk(), alg);
        assert_eq!(rsa.is_ok(), alg.as_str().starts_with("RSA"), "{alg}");
        let secret = DecryptionKey::from_jwk_as(&oct, alg);
        assert_eq!(secret.is_ok(), alg.secret_len() == Some(16), "{alg}");
    }
}

// KEY-06: weak keys are encrypted to by nobody
#[test]
fn weak_keys() {
    let weak = |n: &[u8]| Jwk::parse(json!({"kty": "RSA", "n": b64::encode(n), "e": "AQAB"}).to_string().as_bytes());
    assert_eq!(weak(&[0xff; 128]).unwrap_err(), KeyError::RsaSize(1024).into());
    let mut even = vec![0xff; 256];
    even[255] = 0xfe;
    assert_eq!(weak(&even).unwrap_err(), KeyError::RsaWeak.into());
}

#[test]
fn nothing_secret_is_printed() {
    let key = DecryptionKey::secret(KeyAlgorithm::A256KW, "k", b"secret secret secret secret 1234").unwrap();
    let public = key.encryption_key();
    let encryptor = Encryptor::new(&public);
    let decryptor = Decryptor::new(key.clone());
    let decrypted = decryptor.decrypt(&encryptor.encrypt(b"private words").unwrap()).unwrap();
    let shown = format!("{key:?} {public:?} {encryptor:?} {decryptor:?} {decrypted:?}");
    for secret in ["secret", "private", "115, 101, 99"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
