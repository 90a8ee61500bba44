//! Examples of the RFCs: what they publish is decrypted, in every serialization; what is refused by rule is tested as a refusal.

use crate::support::encrypted::*;
use countersign_jose::{
    Algorithm, Error, PrivateJwk, Verifier, VerifyingKey,
    jwe::{ContentAlgorithm, DecryptionKey, Decryptor, KeyAlgorithm},
    profile::Generic,
};

fn key(alg: &str, jwk: &str) -> DecryptionKey {
    let jwk = PrivateJwk::parse(jwk.as_bytes()).unwrap();
    DecryptionKey::from_jwk_as(&jwk, alg.parse().unwrap()).unwrap()
}

fn decryptor(alg: &str, jwk: &str) -> Decryptor {
    Decryptor::new(key(alg, jwk))
}

fn decrypts(alg: &str, jwk: &str, text: &str, content: &str) {
    let decrypted = decryptor(alg, jwk).decrypt(text).unwrap();
    assert_eq!(str::from_utf8(&decrypted), Ok(content));
}

fn decrypts_general(alg: &str, jwk: &str, text: &str, content: &str) {
    let decrypted = decryptor(alg, jwk).decrypt_general(text).unwrap();
    assert_eq!(str::from_utf8(&decrypted), Ok(content));
}

fn rsa1_5() -> Error {
    Error::AlgorithmUnknown { got: "RSA1_5".into() }
}

const A1_CONTENT: &str = "The true sign of intelligence is not knowledge but imagination.";
const A3_CONTENT: &str = "Live long and prosper.";

#[test]
fn rfc7516_a1_rsa_oaep_and_gcm() {
    decrypts("RSA-OAEP", A1_KEY, A1, A1_CONTENT);
}

#[test]
fn rfc7516_a2_rsa1_5_is_refused() {
    assert_eq!(decryptor("RSA-OAEP", A1_KEY).decrypt(A2), Err(rsa1_5()));
}

#[test]
fn rfc7516_a3_key_wrap_and_cbc() {
    decrypts("A128KW", A3_KEY, A3, A3_CONTENT);
}

#[test]
fn rfc7516_a4_general_with_two_recipients() {
    decrypts_general("A128KW", A3_KEY, A4, A3_CONTENT);
    // The other recipient has RSA1_5.
    assert_eq!(decryptor("RSA-OAEP", A1_KEY).decrypt_general(A4), Err(rsa1_5()));
}

#[test]
fn rfc7516_a5_flattened() {
    decrypts_general("A128KW", A3_KEY, A5, A3_CONTENT);
}

#[test]
fn rfc7519_a1_rsa1_5_is_refused() {
    assert_eq!(decryptor("RSA-OAEP", A1_KEY).decrypt(JWT_A1), Err(rsa1_5()));
}

#[test]
fn rfc7520_5_1_rsa1_5_is_refused() {
    assert_eq!(decryptor("RSA-OAEP", FRODO_KEY).decrypt(S5_1_COMPACT), Err(rsa1_5()));
}

#[test]
fn rfc7520_5_2_rsa_oaep_and_gcm() {
    decrypts("RSA-OAEP", SAM_KEY, S5_2_COMPACT, FRODO);
    decrypts_general("RSA-OAEP", SAM_KEY, S5_2_GENERAL, FRODO);
    decrypts_general("RSA-OAEP", SAM_KEY, S5_2_FLATTENED, FRODO);
}

#[test]
fn rfc7520_5_3_password_and_cbc() {
    let alg = KeyAlgorithm::Pbes2HS512A256KW;
    let key = DecryptionKey::password(alg, "password", PASSWORD).unwrap();
    let decrypted = Decryptor::new(key).decrypt(S5_3_COMPACT).unwrap();
    assert_eq!(str::from_utf8(&decrypted), Ok(KEY_SET));
    assert_eq!(decrypted.cty(), Some("jwk-set+json"));
}

#[test]
fn rfc7520_5_4_agreed_key_that_wraps() {
    decrypts("ECDH-ES+A128KW", PIPPIN_KEY, S5_4_COMPACT, FRODO);
}

#[test]
fn rfc7520_5_5_agreed_key() {
    decrypts("ECDH-ES", MERRY_KEY, S5_5_COMPACT, FRODO);
    decrypts_general("ECDH-ES", MERRY_KEY, S5_5_GENERAL, FRODO);
}

#[test]
fn rfc7520_5_6_direct() {
    decrypts("dir", DIRECT_KEY, S5_6_COMPACT, FRODO);
}

#[test]
fn rfc7520_5_7_gcm_that_wraps() {
    decrypts("A256GCMKW", GCM_WRAP_KEY, S5_7_COMPACT, FRODO);
    decrypts_general("A256GCMKW", GCM_WRAP_KEY, S5_7_FLATTENED, FRODO);
}

