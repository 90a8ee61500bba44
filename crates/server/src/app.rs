//! `App`: everything a handler may reach, the only axum state. Made at the start; a reload makes another one, on the same
//! store, keys and counters.

use std::{
    io,
    ops::Deref,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign_jose::dpop::Checker;

use crate::{
    client_keys::PublishedKeys,
    clock::Clock,
    config::{Config, Database},
    copy,
    domain::{
        audit::Source,
        key_ring::{Policy, PolicySettings},
        mark::Mark,
        subject::SubjectKey,
        time::Timestamp,
    },
    feed::{Hub, Seats},
    first_start,
    http::{access_token::Recent, context::Context, metrics::Metrics, request_id::RequestIds, well_known::Documents},
    keys::{Guard, KekSource, KeyRing, KeyRingError, KeyStores, Setup},
    limiter::Limiter,
    mail::Mailer,
    mark::{self, MarkError, MarkFile},
    outbound::Outbound,
    passwords::PasswordPool,
    random::{Random, RandomError},
    restore,
    store::{DataDirLock, LockError, Store, StoreConfig, StoreError, sessions::Act},
    tick::Steady,
    tls::TlsError,
};

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

/// What the configuration makes; a reload makes it anew.
#[derive(Debug)]
pub struct Inner {
    pub config: Config,
    pub limiter: Arc<Limiter>,
    /// Calls the addresses that clients registered.
    pub outbound: Outbound,
    pub mailer: Mailer,
    /// Checks proofs of possession.
    pub proofs: Checker,
    /// What lies ready below `/.well-known`.
    pub documents: Documents,
    lasting: Arc<Lasting>,
}

/// What stays for as long as the process lives.
#[derive(Debug)]
pub struct Lasting {
    pub store: Store,
    pub ring: KeyRing,
    pub clock: Clock,
    pub random: Random,
    pub passwords: PasswordPool,
    /// What clients publish there to prove themselves by.
    pub client_keys: PublishedKeys,
    /// Whom clients know people as.
    pub subjects: SubjectKey,
    /// The revocation feed; empty until its publisher runs.
    pub feed: Arc<Hub>,
    /// Access tokens that came back a moment ago.
    pub recent: Recent,
    pub metrics: Arc<Metrics>,
    pub request_ids: RequestIds,
    /// Where the revocation log stood at the start.
    pub(crate) mark_at_start: Mark,
    steady: Steady,
    draining: AtomicBool,
    /// What the last reload made.
    newest: Mutex<Weak<Inner>>,
    /// Held for as long as the data folder is in use.
    _lock: DataDirLock,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Deref for Inner {
    type Target = Lasting;

    fn deref(&self) -> &Lasting {
        &self.lasting
    }
}

/// Why the server does not start. Each says what to do; nothing was changed, and nothing was made anew over what exists.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot use the data folder {}: {reason}", path.display())]
    Data { path: PathBuf, reason: String },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Keys(#[from] KeyRingError),
    #[error("cannot start the threads that hash passwords: {0}")]
    Passwords(io::Error),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(
        "this store belongs to the issuer {stored}, and the configuration says {configured}; set issuer = \"{stored}\""
    )]
    OtherIssuer { stored: String, configured: String },
    #[error("mails cannot be sent: {0}")]
    Mail(String),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("traces and metrics cannot be sent: {0}")]
    Telemetry(String),
    #[error("cannot listen on {on}: {reason}")]
    Listen { on: String, reason: String },
    #[error(transparent)]
    Mark(#[from] MarkError),
    #[error(
        "this database is older than it has been: its revocation log stands at {head}, and {} has seen {seen}. It was \
         restored from a backup, or has lost what it had committed; what was revoked since would be alive again. \
         Put the right database back, or accept this one: countersign restore --accept (everybody signs in again)",
        mark.display()
    )]
    OlderDatabase { mark: PathBuf, seen: Mark, head: Mark },
    #[error(
        "the key of pairwise subjects cannot be used: {0}. Put back the database's backup; nothing was made in its place"
    )]
    SubjectKey(String),
    #[error(
        "this database is a backup that nobody has accepted: what was revoked since it was made would be alive again. \
         Accept it: countersign restore --accept (everybody signs in again)"
    )]
    NotAccepted,
    #[error("countersign restore --accept was begun on this database and not finished; run it again")]
    RestoreUnfinished,
    #[error("this database is half a copy: run countersign store copy again, which goes on with it")]
    CopyUnfinished,
}

