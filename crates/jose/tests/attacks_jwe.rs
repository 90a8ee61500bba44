//! Known attacks on encryption, one test each. A test encrypts with the recipient's own secret wherever it can, so that it is the
//! check under test that refuses and not the tag.

#![cfg(test)]

mod support;

#[path = "support/encrypted.rs"]
#[expect(dead_code, reason = "a few examples are enough here")]
mod encrypted;

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
use support::{Forger, NOW, claims, payload};

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
    PrivateJwk::parse(encrypted::A1_KEY.as_bytes()).unwrap().with_kid("k")
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

// What the tests below change is accepted unchanged.
#[test]
fn the_forger_forges_well() {
    assert_eq!(**with_header(HEADER).unwrap(), *CONTENT);
    let header = r#"{"alg":"A256KW","enc":"A256GCM"}"#;
    let parts = seal(header, &[5; 32], &wrap(&[5; 32]), None);
    assert_eq!(**wrapping().decrypt(&parts.compact()).unwrap(), *CONTENT);
    assert_eq!(**wrapping().decrypt_general(&parts.flattened(&json!({}))).unwrap(), *CONTENT);
}

// ---- the algorithm ----

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

// ---- the content key ----

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

fn message_to_secret(enc: ContentAlgorithm) -> Parts {
    let key = EncryptionKey::secret(KeyAlgorithm::A256KW, "k", &SECRET).unwrap();
    Parts::of(&Encryptor::new(&key).enc(enc).encrypt(CONTENT).unwrap())
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

// ---- vector and tag ----

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

// ---- key agreement ----

/// The outcome for a message whose `epk` is this JSON.
fn with_epk(key: &DecryptionKey, epk: &Value) -> Outcome {
    let header = json!({"alg": key.alg().as_str(), "enc": "A256GCM", "epk": epk}).to_string();
    Decryptor::new(key.clone()).decrypt(&seal(&header, &[5; 32], b"", None).compact())
}

fn point(crv: &str, x: &[u8], y: &[u8]) -> Value {
    json!({"kty": "EC", "crv": crv, "x": b64::encode(x), "y": b64::encode(y)})
}

// GHSA-rvj9-8cvx-3vq9; RFC 8725 §3.4; TOK-12: a point of another curve betrays the private key bit by bit
#[test]
fn invalid_curve() {
    for (curve, len) in [(Curve::P256, 32), (Curve::P384, 48), (Curve::P521, 66)] {
        let key = DecryptionKey::generate_on(curve, KeyAlgorithm::EcdhEs, "k").unwrap();
        let mut epk = serde_json::to_value(key.public_jwk().unwrap()).unwrap();
        assert_eq!(with_epk(&key, &epk), Err(Error::Decrypt)); // its own point is one of the curve
        for coordinate in ["x", "y"] {
            let mut bytes = b64::decode(epk[coordinate].as_str().unwrap()).unwrap();
            bytes[len - 1] ^= 1;
            let right = std::mem::replace(&mut epk[coordinate], b64::encode(bytes).into());
            assert_eq!(with_epk(&key, &epk), malformed("epk"));
            epk[coordinate] = right;
        }
        // The point of a published attack: (0, 2), of small order on a curve with another constant.
        let mut two = vec![0; len];
        two[len - 1] = 2;
        assert_eq!(with_epk(&key, &point(curve.as_str(), &vec![0; len], &two)), malformed("epk"));
    }
}

// RFC 8725 §3.4
#[test]
fn identity_and_coordinates_out_of_range() {
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "k").unwrap();
    for (x, y) in [(vec![0; 32], vec![0; 32]), (vec![0xff; 32], vec![0xff; 32]), (vec![], vec![])] {
        assert_eq!(with_epk(&key, &point("P-256", &x, &y)), malformed("epk"));
    }
    let epk = serde_json::to_value(key.public_jwk().unwrap()).unwrap();
    let [x, y] = ["x", "y"].map(|name| b64::decode(epk[name].as_str().unwrap()).unwrap());
    for padded in [[&[0], x.as_slice()].concat(), x[1..].to_vec(), [x.as_slice(), &[0]].concat()] {
        assert_eq!(with_epk(&key, &point("P-256", &padded, &y)), malformed("epk"));
    }
}

