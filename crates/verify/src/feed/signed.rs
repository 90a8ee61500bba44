//! What the feed signs, checked: the issuer, the kind, and a key of the feed's own set.

use countersign_jose::{
    self as jose, Error, KeySet, Policy,
    profile::{FeedBatch, FeedTime},
};

use super::FeedError;
use crate::revocation::Batch;

/// The checks of one issuer's feed.
#[derive(Debug)]
pub(crate) struct Signed {
    batches: Policy<FeedBatch>,
    times: Policy<FeedTime>,
}

impl Signed {
    pub(crate) fn by(issuer: &str) -> Self {
        Self {
            batches: jose::Verifier::<FeedBatch>::builder().issuer(issuer).policy(),
            times: jose::Verifier::<FeedTime>::builder().issuer(issuer).policy(),
        }
    }

    /// # Errors
    /// [`FeedError::UnknownKey`], which a fetch of the keys may cure; [`FeedError::Batch`].
    pub(crate) fn batch(&self, text: &str, keys: &KeySet) -> Result<Batch, FeedError> {
        let refused = |error| match error {
            Error::UnknownKey { .. } => FeedError::UnknownKey,
            error => FeedError::Batch(crate::text::shown(&error.to_string())),
        };
        let unverified = self.batches.parse(text).map_err(refused)?;
        let key = keys.pick(unverified.kid(), unverified.alg()).map_err(refused)?;
        // It has no times of its own to judge: its freshness is what it says of the issuer's clock.
        let claims = self.batches.verify_with(key, unverified, 0).map_err(refused)?;
        Batch::read(&claims).map_err(|reason| FeedError::Batch(reason.into()))
    }

    /// The issuer's time in microseconds, if this answers the question that had `nonce`.
    ///
    /// # Errors
    /// [`FeedError::UnknownKey`], [`FeedError::Time`].
    pub(crate) fn time(&self, text: &str, nonce: &str, keys: &KeySet) -> Result<i64, FeedError> {
        let refused = |error| match error {
            Error::UnknownKey { .. } => FeedError::UnknownKey,
            error => FeedError::Time(crate::text::shown(&error.to_string())),
        };
        let unverified = self.times.parse(text.trim_ascii_end()).map_err(refused)?;
        let key = keys.pick(unverified.kid(), unverified.alg()).map_err(refused)?;
        let claims = self.times.verify_with(key, unverified, 0).map_err(refused)?;
        if claims.nonce != nonce {
            return Err(FeedError::Time("it answers another question".into()));
        }
        Ok(claims.now)
    }
}
