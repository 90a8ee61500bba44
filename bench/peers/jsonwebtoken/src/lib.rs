//! jsonwebtoken on aws-lc-rs: keys made once, every claim of the bench required and checked.

use bench_jose_harness::{AUDIENCE, AccessClaims, Case, ISSUER, KeyMaterial, Material};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};

const LIBRARY: &str = "jsonwebtoken 11 (aws-lc-rs)";

/// The algorithms of the bench that it has.
pub fn cases(material: &Material) -> Vec<Case> {
    material.keys.iter().filter_map(|(alg, key)| both(alg, key, material)).flatten().collect()
}

fn both(name: &str, key: &KeyMaterial, material: &Material) -> Option<[Case; 2]> {
    let alg = algorithm(name)?;
    let (encoding, decoding) = keys(alg, key);
    let validation = validation(alg);
    let verify = move |token: &str| decode::<AccessClaims>(token, &decoding, &validation).ok();

    let mut header = Header::new(alg);
    header.typ = Some("at+jwt".into());
    header.kid = Some(key.kid.clone());
    let claims = material.claims.clone();
    let sign = move || encode(&header, &claims, &encoding).expect("a token");
    Some([Case::verify(LIBRARY, name, key, verify), Case::sign(LIBRARY, name, sign)])
}

fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "HS256" => Algorithm::HS256,
        "RS256" => Algorithm::RS256,
        "PS256" => Algorithm::PS256,
        "ES256" => Algorithm::ES256,
        "Ed25519" => Algorithm::EdDSA,
        _ => return None,
    })
}

fn keys(alg: Algorithm, key: &KeyMaterial) -> (EncodingKey, DecodingKey) {
    let (private, public) = key.pems();
    let (private, public) = (private.as_bytes(), public.as_bytes());
    let (encoding, decoding) = match alg {
        Algorithm::HS256 => (Ok(EncodingKey::from_secret(key.secret())), Ok(DecodingKey::from_secret(key.secret()))),
        Algorithm::ES256 => (EncodingKey::from_ec_pem(private), DecodingKey::from_ec_pem(public)),
        Algorithm::EdDSA => (EncodingKey::from_ed_pem(private), DecodingKey::from_ed_pem(public)),
        _ => (EncodingKey::from_rsa_pem(private), DecodingKey::from_rsa_pem(public)),
    };
    (encoding.expect("a private key"), decoding.expect("a public key"))
}

fn validation(alg: Algorithm) -> Validation {
    let mut validation = Validation::new(alg);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    validation.validate_nbf = true;
    validation.leeway = 10;
    validation
}
