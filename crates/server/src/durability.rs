//! Tells the operator of a database that may lose what it said is committed (`domain/durability.rs`), at the start and
//! whenever that changes.

use std::{future::Future, time::Duration};

use tracing::{debug, info, warn};

use crate::{
    app::App,
    store::{
        StoreKind,
        status::{self, Engine},
    },
};

/// How often it is looked at: standbys come and go.
const EVERY: Duration = Duration::from_mins(1);

/// Watches until `stop`; on SQLite there is nothing to watch.
pub async fn keep_watching(app: App, stop: impl Future<Output = ()>) {
    if app.store.kind() == StoreKind::Sqlite {
        return;
    }
    tokio::pin!(stop);
    let mut told = Vec::new();
    loop {
        match app.store.read(|tx| Box::pin(status::engine(tx))).await {
            Ok(Engine { problems, .. }) => {
                app.metrics.durability(!problems.is_empty());
                problems
                    .iter()
                    .filter(|problem| !told.contains(*problem))
                    .for_each(|problem| warn!("the database: {problem}"));
                if problems.is_empty() && !told.is_empty() {
                    info!("the database keeps what it says is committed again");
                }
                told = problems;
            }
            // A server that speaks PostgreSQL's protocol may have none of this; and one that is down says so elsewhere.
            Err(error) => debug!(%error, "how the database keeps what is committed could not be found out"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = &mut stop => return,
        }
    }
}
