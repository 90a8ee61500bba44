//! jwt-simple with its pure-Rust cryptography (its default is BoringSSL, which needs libclang to build). Its own claims
//! struct has the registered claims; the others are a struct of the caller's.

use std::{collections::HashSet, rc::Rc};

use bench_jose_harness::{AUDIENCE, AccessClaims, Case, ISSUER, KeyMaterial, Material};
use jwt_simple::prelude::*;

const LIBRARY: &str = "jwt-simple (pure Rust)";

/// The claims that it has no field for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Custom {
    client_id: String,
    sid: Option<String>,
    rsn: Option<i64>,
    scope: Option<String>,
    roles: Vec<String>,
}

/// The algorithms of the bench that it has.
pub fn cases(material: &Material) -> Vec<Case> {
    let claims = claims(&material.claims);
    material.keys.iter().filter_map(|(alg, key)| both(alg, key, &claims)).flatten().collect()
}

/// Its traits have the same methods and nothing in common, so one line per algorithm writes them down.
macro_rules! both {
    ($alg:expr, $key:expr, $claims:expr, $sign:ident, $private:expr, $public:expr) => {{
        let (private, public) = ($private, $public);
        let private = Rc::new(private.ok()?.with_key_id(&$key.kid));
        let public = public.ok()?;
        let options = options();
        // Both take what they are given by value.
        let verify = move |token: &str| public.verify_token::<Custom>(token, Some(options.clone())).ok();
        let claims = $claims.clone();
        let sign = move || private.$sign(claims.clone()).expect("a token");
        Some([Case::verify(LIBRARY, $alg, $key, verify), Case::sign(LIBRARY, $alg, sign)])
    }};
}

fn both(alg: &str, key: &KeyMaterial, claims: &JWTClaims<Custom>) -> Option<[Case; 2]> {
    let (private, public) = key.pems();
    let secret = || Ok::<_, jwt_simple::Error>(HS256Key::from_bytes(key.secret()));
    match alg {
        "HS256" => both!(alg, key, claims, authenticate, secret(), secret()),
        "RS256" => {
            both!(alg, key, claims, sign, RS256KeyPair::from_pem(private), RS256PublicKey::from_pem(public))
        }
        "PS256" => {
            both!(alg, key, claims, sign, PS256KeyPair::from_pem(private), PS256PublicKey::from_pem(public))
        }
        "ES256" => {
            both!(alg, key, claims, sign, ES256KeyPair::from_pem(private), ES256PublicKey::from_pem(public))
        }
        "Ed25519" => {
            both!(alg, key, claims, sign, Ed25519KeyPair::from_pem(private), Ed25519PublicKey::from_pem(public))
        }
        "ML-DSA-44" => {
            let pair = MLDSA44KeyPair::from_bytes(key.seed()).expect("its key is the seed");
            let public = Ok::<_, jwt_simple::Error>(pair.public_key());
            both!(alg, key, claims, sign, Ok::<_, jwt_simple::Error>(pair), public)
        }
        _ => None,
    }
}

fn options() -> VerificationOptions {
    VerificationOptions {
        allowed_issuers: Some(HashSet::from([ISSUER.into()])),
        allowed_audiences: Some(HashSet::from([AUDIENCE.into()])),
        time_tolerance: Some(Duration::from_secs(10)),
        ..VerificationOptions::default()
    }
}

fn claims(of: &AccessClaims) -> JWTClaims<Custom> {
    let custom = Custom {
        client_id: of.client_id.clone(),
        sid: of.sid.clone(),
        rsn: of.rsn,
        scope: of.scope.clone(),
        roles: of.roles.clone(),
    };
    Claims::with_custom_claims(custom, Duration::from_days(1))
        .with_issuer(&of.iss)
        .with_subject(&of.sub)
        .with_audience(&of.aud)
        .with_jwt_id(&of.jti)
}
