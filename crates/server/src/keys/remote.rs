//! A key store and the patience with it: each attempt has its time, failures are tried again after a pause, and a store that
//! fails again and again is left alone for a while, so that nobody waits for it in vain.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use countersign_jose::{Algorithm, Jwk, VerifyingKey, b64};
use zeroize::Zeroizing;

#[cfg(feature = "kms")]
use super::kms::Kms;
#[cfg(feature = "pkcs11")]
use super::pkcs11::Pkcs11;
use super::{
    kek::KekBytes,
    meters::{Meters, Outcome},
    patience::{ATTEMPTS, Breaker, Standing, pause},
    transit::Transit,
};
use crate::{
    clock::{Clock, Stopwatch},
    config,
    domain::key_store::StoreName,
    random::Random,
    telemetry,
};

/// How long a store may take to make a key.
const MAKING: Duration = Duration::from_secs(60);

/// How an attempt failed.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// No answer, or one that says "not now": another attempt may go better.
    Down(String),
    /// An answer that stays the same until somebody changes something.
    Refused(String),
}

/// Why a key store did not do something. The words are for the log and the operator.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RemoteError {
    #[error("the key store {store} does not answer: {reason}")]
    Down { store: String, reason: String, retry_after: Duration },
    #[error("the key store {store} refuses: {reason}")]
    Refused { store: String, reason: String },
}

impl RemoteError {
    /// When to try again. Whoever must change something first is not done at once.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::Down { retry_after, .. } => *retry_after,
            Self::Refused { .. } => Duration::from_secs(10),
        }
    }
}

/// A key that was made in a store.
#[derive(Debug, Clone)]
pub(super) struct MadeThere {
    /// Its name there.
    pub name: String,
    pub public: Jwk,
}

#[derive(Debug)]
enum Backend {
    Transit(Transit),
    #[cfg(feature = "pkcs11")]
    Pkcs11(Pkcs11),
    #[cfg(feature = "kms")]
    Kms(Kms),
}

/// One key store.
#[derive(Debug)]
pub struct KeyStore {
    name: StoreName,
    backend: Backend,
    timeout: Duration,
    breaker: Mutex<Breaker>,
    /// What the breaker's time is counted from.
    since: Stopwatch,
    /// The keys that it would not sign with when it was last asked, when that was, and why.
    refusals: Mutex<HashMap<String, (Duration, RemoteError)>>,
    random: Random,
    meters: Meters,
}

impl KeyStore {
    /// The store of this name, if it is set up. It is not asked for anything yet.
    #[cfg_attr(not(feature = "kms"), expect(unused_variables, reason = "only KMS signs its requests with the time"))]
    pub(super) fn new(
        name: StoreName,
        config: &config::KeyStores,
        (clock, random): (&Clock, Random),
        meters: &Meters,
    ) -> Option<Self> {
        let backend = match name {
            StoreName::Transit => Backend::Transit(Transit::new(config.transit.clone()?)),
            #[cfg(feature = "pkcs11")]
            StoreName::Pkcs11 => Backend::Pkcs11(Pkcs11::new(config.pkcs11.clone()?)),
            #[cfg(feature = "kms")]
            StoreName::Kms => Backend::Kms(Kms::new(config.kms.clone()?, clock.clone())),
            #[cfg(not(all(feature = "pkcs11", feature = "kms")))]
            _ => return None,
        };
        Some(Self {
            name,
            backend,
            timeout: config.timeout,
            breaker: Mutex::default(),
            since: Stopwatch::start(),
            refusals: Mutex::default(),
            random,
            meters: meters.clone(),
        })
    }

    pub const fn name(&self) -> StoreName {
        self.name
    }

    /// The store and the key in it, for people. No secret.
    pub fn place(&self) -> String {
        match &self.backend {
            Backend::Transit(transit) => transit.place(),
            #[cfg(feature = "pkcs11")]
            Backend::Pkcs11(token) => token.place(),
            #[cfg(feature = "kms")]
            Backend::Kms(kms) => kms.place(),
        }
    }

    pub fn standing(&self) -> Standing {
        self.breaker().standing()
    }

