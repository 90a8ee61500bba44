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

#[cfg(test)]
mod tests {
    use countersign_jose::{
        AccessClaims, Algorithm, FeedClaims, FeedEntry, FeedTimeClaims, SigningKey,
        profile::{AccessToken, Profile},
        sign,
    };

    use super::*;

    const ISSUER: &str = "https://id.test";

    fn key() -> SigningKey {
        SigningKey::generate(Algorithm::ES256, "feed-1").expect("a key")
    }

    fn keys(key: &SigningKey) -> KeySet {
        key.verifying_key().into_iter().collect()
    }

    fn claims() -> FeedClaims {
        let entry = FeedEntry { kind: 2, id: "5sqXz7iQL9v7SrUAHM1z_g".into(), rsn: 7, exp: 0 };
        FeedClaims { iss: ISSUER.into(), head: 9, time: 10, entries: vec![entry], ..FeedClaims::default() }
    }

    fn time_claims() -> FeedTimeClaims {
        FeedTimeClaims { iss: ISSUER.into(), nonce: "n".into(), now: 5, ..FeedTimeClaims::default() }
    }

    fn made<P: Profile>(key: &SigningKey, claims: &P::Claims) -> String {
        sign::<P>(key, claims).expect("a signature")
    }

    // I9
    #[test]
    fn only_what_the_issuer_signed_for_its_feed_is_read() {
        let (own, foreign, signed) = (key(), key(), Signed::by(ISSUER));
        let keys = keys(&own);
        let good = made::<FeedBatch>(&own, &claims());
        assert!(signed.batch(&good, &keys).is_ok_and(|batch| batch.head == 9 && batch.entries.len() == 1));

        let wrong_key = made::<FeedBatch>(&foreign, &claims());
        let other_issuer = made::<FeedBatch>(&own, &FeedClaims { iss: "https://id.other".into(), ..claims() });
        let other_stream = made::<FeedBatch>(&own, &FeedClaims { stream: 1, ..claims() });
        let mut no_id = claims();
        no_id.entries[0].id = "short".into();
        let no_id = made::<FeedBatch>(&own, &no_id);
        let (head, tail) = good.split_at(60);
        let altered = format!("{}{}{}", &head[..59], if head.ends_with('A') { 'B' } else { 'A' }, tail);
        let token = AccessClaims {
            iss: ISSUER.into(),
            sub: "u".into(),
            aud: "feed".into(),
            client_id: "c".into(),
            jti: "j".into(),
            exp: i64::from(u32::MAX),
            ..AccessClaims::default()
        };
        let other_kind = made::<AccessToken>(&own, &token);
        let time = made::<FeedTime>(&own, &time_claims());
        for bad in [&wrong_key, &other_issuer, &other_stream, &no_id, &altered, &other_kind, &time, ""] {
            assert!(matches!(signed.batch(bad, &keys), Err(FeedError::Batch(_))), "{bad}");
        }
        let renamed = SigningKey::generate(Algorithm::ES256, "feed-2").expect("a key");
        let unknown = made::<FeedBatch>(&renamed, &claims());
        assert_eq!(signed.batch(&unknown, &keys), Err(FeedError::UnknownKey), "worth a fetch of the keys");
    }

    // I9: a replayed answer to another question says nothing.
    #[test]
    fn only_the_answer_to_this_question_tells_the_time() {
        let (own, signed) = (key(), Signed::by(ISSUER));
        let keys = keys(&own);
        let answer = made::<FeedTime>(&own, &time_claims());
        assert_eq!(signed.time(&format!("{answer}\n"), "n", &keys), Ok(5));
        assert!(matches!(signed.time(&answer, "m", &keys), Err(FeedError::Time(_))));
        let other = FeedTimeClaims { iss: "https://id.other".into(), ..time_claims() };
        for bad in [
            made::<FeedTime>(&own, &other),
            made::<FeedTime>(&key(), &time_claims()),
            made::<FeedBatch>(&own, &claims()),
        ] {
            assert!(matches!(signed.time(&bad, "n", &keys), Err(FeedError::Time(_))), "{bad}");
        }
    }
}
