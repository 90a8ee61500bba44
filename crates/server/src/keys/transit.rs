//! The transit engine of OpenBao and Vault: it wraps with a key that never leaves it, and signs with others.

use bytes::Bytes;
use countersign_jose::{Algorithm, AnyKey, Jwk, b64, key};
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    calls::Calls,
    kek::KekBytes,
    remote::{Fault, MadeThere, Plain, hash, is_pss, public},
    secret_place,
};
use crate::{config, domain::audit::harmless, secret::PlainSecret};

/// As much of an error answer as a log line repeats.
const SHOWN: usize = 300;

/// The engine, and what opens it.
#[derive(Debug)]
pub(super) struct Transit {
    config: config::Transit,
    calls: Calls,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Ciphertext {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Plaintext {
    plaintext: PlainSecret,
}

#[derive(Deserialize)]
struct Signature {
    signature: String,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "type")]
    kind: String,
    exportable: bool,
    #[serde(default)]
    allow_plaintext_backup: bool,
    #[serde(default)]
    keys: serde_json::Map<String, Value>,
}

impl Transit {
    pub fn new(config: config::Transit) -> Self {
        let calls = Calls::new(config.ca_file.clone());
        Self { config, calls }
    }

    pub fn place(&self) -> String {
        format!("transit ({}, key {}/{})", self.config.address, self.config.mount, self.config.key)
    }

