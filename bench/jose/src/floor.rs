//! The least that a program does which uses serde_json and base64 with the primitive: split, decode, check the signature,
//! read the claims into a struct. No header, no check of a claim.

use std::rc::Rc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bench_jose_harness::{AccessClaims, Case, KeyMaterial, Material};

use crate::{
    FLOOR,
    primitive::{Pair, SIGNATURE_ROOM},
};

pub(crate) fn cases(alg: &str, key: &KeyMaterial, material: &Material) -> Vec<Case> {
    let Some(pair) = Pair::of(alg, key).map(Rc::new) else { return Vec::new() };
    let verifying = Rc::clone(&pair);
    let verify = move |token: &str| verify(token, &verifying);
    let header = key.token.split('.').next().unwrap_or_default().to_owned();
    let claims = material.claims.clone();
    let sign = move || sign(&header, &claims, &pair);
    // It checks no claim, so only the wrong signature is held against it.
    let key = KeyMaterial {
        wrong: key
            .wrong
            .iter()
            .filter(|(what, _)| what.contains("signature"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        ..key.clone()
    };
    vec![Case::verify(FLOOR, alg, &key, verify), Case::sign(FLOOR, alg, sign)]
}

fn verify(token: &str, pair: &Pair) -> Option<AccessClaims> {
    let (input, signature) = token.rsplit_once('.')?;
    let (_, payload) = input.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !pair.verify(input.as_bytes(), &signature) {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn sign(header: &str, claims: &AccessClaims, pair: &Pair) -> String {
    let payload = serde_json::to_vec(claims).expect("JSON");
    let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 400);
    token.push_str(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&payload, &mut token);
    let mut signature = [0; SIGNATURE_ROOM];
    let len = pair.sign(token.as_bytes(), &mut signature);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature[..len], &mut token);
    token
}
