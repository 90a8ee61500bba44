//! A key that a browser keeps and nobody can copy, and proofs that it is there (RFC 9449).

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_verify::jose::{Algorithm, DpopClaims, SigningKey, dpop};
use stage::Failure;

use crate::{services::NAME, watch::now};

/// See the module.
pub struct Key(SigningKey);

impl Key {
    pub fn new() -> Result<Self, Failure> {
        Ok(Self(SigningKey::generate(Algorithm::ES256, "browser")?))
    }

    /// For a request to the issuer.
    pub fn proof(&self, url: &str) -> Result<String, Failure> {
        self.sign("POST", url, None)
    }

    /// For a request with this token to one of the services, by the name that clients know it by.
    pub fn proof_at(&self, door: &str, token: &str) -> Result<String, Failure> {
        let path = door.splitn(4, '/').nth(3).unwrap_or_default();
        self.sign("GET", &format!("{NAME}/{path}"), Some(dpop::token_hash(token)))
    }

    fn sign(&self, method: &str, url: &str, ath: Option<String>) -> Result<String, Failure> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let claims = DpopClaims {
            jti: format!("{}-{}", now(), SERIAL.fetch_add(1, Ordering::Relaxed)),
            htm: method.to_owned(),
            htu: url.to_owned(),
            iat: now() / 1_000_000,
            ath,
            ..DpopClaims::default()
        };
        Ok(dpop::sign(&self.0, &claims)?)
    }
}
