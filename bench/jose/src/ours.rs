//! This library, its strictness included.

use bench_jose_harness::{AUDIENCE, Case, ISSUER, KeyMaterial, Material, Op};
use countersign_jose::{
    AccessClaims, Algorithm, Claims, SigningKey, Verifier, VerifyingKey, profile::AccessToken, sign,
};

use crate::{CLAIMS, OURS};

/// # Panics
/// If the library refuses a key of the bench.
pub(crate) fn cases(name: &str, key: &KeyMaterial, material: &Material) -> Vec<Case> {
    let Ok(alg) = name.parse::<Algorithm>() else { return Vec::new() };
    let (signing, verifying) = keys(alg, key);
    let verifier = Verifier::<AccessToken>::builder().issuer(ISSUER).audience(AUDIENCE).key(verifying).build();
    let now = material.now;
    let verify = move |token: &str| verifier.verify(token, now).ok();

    let (signing, claims) = (std::rc::Rc::new(signing), claims(material));
    let sign = move || sign::<AccessToken>(&signing, &claims).expect("a token");
    vec![Case::verify(OURS, name, key, verify), Case::sign(OURS, name, sign)]
}

/// What it allocates to have the claims as an owned struct, apart from everything a token needs.
pub(crate) fn claims_alone(material: &Material) -> Case {
    let json = serde_json::to_vec(&material.claims).expect("JSON");
    Case::primitive(CLAIMS, Op::Verify, "-", move || AccessClaims::from_json(&json))
}

/// Both halves of a key of the bench.
///
/// # Panics
/// If the library refuses it.
pub fn keys(alg: Algorithm, key: &KeyMaterial) -> (SigningKey, VerifyingKey) {
    if alg.is_symmetric() {
        let signing = SigningKey::hmac(alg, &*key.kid, key.secret()).expect("a secret");
        return (signing, VerifyingKey::hmac(alg, &*key.kid, key.secret()).expect("a secret"));
    }
    let signing = SigningKey::from_pkcs8(alg, &*key.kid, key.pair().0).expect("a private key");
    let verifying = signing.verifying_key().expect("a public key");
    (signing, verifying)
}

fn claims(material: &Material) -> AccessClaims {
    let json = serde_json::to_vec(&material.claims).expect("JSON");
    AccessClaims::from_json(&json).expect("claims")
}
