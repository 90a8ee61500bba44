//! One function per parser. Each says more than "it does not panic": what is accepted must be what a known parser reads, must
//! survive a round trip, or must carry a signature that was really made.
//!
//! Beside the fuzz targets, an ordinary test of `countersign-jose` includes this file and replays the corpus.

use std::sync::LazyLock;

use countersign_jose::{
    AccessClaims, Algorithm, Error, Jwk, JwkSet, SigningKey, Unverified, Verified, Verifier, VerifyingKey, b64,
    json::Reader,
    jwe::{ContentAlgorithm, DecryptionKey, Decryptor},
    jws::{Options, UnverifiedJws},
    key,
    profile::AccessToken,
    sign,
};
use serde_json::Value;

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder in the corpus.
pub const ALL: [(&str, Target); 10] = [
    ("base64", base64),
    ("json", json),
    ("token", token),
    ("header", header),
    ("claims", claims),
    ("jws", jws),
    ("jwe", jwe),
    ("jwk", jwk),
    ("jwk_set", jwk_set),
    ("key", key),
];

const SECRET: &[u8; 32] = b"0123456789abcdef0123456789ABCDEF";
const NOW: i64 = 1_790_000_000;
const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "orders";

static SIGNING: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::hmac(Algorithm::HS256, "k1", SECRET).unwrap());

/// A verifier that has seen the usual header already, and so recognises it by its bytes.
static WARM: LazyLock<Verifier<AccessToken>> = LazyLock::new(|| {
    let verifier = verifier();
    verifier.verify(&good_token(), NOW).unwrap();
    verifier
});

/// Base64url has one text per byte string.
pub fn base64(input: &[u8]) {
    if let Ok(bytes) = b64::decode(input) {
        assert_eq!(b64::encode(bytes).as_bytes(), input);
    }
}

/// What the strict reader accepts is what `serde_json` reads.
pub fn json(input: &[u8]) {
    if let Ok(members) = Reader::map(input) {
        let (known, ours) = (serde_json::from_slice::<Value>(input).unwrap(), Value::Object(members));
        assert!(same(&known, &ours), "{known} and {ours}");
    }
}

/// Equal, but for the last bits of a fraction: `serde_json` rounds some to a neighbour, the strict reader to the nearest.
fn same(known: &Value, ours: &Value) -> bool {
    match (known, ours) {
        (Value::Object(known), Value::Object(ours)) => {
            known.len() == ours.len()
                && known.iter().zip(ours).all(|((name, known), (own, ours))| name == own && same(known, ours))
        }
        (Value::Array(known), Value::Array(ours)) => {
            known.len() == ours.len() && known.iter().zip(ours).all(|(known, ours)| same(known, ours))
        }
        (Value::Number(known), Value::Number(ours)) if known.is_f64() && ours.is_f64() => {
            let (known, ours) = (known.as_f64().unwrap(), ours.as_f64().unwrap());
            (known - ours).abs() <= ours.abs() * (4.0 * f64::EPSILON) + f64::MIN_POSITIVE
        }
        _ => known == ours,
    }
}

/// A token out of nothing never verifies, and a verifier that knows the header says the same as one that does not.
pub fn token(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let _ = Unverified::parse(text);
    let outcome = verify_twice(text);
    assert!(outcome.is_err() || text == good_token(), "{text} was accepted");
}

