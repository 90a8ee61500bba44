//! A person, a client, sign-ins and sessions on a store, and a clock that stands until a test moves it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use countersign_server::{
    clock::Clock,
    domain::{
        audit::Source,
        refresh::{Grant, Reason, Refusal},
        refresh_token::{MacKeys, Presented},
        rsn::Rsn,
        session::{Nonce, Sid},
        signin::{SigninId, SigninSecret},
        time::Timestamp,
    },
    store::{
        Param, Row, Store, StoreError,
        sessions::{self, Act, Authority, NewSession, Refresh, Refreshed, Rotated, Successor},
        signins::{self, NewSignin},
    },
};

pub const USER: &str = "usr_AAAAAAAAAAAAAAAAAAAAAA";
pub const CLIENT: &str = "app";
pub const TENANT: &str = "default";
pub const GRACE: Duration = Duration::from_secs(10);
pub const IDLE: Duration = Duration::from_secs(30 * 86_400);
pub const ABSOLUTE: Duration = Duration::from_secs(90 * 86_400);
pub const TTL: Duration = Duration::from_secs(600);

/// What a refresh came to, as a client and a test see it.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Granted(Grant, Token),
    Refused(Reason),
}

impl Answer {
    pub fn token(self) -> Token {
        match self {
            Self::Granted(_, token) => token,
            Self::Refused(reason) => panic!("refused: {reason:?}"),
        }
    }

    pub fn grant(&self) -> Option<Grant> {
        match self {
            Self::Granted(grant, _) => Some(*grant),
            Self::Refused(_) => None,
        }
    }
}

/// A refresh token as its holder keeps it: text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Token(pub String);

#[derive(Clone)]
pub struct Rig {
    pub store: Store,
    pub clock: Clock,
    pub keys: MacKeys,
    drawn: Arc<AtomicU64>,
}

impl Rig {
    /// One user, one client.
    pub async fn new(store: Store) -> Self {
        let rig = Self {
            store,
            clock: Clock::manual(Timestamp::from_secs(1_800_000_000)),
            keys: MacKeys::new(1, [(1, &[7; 32][..])]).unwrap(),
            drawn: Arc::default(),
        };
        rig.add_user(USER).await;
        rig.add_client(CLIENT).await;
        rig
    }

    pub async fn add_user(&self, user: &str) {
        const SQL: &str =
            "INSERT INTO users (user_id, tenant, email, email_key, created_at) VALUES ($1, $2, $1, $1, 0)";
        self.execute(SQL, &[user, TENANT]).await;
    }

    pub async fn add_client(&self, client: &str) {
        const SQL: &str = "INSERT INTO clients (client_id, tenant, name, audiences, grants, created_at) \
                           VALUES ($1, $2, $1, 'api', 'refresh_token', 0)";
        self.execute(SQL, &[client, TENANT]).await;
    }

    pub async fn execute(&self, sql: &'static str, params: &[&str]) -> u64 {
        let params: Vec<String> = params.iter().map(|text| (*text).to_owned()).collect();
        self.store
            .write(move |tx| {
                let params = params.clone();
                Box::pin(async move {
                    let params: Vec<Param<'_>> = params.iter().map(Param::from).collect();
                    tx.execute(sql, &params).await
                })
            })
            .await
            .unwrap()
    }

    pub async fn rows(&self, sql: &'static str) -> Vec<Row> {
        self.store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap()
    }

    pub fn act(&self) -> Act {
        Act {
            issuer: "https://id.example".into(),
            ttl_cap: Duration::from_secs(3600),
            source: Source { actor: "anonymous".into(), ip: "192.0.2.1".into(), request_id: "r".into() },
            device: "test".into(),
            random: self.nonce(),
            now: self.clock.now(),
        }
    }

    /// Sixteen bytes that were never drawn before.
    pub fn nonce(&self) -> [u8; 16] {
        u128::from(self.draw()).to_be_bytes()
    }

