//! One database of one size, and the server that is started on it.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use countersign_server::{
    app::App,
    config::{Config, Origin, Settings},
    store::Store,
};

use crate::{
    database::{Database, Engine},
    feed::{self, Feed},
    http::Connection,
    load,
    process::{self, Process},
    report::{Measured, Round, Sizes},
    rows::{self, Event, Model, SESSIONS},
};

const PASSWORD: &str = "correct horse battery staple";
const PERSON: &str = "model@example.com";
/// Refreshes and sign-ins of one round.
pub const REFRESHES: usize = 6_000;
const SIGN_INS: u64 = 60;
const CALLERS: usize = 32;
/// Sessions that end one after the other, and at the same time, to see what the feed sends.
const LONE: usize = 5;
const MANY: usize = 1_000;

pub struct Site {
    users: u64,
    now: i64,
    program: PathBuf,
    data: PathBuf,
    port: u16,
    engine: Engine,
    database: Database,
    /// Refresh tokens of sessions far from each other, and which of them comes next.
    tokens: Vec<String>,
    next: usize,
    sizes: Sizes,
    rounds: Vec<Round>,
}

impl Site {
    /// A new database with so many users, and refresh tokens of so many of its sessions.
    pub async fn filled(engine: Engine, users: u64, tokens: usize, (folder, program): (&Path, &Path)) -> Result<Self> {
        let data = folder.join(format!("{engine}-{users}"));
        let mut site = Self {
            users,
            now: 0,
            program: program.to_owned(),
            database: Database::new(engine, &data).await,
            data,
            port: process::free_port()?,
            engine,
            tokens: Vec::new(),
            next: 0,
            sizes: Sizes::default(),
            rounds: Vec::new(),
        };
        site.found().await?;
        let app = App::open(site.config()?).await?;
        let model = model(&app.store).await?;
        site.now = model.now;
        let all = users * SESSIONS;
        let snapshot = app.ring.snapshot();
        let pool = all.min(u64::try_from(tokens)?);
        site.tokens = (0..pool).map(|at| rows::token(snapshot.mac_keys(), rows::shuffled(at, all))).collect();
        app.close().await;
        drop((snapshot, app));
        site.fill(&model).await?;
        Ok(site)
    }

    async fn fill(&mut self, model: &Model) -> Result<()> {
        let (users, database) = (self.users, &self.database);
        let mut sizes = vec![database.bytes().await?];
        database.fill(&[Model::users(users, &|at| model.user(at))]).await?;
        sizes.push(database.bytes().await?);
        let (signins, sessions) = (|at| model.signin(at), |at| model.session(at));
        database.fill(&[Model::signins(users, &signins), Model::sessions(users, &sessions)]).await?;
        sizes.push(database.bytes().await?);
        database.fill(&[Model::events(users, &|at| model.event(at))]).await?;
        sizes.push(database.bytes().await?);
        let grown = |at: usize, rows: u64| (sizes[at] - sizes[at - 1]) / rows as f64;
        self.sizes = Sizes {
            bytes: sizes[3],
            per_user: grown(1, users),
            per_session: grown(2, users * SESSIONS),
            per_event: grown(3, users),
        };
        Ok(())
    }

    /// Somebody registers and signs in, whose rows all others are like.
    async fn found(&self) -> Result<()> {
        let server = self.start()?.0;
        let mut connection = Connection::open(server.address()).await?;
        for (path, wanted) in [("/register", 201), ("/login", 200)] {
            let reply = connection.exchange(&load::account(path, PERSON, PASSWORD)).await?;
            ensure!(reply.status == wanted, "{path}: {}", String::from_utf8_lossy(reply.body));
        }
        server.stop()
    }

    /// Starts the server: how long until it is ready, and everything that is measured on it.
    pub async fn round(&mut self) -> Result<()> {
        let (running, ready) = self.start()?;
        let pid = running.pid();
        let (idle_kb, _) = process::memory_kb(pid)?;
        let written = self.database.written(pid).await?;
        let refresh = self.refresh(&running, REFRESHES, CALLERS).await?;
        let written = self.database.written(pid).await? - written;
        let database_mib = self.database.memory_mib();
        let before = self.cpu(&running)?;
        load::send(running.address(), self.sign_ins(), 2).await?;
        let after = self.cpu(&running)?;
        let (_, peak_kb) = process::memory_kb(pid)?;
        running.stop()?;
        let us = |time: Duration| time.as_secs_f64() * 1e6 / REFRESHES as f64;
        self.rounds.push(Round {
            ready_ms: ready.as_secs_f64() * 1e3,
            refresh_us: us(refresh.server),
            refresh_database_us: us(refresh.database),
            refresh_rate: REFRESHES as f64 / refresh.took.as_secs_f64(),
            refresh_written: written / REFRESHES as f64,
            sign_in_ms: (after.0 + after.1).saturating_sub(before.0 + before.1).as_secs_f64() * 1e3 / SIGN_INS as f64,
            idle_mib: idle_kb as f64 / 1024.0,
            peak_mib: peak_kb as f64 / 1024.0,
            database_mib,
        });
        Ok(())
    }

    /// So many refreshes, each of the next session, by so many callers at once.
    pub async fn refresh(&mut self, running: &Running, count: usize, callers: usize) -> Result<Used> {
        let (mut took, before) = (Duration::ZERO, self.cpu(running)?);
        let mut left = count;
        while left > 0 {
            // No session twice at the same time: one piece ends where the list does.
            let piece = self.next..(self.next + left).min(self.tokens.len());
            took += load::refresh(&running.addresses(), &mut self.tokens[piece.clone()], callers).await?;
            left -= piece.len();
            self.next = piece.end % self.tokens.len();
        }
        let after = self.cpu(running)?;
        let since = |to: Duration, from| to.saturating_sub(from);
        Ok(Used { took, server: since(after.0, before.0), database: since(after.1, before.1) })
    }

