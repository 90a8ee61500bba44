//! `countersign relay`

use std::{io::Write, net::SocketAddr, path::PathBuf};

use clap::Args;
use countersign_server::{
    config::{Config, Settings},
    feed::Seats,
    logging,
    relay::{Credentials, RelayConfig},
};

use crate::{output::Failure, secret, serve};

#[derive(Debug, Args)]
pub struct Relay {
    /// The issuer, or another relay of it
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// Issuer whose feed it is; default: the upstream itself
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Where verifiers reach this relay, for the metadata; default: http:// and the address it listens on
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Client that may read the upstream's feed
    #[arg(long, value_name = "ID", requires = "client_secret_file")]
    client_id: Option<String>,
    /// File with that client's secret; - is standard input
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// Readers at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 4096)]
    readers: usize,
    /// Listen beyond loopback: whoever can reach this relay can read the feed
    #[arg(long)]
    open: bool,
}

impl Relay {
    pub async fn run(self) -> Result<(), Failure> {
        if !self.listen.ip().is_loopback() && !self.open {
            let words = "a relay does not ask its readers who they are; to listen beyond loopback say --open";
            return Err(Failure::usage(words));
        }
        let config = self.config()?;
        let defaults = Config::new(&Settings::default()).map_err(|error| Failure::usage(error.to_string()))?;
        logging::install(&defaults).map_err(|error| Failure::usage(error.to_string()))?;
        let upstream = config.upstream.clone();
        let greet = |address: SocketAddr| {
            let _ = writeln!(std::io::stdout(), "Relaying the revocation feed of {upstream} on {address}.");
        };
        let mut stop = serve::StopSignals::new()?;
        countersign_server::relay::relay(config, stop.next(), greet)
            .await
            .map_err(|error| Failure::refused(error.to_string()))
    }

    fn config(&self) -> Result<RelayConfig, Failure> {
        let upstream = origin(&self.upstream)?;
        let issuer = self.issuer.as_deref().map_or_else(|| Ok(upstream.clone()), origin)?;
        let secret = self.client_secret_file.as_deref();
        let credentials = match &self.client_id {
            Some(id) => Some(Credentials { client_id: id.clone(), secret: secret::read("client's secret", secret)? }),
            None => None,
        };
        Ok(RelayConfig {
            upstream,
            issuer,
            listen: self.listen,
            url: self.url.as_deref().map(origin).transpose()?,
            credentials,
            seats: Seats { all: self.readers, per_address: self.readers },
        })
    }
}

/// An origin as it is written in `iss`: no path, no slash at the end.
fn origin(text: &str) -> Result<String, Failure> {
    let url = text.parse::<http::Uri>().map_err(|error| Failure::usage(format!("{text}: {error}")))?;
    let known = matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some();
    if !known || url.path() != "/" || url.query().is_some() {
        return Err(Failure::usage(format!("{text} must be https:// or http:// and a host, without a path")));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
