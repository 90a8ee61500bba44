//! josekit on OpenSSL. It reads claims into a JSON map; the typed struct is made from that.

use std::{rc::Rc, time::SystemTime};

use bench_jose_harness::{AUDIENCE, AccessClaims, Case, ISSUER, KeyMaterial, Material};
use josekit::{
    JoseError,
    jws::{ES256, EdDSA, HS256, JwsHeader, JwsSigner, JwsVerifier, PS256, RS256},
    jwt::{JwtPayload, JwtPayloadValidator, decode_with_verifier, encode_with_signer},
};
use serde_json::Value;

const LIBRARY: &str = "josekit (OpenSSL)";

/// The algorithms of the bench that it has.
pub fn cases(material: &Material) -> Vec<Case> {
    material.keys.iter().filter_map(|(alg, key)| both(alg, key, material)).flatten().collect()
}

fn both(alg: &str, key: &KeyMaterial, material: &Material) -> Option<[Case; 2]> {
    let (signer, verifier) = keys(alg, key)?.expect("keys that OpenSSL reads");
    let verify = move |token: &str| verify(token, verifier.as_ref());

    let mut header = JwsHeader::new();
    header.set_token_type("at+jwt");
    header.set_key_id(&key.kid);
    let claims = material.claims.clone();
    let sign = move || {
        let Ok(Value::Object(members)) = serde_json::to_value(&claims) else { return String::new() };
        let payload = JwtPayload::from_map(members).expect("claims");
        encode_with_signer(&payload, &header, signer.as_ref()).expect("a token")
    };
    Some([Case::verify(LIBRARY, alg, key, verify), Case::sign(LIBRARY, alg, sign)])
}

fn verify(token: &str, verifier: &dyn JwsVerifier) -> Option<AccessClaims> {
    let (payload, _) = decode_with_verifier(token, verifier).ok()?;
    let mut validator = JwtPayloadValidator::new();
    validator.set_base_time(SystemTime::now());
    validator.set_issuer(ISSUER);
    validator.set_audience(AUDIENCE);
    validator.validate(&payload).ok()?;
    serde_json::from_value(Value::Object(payload.claims_set().clone())).ok()
}

type Keys = (Rc<dyn JwsSigner>, Rc<dyn JwsVerifier>);

fn keys(alg: &str, key: &KeyMaterial) -> Option<Result<Keys, JoseError>> {
    let (private, public) = key.pems();
    Some(match alg {
        "HS256" => pair(HS256.signer_from_bytes(key.secret()), HS256.verifier_from_bytes(key.secret())),
        "RS256" => pair(RS256.signer_from_pem(private), RS256.verifier_from_pem(public)),
        // Its PSS keys name their algorithm; a plain RSA key goes in as DER.
        "PS256" => pair(PS256.signer_from_der(key.pair().0), PS256.verifier_from_der(key.pair().1)),
        "ES256" => pair(ES256.signer_from_pem(private), ES256.verifier_from_pem(public)),
        "Ed25519" => pair(EdDSA.signer_from_pem(private), EdDSA.verifier_from_pem(public)),
        _ => return None,
    })
}

fn pair(
    signer: Result<impl JwsSigner + 'static, JoseError>,
    verifier: Result<impl JwsVerifier + 'static, JoseError>,
) -> Result<Keys, JoseError> {
    Ok((Rc::new(signer?), Rc::new(verifier?)))
}
