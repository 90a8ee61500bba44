//! The server's life: open, listen, keep the key ring moving, drain, close.

use std::{future::Future, net::SocketAddr, sync::Arc};

use tokio::{
    net::{TcpListener, UnixListener},
    sync::{Notify, oneshot, watch},
    task::JoinSet,
};
use tracing::{error, info, warn};

use crate::{
    acme,
    app::{App, StartError},
    config::Config,
    durability, feed, forget,
    http::{
        metrics,
        serve::{Server, bind, bind_admin_socket},
    },
    keys::RELOAD_EVERY,
    mail, mark, notices,
    reload::{self, Orders},
    routes,
    telemetry::Telemetry,
    tick, tls, trim,
};

/// Name of the admin socket in the data folder.
pub const ADMIN_SOCKET: &str = "admin.sock";

/// Where a server that is ready can be reached.
#[derive(Debug, Clone)]
pub struct Ready {
    pub listen: SocketAddr,
    pub app: App,
}

/// Serves until `stop` is ready, goes on for as long as the configuration says or until `stop` is ready again, then answers
/// what is open, closes the store and returns.
///
/// # Errors
/// As [`serve_and_reload`].
pub async fn serve(config: Config, stop: impl AsyncFnMut(), ready: impl FnOnce(&Ready)) -> Result<(), StartError> {
    serve_and_reload(config, Orders::none(), stop, ready).await
}

/// The same; meanwhile it reloads its configuration when it is ordered to.
///
/// # Errors
/// Why the server could not start; nothing was changed then. [`StartError::OlderDatabase`] may come later, too.
pub async fn serve_and_reload(
    config: Config,
    orders: Orders,
    stop: impl AsyncFnMut(),
    ready: impl FnOnce(&Ready),
) -> Result<(), StartError> {
    let secured = tls::load(&config)?;
    // The port first: it is the likeliest thing to be missing, and nothing was touched yet.
    let listener = listen(config.listen)?;
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(listen(address)?),
        None => None,
    };
    let app = App::open(config).await?;
    let telemetry = Telemetry::start(&app).map_err(StartError::Telemetry)?;
    let socket_path = app.config.data.join(ADMIN_SOCKET);
    let socket = bind_admin_socket(&socket_path)
        .map_err(|error| StartError::Listen { on: socket_path.display().to_string(), reason: error.to_string() })?;
    let address = listener.local_addr().unwrap_or(app.config.listen);

    let (stopping, stopped) = watch::channel(false);
    let server = Server::new(routes::front(&app), app.metrics.clone(), &app.config.limits);
    app.metrics.certificate(secured.as_ref().map(|secured| &secured.certificate));
    server.secure(secured.map(|secured| secured.config));
    let fetch = Arc::new(Notify::new());
    // Before anybody is listened to: without a certificate nobody may be answered in the clear.
    let fetching = acme::begin(&app, &server, &fetch)?;
    let mut tasks = start(&app, &server, (listener, metrics_listener, socket), &stopped);
    if let Some(fetching) = fetching {
        tasks.spawn(fetching.keep(signalled(stopped.clone())));
    }
    tasks.spawn(reload::keep(app.clone(), server, orders, fetch, signalled(stopped.clone())));
    let fallen = keep_mark(&app, signalled(stopped), &mut tasks);

    if app.config.issuer.is_https() && !app.mailer.has_server() {
        warn!(folder = app.mailer.name(), "nobody gets a mail: they are written into a folder; set mail.smtp");
    }
    info!(listen = %address, issuer = app.config.issuer.as_str(), "ready");
    ready(&Ready { listen: address, app: app.clone() });
    let end = tokio::select! {
        () = told(&app, stop) => Ok(()),
        Ok(error) = fallen => Err(error),
    };

    info!("stopping: answering what is open");
    app.start_draining();
    // The receivers live in the tasks; if all are gone there is nobody to tell.
    let _ = stopping.send(true);
    while tasks.join_next().await.is_some() {}
    let _ = std::fs::remove_file(&socket_path);
    telemetry.stop().await;
    match end {
        Ok(()) => app.close().await,
        Err(_) => app.store.close().await,
    }
    info!("stopped");
    end
}

/// Ready when it is time to close the door. Until a load balancer has seen that `/readyz` says no it goes on sending requests,
/// and they are answered.
async fn told(app: &App, mut stop: impl AsyncFnMut()) {
    stop().await;
    app.start_draining();
    let drain = app.newest().config.drain_for;
    if !drain.is_zero() {
        info!(?drain, "told to stop: /readyz says so; serving on meanwhile");
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            () = stop() => info!("told again"),
        }
    }
}

/// Keeps the high-water mark; tells if the database falls behind it.
fn keep_mark(
    app: &App,
    stop: impl Future<Output = ()> + Send + 'static,
    tasks: &mut JoinSet<()>,
) -> oneshot::Receiver<StartError> {
    let (fall, fallen) = oneshot::channel();
    let app = app.clone();
    tasks.spawn(async move {
        if let Err(fallen) = mark::keep(app, stop).await {
            error!(%fallen, "stopping at once");
            // Nobody waits for it any more: the server is stopping already.
            let _ = fall.send(fallen);
        }
    });
    fallen
}

/// Everything that runs until told to stop.
fn start(
    app: &App,
    server: &Server,
    (listener, metrics_listener, socket): (TcpListener, Option<TcpListener>, UnixListener),
    stopped: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(server.clone().tcp(listener, signalled(stopped.clone())));
    tasks.spawn(server.clone().unix(socket, signalled(stopped.clone())));
    if let Some(listener) = metrics_listener {
        let server = Server::new(metrics::router(app), app.metrics.clone(), &app.config.limits);
        tasks.spawn(server.tcp(listener, signalled(stopped.clone())));
    }
    tasks.spawn(keep_keys(app.clone(), signalled(stopped.clone())));
    tasks.spawn(feed::publish(app.clone(), signalled(stopped.clone())));
    tasks.spawn(notices::keep_telling(app.clone(), signalled(stopped.clone())));
    tasks.spawn(mail::keep_sending(app.clone(), signalled(stopped.clone())));
    tasks.spawn(forget::keep_forgetting_proofs(app.clone(), signalled(stopped.clone())));
    tasks.spawn(tick::keep_noting(app.clone(), signalled(stopped.clone())));
    tasks.spawn(durability::keep_watching(app.clone(), signalled(stopped.clone())));
    tasks.spawn(trim::keep_trimming(app.clone(), signalled(stopped.clone())));
    tasks.spawn(forget::keep_forgetting_counts(app.clone(), signalled(stopped.clone())));
    tasks
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    bind(address).map_err(|error| StartError::Listen { on: address.to_string(), reason: error.to_string() })
}

async fn signalled(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone: then it is time to stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Moves keys along their schedule. A failure leaves the ring as it is and is tried again.
async fn keep_keys(app: App, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = tokio::time::sleep(RELOAD_EVERY) => {
                if let Err(error) = app.ring.report(&app.feed).await {
                    error!(%error, "who has which key could not be told; trying again");
                } else if let Err(error) = app.ring.tick().await {
                    error!(%error, "the key ring could not be kept; trying again");
                }
            }
            () = &mut stop => return,
        }
    }
}
