//! `countersign serve`

use std::{
    io::{IsTerminal, Write, stdin},
    sync::Arc,
};

use clap::Args;
use countersign_server::{
    app::StartError,
    config::{Config, Database},
    logging,
    reload::{Order, Orders},
    serve::{Ready, serve_and_reload},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, mpsc, oneshot},
};

use crate::{Global, admin, output::Failure, supervisor::Supervisor};

#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port; short for --set listen=…
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Public URL of this issuer; short for --set issuer=…
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
}

impl Serve {
    pub async fn run(self, global: &Global) -> Result<(), Failure> {
        let mut global = global.clone();
        for (key, value) in [("listen", self.listen), ("issuer", self.issuer)] {
            global.set.extend(value.map(|value| (key.to_owned(), value)));
        }
        let settings = admin::settings(&global)?;
        let config = Config::new(&settings).map_err(|error| Failure::usage(error.to_string()))?;
        logging::install(&config).map_err(|error| Failure::usage(error.to_string()))?;
        let (supervisor, (orders, next)) = (Supervisor::of_environment(), Orders::new(settings));
        let hang_ups = signal(SignalKind::hangup()).map_err(|error| Failure::undecided(error.to_string()))?;
        let (mut told, gone) = (StopSignals::new()?, Arc::new(Notify::new()));
        tokio::spawn(keep_reloading(hang_ups, global, (orders, Arc::clone(&gone)), supervisor.clone()));
        let stop = async || {
            tokio::select! {
                () = told.next() => {}
                () = gone.notified() => {}
            }
            supervisor.say("STOPPING=1");
        };
        tokio::spawn(supervisor.clone().keep_alive());
        let ready = |ready: &Ready| {
            supervisor.say("READY=1");
            greet(ready);
        };
        serve_and_reload(config, next, stop, ready).await.map_err(|error| refused(&error))
    }
}

/// SIGHUP: the configuration is read anew, unless the signal means that the terminal of this process was closed.
async fn keep_reloading(
    mut hang_ups: Signal,
    global: Global,
    (orders, gone): (mpsc::Sender<Order>, Arc<Notify>),
    supervisor: Supervisor,
) {
    let at_terminal = stdin().is_terminal();
    while hang_ups.recv().await.is_some() {
        if at_terminal && !stdin().is_terminal() {
            gone.notify_one();
            return;
        }
        supervisor.say("RELOADING=1");
        let (done, heard) = oneshot::channel();
        // An error means that the server is stopping.
        if orders.send(Order { settings: admin::settings_anew(&global), done }).await.is_ok() {
            let _ = heard.await;
        }
        supervisor.say("READY=1");
    }
}

/// SIGTERM and Ctrl-C.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::undecided(error.to_string()));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Ready when this process is asked to stop, each time.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn refused(error: &StartError) -> Failure {
    Failure::refused(error.to_string())
}

/// Nobody may be reading (`serve | head`): that is no reason to stop serving.
fn greet(ready: &Ready) {
    let _ = writeln!(std::io::stdout(), "{}", greeting(ready));
}

fn greeting(ready: &Ready) -> String {
    let config: &Config = &ready.app.config;
    let data = std::fs::canonicalize(&config.data).unwrap_or_else(|_| config.data.clone());
    let database = match &config.database {
        Database::Sqlite => "SQLite, in the data folder",
        Database::Postgres { .. } => "PostgreSQL",
    };
    let issuer = config.issuer.as_str();
    format!(
        "Countersign is ready.\n  listens on  {}\n  issuer      {issuer}\n  data        {}\n  database    {database}\n\n{}",
        ready.listen,
        data.display(),
        tour(issuer)
    )
}

/// Commands to paste into another terminal; a test runs them word for word.
fn tour(issuer: &str) -> String {
    TOUR.replace("ISSUER", issuer)
}

const TOUR: &str = r#"Try it: paste this into another terminal.

  # Register, and log in.
  curl -s ISSUER/register -H 'content-type: application/json' \
    -d '{"email":"ada@example.com","password":"correct horse battery staple"}'; echo
  TOKENS=$(curl -s ISSUER/login -H 'content-type: application/json' \
    -d '{"email":"ada@example.com","password":"correct horse battery staple"}'); echo "$TOKENS"
  ACCESS=$(echo "$TOKENS" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  REFRESH=$(echo "$TOKENS" | sed 's/.*"refresh_token":"\([^"]*\)".*/\1/')

  # Call a protected service with the access token.
  curl -s ISSUER/session -H "authorization: Bearer $ACCESS"; echo

  # Refresh: a new access token, and a new refresh token in place of the old one.
  TOKENS=$(curl -s ISSUER/token -d grant_type=refresh_token -d client_id=first-party -d refresh_token="$REFRESH"); echo "$TOKENS"
  REFRESH=$(echo "$TOKENS" | sed 's/.*"refresh_token":"\([^"]*\)".*/\1/')

  # Log out; then the refresh token is refused, and so is the access token.
  curl -s -w '%{http_code}\n' ISSUER/logout -H 'content-type: application/json' -d "{\"refresh_token\":\"$REFRESH\"}"
  curl -s ISSUER/token -d grant_type=refresh_token -d client_id=first-party -d refresh_token="$REFRESH"; echo
  curl -s ISSUER/session -H "authorization: Bearer $ACCESS"; echo

Stop with Ctrl-C. `countersign --help` lists the commands that administer this server while it runs.
"#;
