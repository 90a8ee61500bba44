//! Keys and tokens, made once per run and read by every program from one file.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::AccessClaims;

/// What all programs work on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Material {
    /// Seconds since 1970, for libraries that are told the time.
    pub now: i64,
    pub claims: AccessClaims,
    /// By the algorithm's registered name.
    pub keys: BTreeMap<String, KeyMaterial>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyMaterial {
    pub kid: String,
    pub private: Private,
    /// Signed with this key, over the claims above.
    pub token: String,
    /// Tokens that must be refused, by what is wrong with them.
    pub wrong: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Private {
    Secret(Vec<u8>),
    Pair {
        /// PKCS#8, DER.
        private: Vec<u8>,
        /// SubjectPublicKeyInfo, DER.
        public: Vec<u8>,
        private_pem: String,
        public_pem: String,
        /// The 32 bytes that an ML-DSA key is made from; empty for other keys.
        seed: Vec<u8>,
    },
}

impl KeyMaterial {
    pub fn secret(&self) -> &[u8] {
        match &self.private {
            Private::Secret(secret) => secret,
            Private::Pair { .. } => &[],
        }
    }

    pub fn seed(&self) -> &[u8] {
        match &self.private {
            Private::Secret(_) => &[],
            Private::Pair { seed, .. } => seed,
        }
    }

    /// PKCS#8 and SubjectPublicKeyInfo, both DER.
    pub fn pair(&self) -> (&[u8], &[u8]) {
        match &self.private {
            Private::Secret(_) => (&[], &[]),
            Private::Pair { private, public, .. } => (private, public),
        }
    }

    /// PKCS#8 and SubjectPublicKeyInfo, both PEM.
    pub fn pems(&self) -> (&str, &str) {
        match &self.private {
            Private::Secret(_) => ("", ""),
            Private::Pair { private_pem, public_pem, .. } => (private_pem, public_pem),
        }
    }
}

impl Material {
    /// Reads the file that the bench wrote.
    ///
    /// # Panics
    /// If there is none: the bench itself starts these programs.
    pub fn read(path: &Path) -> Self {
        let json = fs::read(path).expect("the bench writes this file");
        serde_json::from_slice(&json).expect("as the bench wrote it")
    }
}
