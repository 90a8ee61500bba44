//! Browsers in which people are signed in to Countersign: each asks `/authorize` for codes, as a redirect of an application of
//! the same house makes it do. Fresh access tokens come from sessions that were opened so, by refreshing them.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result};
use tokio::task::{LocalSet, spawn_local};

use super::{CHALLENGE, NONCE, escape, exchange};
use crate::http::{self, Connection, Reply};
use crate::job::{Chain, Fixed, Job, excerpt, string_member};

/// Enough for the server to share its commits among them.
const CONNECTIONS: usize = 64;

/// A public application that asks for nobody's consent.
pub struct App {
    pub client_id: &'static str,
    pub redirect_uri: &'static str,
}

pub struct Browsers {
    /// `name=value` of each browser's sign-in.
    cookies: Vec<String>,
    /// Its access tokens are signed.
    app: App,
    opaque_app: App,
    /// Sessions of `app`.
    sessions: RefCell<Vec<Box<dyn Job>>>,
}

impl Browsers {
    pub fn new(cookies: Vec<String>, app: App, opaque_app: App) -> Self {
        Self { cookies, app, opaque_app, sessions: RefCell::default() }
    }

    /// So many codes, for an ID token and the scope `read`.
    pub async fn codes(&self, addr: SocketAddr, count: usize) -> Result<Vec<String>> {
        self.ask(addr, &self.app, "openid+read", count).await
    }

    /// So many access tokens that UserInfo tells an e-mail address for; no two of them were ever shown before.
    pub async fn signed_tokens(&self, addr: SocketAddr, count: usize) -> Result<Vec<String>> {
        let mut sessions = self.sessions.take();
        if sessions.is_empty() {
            let refresh_tokens = self.redeem(addr, &self.app, CONNECTIONS, "refresh_token").await?;
            let chain = |token| Box::new(Chain::of(self.app.client_id, token, true)) as Box<dyn Job>;
            sessions = refresh_tokens.into_iter().map(chain).collect();
        }
        let (sessions, tokens) = gather(addr, sessions, count, access_token).await?;
        self.sessions.replace(sessions);
        Ok(tokens)
    }

    pub async fn opaque_tokens(&self, addr: SocketAddr, count: usize) -> Result<Vec<String>> {
        self.redeem(addr, &self.opaque_app, count, "access_token").await
    }

    /// Opens so many sessions; this member of each answer.
    async fn redeem(&self, addr: SocketAddr, app: &App, count: usize, member: &str) -> Result<Vec<String>> {
        let (form, member) = (exchange(app.client_id, app.redirect_uri), format!("\"{member}\":\""));
        let mut connection = Connection::open(addr).await?;
        let mut found = Vec::with_capacity(count);
        for code in self.ask(addr, app, "openid+email+read", count).await? {
            let reply = connection.exchange(&http::post_form("/token", &format!("{form}&code={code}"))).await?;
            let refused = || format!("no {member}: {} {}", reply.status, excerpt(reply.body));
            found.push(string_member(reply.body, member.as_bytes()).with_context(refused)?.to_owned());
        }
        Ok(found)
    }

    async fn ask(&self, addr: SocketAddr, app: &App, scope: &str, count: usize) -> Result<Vec<String>> {
        let path = format!(
            "/authorize?response_type=code&client_id={}&redirect_uri={}&scope={scope}&state=af0ifjsldkj&nonce={NONCE}\
             &code_challenge={CHALLENGE}&code_challenge_method=S256",
            app.client_id,
            escape(app.redirect_uri),
        );
        let cookies = self.cookies.iter().cycle().take(CONNECTIONS);
        let request = |cookie| Box::new(Fixed(http::get_with(&path, &format!("Cookie: {cookie}")))) as Box<dyn Job>;
        Ok(gather(addr, cookies.map(request).collect(), count, code).await?.1)
    }
}

type Read = fn(&Reply<'_>) -> Option<String>;

/// Each job on a connection of its own, again and again, until there are so many answers. The jobs, and what was read of the
/// answers.
async fn gather(
    addr: SocketAddr,
    jobs: Vec<Box<dyn Job>>,
    count: usize,
    read: Read,
) -> Result<(Vec<Box<dyn Job>>, Vec<String>)> {
    let left = Rc::new(Cell::new(count));
    let (mut again, mut all) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(count));
    let run = async move {
        let begin = |job| spawn_local(repeat(addr, job, Rc::clone(&left), read));
        let tasks: Vec<_> = jobs.into_iter().map(begin).collect();
        for task in tasks {
            let (job, found) = task.await.context("a connection's task died")??;
            again.push(job);
            all.extend(found);
        }
        Ok((again, all))
    };
    LocalSet::new().run_until(run).await
}

async fn repeat(
    addr: SocketAddr,
    mut job: Box<dyn Job>,
    left: Rc<Cell<usize>>,
    read: Read,
) -> Result<(Box<dyn Job>, Vec<String>)> {
    let mut connection = Connection::open(addr).await?;
    let mut found = Vec::new();
    while let Some(rest) = left.get().checked_sub(1) {
        left.set(rest);
        let reply = connection.exchange(job.request().context("it always has one")?).await?;
        job.reply(&reply);
        let refused = || format!("not what was asked for: {} {}", reply.status, excerpt(reply.body));
        found.push(read(&reply).with_context(refused)?);
    }
    Ok((job, found))
}

fn access_token(reply: &Reply<'_>) -> Option<String> {
    string_member(reply.body, b"\"access_token\":\"").map(str::to_owned)
}

/// The code in the address that the browser is sent to.
fn code(reply: &Reply<'_>) -> Option<String> {
    let location = reply.headers("location").next()?;
    let mut parameters = location.split_once('?')?.1.split('&');
    parameters.find_map(|parameter| parameter.strip_prefix("code=")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::code;
    use crate::http::Reply;

    #[test]
    fn the_code_is_in_the_address() {
        let sent_to = |address: &str| {
            let head = format!("HTTP/1.1 303 See Other\r\nlocation: {address}\r\n\r\n");
            code(&Reply { status: 303, head: head.as_bytes(), body: b"" })
        };
        assert_eq!(sent_to("https://app.example/cb?state=s&code=abc&iss=x").as_deref(), Some("abc"));
        assert_eq!(sent_to("https://app.example/cb?error=access_denied"), None);
        assert_eq!(sent_to("/ui/signin"), None);
    }
}
