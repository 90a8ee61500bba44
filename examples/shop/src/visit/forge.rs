//! What a forger may try: each takes a good token and makes its owner a manager.

use countersign_verify::jose::{Algorithm, SigningKey, b64};
use serde_json::{Value, json};
use stage::Failure;

/// The same header, key id included, signed with a key of the forger's own.
pub fn signed_by_another_key(token: &str) -> Result<String, Failure> {
    let (header, _) = split(token)?;
    let kid = decoded(header)?["kid"].as_str().unwrap_or_default().to_owned();
    let key = SigningKey::generate(Algorithm::ES256, kid)?;
    let signed = format!("{header}.{}", promoted(token)?);
    let signature = key.sign_raw(signed.as_bytes())?;
    Ok(format!("{signed}.{}", b64::encode(signature)))
}

/// Other claims under the old signature.
pub fn altered(token: &str) -> Result<String, Failure> {
    let (header, rest) = split(token)?;
    let (_, signature) = split(rest)?;
    Ok(format!("{header}.{}.{signature}", promoted(token)?))
}

/// A header that says that nobody signed.
pub fn unsigned(token: &str) -> Result<String, Failure> {
    let header = json!({ "alg": "none", "typ": "at+jwt" });
    Ok(format!("{}.{}.", b64::encode(header.to_string()), promoted(token)?))
}

/// The token's claims with the role `manager`, encoded.
fn promoted(token: &str) -> Result<String, Failure> {
    let (_, rest) = split(token)?;
    let mut claims = decoded(split(rest)?.0)?;
    claims["roles"] = json!(["manager"]);
    Ok(b64::encode(claims.to_string()))
}

fn decoded(part: &str) -> Result<Value, Failure> {
    Ok(serde_json::from_slice(&b64::decode(part)?)?)
}

fn split(token: &str) -> Result<(&str, &str), Failure> {
    token.split_once('.').ok_or_else(|| "this is no token".into())
}
