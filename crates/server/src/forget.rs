//! What is remembered for a while and then forgotten: proofs of possession and assertions that were used, and how often a
//! sign-in has failed.

use std::{future::Future, time::Duration};

use crate::{
    app::App,
    domain::{limits::AccountLimit, time::Timestamp},
    store::{StoreError, assertions, login_limits, proofs},
    turns::Job,
};

/// Proofs live for a minute or a few.
const PROOFS: Job = Job::new("proofs", Duration::from_secs(30));
/// How much longer they are kept than they are needed: a clock that jumped ahead and back must not have forgotten any too early.
const MARGIN: Duration = Duration::from_mins(10);
/// Anybody can make such a count, for any address.
const COUNTS: Job = Job::new("counts", Duration::from_hours(1));

/// Forgets used proofs and assertions until `stop`.
pub async fn keep_forgetting_proofs(app: App, stop: impl Future<Output = ()>) {
    let turn = || async {
        if PROOFS.take(&app, Timestamp::default()).await?.is_none() {
            return Ok(());
        }
        let before = app.steady_now().minus(MARGIN);
        let purge = app.store.write(move |tx| {
            Box::pin(async move { Ok(proofs::purge(tx, before).await? + assertions::purge(tx, before).await?) })
        });
        purge.await?;
        PROOFS.done(&app).await
    };
    PROOFS.keep(stop, turn).await;
}

/// Forgets counts of accounts at which nobody has tried for long, until `stop`.
pub async fn keep_forgetting_counts(app: App, stop: impl Future<Output = ()>) {
    let turn = || async {
        if COUNTS.take(&app, Timestamp::default()).await?.is_none() {
            return Ok(());
        }
        forget_counts(&app).await?;
        COUNTS.done(&app).await
    };
    COUNTS.keep(stop, turn).await;
}

async fn forget_counts(app: &App) -> Result<(), StoreError> {
    let before = app.clock.now().minus(AccountLimit::FORGOTTEN_AFTER);
    app.store.write(move |tx| Box::pin(login_limits::purge(tx, before))).await.map(drop)
}
