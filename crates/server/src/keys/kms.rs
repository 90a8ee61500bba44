//! AWS Key Management Service: it wraps with a key that never leaves it, and signs with others.

mod credentials;
mod sigv4;

use std::time::Duration;

use bytes::Bytes;
use countersign_jose::{Algorithm, Jwk};
use der::{
    Decode, Reader, SliceReader,
    asn1::{AnyRef, UintRef},
};
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    calls::Calls,
    kek::KekBytes,
    remote::{Fault, MadeThere, Plain, hash, is_pss},
};
use crate::{clock::Clock, config, domain::audit::harmless, secret::PlainSecret};

/// As much of an error answer as a log line repeats.
const SHOWN: usize = 300;
/// The longest message that it hashes itself, bytes.
const LONGEST_RAW: usize = 4096;
/// How often the public half of a new key is asked for again, and the pause before each.
const READS: u32 = 20;
const READ_PAUSE: Duration = Duration::from_millis(500);
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// What says later that a key was made by Countersign, and which.
const TAG: &str = "countersign";

/// The service, and what opens it.
#[derive(Debug)]
pub(super) struct Kms {
    config: config::Kms,
    clock: Clock,
    calls: Calls,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: PlainSecret,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    key_metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Public {
    public_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Signed {
    signature: String,
}

impl Kms {
    pub fn new(config: config::Kms, clock: Clock) -> Self {
        let calls = Calls::new(config.ca_file.clone());
        Self { config, clock, calls }
    }

    pub fn place(&self) -> String {
        format!("kms ({}, key {})", self.config.endpoint, self.config.key)
    }

    pub async fn wrap(&self, kek: &KekBytes, context: &str) -> Result<String, Fault> {
        let plain = Zeroizing::new(base64_simd::STANDARD.encode_to_string(&kek[..]));
        let bound = json!({ "KeyId": self.config.key, "EncryptionContext": { TAG: context } }).to_string();
        let bound = bound.strip_suffix('}').unwrap_or_default();
        let body = Zeroizing::new(format!(r#"{bound},"Plaintext":"{}"}}"#, plain.as_str()));
        let answer: Encrypted = self.call("Encrypt", &body).await?;
        Ok(answer.ciphertext_blob)
    }

    pub async fn unwrap(&self, wrapped: &str, context: &str) -> Result<Plain, Fault> {
        let body = json!({
            "KeyId": self.config.key,
            "EncryptionContext": { TAG: context },
            "CiphertextBlob": wrapped,
        });
        let answer: Decrypted = self.call("Decrypt", &body.to_string()).await?;
        decode(answer.plaintext.expose()).map(Zeroizing::new)
    }

    pub async fn make(&self, alg: Algorithm, id: &str) -> Result<MadeThere, Fault> {
        let spec = spec(alg).ok_or_else(|| Fault::Refused(format!("it has no keys for {alg}")))?;
        let body = json!({
            "KeyUsage": "SIGN_VERIFY",
            "KeySpec": spec,
            "Description": format!("Countersign: signs tokens with {alg}"),
            "Tags": [{ "TagKey": TAG, "TagValue": id }],
        });
        let created: Created = self.call("CreateKey", &body.to_string()).await?;
        let name = created.key_metadata.arn;
        let public = self.public_key(&name).await?;
        let public = Jwk::from_der(&decode(&public.public_key)?).map_err(|error| unreadable(&error))?;
        Ok(MadeThere { name, public })
    }

    /// A new key is not known everywhere at once (AWS KMS Developer Guide, "eventual consistency").
    async fn public_key(&self, name: &str) -> Result<Public, Fault> {
        let body = json!({ "KeyId": name }).to_string();
        for _ in 0..READS {
            match self.call("GetPublicKey", &body).await {
                Err(Fault::Refused(reason)) if reason.contains("NotFoundException") => {}
                outcome => return outcome,
            }
            tokio::time::sleep(READ_PAUSE).await;
        }
        self.call("GetPublicKey", &body).await
    }

    pub async fn sign(&self, name: &str, alg: Algorithm, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let hash = hash(alg, message).ok_or_else(|| Fault::Refused(format!("it does not sign with {alg}")))?;
        // As far as it takes messages, it makes the hash itself.
        let (message, kind) = if message.len() <= LONGEST_RAW { (message, "RAW") } else { (&hash[..], "DIGEST") };
        let body = json!({
            "KeyId": name,
            "Message": base64_simd::STANDARD.encode_to_string(message),
            "MessageType": kind,
            "SigningAlgorithm": signing_algorithm(alg, hash.len() * 8),
        });
        let answer: Signed = self.call("Sign", &body.to_string()).await?;
        let signature = decode(&answer.signature)?;
        match alg.signature_len() {
            Some(len) => raw(&signature, len / 2).ok_or_else(|| unreadable(&"its signature is not DER")),
            None => Ok(signature),
        }
    }

    async fn call<T: DeserializeOwned>(&self, operation: &str, body: &str) -> Result<T, Fault> {
        let credentials = credentials::read(self.config.credentials_file.as_deref())?;
        let uri = format!("{}/", self.config.endpoint);
        let (_, host) = self.config.endpoint.split_once("://").unwrap_or_default();
        let target = format!("TrentService.{operation}");
        let mut headers = vec![("content-type", CONTENT_TYPE), ("host", host), ("x-amz-target", &target)];
        if let Some(token) = &credentials.session_token {
            headers.push(("x-amz-security-token", token.expose()));
        }
        let scope = sigv4::Scope { region: &self.config.region, service: "kms", at: self.clock.now() };
        let signed =
            sigv4::sign(&credentials, &scope, &sigv4::Said { method: "POST", path: "/", headers: &headers, body });
        let mut request = Request::post(uri).header(header::AUTHORIZATION, signed.authorization);
        request = request.header("x-amz-date", signed.date);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let request = request.body(body).map_err(|error| Fault::Refused(error.to_string()))?;
        let (status, answer) = self.calls.send(request).await?;
        if !status.is_success() {
            return Err(fault(status, &answer));
        }
        serde_json::from_slice(&answer).map_err(|error| unreadable(&error))
    }
}

/// The service's own troubles and its limits pass; what else it says stays.
fn fault(status: StatusCode, answer: &[u8]) -> Fault {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let kind = answer["__type"].as_str().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let told = answer["message"].as_str().or_else(|| answer["Message"].as_str()).unwrap_or_default();
    let told: String = harmless(&format!("{kind} {told}")).chars().take(SHOWN).collect();
    let said = format!("{} {told}", status.as_u16());
    let passes = status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || matches!(kind, "ThrottlingException" | "RequestLimitExceeded");
    if passes { Fault::Down(said) } else { Fault::Refused(said) }
}

fn spec(alg: Algorithm) -> Option<&'static str> {
    match (alg.kty(), alg.crv().unwrap_or_default()) {
        ("RSA", _) => Some("RSA_3072"),
        ("EC", "P-256") => Some("ECC_NIST_P256"),
        ("EC", "P-384") => Some("ECC_NIST_P384"),
        ("EC", "P-521") => Some("ECC_NIST_P521"),
        _ => None,
    }
}

fn signing_algorithm(alg: Algorithm, bits: usize) -> String {
    match alg.kty() {
        "RSA" if is_pss(alg) => format!("RSASSA_PSS_SHA_{bits}"),
        "RSA" => format!("RSASSA_PKCS1_V1_5_SHA_{bits}"),
        _ => format!("ECDSA_SHA_{bits}"),
    }
}

/// From DER (RFC 3279 §2.2.3) to the `R ‖ S` of JWS.
fn raw(der: &[u8], half: usize) -> Option<Vec<u8>> {
    let whole = AnyRef::from_der(der).ok()?;
    let mut inside = SliceReader::new(whole.value()).ok()?;
    let (r, s): (UintRef<'_>, UintRef<'_>) = (inside.decode().ok()?, inside.decode().ok()?);
    if !inside.is_finished() {
        return None;
    }
    let mut out = vec![0; half * 2];
    for (number, place) in [r, s].iter().zip(out.chunks_mut(half)) {
        let bytes = number.as_bytes();
        place.get_mut(half.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    }
    Some(out)
}

fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    base64_simd::STANDARD.decode_to_vec(text).map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::fmt::Display) -> Fault {
    Fault::Refused(format!("its answer cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_in_der_is_two_numbers_of_the_curve_s_length() {
        let der = [0x30, 0x08, 0x02, 0x02, 0x00, 0x80, 0x02, 0x02, 0x01, 0x02];
        assert_eq!(raw(&der, 3), Some(vec![0, 0, 0x80, 0, 1, 2]));
        assert_eq!(raw(&der, 1), None, "too long for the curve");
        assert_eq!(raw(&der[..9], 3), None);
        assert_eq!(raw(&[], 3), None);
    }
}
