//! From a URL to a pool: what the URL may say, TLS, time-outs.

use std::{net::IpAddr, sync::Arc, time::Duration};

use deadpool_postgres::{ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{
    Config, NoTls, SimpleQueryMessage,
    config::{Host, SslMode, TargetSessionAttrs},
};

use super::{
    error::{meaning, words},
    hosts::{Hosts, Primary},
    tls::{self, Tls},
};
use crate::store::StoreError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a transaction waits for a connection of the pool.
const POOL_TIMEOUT: Duration = Duration::from_secs(5);
/// Unacknowledged bytes for this long mean that the other side is gone.
const TCP_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// Enforced by the server, so that it drops what nobody waits for any more.
const SESSION_SETTINGS: &str = "SET statement_timeout = 10000; SET idle_in_transaction_session_timeout = 20000";

/// What a connection leads to: `pooler=` in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooler {
    /// A server process of our own, which remembers prepared statements and settings.
    None,
    /// PgBouncer or the like in transaction mode. Each transaction may meet another server process, and what one of them
    /// remembers would be met by others: nothing is prepared by name, and settings end with their transaction.
    Transaction,
}

/// A pool of at most `size` connections, none of them made yet.
pub(super) fn pool(url: &str, size: usize) -> Result<(Pool, Pooler), StoreError> {
    let target = Target::parse(url)?;
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let primary = Arc::new(Primary::default());
    let manager = match target.tls {
        Tls::Off => {
            let hosts = Hosts::new(&target.config, NoTls, Arc::clone(&primary));
            Manager::from_connect(target.config, hosts, config)
        }
        Tls::Verified { root } => {
            let hosts = Hosts::new(&target.config, tls::connector(root.as_deref())?, Arc::clone(&primary));
            Manager::from_connect(target.config, hosts, config)
        }
    };
    let settings = Hook::async_fn(move |client, _| {
        Box::pin(async move {
            match target.pooler {
                Pooler::None => client.batch_execute(SESSION_SETTINGS).await.map_err(HookError::Backend),
                // They come with each BEGIN.
                Pooler::Transaction => Ok(()),
            }
        })
    });
    let pool = Pool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(POOL_TIMEOUT))
        .create_timeout(Some(CONNECT_TIMEOUT * 2))
        .recycle_timeout(Some(CONNECT_TIMEOUT))
        .post_create(settings)
        .pre_recycle(primary.guard())
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| StoreError::Broken(format!("cannot make a pool of connections: {error}")))?;
    Ok((pool, target.pooler))
}

/// Text is UTF-8 here; a database with another encoding refuses some of it, at some time.
pub(super) async fn check_encoding(client: &ClientWrapper) -> Result<(), StoreError> {
    let answer = client.simple_query("SHOW server_encoding").await.map_err(|error| meaning(&error))?;
    let encoding = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    match encoding {
        Some("UTF8") => Ok(()),
        other => Err(StoreError::Broken(format!(
            "the database's encoding is {}; make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
            other.unwrap_or("unknown")
        ))),
    }
}

struct Target {
    config: Config,
    tls: Tls,
    pooler: Pooler,
}

impl Target {
    /// Reads `sslmode` and `sslrootcert` itself, since the driver knows neither certificates nor their absence; `pooler` is
    /// ours.
    fn parse(url: &str) -> Result<Self, StoreError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut root, mut pooler, mut rest) = (None, None, Pooler::None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match form_urlencoded::parse(pair.as_bytes()).next() {
                Some((key, value)) if key == "sslmode" => mode = Some(value.into_owned()),
                Some((key, value)) if key == "sslrootcert" => root = Some(value.into_owned().into()),
                Some((key, value)) if key == "pooler" => pooler = Pooler::parse(&value)?,
                _ => rest.push(pair),
            }
        }
        let mut config: Config =
            format!("{base}?{}", rest.join("&")).parse().map_err(|error| broken_url(&words(&error)))?;
        let tls = match mode.as_deref() {
            None if is_local(&config) && root.is_none() => Tls::Off,
            // Said in so many words; a link that is protected in another way exists.
            Some("disable") => Tls::Off,
            None | Some("require" | "verify-ca" | "verify-full") => Tls::Verified { root },
            Some(other) => {
                return Err(broken_url(&format!(
                    "sslmode={other} may fall back to clear text; say require (the certificate is always verified) or disable"
                )));
            }
        };
        complete(&mut config, &tls);
        Ok(Self { config, tls, pooler })
    }
}

