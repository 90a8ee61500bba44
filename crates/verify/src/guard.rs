//! Watching over a token that was accepted and is still in use.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{claims::Checked, rejection::Rejection, revocation::Lease, verifier::Inner};

/// A guard looks at its token whenever something died, and this often: a timer alone would come late by however long the
/// machine was suspended.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Returns why the token is dead as soon as it is.
pub(crate) async fn death(inner: Arc<Inner>, checked: Arc<Checked>, lease: Lease) -> Rejection {
    let mut deaths = inner.following.as_ref().map(|following| following.revocations.deaths());
    loop {
        if let Some(deaths) = &mut deaths {
            deaths.borrow_and_update();
        }
        let now = inner.clock.now();
        if let Err(rejection) = inner.stands(&checked, now, lease) {
            return rejection;
        }
        let wall = checked.exp().saturating_sub(now.unix_secs());
        let until_exp = Duration::from_secs(u64::try_from(wall).unwrap_or(0));
        let mut wake = now.steady().saturating_add(until_exp.clamp(Duration::from_millis(100), LOOK_AGAIN));
        if let Some(following) = &inner.following {
            // A moment later than the bound, when it is seen to be crossed.
            let stale_at = following.revocations.current().stale_at(lease.bound, now.steady());
            wake = wake.min(stale_at.max(now.steady()).saturating_add(Duration::from_millis(10)));
        }
        tokio::select! {
            () = changed(deaths.as_mut()) => {}
            () = inner.clock.sleep_until(wake) => {}
        }
    }
}

async fn changed(deaths: Option<&mut watch::Receiver<u64>>) {
    match deaths {
        // The sender lives as long as the verifier, which this guard holds.
        Some(deaths) => drop(deaths.changed().await),
        None => std::future::pending().await,
    }
}