#[test]
fn rfc7520_5_8_key_wrap_and_gcm() {
    decrypts("A128KW", WRAP_KEY, S5_8_COMPACT, FRODO);
    decrypts_general("A128KW", WRAP_KEY, S5_8_GENERAL, FRODO);
    decrypts_general("A128KW", WRAP_KEY, S5_8_FLATTENED, FRODO);
}

#[test]
fn rfc7520_5_9_compression_is_refused() {
    assert_eq!(decryptor("A128KW", WRAP_KEY).decrypt(S5_9_COMPACT), Err(Error::Compressed));
}

#[test]
fn rfc7520_5_10_additional_data() {
    decrypts_general("A128KW", WRAP_KEY, S5_10_GENERAL, FRODO);
    let decrypted = decryptor("A128KW", WRAP_KEY).decrypt_general(S5_10_FLATTENED).unwrap();
    assert!(decrypted.aad().unwrap().starts_with(br#"["vcard",[["version",{},"text","4.0"]"#));
}

#[test]
fn rfc7520_5_11_some_members_protected() {
    decrypts_general("A128KW", WRAP_KEY, S5_11_GENERAL, FRODO);
    decrypts_general("A128KW", WRAP_KEY, S5_11_FLATTENED, FRODO);
}

// Only a caller who names the one algorithm of the content can take it from where anybody could have changed it.
#[test]
fn rfc7520_5_12_no_member_protected() {
    for text in [S5_12_GENERAL, S5_12_FLATTENED] {
        let decryptor = decryptor("A128KW", WRAP_KEY);
        assert_eq!(decryptor.decrypt_general(text), Err(Error::HeaderMalformed { member: "enc" }));
        let decrypted = decryptor.accept([ContentAlgorithm::A128GCM]).decrypt_general(text).unwrap();
        assert_eq!(str::from_utf8(&decrypted), Ok(FRODO));
    }
}

#[test]
fn rfc7520_5_13_several_recipients() {
    decrypts_general("ECDH-ES+A256KW", PIPPIN_KEY, S5_13_GENERAL, FRODO);
    decrypts_general("A256GCMKW", GCM_WRAP_KEY, S5_13_GENERAL, FRODO);
    // Frodo's key is for RSA1_5; nobody else's opens what was encrypted to it.
    assert_eq!(decryptor("RSA-OAEP", FRODO_KEY).decrypt_general(S5_13_GENERAL), Err(rsa1_5()));
}

#[test]
fn rfc8037_x25519() {
    decrypts("ECDH-ES", BOB_KEY, X25519_COMPACT, FRODO);
}

#[test]
fn rfc7520_6_signed_then_encrypted() {
    let jwk = PrivateJwk::parse(HOBBITON_KEY.as_bytes()).unwrap();
    let public = VerifyingKey::from_jwk_as(&jwk.public_jwk().unwrap(), Algorithm::PS256).unwrap();
    let verifier =
        Verifier::<Generic>::builder().issuer("hobbiton.example").any_audience().key(public).accept_untyped().build();
    let decryptor = decryptor("RSA-OAEP", NESTED_KEY);
    let claims = decryptor.decrypt_and_verify(&verifier, NESTED, 1_300_819_379).unwrap();
    assert_eq!(claims.extra["http://example.com/is_root"], true);
    let late = Error::Expired { exp: 1_300_819_380, now: 1_300_819_390 };
    assert_eq!(decryptor.decrypt_and_verify(&verifier, NESTED, 1_300_819_390), Err(late));
}

// RFC 7518 §4, §5: what has no published example, made by somebody else's library
#[test]
fn made_by_another_implementation() {
    for (name, jwk, text) in ELSEWHERE {
        let alg: KeyAlgorithm = name.parse().unwrap();
        let key = if alg.is_password() { DecryptionKey::password(alg, "k", jwk).unwrap() } else { key(name, jwk) };
        let decrypted = Decryptor::new(key).decrypt(text).unwrap();
        assert_eq!(**decrypted, *b"made by another implementation", "{name}");
    }
}

#[test]
fn rfc7517_c_a_key_under_a_password() {
    let key = DecryptionKey::password(KeyAlgorithm::Pbes2HS256A128KW, "password", JWK_C_PASSWORD).unwrap();
    let decrypted = Decryptor::new(key).decrypt(JWK_C).unwrap();
    assert_eq!(decrypted.cty(), Some("jwk+json"));
    let jwk = PrivateJwk::parse(&decrypted).unwrap();
    assert_eq!((jwk.kid(), jwk.kty()), (Some("juliet@capulet.lit"), "RSA"));
}
