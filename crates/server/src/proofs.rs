//! What may be used once, at run time: the task that forgets the proofs of possession and the assertions that were.

use std::{future::Future, time::Duration};

use tracing::warn;

use crate::{
    app::App,
    store::{assertions, proofs},
};

/// How often used proofs are forgotten. They live for a minute or a few.
const EVERY: Duration = Duration::from_secs(30);
/// How much longer they are kept than they are needed: a clock that jumped ahead and back must not have forgotten any too early.
const MARGIN: Duration = Duration::from_mins(10);

/// Forgets used proofs and assertions until `stop`. A failure is tried again.
pub async fn keep_forgetting(app: App, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {
                let before = app.steady_now().minus(MARGIN);
                let purge = app.store.write(move |tx| {
                    Box::pin(async move { Ok(proofs::purge(tx, before).await? + assertions::purge(tx, before).await?) })
                });
                if let Err(error) = purge.await {
                    warn!(%error, "used proofs and assertions could not be forgotten; trying again");
                }
            }
            () = &mut stop => return,
        }
    }
}
