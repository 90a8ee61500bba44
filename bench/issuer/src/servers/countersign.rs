//! Countersign itself: the release binary with SQLite (`synchronous=FULL`) in a fresh data folder.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::bare::Sizes;
use super::{Lab, Server, Start, ask, loopback};
use crate::http::{self, Connection};
use crate::job::{Chain, Fixed, Job, Jobs, string_member};
use crate::process::{self, Process};
use crate::scenario::Scenario;
use crate::stats::median;
use crate::supply::{self, App, Browsers, Source, Supply};

const JWKS: &str = "/.well-known/jwks.json";
const METADATA: &str = "/.well-known/openid-configuration";
const PASSWORD: &str = "correct horse battery staple of the bench";
const USERS: usize = 8;
/// Applications of the house: nobody is asked for consent. The tokens of one are signed, those of the other are opaque.
const APP: App = App { client_id: "bench-app", redirect_uri: "https://app.example/callback" };
const OPAQUE_APP: App = App { client_id: "bench-opaque", redirect_uri: "https://opaque.example/callback" };

/// One data folder and the binary that serves it.
pub struct Issuer<'a> {
    lab: &'a Lab,
    binary: PathBuf,
    data: PathBuf,
    port: u16,
}

/// The JSON that `countersign client add --json` prints, as far as it matters here.
#[derive(Deserialize)]
struct NewClient {
    client_id: String,
    /// None for a public client.
    client_secret: Option<String>,
}

impl NewClient {
    /// As the start of a form.
    fn credentials(&self) -> String {
        format!("client_id={}&client_secret={}", self.client_id, self.client_secret.as_deref().unwrap_or_default())
    }
}

/// Everything the measured requests need, made once; the sessions survive restarts, as they must.
struct Seed {
    client: NewClient,
    supply: Supply,
    /// One refresh token per connection for the chains that rotate at each use, and one for those within the grace.
    rotating: Vec<String>,
    within_grace: Vec<String>,
    sizes: Sizes,
}

/// A started server and the sizes of its bodies, for the bare server.
pub struct Started {
    pub server: Server,
    pub sizes: Sizes,
}

impl<'a> Issuer<'a> {
    pub fn new(lab: &'a Lab, binary: &Path) -> Result<Self> {
        let binary = binary
            .canonicalize()
            .with_context(|| format!("{} is missing; `cargo build --release` builds it", binary.display()))?;
        Ok(Self { lab, binary, data: lab.folder.join("data"), port: process::free_port()? })
    }

    /// Starts on nothing, seeds, starts again; every refresh rotates (`refresh.grace` = 0).
    pub async fn start(&self) -> Result<Started> {
        let first_ms = self.first_starts()?;
        let (process, _) = self.spawn("0s")?;
        let seed = self.seed().await?;
        process.stop()?;
        let (process, second_ms) = self.second_starts()?;
        let start = Start { first_ms, second_ms: Some(second_ms) };
        let jobs = self.jobs(&seed);
        let supply = Some(seed.supply);
        let mut server = Server { jobs, supply, start, ..Server::new("countersign", self.addr(), process) };
        server.settle()?;
        Ok(Started { server, sizes: seed.sizes })
    }

    /// The same data folder and chains under the default configuration, for `refresh` within the grace.
    pub fn restart_with_default_grace(&self, mut server: Server) -> Result<Server> {
        server.process.stop()?;
        server.process = self.spawn("10s")?.0;
        Ok(server)
    }

    pub fn lab(&self) -> &Lab {
        self.lab
    }

    fn addr(&self) -> SocketAddr {
        loopback(self.port)
    }

    fn first_starts(&self) -> Result<f64> {
        let mut times = Vec::new();
        for _ in 0..self.lab.starts {
            if self.data.exists() {
                std::fs::remove_dir_all(&self.data)?;
            }
            let (process, ms) = self.spawn("0s")?;
            times.push(ms);
            process.stop()?;
        }
        Ok(median(times))
    }

    fn second_starts(&self) -> Result<(Process, f64)> {
        let mut times = Vec::new();
        for _ in 1..self.lab.starts {
            let (process, ms) = self.spawn("0s")?;
            times.push(ms);
            process.stop()?;
        }
        let (process, ms) = self.spawn("0s")?;
        times.push(ms);
        Ok((process, median(times)))
    }

    fn spawn(&self, grace: &str) -> Result<(Process, f64)> {
        let mut command = self.command();
        command.arg("serve").env("COUNTERSIGN_REFRESH_GRACE", grace);
        let started = Instant::now();
        let mut process = Process::spawn(&command, &self.lab.log("countersign"))?;
        process.wait_ready(self.addr(), "/readyz")?;
        Ok((process, started.elapsed().as_secs_f64() * 1e3))
    }

