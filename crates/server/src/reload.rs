//! SIGHUP: configuration, certificate and log level are read anew while the server runs. The whole configuration is checked
//! first: one that cannot be used changes nothing. What runs stands on some keys, and their new values wait for a restart.

use std::{future::Future, sync::Arc};

use tokio::sync::{Notify, mpsc, oneshot};
use tracing::{error, info, warn};

use crate::{
    app::{App, StartError},
    config::{Change, Config, ConfigError, Key, Settings},
    domain::audit::{AuditEvent, Event, Source},
    http::serve::Server,
    logging, routes,
    store::audit,
    tls,
};

/// One request to reload.
#[derive(Debug)]
pub struct Order {
    /// What was read.
    pub settings: Result<Settings, ConfigError>,
    /// Hears when it was done or refused.
    pub done: oneshot::Sender<()>,
}

/// Where a running server hears that it should reload.
#[derive(Debug)]
pub struct Orders {
    runs: Settings,
    next: mpsc::Receiver<Order>,
}

impl Orders {
    /// `runs` is what the server was started with.
    pub fn new(runs: Settings) -> (mpsc::Sender<Order>, Self) {
        let (sender, next) = mpsc::channel(1);
        (sender, Self { runs, next })
    }

    /// Nobody will ask.
    pub fn none() -> Self {
        Self::new(Settings::default()).1
    }
}

/// Why everything stays as it is.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Needs(#[from] StartError),
}

/// What a reload did.
#[derive(Debug)]
struct Done {
    changed: Vec<&'static str>,
    waiting: Vec<&'static str>,
}

/// Reloads when it is told to, until `stop`.
/// `fetch` hears that a certificate which could not be fetched may be tried for again.
pub(crate) async fn keep(
    app: App,
    server: Server,
    mut orders: Orders,
    fetch: Arc<Notify>,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    loop {
        let order = tokio::select! {
            order = orders.next.recv() => order,
            () = &mut stop => return,
        };
        let Some(Order { settings, done }) = order else { return };
        let app = app.newest();
        let outcome = apply(&app, &server, &mut orders.runs, settings);
        app.metrics.reload(outcome.is_ok());
        if outcome.is_ok() {
            fetch.notify_one();
        }
        tell(&app, outcome).await;
        // Nobody may be waiting.
        let _ = done.send(());
    }
}

/// All of it, or nothing.
fn apply(
    app: &App,
    server: &Server,
    runs: &mut Settings,
    read: Result<Settings, ConfigError>,
) -> Result<Done, Refused> {
    let wanted = read?;
    // The next start must understand it as well.
    Config::new(&wanted)?;
    let changed = wanted.changed(runs);
    let settings = wanted.under(runs);
    let config = Config::new(&settings)?;
    let level = logging::understood(&config)?;
    let secured = tls::load(&config).map_err(StartError::from)?;
    let app = app.renewed(config)?;
    // From here on nothing fails.
    server.answer_with(routes::front(&app));
    // A certificate that is fetched is in use already.
    if app.config.acme.is_none() {
        app.metrics.certificate(secured.as_ref().map(|secured| &secured.certificate));
        server.secure(secured.map(|secured| secured.config));
    }
    logging::set(level);
    *runs = settings;
    let named = |change: Change| {
        let of = changed.iter().filter(|key: &&&'static Key| key.change == change);
        of.map(|key| key.name).collect()
    };
    Ok(Done { changed: named(Change::Reload), waiting: named(Change::Restart) })
}

/// Says in the log and the audit trail what became of it.
async fn tell(app: &App, outcome: Result<Done, Refused>) {
    let (event, names, text) = match outcome {
        Ok(Done { changed, waiting }) => {
            info!(changed = changed.join(", "), "configuration and certificate were read anew");
            if !waiting.is_empty() {
                warn!(keys = waiting.join(", "), "changed keys wait for a restart");
            }
            (Event::Reloaded, changed, waiting.join(", "))
        }
        Err(refused) => {
            error!(%refused, "the configuration was not read anew: everything stays as it was");
            (Event::ReloadRefused, Vec::new(), refused.to_string())
        }
    };
    let Ok(random) = app.random.bytes() else { return };
    let mut told = AuditEvent::new(event, app.clock.now(), &Source::system(), random);
    if event == Event::Reloaded {
        told = told.with("changed", names.join(", ")).with("waiting", text);
    } else {
        told = told.with("reason", text);
    }
    let write = app.store.write(move |tx| {
        let told = told.clone();
        Box::pin(async move { audit::insert(tx, &told).await })
    });
    if let Err(error) = write.await {
        error!(%error, "the audit trail does not know of a reload");
    }
}
