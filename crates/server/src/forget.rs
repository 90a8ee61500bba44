//! What is remembered for a while and then forgotten: proofs of possession and assertions that were used, and how often a
//! sign-in has failed.

use std::{future::Future, time::Duration};

use crate::{
    app::App,
    clock::Stopwatch,
    domain::{limits::AccountLimit, time::Timestamp},
    store::{StoreError, assertions, login_limits, proofs},
    turns::Job,
};

/// Proofs live for a minute or a few.
const PROOFS: Job = Job::new("proofs", Duration::from_secs(30));
/// How much longer they are kept than they are needed: a clock that jumped ahead and back must not have forgotten any too early.
const MARGIN: Duration = Duration::from_mins(10);
/// Anybody can make such a count, for any address.
const COUNTS: Job = Job::new("counts", Duration::from_mins(10));
/// Rows of one transaction: others write in between.
const ROWS: u32 = 1_000;
/// For how long one turn forgets at most; the next one goes on.
const PROOFS_SHARE: Duration = Duration::from_secs(10);
const COUNTS_SHARE: Duration = Duration::from_secs(30);

/// Forgets used proofs and assertions until `stop`.
pub async fn keep_forgetting_proofs(app: App, stop: impl Future<Output = ()>) {
    let turn = || async {
        if PROOFS.take(&app, Timestamp::default()).await?.is_none() {
            return Ok(());
        }
        let before = app.steady_now().minus(MARGIN);
        let begun = Stopwatch::start();
        loop {
            let purge = app.store.write(move |tx| {
                Box::pin(async move {
                    Ok(proofs::purge(tx, before, ROWS).await? + assertions::purge(tx, before, ROWS).await?)
                })
            });
            if purge.await? < u64::from(ROWS) || begun.elapsed() > PROOFS_SHARE {
                break;
            }
        }
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
    let (before, begun) = (app.clock.now().minus(AccountLimit::FORGOTTEN_AFTER), Stopwatch::start());
    while app.store.write(move |tx| Box::pin(login_limits::purge(tx, before, ROWS))).await? >= u64::from(ROWS)
        && begun.elapsed() < COUNTS_SHARE
    {}
    Ok(())
}