impl Pooler {
    fn parse(word: &str) -> Result<Self, StoreError> {
        match word {
            "none" => Ok(Self::None),
            "transaction" => Ok(Self::Transaction),
            other => Err(broken_url(&format!("pooler={other} is unknown; say transaction, or none"))),
        }
    }
}

fn complete(config: &mut Config, tls: &Tls) {
    config.ssl_mode(if matches!(tls, Tls::Off) { SslMode::Disable } else { SslMode::Require });
    config.keepalives_idle(KEEPALIVE_IDLE);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(TCP_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("countersign");
    }
    // A standby would answer what was true a while ago.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
}

fn is_local(config: &Config) -> bool {
    let local_host = |host: &Host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(local_host) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn broken_url(reason: &str) -> StoreError {
    StoreError::Broken(format!("the database's URL: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls_of(url: &str) -> Result<Tls, StoreError> {
        Target::parse(url).map(|target| target.tls)
    }

    #[test]
    fn clear_text_leaves_this_machine_only_if_the_url_says_so() {
        for local in [
            "postgres://u:p@localhost/db",
            "postgres://u@127.0.0.1:5433/db",
            "postgres://u@[::1]/db",
            "postgresql://u@%2Frun%2Fpostgresql/db",
            "postgres://u@db.internal/db?sslmode=disable",
        ] {
            assert_eq!(tls_of(local).unwrap(), Tls::Off, "{local}");
        }
        for remote in [
            "postgres://u@db.internal/db",
            "postgres://u@localhost,db.internal/db",
            "postgres://u@localhost/db?hostaddr=10.0.0.1",
            "postgres://u@10.0.0.1/db?sslmode=require",
            "postgres://u@localhost/db?sslmode=verify-full&connect_timeout=3",
        ] {
            assert_eq!(tls_of(remote).unwrap(), Tls::Verified { root: None }, "{remote}");
        }
        let root = tls_of("postgres://u@db/db?sslrootcert=%2Fetc%2Fca.pem").unwrap();
        assert_eq!(root, Tls::Verified { root: Some("/etc/ca.pem".into()) });
        for refused in
            ["postgres://u@h/db?sslmode=prefer", "postgres://u@h/db?sslmode=", "postgres://u@h/db?nonsense=1"]
        {
            assert!(matches!(tls_of(refused), Err(StoreError::Broken(_))), "{refused}");
        }
    }

    #[test]
    fn a_pooler_is_there_if_the_url_says_so() {
        let pooler = |url| Target::parse(url).map(|target| target.pooler);
        assert_eq!(pooler("postgres://u@localhost/db").unwrap(), Pooler::None);
        assert_eq!(pooler("postgres://u@localhost/db?pooler=none&connect_timeout=3").unwrap(), Pooler::None);
        assert_eq!(pooler("postgres://u@localhost:6432/db?pooler=transaction").unwrap(), Pooler::Transaction);
        let refused = pooler("postgres://u@localhost/db?pooler=session").unwrap_err();
        assert!(refused.to_string().contains("pooler=session"), "{refused}");
    }

    #[test]
    fn a_refused_url_shows_no_password() {
        for url in [
            "postgres://u:hunter2@h/db?sslmode=prefer",
            "postgres://u:hunter2@h:port/db",
            "postgres://u:hunter2@h/db?port=x",
        ] {
            let error = Target::parse(url).map(|_| ()).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
