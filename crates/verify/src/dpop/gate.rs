//! The check of a request's proof.

use std::time::Duration;

use countersign_jose::{
    dpop::{Checker, Demand, Freshness, Nonces, Target},
    limits::DEFAULT_LEEWAY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::{Dpop, DpopFault, spent::Spent};
use crate::{builder::BuildError, clock::Moment};

/// The header that a proof comes in (RFC 9449 §4.1).
const PROOF: HeaderName = HeaderName::from_static("dpop");
/// The header that a nonce goes out in (RFC 9449 §8).
pub(crate) const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// A request, as far as its proof is about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) method: &'r Method,
    pub(crate) uri: &'r Uri,
    pub(crate) headers: &'r HeaderMap,
}

/// Checks proofs and remembers those that were used. One per verifier; its clones share it.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Empty: the proxy says where the request was sent to.
    reach: Vec<Target>,
    checker: Checker,
    nonces: Option<Nonces>,
    spent: Spent,
}

impl Gate {
    pub(crate) fn new(settings: &Dpop) -> Result<Self, BuildError> {
        let refused = |reason| BuildError::Dpop { reason };
        let reach = settings.targets().map_err(refused)?;
        let nonces = settings.made_nonces().map_err(refused)?;
        // From its first second to its last, by a clock that may be ahead or behind.
        let era = settings.good_for().saturating_add(DEFAULT_LEEWAY * 2).saturating_add(Duration::from_secs(2));
        let spent = Spent::new(settings.max_kept, settings.max_kept_of_key, era);
        Ok(Self { reach, checker: Checker::default().max_age(settings.max_age), nonces, spent })
    }

    /// Checks the proof of a request, for the token that it carries and the key that the token is bound to; a proof that was
    /// good is used up. `secs` is the time, in seconds since 1970.
    ///
    /// # Errors
    /// [`DpopFault`]
    pub(crate) fn check(
        &self,
        asked: Asked<'_>,
        (token, key): (&str, &str),
        (now, secs): (Moment, i64),
    ) -> Result<(), DpopFault> {
        let text = only_proof(asked.headers)?;
        let targets = self.targets(asked).ok_or(DpopFault::Target)?;
        let demand = Demand::new(asked.method.as_str(), &targets).with_token(token, key);
        let freshness = self.nonces.as_ref().map_or(Freshness::Recent, Freshness::Nonce);
        let proof = self.checker.check(text, &demand, freshness, secs).map_err(|error| match &self.nonces {
            Some(nonces) if error == countersign_jose::dpop::ProofError::Nonce => {
                DpopFault::Nonce { fresh: nonces.issue(secs) }
            }
            _ => DpopFault::Proof(error),
        })?;
        self.spent.spend(proof.id(), proof.thumbprint(), now.steady())
    }

    /// The nonce for a client's next proof, where there are nonces.
    pub(crate) fn next_nonce(&self, now: Moment) -> Option<HeaderValue> {
        self.nonces.as_ref().and_then(|nonces| HeaderValue::try_from(nonces.issue(now.unix_secs())).ok())
    }

    /// The URLs that the client may have used.
    fn targets(&self, asked: Asked<'_>) -> Option<Vec<Target>> {
        let path = asked.uri.path();
        if self.reach.is_empty() {
            let base =
                format!("{}://{}", only(asked.headers, &FORWARDED_PROTO)?, only(asked.headers, &FORWARDED_HOST)?);
            return Some(vec![Target::parse(&base)?.at(path)?]);
        }
        let targets: Vec<Target> = self.reach.iter().filter_map(|base| base.at(path)).collect();
        (!targets.is_empty()).then_some(targets)
    }
}

/// RFC 9449 §4.3, check 1.
fn only_proof(headers: &HeaderMap) -> Result<&str, DpopFault> {
    let got = headers.get_all(PROOF).iter().count();
    match headers.get(PROOF) {
        // A text that is not ASCII is none of a token either.
        Some(value) if got == 1 => Ok(value.to_str().unwrap_or_default()),
        _ => Err(DpopFault::Headers { got }),
    }
}

/// The value of a header that occurs once, and names one thing.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().filter(|_| values.next().is_none())?;
    first.to_str().ok().filter(|text| !text.contains([',', '/', ' ']))
}
