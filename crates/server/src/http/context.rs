//! Who asks, from where, under which request id: made once by the pipeline, read by the handlers.

use std::{convert::Infallible, net::IpAddr, ops::Deref, sync::Arc};

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderValue, Method, Request, header, request::Parts, uri::PathAndQuery};
use tokio::sync::Notify;

use super::{cookies::Cookie, request_id::RequestId};
use crate::{
    config::Config,
    domain::{audit::Source, language::Language, preferences::Preferences},
};

/// Where a connection comes from; the listener puts it into each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Tcp(IpAddr),
    /// The Unix socket in the data folder: whoever can open it owns the data anyway.
    Local,
}

/// Ends the connection that a request came over, at once: for readers that do not read. The listener puts it into each
/// request.
#[derive(Debug, Clone, Default)]
pub struct Cut(pub Arc<Notify>);

/// Facts about a request that the log, the limits and the audit need. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Context(Arc<Facts>);

/// See [`Context`].
#[derive(Debug)]
pub struct Facts {
    pub request_id: RequestId,
    pub peer: Peer,
    /// The client's address: the peer's, or what a trusted proxy says (NET-02).
    pub address: IpAddr,
    user_agent: Option<HeaderValue>,
    /// The language that the application asked for which sent its person here.
    asked: Option<Language>,
    /// What the person chose in this browser.
    pub chosen: Preferences,
    /// The language that the browser likes best.
    accepted: Option<Language>,
    /// The address of the page, if it is one that a browser can come back to.
    pub page: Option<PathAndQuery>,
}

impl Context {
    pub fn new<B>(request_id: RequestId, peer: Peer, request: &Request<B>, config: &Config) -> Self {
        let headers = request.headers();
        // One that was planted twice is none.
        let cookie = |cookie: Cookie| cookie.read(&config.issuer, headers).ok().flatten();
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self(Arc::new(Facts {
            request_id,
            peer,
            address: client_address(peer, headers, &config.trusted_proxies),
            user_agent: headers.get(header::USER_AGENT).cloned(),
            asked: cookie(Cookie::Locale).as_deref().and_then(Language::parse),
            chosen: cookie(Cookie::Preferences).as_deref().map(Preferences::of_cookie).unwrap_or_default(),
            accepted: accepted.and_then(Language::accepted),
            page: request.uri().path_and_query().filter(|_| request.method() == Method::GET).cloned(),
        }))
    }

    /// Of a request of which nothing is known.
    fn unknown() -> Self {
        Self(Arc::new(Facts {
            request_id: RequestId::NONE,
            peer: Peer::Tcp([0, 0, 0, 0].into()),
            address: [0, 0, 0, 0].into(),
            user_agent: None,
            asked: None,
            chosen: Preferences::default(),
            accepted: None,
            page: None,
        }))
    }
}

impl Deref for Context {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl Facts {
    pub fn is_local(&self) -> bool {
        self.peer == Peer::Local
    }

    /// The language to answer in: what the application asks for, what the person chose, what the browser likes best, or else this.
    pub fn language(&self, usual: Language) -> Language {
        self.asked.or(self.chosen.language).or(self.accepted).unwrap_or(usual)
    }

    /// Who does something in this request, for the audit.
    pub fn source(&self, actor: &str) -> Source {
        Source { actor: actor.to_owned(), ip: self.ip(), request_id: self.request_id.to_string() }
    }

    /// The address for the log and the store; `local` for the Unix socket.
    pub fn ip(&self) -> String {
        if self.is_local() { "local".to_owned() } else { self.address.to_string() }
    }

    /// The user agent as it may be stored and shown: cut to 256 characters, without control characters (AUD-03, ADM-05).
    pub fn device(&self) -> String {
        let text = self.user_agent.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
        text.chars().filter(|c| !c.is_control()).take(256).collect()
    }
}

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let made = parts.extensions.get::<Self>().cloned();
        Ok(made.unwrap_or_else(Self::unknown))
    }
}

/// The client's address. `X-Forwarded-For` is believed only from a configured proxy, and read from the right:
/// the first entry that is not such a proxy is the client (NET-02).
pub fn client_address(peer: Peer, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let Peer::Tcp(mut address) = peer else { return IpAddr::from([127, 0, 0, 1]) };
    address = address.to_canonical();
    let forwarded = headers.get_all("x-forwarded-for").iter().rev().filter_map(|value| value.to_str().ok());
    for entry in forwarded.flat_map(|value| value.rsplit(',')) {
        if !trusted.contains(&address) {
            break;
        }
        match entry.trim().parse::<IpAddr>() {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client_address(Peer::Tcp(peer.parse().unwrap()), &headers, &trusted).to_string()
    }

    // NET-02
    #[test]
    fn forwarded_addresses_are_believed_from_configured_proxies_only() {
        assert_eq!(address("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(address("10.0.0.1", &["198.51.100.1"], &["10.0.0.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["1.1.1.1, 198.51.100.1"], &["10.0.0.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["1.1.1.1, 10.0.0.2"], &["10.0.0.1", "10.0.0.2"]), "1.1.1.1");
        assert_eq!(address("10.0.0.1", &["1.1.1.1", "198.51.100.1"], &["10.0.0.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["garbage"], &["10.0.0.1"]), "10.0.0.1");
        assert_eq!(address("::ffff:10.0.0.1", &["198.51.100.1"], &["10.0.0.1"]), "198.51.100.1");
    }
}
