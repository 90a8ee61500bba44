//! Another implementation of JOSE (`../../peers/README.md`).

use std::sync::LazyLock;

use countersign_jose::b64;
use serde_json::{Value, json};

use crate::peers::Process;

pub static JOSERFC: LazyLock<Peer> = LazyLock::new(|| Peer {
    lacks: &["ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "RSA-OAEP-384", "RSA-OAEP-512"],
    ..Peer::python("joserfc_peer.py")
});

pub static JWCRYPTO: LazyLock<Peer> =
    LazyLock::new(|| Peer { lacks: &["RSA-OAEP-384", "RSA-OAEP-512"], ..Peer::python("jwcrypto_peer.py") });

/// Whether it has ML-DSA depends on the version of Node.js.
pub static JOSE: LazyLock<Peer> =
    LazyLock::new(|| Peer { lacks: &["ES256K", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"], ..Peer::node("jose_peer.mjs") });

pub struct Peer {
    /// Algorithms that it need not have. What it has all the same is tested like the others.
    lacks: &'static [&'static str],
    process: Process,
}

/// A key as a peer takes it.
pub type PeerKey = Value;

impl Peer {
    fn python(program: &str) -> Self {
        Self { lacks: &[], process: Process::python(program) }
    }

    fn node(program: &str) -> Self {
        Self { lacks: &[], process: Process::node(program) }
    }

    /// What it answers, or why it refuses.
    pub fn ask(&self, request: &Value) -> Result<Value, String> {
        self.process.ask(request)
    }

    /// A pair of keys or a secret; `None` if it lacks this algorithm.
    pub fn generate(&self, kty: &str, crv: Option<&str>, alg: &str, bits: usize) -> Option<Value> {
        let request = json!({ "op": "generate", "kty": kty, "crv": crv, "alg": alg, "bits": bits });
        self.possible(alg, self.ask(&request))
    }

    /// The answer; `None` if it is a refusal and the peer need not have this algorithm.
    pub fn possible<T>(&self, alg: &str, answer: Result<T, String>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(_) if self.lacks.contains(&alg) => None,
            Err(why) => panic!("{alg}: {why}"),
        }
    }

    pub fn sign(&self, form: &str, payload: &[u8], signers: &[(&str, PeerKey)]) -> Result<String, String> {
        self.sign_with(form, payload, signers, &json!({}))
    }

    /// With further members of the protected headers.
    pub fn sign_with(
        &self,
        form: &str,
        payload: &[u8],
        signers: &[(&str, PeerKey)],
        header: &Value,
    ) -> Result<String, String> {
        let signers: Vec<_> =
            signers.iter().map(|(alg, key)| json!({ "alg": alg, "key": key, "header": header })).collect();
        let request = json!({ "op": "sign", "form": form, "payload": b64::encode(payload), "signers": signers });
        self.ask(&request).map(|answer| answer.as_str().unwrap().to_owned())
    }

    /// `payload` if the message has none.
    pub fn verify(
        &self,
        form: &str,
        message: &str,
        (alg, key): (&str, PeerKey),
        payload: Option<&[u8]>,
    ) -> Result<Vec<u8>, String> {
        let mut request = json!({ "op": "verify", "form": form, "message": message, "alg": alg, "key": key });
        if let Some(payload) = payload {
            request["payload"] = b64::encode(payload).into();
        }
        self.ask(&request).map(|answer| b64::decode(answer.as_str().unwrap()).unwrap())
    }

    /// `more` are further members of the request.
    pub fn encrypt(
        &self,
        (form, enc): (&str, &str),
        payload: &[u8],
        recipients: &[(&str, PeerKey)],
        more: &Value,
    ) -> Result<String, String> {
        let recipients: Vec<_> = recipients.iter().map(|(alg, key)| json!({ "alg": alg, "key": key })).collect();
        let mut request = json!({ "op": "encrypt", "form": form, "enc": enc, "recipients": recipients });
        request["payload"] = b64::encode(payload).into();
        for (name, value) in more.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        self.ask(&request).map(|answer| answer.as_str().unwrap().to_owned())
    }

    pub fn decrypt(
        &self,
        form: &str,
        message: &str,
        (alg, key): (&str, PeerKey),
        enc: &str,
    ) -> Result<Vec<u8>, String> {
        let request = json!({ "op": "decrypt", "form": form, "message": message, "alg": alg, "enc": enc, "key": key });
        self.ask(&request).map(|answer| b64::decode(answer.as_str().unwrap()).unwrap())
    }

    /// The claims of a token, which the peer has judged.
    pub fn claims(
        &self,
        token: &str,
        (alg, key): (&str, PeerKey),
        issuer: &str,
        audience: &str,
    ) -> Result<Value, String> {
        let request =
            json!({ "op": "claims", "token": token, "alg": alg, "key": key, "issuer": issuer, "audience": audience });
        self.ask(&request)
    }
}
