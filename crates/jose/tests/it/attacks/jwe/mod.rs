//! Known attacks on encryption, one test each. A test encrypts with the recipient's own secret wherever it can, so that it is the
//! check under test that refuses and not the tag.

mod agreement;
mod algorithm;
mod content_key;
mod header;
mod keys;
mod password;
mod recipients;
mod tag;
mod text;

use crate::support::{Forger, NOW, claims, payload};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    key_wrap::{AES_256, AesKek, KeyWrap},
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents},
};
use countersign_jose::{
    Algorithm, Error, Jwk, KeyError, PrivateJwk, SigningKey, Unverified, b64,
    jwe::{ContentAlgorithm, Curve, Decrypted, DecryptionKey, Decryptor, EncryptionKey, Encryptor, KeyAlgorithm},
    jws::UnverifiedJws,
    limits::{MAX_DEPTH, MAX_ENCRYPTED_BYTES, MAX_KID_BYTES, MAX_PARTY_BYTES, MAX_RECIPIENTS, PBES2_ROUNDS},
    profile::AccessToken,
};
use serde_json::{Value, json};

type Outcome = Result<Decrypted, Error>;

const SECRET: [u8; 32] = [7; 32];
const CONTENT: &[u8] = b"the content of this message";
const PASSWORD: &str = "correct horse battery staple";

/// A message in pieces, each in base64url.
#[derive(Clone)]
struct Parts {
    protected: String,
    encrypted_key: String,
    iv: String,
    ciphertext: String,
    tag: String,
}

impl Parts {
    fn of(text: &str) -> Self {
        let [protected, encrypted_key, iv, ciphertext, tag] =
            <[&str; 5]>::try_from(text.split('.').collect::<Vec<_>>()).unwrap().map(String::from);
        Self { protected, encrypted_key, iv, ciphertext, tag }
    }

    fn compact(&self) -> String {
        [&self.protected, &self.encrypted_key, &self.iv, &self.ciphertext, &self.tag].map(String::as_str).join(".")
    }

    /// The members of the flattened serialization, and others, which replace them.
    fn flattened(&self, others: &Value) -> String {
        let mut members = json!({"iv": self.iv, "ciphertext": self.ciphertext, "tag": self.tag});
        for (name, text) in [("protected", &self.protected), ("encrypted_key", &self.encrypted_key)] {
            if !text.is_empty() {
                members[name] = text.clone().into();
            }
        }
        members.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        members.to_string()
    }
}

/// A256GCM under a content key, correct for this protected header (and additional data).
fn seal(header: &str, content_key: &[u8], encrypted_key: &[u8], aad: Option<&[u8]>) -> Parts {
    let protected = b64::encode(header);
    let (iv, mut text) = ([1; 12], CONTENT.to_vec());
    let covered = aad.map_or(protected.clone(), |aad| format!("{protected}.{}", b64::encode(aad)));
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, content_key).unwrap());
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), Aad::from(covered), &mut text).unwrap();
    Parts {
        protected,
        encrypted_key: b64::encode(encrypted_key),
        iv: b64::encode(iv),
        ciphertext: b64::encode(text),
        tag: b64::encode(tag),
    }
}

/// Correct for the key of [`direct`].
fn forge(header: &str) -> Parts {
    seal(header, &SECRET, b"", None)
}

/// Wraps a content key as the sender would.
fn wrap(content_key: &[u8]) -> Vec<u8> {
    let mut wrapped = vec![0; content_key.len() + 8];
    AesKek::new(&AES_256, &SECRET).unwrap().wrap(content_key, &mut wrapped).unwrap();
    wrapped
}

fn direct() -> Decryptor {
    Decryptor::new(DecryptionKey::direct(ContentAlgorithm::A256GCM, "k", &SECRET).unwrap())
}

fn wrapping() -> Decryptor {
    Decryptor::new(DecryptionKey::secret(KeyAlgorithm::A256KW, "k", &SECRET).unwrap())
}

fn with_header(header: &str) -> Outcome {
    direct().decrypt(&forge(header).compact())
}

/// The outcome for a correct message whose header has these members, too, given as JSON.
fn with_members(members: &str) -> Outcome {
    with_header(&format!(r#"{{"alg":"dir","enc":"A256GCM",{members}}}"#))
}

const HEADER: &str = r#"{"alg":"dir","enc":"A256GCM","kid":"k"}"#;

fn malformed<T>(member: &'static str) -> Result<T, Error> {
    Err(Error::HeaderMalformed { member })
}

fn unknown<T>(name: &str) -> Result<T, Error> {
    Err(Error::AlgorithmUnknown { got: name.into() })
}

fn rsa_jwk() -> PrivateJwk {
    PrivateJwk::parse(crate::support::encrypted::A1_KEY.as_bytes()).unwrap().with_kid("k")
}

fn key_of(alg: KeyAlgorithm) -> DecryptionKey {
    match alg.as_str() {
        "dir" => DecryptionKey::direct(ContentAlgorithm::A256GCM, "k", &SECRET).unwrap(),
        name if name.starts_with("RSA") => DecryptionKey::from_jwk_as(&rsa_jwk(), alg).unwrap(),
        name if name.starts_with("PBES2") => DecryptionKey::password(alg, "k", PASSWORD).unwrap(),
        _ => DecryptionKey::generate(alg, "k").unwrap(),
    }
}

fn message_to(key: &DecryptionKey) -> String {
    let public = key.encryption_key();
    let public = if key.alg().is_password() { public.with_rounds(1000).unwrap() } else { public };
    Encryptor::new(&public).encrypt(CONTENT).unwrap()
}

fn message_to_secret(enc: ContentAlgorithm) -> Parts {
    let key = EncryptionKey::secret(KeyAlgorithm::A256KW, "k", &SECRET).unwrap();
    Parts::of(&Encryptor::new(&key).enc(enc).encrypt(CONTENT).unwrap())
}

// What the tests below change is accepted unchanged.
#[test]
fn the_forger_forges_well() {
    assert_eq!(**with_header(HEADER).unwrap(), *CONTENT);
    let header = r#"{"alg":"A256KW","enc":"A256GCM"}"#;
    let parts = seal(header, &[5; 32], &wrap(&[5; 32]), None);
    assert_eq!(**wrapping().decrypt(&parts.compact()).unwrap(), *CONTENT);
    assert_eq!(**wrapping().decrypt_general(&parts.flattened(&json!({}))).unwrap(), *CONTENT);
}