/// A header under a true signature: what is accepted names the key's algorithm, the type, and nothing critical.
pub fn header(input: &[u8]) {
    let text = signed(input, br#"{"iss":"https://id.example","sub":"u1","aud":"orders","client_id":"c1","jti":"j1","iat":1789999990,"exp":1790000600}"#);
    if verify_twice(&text).is_ok() {
        let header: Value = serde_json::from_slice(input).unwrap();
        assert_eq!(header["alg"], "HS256");
        assert!(matches!(header["typ"].as_str(), Some("at+jwt" | "application/at+jwt")));
        assert!(header.get("crit").is_none() && header.get("b64").is_none_or(|b64| *b64 == Value::Bool(true)));
        assert!(header.get("kid").is_none_or(|kid| kid == "k1"));
    }
}

/// A payload under a true signature: what is accepted has the claims that were asked for, and survives a round trip.
pub fn claims(input: &[u8]) {
    let outcome = verify_twice(&signed(br#"{"alg":"HS256","kid":"k1","typ":"at+jwt"}"#, input));
    let Ok(verified) = outcome else { return };
    let read: Value = serde_json::from_slice(input).unwrap();
    assert_eq!(read["iss"], ISSUER);
    assert!(read["aud"] == AUDIENCE || read["aud"].as_array().is_some_and(|names| names.contains(&AUDIENCE.into())));
    assert!(read["exp"].as_i64().unwrap() > NOW - 10);
    assert!(read.get("nbf").is_none_or(|nbf| nbf.as_i64().unwrap() <= NOW + 10));
    if let Ok(again) = sign::<AccessToken>(&SIGNING, &verified) {
        assert_eq!(WARM.verify(&again, NOW), Ok(verified));
    }
}

/// A signed message in any serialization never verifies out of nothing, but for the one whose signature is in the corpus.
pub fn jws(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let key = verifying_key();
    if let Ok(verified) = UnverifiedJws::parse(text).and_then(|message| message.verify(&key)) {
        assert_eq!(verified.payload(), b"any bytes");
    }
    let _ = Options::new().allow_unencoded().parse(text).and_then(|message| message.verify(&key));
}

/// An encrypted message never decrypts out of nothing, but for the one that is in the corpus.
pub fn jwe(input: &[u8]) {
    static DECRYPTOR: LazyLock<Decryptor> =
        LazyLock::new(|| Decryptor::new(DecryptionKey::direct(ContentAlgorithm::A256GCM, "k1", SECRET).unwrap()));
    let Ok(text) = str::from_utf8(input) else { return };
    for content in [DECRYPTOR.decrypt(text), DECRYPTOR.decrypt_general(text)].into_iter().flatten() {
        assert_eq!(**content, *b"any bytes");
    }
}

/// A public key survives a round trip with the same thumbprint.
pub fn jwk(input: &[u8]) {
    let Ok(jwk) = Jwk::parse(input) else { return };
    let text = serde_json::to_vec(&jwk).unwrap();
    let again = Jwk::parse(&text).unwrap();
    assert_eq!((again.thumbprint(), &again), (jwk.thumbprint(), &jwk));
    let _ = VerifyingKey::from_jwk(&jwk);
}

/// A set keeps what it admitted.
pub fn jwk_set(input: &[u8]) {
    let Ok(set) = JwkSet::parse(input) else { return };
    let again = JwkSet::parse(&serde_json::to_vec(&set).unwrap()).unwrap();
    assert_eq!(again.keys, set.keys);
    assert!(again.skipped.is_empty());
    assert!(set.verifying_keys().count() <= set.keys.len());
}

/// PEM, DER and JSON: a key that was read can be written as a public JWK and read again.
pub fn key(input: &[u8]) {
    let Ok(imported) = key::import(input) else { return };
    for key in &imported.keys {
        let _ = (key.signing_key(None), key.verifying_key(None));
        if let Some(jwk) = key.public_jwk() {
            assert_eq!(Jwk::parse(&serde_json::to_vec(&jwk).unwrap()).unwrap(), jwk);
        }
    }
}

/// The outcome of a verifier that knows the usual header; the same as that of one that has seen nothing.
fn verify_twice(text: &str) -> Result<Verified<AccessClaims>, Error> {
    let (warm, cold) = (WARM.verify(text, NOW), verifier().verify(text, NOW));
    assert_eq!(warm, cold, "{text}");
    warm
}

fn verifier() -> Verifier<AccessToken> {
    Verifier::<AccessToken>::builder().issuer(ISSUER).audience(AUDIENCE).key(verifying_key()).build()
}

fn verifying_key() -> VerifyingKey {
    static KEY: LazyLock<VerifyingKey> = LazyLock::new(|| VerifyingKey::hmac(Algorithm::HS256, "k1", SECRET).unwrap());
    KEY.clone()
}

fn good_token() -> String {
    let claims = AccessClaims {
        iss: ISSUER.into(),
        sub: "u1".into(),
        aud: AUDIENCE.into(),
        client_id: "c1".into(),
        jti: "j1".into(),
        iat: NOW - 10,
        exp: NOW + 600,
        ..AccessClaims::default()
    };
    sign::<AccessToken>(&SIGNING, &claims).unwrap()
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", b64::encode(header), b64::encode(payload));
    let signature = SIGNING.sign_raw(input.as_bytes()).unwrap();
    format!("{input}.{}", b64::encode(signature))
}
