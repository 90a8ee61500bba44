//! What requests use up, or what would expire meanwhile: authorization codes and access tokens. They are made just before
//! the window that needs them, and their making is not counted.

mod browsers;
mod mint;

use std::net::SocketAddr;

use anyhow::Result;

pub use browsers::{App, Browsers};
pub use mint::Mint;

use crate::http;
use crate::job::{Asked, Job, Jobs, Spend};
use crate::scenario::Scenario;

/// RFC 7636, appendix B: every code is bound to this challenge, so that each exchange checks one.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The client's value for its ID token.
pub const NONCE: &str = "n-0S6_WzA2Mj";

/// Pieces of one window at most: codes live for a minute, and more might expire before it is their turn.
const MOST: usize = 40_000;

/// Where a server's codes and tokens come from, and who shows them.
pub struct Supply {
    pub source: Source,
    /// What an exchange sends with its code.
    pub exchange: String,
    /// The service that introspects: the start of its form.
    pub service: String,
}

pub enum Source {
    Browsers(Browsers),
    Mint(Mint),
}

impl Supply {
    /// The requests of a scenario on so many connections, about so many together; `None` if nothing of theirs has to be made
    /// anew.
    pub async fn jobs(
        &self,
        scenario: Scenario,
        addr: SocketAddr,
        connections: usize,
        requests: usize,
    ) -> Result<Option<Jobs>> {
        let stock = requests.min(MOST);
        Ok(Some(match scenario {
            Scenario::Code => {
                let (codes, form) = (self.source.codes(addr, stock).await?, self.exchange.clone());
                let make = move |code: &str| http::post_form("/token", &format!("{form}&code={code}"));
                Spend::sharing(codes, make, TOKENS, connections)
            }
            Scenario::Userinfo => {
                let tokens = self.source.tokens(scenario, addr, stock).await?;
                Spend::sharing(tokens, userinfo, &["\"email\":\""], connections)
            }
            Scenario::IntrospectSigned | Scenario::IntrospectOpaque => {
                let tokens = self.source.tokens(scenario, addr, connections).await?;
                let ask = |token: &String| Asked { request: self.introspect(token), says: &["\"active\":true"] };
                tokens.iter().map(ask).map(|job| Box::new(job) as Box<dyn Job>).collect()
            }
            _ => return Ok(None),
        }))
    }

    pub fn introspect(&self, token: &str) -> Vec<u8> {
        http::post_form("/introspect", &format!("{}&token_type_hint=access_token&token={token}", self.service))
    }
}

/// What an exchange brings: two tokens that are signed, and one that is not.
const TOKENS: &[&str] = &["\"access_token\":\"ey", "\"id_token\":\"ey", "\"refresh_token\":\""];

impl Source {
    async fn codes(&self, addr: SocketAddr, count: usize) -> Result<Vec<String>> {
        match self {
            Self::Browsers(browsers) => browsers.codes(addr, count).await,
            Self::Mint(mint) => mint.made("codes", count).await,
        }
    }

    async fn tokens(&self, scenario: Scenario, addr: SocketAddr, count: usize) -> Result<Vec<String>> {
        match (self, scenario) {
            (Self::Browsers(browsers), Scenario::IntrospectOpaque) => browsers.opaque_tokens(addr, count).await,
            (Self::Browsers(browsers), _) => browsers.signed_tokens(addr, count).await,
            (Self::Mint(mint), Scenario::Userinfo) => mint.made("userinfo", count).await,
            (Self::Mint(mint), _) => mint.made("service", count).await,
        }
    }
}

pub fn userinfo(token: &str) -> Vec<u8> {
    http::get_with("/userinfo", &format!("Authorization: Bearer {token}"))
}

/// What an exchange sends with its code: a public client, with the redirect URI as RFC 6749 wanted it.
pub fn exchange(client_id: &str, redirect_uri: &str) -> String {
    let redirect_uri = escape(redirect_uri);
    format!("grant_type=authorization_code&client_id={client_id}&redirect_uri={redirect_uri}&code_verifier={VERIFIER}")
}

/// For a query or a form.
fn escape(uri: &str) -> String {
    uri.replace(':', "%3A").replace('/', "%2F")
}