    /// Whether it would be asked now, and would sign with the key `name` as far as is known. Other keys of it are another matter.
    ///
    /// # Errors
    /// It failed again and again and is left alone for a while, or it refused to sign with this key a moment ago.
    pub fn ready(&self, name: &str) -> Result<(), RemoteError> {
        let refusal = self.refusals().get(name).cloned();
        if let Some((at, refused)) = refusal
            && self.since.elapsed() < at + refused.retry_after()
        {
            return Err(refused);
        }
        self.breaker().would_admit(self.since.elapsed()).map_err(|rest| self.resting(rest))
    }

    /// Wraps a key-encryption key; `context` must be the same when it is unwrapped.
    pub(super) async fn wrap(&self, kek: &KekBytes, context: &str) -> Result<String, RemoteError> {
        #[cfg(feature = "pkcs11")]
        let iv = self.random.bytes().map_err(|error| self.refused(error.to_string()))?;
        self.call("wrap", ATTEMPTS, || async {
            match &self.backend {
                Backend::Transit(transit) => transit.wrap(kek, context).await,
                #[cfg(feature = "pkcs11")]
                Backend::Pkcs11(token) => token.wrap(kek, context, iv).await,
                #[cfg(feature = "kms")]
                Backend::Kms(kms) => kms.wrap(kek, context).await,
            }
        })
        .await
    }

    /// Unwraps what it wrapped.
    pub(super) async fn unwrap(&self, wrapped: &str, context: &str) -> Result<KekBytes, RemoteError> {
        let plain = self.call("unwrap", ATTEMPTS, || async {
            match &self.backend {
                Backend::Transit(transit) => transit.unwrap(wrapped, context).await,
                #[cfg(feature = "pkcs11")]
                Backend::Pkcs11(token) => token.unwrap(wrapped, context).await,
                #[cfg(feature = "kms")]
                Backend::Kms(kms) => kms.unwrap(wrapped, context).await,
            }
        });
        let plain = plain.await?;
        let mut bytes = KekBytes::default();
        if plain.len() != bytes.len() {
            return Err(self.refused("what it unwrapped is not a key of 32 bytes".to_owned()));
        }
        bytes.copy_from_slice(&plain);
        Ok(bytes)
    }

    /// Makes a key that never leaves the store. Asked once: a second attempt might make a second key. An RSA key may take an HSM
    /// long, so it has a time of its own, and how it ends says nothing about signatures.
    pub(super) async fn make(&self, alg: Algorithm) -> Result<MadeThere, RemoteError> {
        let id = self.random.bytes::<9>().map_err(|error| self.refused(error.to_string()))?;
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.breaker().would_admit(self.since.elapsed()).map_err(|rest| self.resting(rest))?;
        let make = async {
            match &self.backend {
                Backend::Transit(transit) => transit.make(alg, &id).await,
                #[cfg(feature = "pkcs11")]
                Backend::Pkcs11(token) => token.make(alg, &id).await,
                #[cfg(feature = "kms")]
                Backend::Kms(kms) => kms.make(alg, &id).await,
            }
        };
        let made = tokio::time::timeout(MAKING, make).await;
        let (outcome, made) = match made.unwrap_or_else(|_| Err(Fault::Down(format!("no key within {MAKING:?}")))) {
            Ok(made) => (Outcome::Done, Ok(made)),
            Err(Fault::Refused(reason)) => (Outcome::Refused, Err(self.refused(reason))),
            Err(Fault::Down(reason)) => (Outcome::Failed, Err(self.down(reason))),
        };
        self.meter("make", outcome);
        made
    }

    /// Signs with the key `name`, in the form of JWS. What `public` does not verify is no signature: a key that somebody put
    /// there under the same name signs nothing (KEY-08).
    pub(super) async fn sign(&self, name: &str, public: &VerifyingKey, message: &[u8]) -> Result<Vec<u8>, RemoteError> {
        let alg = public.alg();
        let signature = self.call("sign", ATTEMPTS, || async {
            match &self.backend {
                Backend::Transit(transit) => transit.sign(name, alg, message).await,
                #[cfg(feature = "pkcs11")]
                Backend::Pkcs11(token) => token.sign(name, alg, message).await,
                #[cfg(feature = "kms")]
                Backend::Kms(kms) => kms.sign(name, alg, message).await,
            }
        });
        let signature = signature.await.and_then(|signature| match public.verify_raw(message, &signature) {
            Ok(()) => Ok(signature),
            Err(_) => Err(self.refused(format!("the key {name} there is not the one that was published"))),
        });
        match &signature {
            Err(refused @ RemoteError::Refused { .. }) => {
                self.refusals().insert(name.to_owned(), (self.since.elapsed(), refused.clone()));
            }
            _ => drop(self.refusals().remove(name)),
        }
        signature
    }

