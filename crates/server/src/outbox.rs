//! The loop around everything that others must take, one round after the other (`store/outbox.rs`).

use std::{future::Future, time::Duration};

use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::store::StoreError;

/// How often the store is asked for what is due.
const EVERY: Duration = Duration::from_secs(1);
/// How long a round may go on after it was said to stop: what was taken should be noted as taken.
const GRACE: Duration = Duration::from_secs(5);

/// Delivers until `stop`; `round` delivers what is due and returns how much that was.
pub async fn keep<F>(what: &'static str, stop: impl Future<Output = ()>, mut round: impl FnMut() -> F)
where
    F: Future<Output = Result<usize, StoreError>>,
{
    tokio::pin!(stop);
    loop {
        let mut turn = std::pin::pin!(round());
        let delivered = tokio::select! {
            delivered = &mut turn => delivered,
            () = &mut stop => {
                // Whatever takes longer is done again after the next start.
                let _ = timeout(GRACE, turn).await;
                return;
            }
        };
        match delivered {
            // More may be due already.
            Ok(delivered) if delivered > 0 => continue,
            Ok(_) => {}
            Err(error) => warn!(%error, "{what} could not be read; trying again"),
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            () = &mut stop => return,
        }
    }
}
