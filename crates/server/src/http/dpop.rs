//! The `DPoP` header (RFC 9449): a proof that whoever asks holds a key, at the token endpoint and beside an access token of the
//! issuer's own API. Everything of a proof is checked here but its single use, which is the store's.

use std::sync::LazyLock;

use countersign_jose::dpop::{Demand, Freshness, Nonces, Proof, ProofError, Target, algorithms};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::error::OAuthError;
use crate::{
    app::App,
    errors::{self, Code},
    store::proofs::{self, Unspendable, UsedProof},
};

const PROOF: HeaderName = HeaderName::from_static("dpop");
/// The header that a nonce goes out in (RFC 9449, section 8).
pub const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What a challenge says of the algorithms (RFC 9449, section 7.1).
pub static ALGS: LazyLock<String> = LazyLock::new(|| algorithms().collect::<Vec<_>>().join(" "));

/// A request, as far as its proof is about it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    pub method: &'r Method,
    /// From the root of the issuer on.
    pub path: &'r str,
    pub headers: &'r HeaderMap,
}

/// A proof that is good for the request it came with. It must still be used up.
#[derive(Debug, Clone)]
pub struct Proven(Proof);

impl Proven {
    /// The thumbprint of the key that was proved.
    pub fn thumbprint(&self) -> &str {
        self.0.thumbprint()
    }

    /// Uses it up by itself, where nothing else is written.
    ///
    /// # Errors
    /// `dpop-replayed`, `dpop-too-many`.
    pub async fn use_up(&self, app: &App) -> Result<(), OAuthError> {
        let used = self.used();
        let spent = app.store.write(move |tx| {
            let used = used.clone();
            Box::pin(async move { proofs::spend(tx, Some(&used)).await })
        });
        spent.await?.map_err(unspendable)
    }

    /// What the store keeps of it.
    pub fn used(&self) -> UsedProof {
        UsedProof { thumbprint: self.0.thumbprint().to_owned(), id: *self.0.id(), until: self.0.until() }
    }
}

/// The proof of a request; `None` if it has none.
///
/// # Errors
/// `dpop-proof`; `dpop-nonce`, with the nonce to use.
pub fn read(app: &App, asked: Asked<'_>) -> Result<Option<Proven>, OAuthError> {
    if asked.headers.contains_key(PROOF) { check(app, asked, None).map(Some) } else { Ok(None) }
}

/// The proof beside an access token that is bound to the key with this thumbprint, used up.
///
/// # Errors
/// `dpop-proof`, `dpop-nonce`, `dpop-replayed`, `dpop-too-many`.
pub async fn beside_token(app: &App, asked: Asked<'_>, token: &str, key: &str) -> Result<(), OAuthError> {
    check(app, asked, Some((token, key)))?.use_up(app).await
}

/// What the client hears of a proof that cannot be used.
pub fn unspendable(why: Unspendable) -> OAuthError {
    match why {
        Unspendable::Replayed => errors::DPOP_REPLAYED.into(),
        Unspendable::TooMany => OAuthError::new(errors::DPOP_TOO_MANY).retry_after(10),
    }
}

/// The nonce for the client's next proof, where the issuer asks for nonces.
pub fn next_nonce(app: &App) -> Option<HeaderValue> {
    let nonces = nonces(app)?;
    HeaderValue::try_from(nonces.issue(app.steady_now().secs())).ok()
}

/// Replicas share the keys that the nonces are made with, so each knows the others' nonces.
fn nonces(app: &App) -> Option<Nonces> {
    if !app.config.dpop.nonce {
        return None;
    }
    let lifetime = app.config.dpop.nonce_ttl;
    let snapshot = app.ring.snapshot();
    let mut keys = snapshot.mac_keys().derived("dpop-nonce");
    let current = Nonces::new(&keys.next()?.1, lifetime);
    Some(keys.fold(current, |nonces, (_, key)| nonces.or(&key)))
}

fn check(app: &App, asked: Asked<'_>, bound: Option<(&str, &str)>) -> Result<Proven, OAuthError> {
    let mut headers = asked.headers.get_all(PROOF).iter();
    let text = headers.next().filter(|_| headers.next().is_none()).and_then(|value| value.to_str().ok());
    let text = text.ok_or_else(|| OAuthError::new(errors::DPOP_PROOF).detail("send exactly one DPoP header"))?;
    let target = Target::parse(app.config.issuer.as_str()).and_then(|issuer| issuer.at(asked.path));
    let targets = [target.ok_or_else(|| OAuthError::new(errors::DPOP_PROOF).log("the path is no part of a URL"))?];
    let mut demand = Demand::new(asked.method.as_str(), &targets);
    if let Some((token, key)) = bound {
        demand = demand.with_token(token, key);
    }
    let nonces = nonces(app);
    let freshness = nonces.as_ref().map_or(Freshness::Recent, Freshness::Nonce);
    // A clock that is set back makes no old proof good again.
    let checked = app.proofs.check(text, &demand, freshness, app.steady_now().secs());
    checked.map(Proven).map_err(|error| refused(app, &error))
}

fn refused(app: &App, error: &ProofError) -> OAuthError {
    match error {
        ProofError::Nonce => OAuthError::new(errors::DPOP_NONCE).log(error.to_string()).nonce(next_nonce(app)),
        // Whoever made the proof may know what is wrong with it; there is nothing in it but what they put there.
        _ => OAuthError::new(errors::DPOP_PROOF).detail(error.to_string()),
    }
}

/// The challenges of a refusal, beside or in place of those for bearer tokens.
pub fn challenge(code: Code) -> Option<HeaderValue> {
    let error = match code {
        errors::TOKEN_MISSING => return HeaderValue::try_from(format!("DPoP algs=\"{}\"", *ALGS)).ok(),
        errors::TOKEN_INVALID => "invalid_token",
        errors::DPOP_NONCE => "use_dpop_nonce",
        errors::DPOP_PROOF | errors::DPOP_REPLAYED => "invalid_dpop_proof",
        _ => return None,
    };
    HeaderValue::try_from(format!("DPoP error=\"{error}\", algs=\"{}\"", *ALGS)).ok()
}