    fn draw(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Signs the user in, with the authority of this position of the log.
    pub async fn sign_in(&self, auth_rsn: Rsn) -> SigninId {
        let now = self.clock.now();
        let mut random = [0; 32];
        random[..16].copy_from_slice(&self.nonce());
        let id = SigninSecret::new(&random).id();
        let new = NewSignin {
            id,
            user_id: USER.into(),
            auth_time: now,
            amr: "pwd".into(),
            acr: "1".into(),
            auth_rsn,
            device: "test".into(),
            ip: "192.0.2.1".into(),
            created_at: now,
            expires_at: now.plus(ABSOLUTE),
        };
        self.store
            .write(move |tx| {
                let new = new.clone();
                Box::pin(async move { signins::insert(tx, &new).await })
            })
            .await
            .unwrap();
        id
    }

    pub fn new_session(&self, signin: SigninId) -> NewSession {
        let now = self.clock.now();
        NewSession {
            sid: Sid::new(USER, &self.nonce()),
            signin,
            client_id: CLIENT.into(),
            tenant: TENANT.into(),
            scope: "read".into(),
            audience: "api".into(),
            dpop_jkt: None,
            organisation: None,
            nonce: Nonce::new(self.nonce()),
            at_exp: now.plus(TTL).secs(),
            expires_at: now.plus(ABSOLUTE),
            idle_expires_at: now.plus(IDLE),
            now,
        }
    }

    /// Opens a session; `None` if it was refused.
    pub async fn try_open(&self, new: &NewSession) -> Option<Token> {
        let opened = new.clone();
        self.store
            .write(move |tx| {
                let new = opened.clone();
                Box::pin(async move { sessions::open(tx, &new).await })
            })
            .await
            .unwrap()?;
        Some(self.seal(&new.sid, 0, &new.nonce))
    }

    /// A new sign-in and its first session.
    pub async fn session(&self) -> (Sid, Token) {
        let signin = self.sign_in(Rsn::default()).await;
        let new = self.new_session(signin);
        let token = self.try_open(&new).await.unwrap();
        (new.sid, token)
    }

    pub fn seal(&self, sid: &Sid, generation: i64, nonce: &Nonce) -> Token {
        Token(self.keys.seal(sid, generation, nonce).expose().to_owned())
    }

    pub fn open_token(&self, token: &Token) -> Presented {
        self.keys.open(&token.0).unwrap()
    }

    /// A refresh as the client sends it.
    pub fn request(&self, token: &Token) -> Refresh {
        let now = self.clock.now();
        Refresh {
            presented: self.open_token(token),
            client_id: CLIENT.into(),
            dpop_jkt: None,
            successor: Successor::Drawn(Nonce::new(self.nonce())),
            grace: GRACE,
            idle: IDLE,
            at_exp: now.plus(TTL).secs(),
            act: self.act(),
        }
    }

    pub async fn send(&self, request: Refresh) -> Answer {
        let sid = request.presented.sid().clone();
        let refreshed = self.try_send(request).await.unwrap();
        self.answer(&sid, refreshed)
    }

    pub async fn try_send(&self, request: Refresh) -> Result<Refreshed, StoreError> {
        self.store
            .write(move |tx| {
                let request = request.clone();
                Box::pin(async move { sessions::refresh(tx, &request).await })
            })
            .await
    }

    pub fn answer(&self, sid: &Sid, refreshed: Refreshed) -> Answer {
        match refreshed {
            Refreshed::Granted(rotated) => {
                let Rotated { grant, generation, nonce, .. } = *rotated;
                Answer::Granted(grant, self.seal(sid, generation, &nonce))
            }
            Refreshed::Refused(Refusal { reason, .. }) => Answer::Refused(reason),
        }
    }

    /// Uses a token by rule A.
    pub async fn refresh(&self, token: &Token) -> Answer {
        self.send(self.request(token)).await
    }

    /// Uses a token by rule B.
    pub async fn refresh_with(&self, token: &Token, next_nonce: &[u8; 16]) -> Answer {
        let successor = Successor::Committed(Nonce::committed_by(next_nonce));
        self.send(Refresh { successor, ..self.request(token) }).await
    }

    pub async fn authority(&self, sid: &Sid) -> Option<Authority> {
        let sid = sid.clone();
        self.store
            .read(move |tx| {
                let sid = sid.clone();
                Box::pin(async move { sessions::authority(tx, &sid).await })
            })
            .await
            .unwrap()
    }

    /// Kinds of the entries in the revocation log, in its order.
    pub async fn log(&self) -> Vec<i64> {
        self.rows("SELECT kind FROM rev_log ORDER BY rsn").await.iter().map(|row| row.get(0).unwrap()).collect()
    }

    /// Names of the security events, in their order.
    pub async fn events(&self) -> Vec<String> {
        self.rows("SELECT event FROM audit ORDER BY id").await.iter().map(|row| row.get(0).unwrap()).collect()
    }
}

/// Runs one write transaction with clones of what it needs.
#[macro_export]
macro_rules! commit {
    ($rig:expr, |$tx:ident $(, $name:ident)*| $body:expr) => {{
        $(let $name = $name.clone();)*
        $rig.store
            .write(move |$tx| {
                $(let $name = $name.clone();)*
                Box::pin(async move { $body.await })
            })
            .await
            .unwrap()
    }};
}
