//! A verifier's tie to the revocation log: the view, and what keeps it fresh.

use std::{sync::Arc, time::Duration};

#[cfg(feature = "test-issuer")]
use crate::test_issuer::TestFeed;
use crate::{
    claims::Checked,
    clock::Moment,
    feed::Runner,
    rejection::Rejection,
    revocation::{Guard, Lease, Revocations, Standing, State, of_key},
};

/// One per verifier; its clones share it.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) source: Source,
    pub(crate) issuer: String,
    /// The bound of the verifier as it was built, for its status.
    pub(crate) bound: Duration,
}

/// What keeps the view fresh.
#[derive(Debug)]
pub(crate) enum Source {
    /// The issuer's feed.
    Issuer(Runner),
    /// The log of a test issuer in this process.
    #[cfg(feature = "test-issuer")]
    Test(Arc<TestFeed>),
}

impl Following {
    /// The view of this moment.
    #[inline]
    pub(crate) fn look(&self, now: Moment) -> Guard<Arc<State>> {
        #[cfg(feature = "test-issuer")]
        if let Source::Test(feed) = &self.source {
            feed.pulse(&self.revocations, now);
        }
        let _ = now;
        self.revocations.current()
    }

    /// Whether a token whose times are good stands.
    #[inline]
    pub(crate) fn judge(
        &self,
        state: &State,
        checked: &Checked,
        now: Moment,
        lease: Lease,
    ) -> Result<Standing, Rejection> {
        let outcome = self.revocations.judge(state, (&checked.marks, &checked.rests_on, &checked.cleared), now, lease);
        match &outcome {
            // While the feed is connected, what has not arrived is on its way.
            Ok(Standing::Good) if checked.marks.rsn() <= state.head || self.revocations.is_connected() => {}
            Ok(_) => self.catch_up(),
            Err(Rejection::Stale { .. } | Rejection::NotReady { .. }) => self.start(),
            Err(Rejection::KilledKey { .. }) => {
                let kid = checked.kid.as_deref().map(crate::text::shown).unwrap_or_default();
                return Err(Rejection::KilledKey { kid });
            }
            Err(_) => {}
        }
        outcome
    }

    /// A key that was revoked signs nothing any more, whatever the key set says.
    pub(crate) fn refuse_killed(&self, state: &State, kid: Option<&str>) -> Result<(), Rejection> {
        match kid {
            Some(kid) if state.killed_keys() > 0 && state.is_killed(of_key(&self.issuer, kid)) => {
                Err(Rejection::KilledKey { kid: crate::text::shown(kid) })
            }
            _ => Ok(()),
        }
    }

    /// There is something to read that has not arrived: let no pause stand in its way.
    #[cold]
    fn catch_up(&self) {
        match &self.source {
            Source::Issuer(runner) => {
                runner.ensure();
                runner.nudge();
            }
            #[cfg(feature = "test-issuer")]
            Source::Test(_) => {}
        }
    }

    /// Starts what works in the background, where a runtime is at hand.
    #[cold]
    pub(crate) fn start(&self) {
        match &self.source {
            Source::Issuer(runner) => runner.ensure(),
            #[cfg(feature = "test-issuer")]
            Source::Test(_) => {}
        }
    }

    /// A route asks for a view no older than this.
    pub(crate) fn tighten(&self, bound: Duration) {
        match &self.source {
            Source::Issuer(runner) => runner.tighten(bound),
            #[cfg(feature = "test-issuer")]
            Source::Test(_) => {}
        }
    }
}
