//! Several servers in one URL: the primary is wanted, whichever that is. One that takes connections and says nothing does not
//! stand before the others, and once the primary is another one, connections to the former are given up.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool_postgres::{Connect, Hook, HookError};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_postgres::{
    Client, Config, Error, Socket,
    config::Host,
    tls::{MakeTlsConnect, TlsConnect},
};
use tracing::warn;

/// How long one is given before the next is asked as well.
const HEAD_START: Duration = Duration::from_secs(1);

/// Connects to whichever server can be written to.
pub(super) struct Hosts<T> {
    each: Vec<Config>,
    tls: T,
    primary: Arc<Primary>,
}

/// Which of the servers it was at last, and since when.
#[derive(Debug, Default)]
pub(super) struct Primary(Mutex<(usize, Option<Instant>)>);

type Connected = (Client, JoinHandle<()>);

impl<T> Hosts<T> {
    pub(super) fn new(config: &Config, tls: T, primary: Arc<Primary>) -> Self {
        let count = config.get_hosts().len().max(config.get_hostaddrs().len());
        let ports = config.get_ports().len();
        // What does not fit together is refused by the driver, in its own words.
        let fits = [config.get_hosts().len(), config.get_hostaddrs().len()].iter().all(|n| [0, count].contains(n));
        let each = match count {
            2.. if fits && (ports <= 1 || ports == count) => (0..count).map(|n| only(config, n)).collect(),
            _ => vec![config.clone()],
        };
        Self { each, tls, primary }
    }
}

impl<T> Connect for Hosts<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self, _: &Config) -> Pin<Box<dyn Future<Output = Result<Connected, Error>> + Send + '_>> {
        Box::pin(async move {
            let first = self.primary.last();
            let mut waiting = (0..self.each.len()).map(|step| (first + step) % self.each.len()).peekable();
            let (mut asked, mut refused) = (JoinSet::new(), None);
            loop {
                if let Some((number, config)) = waiting.next().and_then(|n| Some((n, self.each.get(n)?.clone()))) {
                    let tls = self.tls.clone();
                    asked.spawn(async move { (number, config.connect(tls).await) });
                }
                let answer = match waiting.peek() {
                    Some(_) => timeout(HEAD_START, asked.join_next()).await.ok().flatten(),
                    None => asked.join_next().await,
                };
                match answer {
                    Some(Ok((number, Ok((client, connection))))) => {
                        self.primary.is(number);
                        let task = tokio::spawn(async move {
                            if let Err(error) = connection.await {
                                warn!(%error, "a connection to the database broke");
                            }
                        });
                        return Ok((client, task));
                    }
                    Some(Ok((_, Err(error)))) => refused = Some(error),
                    // A panic of the driver counts as no answer.
                    Some(Err(_)) | None => {}
                }
                if let (true, None, Some(error)) = (asked.is_empty(), waiting.peek(), refused.take()) {
                    return Err(error);
                }
            }
        })
    }
}

impl<T> fmt::Debug for Hosts<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts").field("each", &self.each.len()).finish_non_exhaustive()
    }
}

impl Primary {
    fn last(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    #[expect(clippy::disallowed_methods, reason = "compared with the pool's own times")]
    fn is(&self, number: usize) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != number {
            warn!(server = number + 1, "the database's primary is another server of its URL now");
            *last = (number, Some(Instant::now()));
        }
    }

    /// Lets no connection be used again that is older than the newest move: a former primary that still answers knows nothing
    /// of what was written since.
    pub(super) fn guard(self: Arc<Self>) -> Hook {
        Hook::sync_fn(move |_, metrics| {
            let moved = self.0.lock().unwrap_or_else(PoisonError::into_inner).1;
            match moved {
                Some(moved) if metrics.created < moved => Err(HookError::message("the primary is another server now")),
                _ => Ok(()),
            }
        })
    }
}

/// The same with one of its servers.
fn only(config: &Config, number: usize) -> Config {
    let mut one = Config::new();
    match config.get_hosts().get(number) {
        Some(Host::Tcp(name)) => drop(one.host(name)),
        #[cfg(unix)]
        Some(Host::Unix(path)) => drop(one.host_path(path)),
        None => {}
    }
    config.get_hostaddrs().get(number).map(|address| one.hostaddr(*address));
    config.get_ports().get(number).or(config.get_ports().first()).map(|port| one.port(*port));
    config.get_user().map(|user| one.user(user));
    config.get_password().map(|password| one.password(password));
    config.get_dbname().map(|name| one.dbname(name));
    config.get_options().map(|options| one.options(options));
    config.get_application_name().map(|name| one.application_name(name));
    config.get_connect_timeout().map(|timeout| one.connect_timeout(*timeout));
    config.get_tcp_user_timeout().map(|timeout| one.tcp_user_timeout(*timeout));
    config.get_keepalives_interval().map(|interval| one.keepalives_interval(interval));
    config.get_keepalives_retries().map(|retries| one.keepalives_retries(retries));
    one.keepalives(config.get_keepalives()).keepalives_idle(config.get_keepalives_idle());
    one.ssl_mode(config.get_ssl_mode()).ssl_negotiation(config.get_ssl_negotiation());
    one.channel_binding(config.get_channel_binding()).target_session_attrs(config.get_target_session_attrs());
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(url: &str) -> Vec<Config> {
        Hosts::new(&url.parse().unwrap(), (), Arc::default()).each
    }

    /// Whatever the URL says is said to each server.
    #[test]
    fn each_server_is_asked_as_the_url_says() {
        let rest = "/db?application_name=a&options=-csearch_path%3Dx&connect_timeout=3&tcp_user_timeout=4&keepalives=0&\
                    keepalives_idle=5&keepalives_interval=6&keepalives_retries=7&sslmode=require&sslnegotiation=direct&\
                    channel_binding=require&target_session_attrs=read-write";
        let alone = |server: &str| format!("postgres://u:p@{server}{rest}").parse::<Config>().unwrap();
        let several = each(&format!("postgres://u:p@one:1,two:2,[::1]:3{rest}"));
        assert_eq!(several, [alone("one:1"), alone("two:2"), alone("[::1]:3")]);
        assert_eq!(each(&format!("postgres://u:p@one:1{rest}")), [alone("one:1")]);
    }

    #[test]
    fn one_port_may_be_said_for_all() {
        let several = each("host=one,two hostaddr=10.0.0.1,10.0.0.2 port=7 user=u");
        let alone: Vec<Config> =
            ["host=one hostaddr=10.0.0.1 port=7 user=u", "host=two hostaddr=10.0.0.2 port=7 user=u"]
                .map(|text| text.parse().unwrap())
                .into();
        assert_eq!(several, alone);
        // Left to the driver to refuse.
        assert_eq!(each("host=one,two,three port=1,2 user=u").len(), 1);
    }
}
