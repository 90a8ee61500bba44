//! Work in the background that one replica does at a time, and another one takes over if that one dies: each kind has a row
//! with its holder and an end by the database's clock (`store/turns.rs`). What is done twice all the same does no harm.

use std::{future::Future, time::Duration};

use tracing::{debug, error};

use crate::{
    app::App,
    domain::time::Timestamp,
    failpoint,
    store::{StoreError, turns::Turn},
};

/// A kind of work.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    pub name: &'static str,
    /// How often it is somebody's turn.
    pub every: Duration,
}

/// How long a turn is somebody's who does not come to its end: after that they are taken for dead.
const LEASE: Duration = Duration::from_mins(1);

impl Job {
    pub const fn new(name: &'static str, every: Duration) -> Self {
        Self { name, every }
    }

    /// Takes the turn if it is this replica's: the time that was confirmed then, `first` in a new store.
    ///
    /// # Errors
    /// As the store.
    pub async fn take(self, app: &App, first: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let taken = self.write(app, Some(first)).await?;
        if taken.is_some() {
            debug!(job = self.name, "our turn");
            failpoint::hit("turn.taken");
        }
        Ok(taken)
    }

    /// The work of a turn is done.
    ///
    /// # Errors
    /// As the store.
    pub async fn done(self, app: &App) -> Result<(), StoreError> {
        self.write(app, None).await.map(drop)
    }

    async fn write(self, app: &App, take: Option<Timestamp>) -> Result<Option<Timestamp>, StoreError> {
        let (clock, holder) = (app.clock.now(), app.ring.replica().to_owned());
        let (every, lease) = self.times();
        let write = app.store.write(move |tx| {
            let holder = holder.clone();
            Box::pin(async move {
                // Those who wait for a turn look as often as it comes: a little earlier, so that none is missed.
                let turn = Turn { name: self.name, holder: &holder, every: every - every / 4, lease, clock };
                match take {
                    Some(first) => turn.take(tx, first).await,
                    None => turn.done(tx).await.map(|()| None),
                }
            })
        });
        write.await
    }

    /// How often, and for how long at most.
    #[cfg(not(feature = "failpoints"))]
    const fn times(self) -> (Duration, Duration) {
        (self.every, LEASE)
    }

    /// The same; tests that run two replicas and kill one have less patience, and say how much in milliseconds: `300,2000`.
    #[cfg(feature = "failpoints")]
    fn times(self) -> (Duration, Duration) {
        let said = std::env::var("COUNTERSIGN_TEST_TURNS").ok();
        let said = said.as_deref().and_then(|said| said.split_once(','));
        let said = said.and_then(|(every, lease)| Some((every.parse().ok()?, lease.parse().ok()?)));
        said.map_or((self.every, LEASE), |(every, lease)| (Duration::from_millis(every), Duration::from_millis(lease)))
    }

    /// Looks whether it is our turn as often as there is one, until `stop`; `turn` takes it and does the work. A failure is
    /// tried again.
    pub async fn keep<F>(self, stop: impl Future<Output = ()>, mut turn: impl FnMut() -> F)
    where
        F: Future<Output = Result<(), StoreError>>,
    {
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.times().0) => {
                    if let Err(error) = turn().await {
                        error!(job = self.name, %error, "work in the background failed; trying again");
                    }
                }
                () = &mut stop => return,
            }
        }
    }
}