// RFC 7518 §4.6.1.1: the curve of `epk` is that of the key
#[test]
fn point_of_another_curve() {
    for curve in Curve::all() {
        let key = DecryptionKey::generate_on(curve, KeyAlgorithm::EcdhEs, "k").unwrap();
        for other in Curve::all().filter(|other| *other != curve) {
            let theirs = DecryptionKey::generate_on(other, KeyAlgorithm::EcdhEs, "k").unwrap();
            let epk = serde_json::to_value(theirs.public_jwk().unwrap()).unwrap();
            assert_eq!(with_epk(&key, &epk), malformed("epk"));
            // … and under the name of the key's.
            let mut renamed = epk;
            renamed["crv"] = curve.as_str().into();
            assert_eq!(with_epk(&key, &renamed), malformed("epk"));
        }
    }
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "k").unwrap();
    let signing = SigningKey::generate(Algorithm::Ed25519, "k").unwrap().public_jwk().unwrap();
    assert_eq!(with_epk(&key, &serde_json::to_value(signing).unwrap()), malformed("epk"));
}

// RFC 7748 §6.1; RFC 8037 §5; TOK-12: with such a point everybody knows what is agreed on
#[test]
fn points_of_small_order() {
    let key = DecryptionKey::generate_on(Curve::X25519, KeyAlgorithm::EcdhEs, "k").unwrap();
    let mut points = vec![[0; 32], [0; 32], [0xff; 32], [0xff; 32], [0xff; 32]];
    points[1][0] = 1;
    for (point, low) in points[2..].iter_mut().zip([0xec, 0xed, 0xee]) {
        (point[0], point[31]) = (low, 0x7f); // p − 1, p, p + 1
    }
    points.push(*b"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00");
    points.push(*b"\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b\x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57");
    for point in points {
        let epk = json!({"kty": "OKP", "crv": "X25519", "x": b64::encode(point)});
        assert_eq!(with_epk(&key, &epk), malformed("epk"));
        assert!(Jwk::parse(epk.to_string().as_bytes()).is_err()); // nor is such a recipient encrypted to
    }
}

#[test]
fn point_absent_or_malformed() {
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "k").unwrap();
    let header = r#"{"alg":"ECDH-ES+A256KW","enc":"A256GCM"}"#;
    let without = Decryptor::new(key.clone()).decrypt(&seal(header, &[5; 32], b"", None).compact());
    assert_eq!(without, Err(Error::HeaderMissing { member: "epk" }));
    for epk in
        [json!(null), json!([]), json!("P-256"), json!({}), json!({"kty": "EC"}), json!({"kty": "oct", "k": "AA"})]
    {
        assert_eq!(with_epk(&key, &epk), malformed("epk"));
    }
    // Whoever shows a private key has lost it.
    let private: Value = serde_json::from_str(&key.private_jwk().unwrap().to_json()).unwrap();
    assert_eq!(with_epk(&key, &private), malformed("epk"));
}

// What is hashed for nobody in particular is bounded
#[test]
fn parties_too_long_or_malformed() {
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "k").unwrap();
    let epk = serde_json::to_value(key.public_jwk().unwrap()).unwrap();
    for member in ["apu", "apv"] {
        for value in
            [json!(b64::encode(vec![1; MAX_PARTY_BYTES + 1])), json!("A"), json!("AA=="), json!(1), json!(["QQ"])]
        {
            let mut header = json!({"alg": "ECDH-ES", "enc": "A256GCM", "epk": epk});
            header[member] = value;
            let text = seal(&header.to_string(), &[5; 32], b"", None).compact();
            assert_eq!(Decryptor::new(key.clone()).decrypt(&text), malformed(member));
        }
    }
    let public = key.encryption_key();
    let long = vec![1; MAX_PARTY_BYTES + 1];
    assert_eq!(Encryptor::new(&public).parties(&long, b"").encrypt(CONTENT), malformed("apu"));
}