    fn refusals(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Duration, RemoteError)>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T, F, Fut>(&self, what: &'static str, attempts: u32, attempt: F) -> Result<T, RemoteError>
    where
        F: Fn() -> Fut + Send,
        Fut: Future<Output = Result<T, Fault>> + Send,
    {
        let mut number = 0;
        loop {
            let admitted = self.breaker().admit(self.since.elapsed(), self.timeout);
            if let Err(rest) = admitted {
                self.meter(what, Outcome::Spared);
                return Err(self.resting(rest));
            }
            let fault = match telemetry::child("key_store.call", tokio::time::timeout(self.timeout, attempt())).await {
                Ok(Ok(done)) => {
                    self.breaker().answered();
                    self.meter(what, Outcome::Done);
                    return Ok(done);
                }
                Ok(Err(Fault::Refused(reason))) => {
                    self.breaker().answered();
                    self.meter(what, Outcome::Refused);
                    return Err(self.refused(reason));
                }
                Ok(Err(Fault::Down(reason))) => reason,
                Err(_) => format!("no answer within {:?}", self.timeout),
            };
            self.breaker().failed(self.since.elapsed());
            self.meter(what, Outcome::Failed);
            tracing::warn!(store = self.name.as_str(), what, reason = fault, "the key store did not answer");
            number += 1;
            if number >= attempts {
                return Err(self.down(fault));
            }
            let random = self.random.bytes().map_err(|error| self.refused(error.to_string()))?;
            tokio::time::sleep(pause(number - 1, u16::from_le_bytes(random))).await;
        }
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meter(&self, what: &'static str, outcome: Outcome) {
        self.meters.call(self.name, what, outcome);
        self.meters.standing(self.name, self.standing());
    }

    fn resting(&self, rest: Duration) -> RemoteError {
        let reason = "it failed again and again and is left alone for a moment".to_owned();
        RemoteError::Down { store: self.place(), reason, retry_after: rest.max(Duration::from_secs(1)) }
    }

    fn down(&self, reason: String) -> RemoteError {
        let retry_after = self.breaker().would_admit(self.since.elapsed()).err().unwrap_or_default();
        RemoteError::Down { store: self.place(), reason, retry_after: retry_after.max(Duration::from_secs(1)) }
    }

    fn refused(&self, reason: String) -> RemoteError {
        RemoteError::Refused { store: self.place(), reason }
    }
}

/// The hash that belongs to an algorithm; none where the message itself is signed.
pub(super) fn hash(alg: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
    let hash = match hash_bits(alg)? {
        256 => &digest::SHA256,
        384 => &digest::SHA384,
        _ => &digest::SHA512,
    };
    Some(digest::digest(hash, message).as_ref().to_vec())
}

/// The bits of that hash: the names of RSA's and ECDSA's algorithms say them (RFC 7518 §3.1).
pub(super) fn hash_bits(alg: Algorithm) -> Option<u16> {
    let named = matches!(alg.kty(), "RSA" | "EC");
    alg.as_str().get(2..5).filter(|_| named)?.parse().ok()
}

/// Whether its signatures are RSASSA-PSS.
pub(super) fn is_pss(alg: Algorithm) -> bool {
    alg.as_str().starts_with("PS")
}

/// A public key as a JWK of this algorithm; the ring gives it its name.
pub(super) fn public(alg: Algorithm, members: &[(&str, &[u8])]) -> Result<Jwk, Fault> {
    let mut jwk = serde_json::json!({ "kty": alg.kty() });
    if let Some(crv) = alg.crv() {
        jwk["crv"] = crv.into();
    }
    for (name, value) in members {
        jwk[*name] = b64::encode(value).into();
    }
    Jwk::parse(jwk.to_string().as_bytes()).map_err(|error| Fault::Refused(format!("its public key: {error}")))
}

/// What a store answered with, wiped.
pub(super) type Plain = Zeroizing<Vec<u8>>;