    /// Defaults but for the place, and limits that one address, which is all a bench has, does not reach.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(&self.lab.folder)
            .env("COUNTERSIGN_DATA", &self.data)
            .env("COUNTERSIGN_LISTEN", self.addr().to_string())
            .env("COUNTERSIGN_LIMITS_ACCOUNT_FREE", "100")
            .env("COUNTERSIGN_LIMITS_ADDRESS_PER_MINUTE", "1000000000")
            .env("COUNTERSIGN_LIMITS_GLOBAL_PER_SECOND", "1000000000")
            .env("COUNTERSIGN_LIMITS_CONNECTIONS_PER_ADDRESS", "10000");
        command
    }

    async fn seed(&self) -> Result<Seed> {
        for user in 0..USERS {
            ask(self.addr(), http::post_json("/register", &credentials(user))).await?;
        }
        let (rotating, within_grace) = (self.sign_in_all().await?, self.sign_in_all().await?);
        let client = self.add_client(&["bench-service", "--scope", "read", "--serves", "api"])?;
        let supply = self.supply(&client).await?;
        let sizes = self.sizes(&supply, rotating[0].len()).await?;
        Ok(Seed { client, supply, rotating, within_grace, sizes })
    }

    /// Two applications, and a browser for each user.
    async fn supply(&self, service: &NewClient) -> Result<Supply> {
        for (app, format) in [(&APP, "signed"), (&OPAQUE_APP, "opaque")] {
            let uri = app.redirect_uri;
            let mut args = vec![app.client_id, "--public", "--redirect-uri", uri, "--consent", "implied"];
            args.extend(["--access-token-format", format]);
            args.extend(["openid", "email", "read"].iter().flat_map(|scope| ["--scope", scope]));
            self.add_client(&args)?;
        }
        let mut cookies = Vec::new();
        for user in 0..USERS {
            cookies.push(self.sign_in_browser(user).await?);
        }
        let service = service.credentials();
        let source = Source::Browsers(Browsers::new(cookies, APP, OPAQUE_APP));
        Ok(Supply { source, exchange: supply::exchange(APP.client_id, APP.redirect_uri), service })
    }

    /// `name=value` of the cookie that this browser has afterwards.
    async fn sign_in_browser(&self, user: usize) -> Result<String> {
        let origin = format!("http://localhost:{}", self.port);
        let body = credentials(user).replace('}', r#","transport":"cookie"}"#);
        let mut connection = Connection::open(self.addr()).await?;
        let reply = connection.exchange(&http::post_json_from(&origin, "/login", &body)).await?;
        let cookie = reply.headers("set-cookie").find(|cookie| cookie.starts_with("signin="));
        let refused = || format!("no cookie: {} {}", reply.status, String::from_utf8_lossy(reply.body));
        Ok(cookie.with_context(refused)?.split(';').next().unwrap_or_default().to_owned())
    }

    /// How long the bodies and credentials are, for the bare server.
    async fn sizes(&self, supply: &Supply, refresh_token: usize) -> Result<Sizes> {
        let addr = self.addr();
        let Source::Browsers(browsers) = &supply.source else { bail!("its tokens come from browsers") };
        let signed = browsers.signed_tokens(addr, 1).await?.swap_remove(0);
        let opaque = browsers.opaque_tokens(addr, 1).await?.swap_remove(0);
        Ok(Sizes {
            jwks: ask(addr, http::get(JWKS)).await?.len(),
            metadata: ask(addr, http::get(METADATA)).await?.len(),
            refresh_token,
            signed_token: signed.len(),
            opaque_token: opaque.len(),
            userinfo: ask(addr, supply::userinfo(&signed)).await?.len(),
            introspection: ask(addr, supply.introspect(&signed)).await?.len(),
        })
    }

    async fn sign_in_all(&self) -> Result<Vec<String>> {
        let mut tokens = Vec::new();
        for chain in 0..self.lab.connections {
            let reply = ask(self.addr(), http::post_json("/login", &credentials(chain % USERS))).await?;
            let token = string_member(&reply, b"\"refresh_token\":\"").context("the login brought no refresh token")?;
            tokens.push(token.to_owned());
        }
        Ok(tokens)
    }

    fn add_client(&self, args: &[&str]) -> Result<NewClient> {
        let mut command = self.command();
        let output = command.args(["client", "add", "--json"]).args(args).output()?;
        ensure!(output.status.success(), "client add: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).context("client add --json")
    }

    fn jobs(&self, seed: &Seed) -> HashMap<Scenario, Jobs> {
        let form = format!("grant_type=client_credentials&{}&scope=read", seed.client.credentials());
        let chains = |tokens: &[String], must_rotate| -> Jobs {
            tokens.iter().map(|token| Box::new(Chain::new(token.clone(), must_rotate)) as Box<dyn Job>).collect()
        };
        let logins = (0..self.lab.connections)
            .map(|n| Box::new(Fixed(http::post_json("/login", &credentials(n % USERS)))) as Box<dyn Job>);
        HashMap::from([
            (Scenario::Jwks, self.lab.same(http::get(JWKS))),
            (Scenario::Metadata, self.lab.same(http::get(METADATA))),
            (Scenario::ClientCredentials, self.lab.same(http::post_form("/token", &form))),
            (Scenario::Refresh, chains(&seed.rotating, true)),
            (Scenario::RefreshWithinGrace, chains(&seed.within_grace, false)),
            (Scenario::Login, logins.collect()),
        ])
    }
}

fn credentials(user: usize) -> String {
    format!(r#"{{"email":"bench-{user}@example.com","password":"{PASSWORD}"}}"#)
}
