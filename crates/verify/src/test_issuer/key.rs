//! A client's key, and its proofs (RFC 9449).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use countersign_jose::{Algorithm, DpopClaims, SigningKey, dpop};

use super::{TestIssuer, must, new_key, public_half};

/// A key that tokens can be bound to. Clones are the same key.
///
/// ```
/// use countersign_verify::{Dpop, TestIssuer};
/// use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new("https://id.test");
/// let verifier = issuer.verifier_builder().dpop(Dpop::at("https://api.test")).build()?;
///
/// let (token, proof) = issuer.token().sub("usr_1").with_proof("GET", "https://api.test/orders");
///
/// let mut headers = HeaderMap::new();
/// headers.insert(AUTHORIZATION, format!("DPoP {token}").parse()?);
/// headers.insert("dpop", proof.parse()?);
/// let orders = Uri::from_static("/orders?page=2");
/// let claims = verifier.verify_request(&Method::GET, &orders, &headers).await.unwrap().unwrap();
/// assert_eq!(claims.sub, "usr_1");
///
/// assert!(verifier.verify(&token).is_err(), "the token alone is worth nothing");
/// assert!(verifier.verify_request(&Method::GET, &orders, &headers).await.is_err(), "and neither is what was used");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TestKey {
    key: Arc<SigningKey>,
    issuer: TestIssuer,
    serial: Arc<AtomicU64>,
}

impl TestKey {
    pub(super) fn new(issuer: TestIssuer) -> Self {
        Self { key: Arc::new(new_key(Algorithm::ES256, "client")), issuer, serial: Arc::default() }
    }

    /// What `cnf.jkt` of a token that is bound to this key says.
    pub fn thumbprint(&self) -> String {
        public_half(&self.key).thumbprint()
    }

    /// A proof for one request with this access token: its method, and the URL as the client calls it. Made now, by the
    /// issuer's clock, with a `jti` of its own.
    ///
    /// # Panics
    /// If the proof would be too long for any server.
    pub fn proof(&self, method: &str, url: &str, access_token: &str) -> String {
        self.proof_with(method, url, access_token, |_| {})
    }

    /// As [`proof`](Self::proof), with its claims changed: a nonce, another time, something wrong.
    ///
    /// # Panics
    /// As [`proof`](Self::proof), and if the claims cannot be a proof.
    pub fn proof_with(
        &self,
        method: &str,
        url: &str,
        access_token: &str,
        change: impl FnOnce(&mut DpopClaims),
    ) -> String {
        let mut claims = DpopClaims {
            jti: format!("proof-{}", self.serial.fetch_add(1, Ordering::Relaxed)),
            htm: method.into(),
            htu: url.into(),
            iat: self.issuer.clock.now().unix_secs(),
            ath: Some(dpop::token_hash(access_token)),
            ..DpopClaims::default()
        };
        change(&mut claims);
        must(dpop::sign(&self.key, &claims))
    }
}