    /// Other people in each round.
    fn sign_ins(&self) -> Vec<Vec<u8>> {
        let first = self.rounds.len() as u64 * SIGN_INS;
        let people = (first..first + SIGN_INS).map(|at| rows::shuffled(at % self.users, self.users));
        people.map(|user| load::account("/login", &rows::email(user), PASSWORD)).collect()
    }

    /// What the feed sends, on the first of its engine's sites.
    pub async fn feed(&self) -> Result<Feed> {
        let server = self.start()?.0;
        ensure!(self.tokens.len() >= LONE + MANY, "the feed is measured with {} sessions", LONE + MANY);
        let (lone, rest) = self.tokens.split_at(LONE);
        let feed = feed::measure(server.address(), lone, &rest[..MANY]).await?;
        server.stop()?;
        Ok(feed)
    }

    pub fn measured(self) -> Measured {
        Measured::new((self.engine, self.users), self.sizes, &self.rounds)
    }

    /// CPU time of the servers, and of the database's processes.
    fn cpu(&self, running: &Running) -> Result<(Duration, Duration)> {
        let servers = running.0.iter().map(|(server, _)| process::cpu_time(server.pid())).sum::<Result<Duration>>()?;
        Ok((servers, self.database.cpu()?))
    }

    /// The server, and how long it took until it was ready.
    fn start(&self) -> Result<(Running, Duration)> {
        let begun = Instant::now();
        let running = self.replicas(1)?;
        Ok((running, begun.elapsed()))
    }

    /// So many servers on this database, ready.
    pub fn replicas(&self, count: usize) -> Result<Running> {
        let mut all = Vec::new();
        for at in 0..count {
            let data = if at == 0 { self.data.clone() } else { self.data.with_extension(at.to_string()) };
            let address = self.address(at)?;
            let mut command = Command::new(&self.program);
            command.arg("--data").arg(&data).arg("serve");
            for (key, value) in self.settings(address) {
                command.env(format!("COUNTERSIGN_{}", key.replace('.', "_").to_uppercase()), value);
            }
            if at > 0 {
                command.env("COUNTERSIGN_KEYS_KEK_FILE", self.data.join("kek"));
            }
            let mut server = Process::spawn(&command, &data.with_extension(format!("{at}.log")))?;
            server.wait_ready(address, "/readyz")?;
            all.push((server, address));
        }
        Ok(Running(all))
    }

    /// The first keeps its address: it is in the tokens.
    fn address(&self, at: usize) -> Result<SocketAddr> {
        let port = if at == 0 { self.port } else { process::free_port()? };
        Ok((Ipv4Addr::LOCALHOST, port).into())
    }

    fn settings(&self, address: SocketAddr) -> HashMap<&'static str, String> {
        let mut settings = HashMap::from([
            ("listen", address.to_string()),
            ("issuer", format!("http://localhost:{}", self.port)),
            ("limits.address_per_minute", "1000000".to_owned()),
            ("limits.global_per_second", "1000000".to_owned()),
            // Each refresh rotates: by default those within ten seconds of the one before do not.
            ("refresh.grace", "0s".to_owned()),
        ]);
        settings.extend(self.database.url().map(|url| ("database", url.to_owned())));
        settings
    }

    fn config(&self) -> Result<Config> {
        let mut settings = Settings::default();
        settings.set("data", self.data.display().to_string(), Origin::Flag)?;
        for (key, value) in self.settings(self.address(0)?) {
            settings.set(key, value, Origin::Flag)?;
        }
        Ok(Config::new(&settings)?)
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    pub fn url(&self) -> Result<&str> {
        self.database.url().context("no PostgreSQL")
    }

    pub fn sessions(&self) -> u64 {
        self.users * SESSIONS
    }

    /// When its rows were made, microseconds.
    pub fn now(&self) -> i64 {
        self.now
    }
}

/// Servers that answer.
pub struct Running(Vec<(Process, SocketAddr)>);

/// What a window of refreshes took: time, and CPU time of the servers and of the database.
pub struct Used {
    pub took: Duration,
    pub server: Duration,
    pub database: Duration,
}

impl Running {
    fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|(_, address)| *address).collect()
    }

    fn address(&self) -> SocketAddr {
        self.0[0].1
    }

    fn pid(&self) -> u32 {
        self.0[0].0.pid()
    }

    pub fn stop(self) -> Result<()> {
        self.0.into_iter().try_for_each(|(server, _)| server.stop())
    }
}

async fn model(store: &Store) -> Result<Model> {
    const MODEL: &str = "SELECT u.password_hash, s.scope, s.audience, s.auth_rsn, s.created_at, a.event, a.ip, a.request_id, \
                         a.detail FROM sessions s JOIN users u ON u.user_id = s.user_id JOIN audit a ON a.sid = s.sid";
    let row = store.read(|tx| Box::pin(async move { tx.fetch_optional(MODEL, &[]).await })).await?;
    let row = row.context("nobody signed in")?;
    Ok(Model {
        password_hash: row.get(0)?,
        scope: row.get(1)?,
        audience: row.get(2)?,
        auth_rsn: row.get(3)?,
        now: row.get(4)?,
        event: Event { name: row.get(5)?, ip: row.get(6)?, request_id: row.get(7)?, detail: row.get(8)? },
    })
}