impl StartError {
    pub(crate) fn older(mark: &Path, seen: Mark, head: Mark) -> Self {
        Self::OlderDatabase { mark: mark.to_owned(), seen, head }
    }
}

/// The folder, its lock, the database and the keys: what everything else stands on.
#[derive(Debug)]
pub(crate) struct Opened {
    pub store: Store,
    pub ring: KeyRing,
    lock: DataDirLock,
}

impl Opened {
    /// Opens them, and does not ask whether the database is as new as it has been.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn open(config: &Config, clock: &Clock, random: Random) -> Result<Self, StartError> {
        data_folder(&config.data)?;
        let lock = DataDirLock::acquire(&config.data)?;
        let store = Store::open(&store_config(config)).await?;
        // Before anything is made that the copy has not brought yet: keys, above all.
        copy::check_finished(&store).await?;
        let ring = KeyRing::open(Setup {
            store: store.clone(),
            guard: guard(config),
            stores: KeyStores::new(&config.keys.stores, clock, random),
            clock: clock.clone(),
            random,
            policy: policy(config),
            algs: Vec::new(),
        })
        .await?;
        Ok(Self { store, ring, lock })
    }
}

impl App {
    /// Opens everything on the machine's clock.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn open(config: Config) -> Result<Self, StartError> {
        Self::open_at(config, Clock::System).await
    }

    /// Opens everything: the folder and its lock, the database, the keys, the hashing threads.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn open_at(config: Config, clock: Clock) -> Result<Self, StartError> {
        let random = Random;
        let mailer = Mailer::new(&config).map_err(StartError::Mail)?;
        let Opened { store, ring, lock } = Opened::open(&config, &clock, random).await?;
        restore::check_finished(&store).await?;
        let mark_at_start = mark::check(&MarkFile::new(&config), &store, ring.provider()).await?;
        let subjects = first_start::subject_key(&store, ring.provider(), random).await?;
        first_start::prepare(&store, config.issuer.as_str(), clock.now()).await?;
        let passwords = PasswordPool::start(&config.passwords, random).map_err(StartError::Passwords)?;
        let mut metrics = Metrics::default();
        metrics.key_stores(ring.stores());
        metrics.started(&config, clock.now());
        let seats = Seats { all: config.feed.readers, per_address: config.feed.readers_per_address };
        let lasting = Lasting {
            request_ids: RequestIds::new(random)?,
            client_keys: PublishedKeys::default(),
            store,
            ring,
            clock,
            random,
            subjects,
            passwords,
            feed: Arc::new(Hub::new(seats)),
            recent: Recent::default(),
            metrics: Arc::new(metrics),
            mark_at_start,
            steady: Steady::default(),
            draining: AtomicBool::new(false),
            newest: Mutex::default(),
            _lock: lock,
        };
        let limiter = Arc::new(Limiter::new(&config, random)?);
        Ok(Self::on(Arc::new(lasting), config, mailer, limiter))
    }

    fn on(lasting: Arc<Lasting>, config: Config, mailer: Mailer, limiter: Arc<Limiter>) -> Self {
        let app = Self(Arc::new(Inner {
            limiter,
            outbound: Outbound::new(&config.outbound_allow),
            mailer,
            proofs: Checker::default().max_age(config.dpop.max_age),
            documents: Documents::new(&config),
            config,
            lasting,
        }));
        *app.newest.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&app.0);
        app
    }

    /// The same with another configuration, whose fixed keys are those of this one ([`crate::config::Change`]). From now on
    /// it is the newest.
    ///
    /// # Errors
    /// What the configuration needs is not there; nothing has changed.
    pub fn renewed(&self, config: Config) -> Result<Self, StartError> {
        let mailer = self.mailer.renewed(&config).map_err(StartError::Mail)?;
        let anchors = |config: &Config| config.feed.anchors_per_minute;
        // Counts begin anew under other limits, and only then.
        let same = config.limits == self.config.limits && anchors(&config) == anchors(&self.config);
        let limiter = if same { Arc::clone(&self.limiter) } else { Arc::new(Limiter::new(&config, self.random)?) };
        Ok(Self::on(Arc::clone(&self.lasting), config, mailer, limiter))
    }

    /// What the last reload made: for what runs on while it does.
    #[must_use]
    pub fn newest(&self) -> Self {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        newest.map_or_else(|| self.clone(), Self)
    }

    /// Who does something now, for the revocation log and the audit trail.
    ///
    /// # Errors
    /// The random source failed.
    pub fn act(&self, context: &Context, actor: &str, now: Timestamp) -> Result<Act, RandomError> {
        Ok(Act {
            issuer: self.config.issuer.as_str().to_owned(),
            ttl_cap: self.config.access_token_ttl_cap,
            source: context.source(actor),
            device: context.device(),
            random: self.random.bytes()?,
            now,
        })
    }

    /// What the server does by itself.
    ///
    /// # Errors
    /// The random source failed.
    pub fn act_alone(&self, now: Timestamp) -> Result<Act, RandomError> {
        Ok(Act {
            issuer: self.config.issuer.as_str().to_owned(),
            ttl_cap: self.config.access_token_ttl_cap,
            source: Source::system(),
            device: String::new(),
            random: self.random.bytes()?,
            now,
        })
    }

    /// The process's clock as the revocation log shows it: it is never turned back.
    pub fn steady_now(&self) -> Timestamp {
        self.steady.now(&self.clock)
    }

    /// Closes the store, after its mark was brought up to date.
    pub async fn close(&self) {
        // A mark that is behind only notices less; it was never ahead.
        if let Err(error) = mark::note(self, self.mark_at_start).await {
            tracing::warn!(%error, "the high-water mark could not be kept");
        }
        self.store.close().await;
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// `/readyz` says no from now on, so that a load balancer sends nobody here.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// The database that the configuration names.
pub fn store_config(config: &Config) -> StoreConfig {
    match &config.database {
        Database::Sqlite => StoreConfig::Sqlite { path: config.data.join("countersign.db") },
        Database::Postgres { url, pool } => StoreConfig::Postgres { url: url.clone(), pool_size: *pool },
    }
}

fn guard(config: &Config) -> Guard {
    let file = match (&config.keys.kek_env, &config.keys.kek_file) {
        (Some(variable), _) => KekSource::Env(variable.clone()),
        (None, Some(path)) => KekSource::File(path.clone()),
        (None, None) => KekSource::DataFolder(config.data.clone()),
    };
    Guard { place: config.keys.place, file, sign_there: config.keys.sign_there }
}

fn policy(config: &Config) -> Policy {
    Policy::new(PolicySettings {
        rotate_every: config.keys.rotate_every,
        publish_for: config.keys.publish_for,
        wait_for_verifiers: config.keys.wait_for_verifiers,
        access_token_ttl_cap: config.access_token_ttl_cap,
        refresh_lifetime_cap: config.refresh.absolute,
    })
}

/// Makes the folder for its owner alone; one that others can write to is refused.
pub(crate) fn data_folder(path: &Path) -> Result<(), StartError> {
    let refuse = |reason: String| StartError::Data { path: path.to_owned(), reason };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| refuse(error.to_string()))?;
    let mode = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?.permissions().mode();
    if mode & 0o022 != 0 {
        return Err(refuse(format!(
            "others may write to it (mode {:04o}); run: chmod go-w {}",
            mode & 0o777,
            path.display()
        )));
    }
    Ok(())
}