    /// Encrypting makes a missing key if the token may do that, so it is looked at first: a key that nobody made on purpose
    /// guards nothing.
    pub async fn wrap(&self, kek: &KekBytes, context: &str) -> Result<String, Fault> {
        let key: Key = self.call(Method::GET, &format!("keys/{}", self.config.key), Zeroizing::default()).await?;
        if key.exportable
            || key.allow_plaintext_backup
            || !matches!(key.kind.as_str(), "aes256-gcm96" | "chacha20-poly1305")
        {
            let say = "must be of the type aes256-gcm96, not exportable and without plaintext backup; make another one";
            return Err(Fault::Refused(format!("the key {} {say}", self.config.key)));
        }
        let plain = Zeroizing::new(base64_simd::STANDARD.encode_to_string(&kek[..]));
        let bound = base64_simd::STANDARD.encode_to_string(context);
        let body = Zeroizing::new(format!(r#"{{"plaintext":"{}","associated_data":"{bound}"}}"#, plain.as_str()));
        let answer: Ciphertext = self.call(Method::POST, &format!("encrypt/{}", self.config.key), body).await?;
        Ok(answer.ciphertext)
    }

    pub async fn unwrap(&self, wrapped: &str, context: &str) -> Result<Plain, Fault> {
        let bound = base64_simd::STANDARD.encode_to_string(context);
        let body = json!({ "ciphertext": wrapped, "associated_data": bound }).to_string();
        let path = format!("decrypt/{}", self.config.key);
        let answer: Plaintext = self.call(Method::POST, &path, body.into()).await?;
        let plain = base64_simd::STANDARD.decode_to_vec(answer.plaintext.expose());
        plain.map(Zeroizing::new).map_err(|_| unreadable(&"its plaintext is not base64"))
    }

    pub async fn make(&self, alg: Algorithm, id: &str) -> Result<MadeThere, Fault> {
        let name = format!("{}-{id}", self.config.key);
        let kind = kind(alg).ok_or_else(|| Fault::Refused(format!("it has no keys for {alg}")))?;
        let body = json!({ "type": kind, "exportable": false, "allow_plaintext_backup": false }).to_string();
        let path = format!("keys/{name}");
        let () = self.call_for_nothing(&path, body.into()).await?;
        let key: Key = self.call(Method::GET, &path, Zeroizing::default()).await?;
        if key.kind != kind || key.exportable {
            return Err(Fault::Refused(format!("the key {name} was there before")));
        }
        let public = key.keys.get("1").and_then(|version| version["public_key"].as_str());
        let public = public.ok_or_else(|| unreadable(&"the new key has no public half"))?;
        Ok(MadeThere { public: jwk(alg, public)?, name })
    }

    /// Always with the first version: a key that is rotated there would sign what nobody can verify.
    pub async fn sign(&self, name: &str, alg: Algorithm, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut body = json!({ "key_version": 1, "marshaling_algorithm": "jws" });
        match hash(alg, message) {
            Some(hash) => {
                body["input"] = base64_simd::STANDARD.encode_to_string(&hash).into();
                body["prehashed"] = true.into();
                body["hash_algorithm"] = format!("sha2-{}", hash.len() * 8).into();
            }
            None => body["input"] = base64_simd::STANDARD.encode_to_string(message).into(),
        }
        if is_pss(alg) {
            body["signature_algorithm"] = "pss".into();
            body["salt_length"] = "hash".into();
        } else if alg.kty() == "RSA" {
            body["signature_algorithm"] = "pkcs1v15".into();
        }
        let answer: Signature = self.call(Method::POST, &format!("sign/{name}"), body.to_string().into()).await?;
        let text = answer.signature.rsplit(':').next().unwrap_or_default();
        let bytes = match text.contains(['+', '/', '=']) {
            true => base64_simd::STANDARD.decode_to_vec(text).ok(),
            false => b64::decode(text).ok().or_else(|| base64_simd::STANDARD.decode_to_vec(text).ok()),
        };
        bytes.ok_or_else(|| unreadable(&"its signature is not base64"))
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Zeroizing<String>) -> Result<T, Fault> {
        let answer = self.send(method, path, body).await?;
        let answer: Answer<T> = serde_json::from_slice(&answer).map_err(|error| unreadable(&error))?;
        Ok(answer.data)
    }

    async fn call_for_nothing(&self, path: &str, body: Zeroizing<String>) -> Result<(), Fault> {
        self.send(Method::POST, path, body).await.map(drop)
    }

    async fn send(&self, method: Method, path: &str, body: Zeroizing<String>) -> Result<Bytes, Fault> {
        let token = secret_place::read(&self.config.token)?;
        let mut token = http::HeaderValue::from_str(token.expose())
            .map_err(|_| Fault::Refused("the token has characters that no header can have".to_owned()))?;
        token.set_sensitive(true);
        let uri = format!("{}/v1/{}/{path}", self.config.address, self.config.mount);
        let mut request = Request::builder().method(method).uri(uri).header("x-vault-token", token);
        request = request.header(header::CONTENT_TYPE, "application/json").header("x-vault-request", "true");
        if let Some(namespace) = &self.config.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let request = request.body(body).map_err(|error| Fault::Refused(error.to_string()))?;
        let (status, answer) = self.calls.send(request).await?;
        if status.is_success() { Ok(answer) } else { Err(fault(status, &answer)) }
    }
}

/// Sealed, in another hand, asked too often: all of it passes. What else it says stays.
fn fault(status: StatusCode, answer: &[u8]) -> Fault {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<String>,
    }
    let told = serde_json::from_slice::<Errors>(answer).map(|answer| answer.errors.join("; ")).unwrap_or_default();
    let told: String = harmless(&told).chars().take(SHOWN).collect();
    let said = format!("{} {told}", status.as_u16());
    let passes = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::PRECONDITION_FAILED)
        || matches!(status.as_u16(), 472 | 473);
    if passes { Fault::Down(said) } else { Fault::Refused(said) }
}

fn kind(alg: Algorithm) -> Option<&'static str> {
    match (alg.kty(), alg.crv().unwrap_or_default()) {
        ("RSA", _) => Some("rsa-3072"),
        ("EC", "P-256") => Some("ecdsa-p256"),
        ("EC", "P-384") => Some("ecdsa-p384"),
        ("EC", "P-521") => Some("ecdsa-p521"),
        ("OKP", _) => Some("ed25519"),
        _ => None,
    }
}

/// PEM, or the bare 32 bytes of Ed25519.
fn jwk(alg: Algorithm, text: &str) -> Result<Jwk, Fault> {
    if alg.kty() == "OKP" {
        let x = base64_simd::STANDARD.decode_to_vec(text).map_err(|error| unreadable(&error))?;
        return public(alg, &[("x", &x)]);
    }
    let imported = key::import(text.as_bytes()).map_err(|error| unreadable(&error))?;
    let key = imported.keys.first().and_then(AnyKey::public_jwk);
    key.ok_or_else(|| unreadable(&"its public key is not PEM"))
}

fn unreadable(error: &dyn std::fmt::Display) -> Fault {
    Fault::Refused(format!("its answer cannot be read: {error}"))
}