// ---- passwords ----

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

// ---- the header ----

// CVE-2024-28180, CVE-2024-28176, CVE-2025-63811; RFC 8725 §3.6; TOK-13: refused before anything is decrypted
#[test]
fn compressed_bomb() {
    for zip in [r#""zip":"DEF""#, r#""zip":"GZ""#, r#""zip":"""#, r#""zip":null"#, r#""zip":[]"#] {
        assert_eq!(with_members(zip), Err(Error::Compressed));
    }
    let parts = forge(HEADER);
    for place in ["unprotected", "header"] {
        let text = parts.flattened(&json!({place: {"zip": "DEF"}}));
        assert_eq!(direct().decrypt_general(&text), Err(Error::Compressed));
    }
}

// RFC 7516 §4.1.13; RFC 8725 §3.10; TOK-06
#[test]
fn critical_members() {
    let critical = |got: &str| Err(Error::Critical { got: got.into() });
    assert_eq!(with_members(r#""crit":["exp"],"exp":1"#), critical("exp"));
    assert_eq!(with_members(r#""crit":["b64"],"b64":false"#), critical("b64"));
    assert_eq!(with_members(r#""crit":["alg"]"#), critical("alg"));
    for crit in ["[]", "null", "{}", "\"exp\"", "[1]", "[\"a\",1]", r#"["a","a"]"#, r#"[["a"]]"#] {
        assert_eq!(with_members(&format!(r#""crit":{crit}"#)), malformed("crit"), "{crit}");
    }
    let parts = forge(HEADER);
    for place in ["unprotected", "header"] {
        let text = parts.flattened(&json!({place: {"crit": ["exp"], "exp": 1}}));
        assert_eq!(direct().decrypt_general(&text), malformed("crit"));
    }
}

// RFC 8725 §3.10; TOK-05: keys in the header are no keys
#[test]
fn keys_in_the_header_select_nothing() {
    let theirs = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "evil").unwrap();
    let jwk = serde_json::to_string(&theirs.public_jwk().unwrap()).unwrap();
    let members =
        format!(r#""jwk":{jwk},"jku":"https://evil.example/jwks","x5u":"https://evil.example/x5","x5c":["MIIB"]"#);
    assert_eq!(**with_members(&members).unwrap(), *CONTENT);
    let message = seal(&format!(r#"{{"alg":"dir","enc":"A256GCM",{members}}}"#), &[8; 32], b"", None);
    assert_eq!(direct().decrypt(&message.compact()), Err(Error::Decrypt));
}

// RFC 8725 §3.10: a name to look up and nothing else
#[test]
fn key_ids() {
    assert_eq!(with_members(r#""kid":"other""#), Err(Error::UnknownKey { kid: Some("other".into()) }));
    for kid in
        ["\"\"", "null", "1", "[\"k\"]", "\"a\\u0000\"", "\"a\\nb\"", &format!("\"{}\"", "k".repeat(MAX_KID_BYTES + 1))]
    {
        assert_eq!(with_members(&format!(r#""kid":{kid}"#)), malformed("kid"), "{kid}");
    }
    // Two keys that fit and a message that names none: none is tried.
    let other = DecryptionKey::direct(ContentAlgorithm::A256GCM, "l", &SECRET).unwrap();
    let both = direct().or_key(other);
    let nameless = forge(r#"{"alg":"dir","enc":"A256GCM"}"#).compact();
    assert_eq!(both.decrypt(&nameless), Err(Error::UnknownKey { kid: None }));
    assert_eq!(both.decrypt(&forge(HEADER).compact()).unwrap().kid(), Some("k"));
}

// RFC 7516 §4.1.11, §4.1.12
#[test]
fn types_that_are_no_texts() {
    for value in ["null", "1", "[]", "{}", "[\"JWT\"]"] {
        assert_eq!(with_members(&format!(r#""typ":{value}"#)), malformed("typ"));
        assert_eq!(with_members(&format!(r#""cty":{value}"#)), malformed("cty"));
    }
}

// TOK-09; RFC 7516 §4, RFC 8725 §3.7
#[test]
fn duplicate_members() {
    let duplicate = |name: &str| Err(Error::Duplicate { name: name.into() });
    assert_eq!(with_members(r#""enc":"A128GCM""#), duplicate("enc"));
    assert_eq!(with_members(r#""a":{"b":1,"b":2}"#), duplicate("b"));
    assert_eq!(with_members(r#""\u0061lg":"dir""#), duplicate("alg"));
    let text = forge(HEADER).flattened(&json!({}));
    let twice = text.replacen('{', r#"{"tag":"AAAA","#, 1);
    assert_eq!(direct().decrypt_general(&twice), duplicate("tag"));
}

// RFC 7516 §7.2.1: the names in the three headers differ
#[test]
fn a_member_in_two_headers() {
    let parts = forge(HEADER);
    let cases = [
        (json!({"unprotected": {"enc": "A256GCM"}}), "enc"),
        (json!({"header": {"alg": "dir"}}), "alg"),
        (json!({"unprotected": {"x": 1}, "header": {"x": 1}}), "x"),
    ];
    for (others, name) in cases {
        let refused = direct().decrypt_general(&parts.flattened(&others));
        assert_eq!(refused, Err(Error::Duplicate { name: name.into() }));
    }
}

// What is not protected can be changed by anybody: it decides nothing
#[test]
fn unprotected_members_decide_nothing() {
    let parts = seal(r#"{"alg":"dir"}"#, &SECRET, b"", None);
    let text = parts.flattened(&json!({"unprotected": {"enc": "A256GCM", "typ": "JWT", "cty": "JWT"}}));
    // The content key itself is for one algorithm, so that `enc` only repeats it.
    let decrypted = direct().decrypt_general(&text).unwrap();
    assert_eq!((decrypted.typ(), decrypted.cty()), (None, None));
    let parts = seal("{}", &[5; 32], &wrap(&[5; 32]), None);
    let text = parts.flattened(&json!({"unprotected": {"alg": "A256KW", "enc": "A256GCM"}}));
    assert_eq!(wrapping().decrypt_general(&text), malformed("enc"));
    let one = wrapping().accept([ContentAlgorithm::A256GCM]);
    assert_eq!(**one.decrypt_general(&text).unwrap(), *CONTENT);
    // A protected member moved out of protection.
    let parts = Parts { protected: String::new(), ..forge(HEADER) };
    let moved = parts.flattened(&json!({"unprotected": {"alg": "dir", "enc": "A256GCM", "kid": "k"}}));
    assert_eq!(direct().decrypt_general(&moved), Err(Error::Decrypt));
}

// RFC 8725 §3.7: UTF-8 only, one JSON object, bounded depth
#[test]
fn headers_that_are_no_objects() {
    for header in ["", "null", "[]", "\"dir\"", "{", "{}{}", "\u{feff}{}", "{\"alg\":\"dir\",}"] {
        assert!(matches!(with_header(header), Err(Error::Json { .. })), "{header}");
    }
    let deep = format!(r#""a":{}1{}"#, "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(with_members(&deep), Err(Error::Depth));
    let parts = Parts { protected: b64::encode(b"{\"alg\":\"\xff\"}"), ..forge(HEADER) };
    assert_eq!(direct().decrypt(&parts.compact()), Err(Error::Utf8));
}

// ---- the text ----

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

// ---- several recipients ----

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

// ---- keys ----

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

// ---- what is shown ----

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
