//! Keys that this program or a peer drew, in every form in which they are handed over.

use serde_json::{Value, json};

use crate::rig::Rig;

/// Both halves; the same twice for what is shared.
#[derive(Clone)]
pub struct Key {
    pub private: Half,
    pub public: Half,
    pub thumbprint: Option<String>,
}

#[derive(Clone)]
pub struct Half {
    kty: String,
    jwk: Value,
    pem: Option<String>,
    password: Option<String>,
}

/// In which form a key is handed over.
#[derive(Clone, Copy)]
pub enum Text {
    Jwk,
    Pem,
}

impl Key {
    pub fn of_peer(generated: &Value) -> Self {
        let half = |name: &str| {
            let half = &generated[name];
            let kty = half["jwk"]["kty"].as_str().unwrap().to_owned();
            Half { kty, jwk: half["jwk"].clone(), pem: half["pem"].as_str().map(str::to_owned), password: None }
        };
        let private = half("private");
        let public = if private.kty == "oct" { private.clone() } else { half("public") };
        Self { private, public, thumbprint: generated["thumbprint"].as_str().map(str::to_owned) }
    }

    /// What this program wrote: a JWK with both halves.
    pub fn of_program(rig: &Rig, jwk: &str) -> Self {
        let private: Value = serde_json::from_str(jwk).unwrap();
        let kty = private["kty"].as_str().unwrap().to_owned();
        let convert = |arguments: &[&str]| rig.expect(0, &[&["jwk", "convert"][..], arguments].concat(), jwk).0;
        if kty == "oct" {
            let half = Half { kty, jwk: private, pem: None, password: None };
            return Self { private: half.clone(), public: half, thumbprint: None };
        }
        let public = serde_json::from_str(&convert(&["--to", "jwk", "--public"])).unwrap();
        let pem = |arguments: &[&str]| Some(convert(&[&["--to", "pem"][..], arguments].concat()));
        let thumbprint = rig.expect(0, &["jwk", "thumbprint"], jwk).0.trim().to_owned();
        Self {
            private: Half { kty: kty.clone(), jwk: private, pem: pem(&[]), password: None },
            public: Half { kty, jwk: public, pem: pem(&["--public"]), password: None },
            thumbprint: Some(thumbprint),
        }
    }

    pub fn password(text: &str) -> Self {
        let half = Half { kty: "oct".into(), jwk: Value::Null, pem: None, password: Some(text.into()) };
        Self { private: half.clone(), public: half, thumbprint: None }
    }

    /// The secret of a peer, for one way to encrypt content: this program wants the JWK to say which.
    pub fn for_content(mut self, enc: &str) -> Self {
        for half in [&mut self.private, &mut self.public] {
            half.jwk["alg"] = enc.into();
        }
        self
    }
}

impl Half {
    pub fn for_peer(&self, text: Text, alg: &str) -> Value {
        match (&self.password, text, &self.pem) {
            (Some(password), ..) => json!({ "password": password }),
            (None, Text::Pem, Some(pem)) => json!({ "pem": pem, "kty": self.kty, "alg": alg }),
            _ => json!({ "jwk": self.jwk }),
        }
    }

    /// The options of this program that give it the key, for one algorithm.
    pub fn options(&self, rig: &Rig, text: Text, alg: &str) -> Vec<String> {
        let write = |name: &str, text: &str| {
            std::fs::write(rig.folder.path().join(name), text).unwrap();
            name.to_owned()
        };
        let (option, file) = match (&self.password, text, &self.pem) {
            (Some(password), ..) => ("--password-file", write("password", password)),
            (None, Text::Pem, Some(pem)) => ("--key", write("key.pem", pem)),
            _ => ("--key", write("key.jwk", &self.jwk.to_string())),
        };
        [option, &file, "--alg", alg].map(str::to_owned).to_vec()
    }
}
