//! Trimming, in the background: expired entries of the revocation log, sessions and sign-ins that ended long ago, old
//! security events, authorization requests and codes that are over. Replicas take turns; each piece is a short transaction of its own.

use std::{future::Future, time::Duration};

use tokio::sync::Mutex;
use tracing::debug;

use crate::{
    app::App,
    clock::Stopwatch,
    domain::{
        assurance,
        audit::{AuditEvent, Event, Source},
        rsn::Rsn,
        time::Timestamp,
        trim::Confirmed,
    },
    store::{
        StoreError, audit, authorizations, codes, devices, invitations, mail_codes, mail_tokens, mails, passkeys,
        pending, pushed, revocations, totps, trim, turns, upstreams, users_deleted,
    },
    turns::Job,
};

/// How long a code is remembered after it expired: for so long its second use is noticed (OAU-05).
const CODE_MEMORY: Duration = Duration::from_hours(24);
const TURN: Job = Job::new("trim", Duration::from_secs(10));
/// Rows of one transaction.
const ROWS: u32 = 1_000;
/// Pieces of the log, of requests and of codes in one turn: a tenth of a million rows, more than come meanwhile.
const LOG_PIECES: usize = 128;
/// Pieces of each other table in one turn.
const PIECES: usize = 8;

/// Removes these rows, in a transaction of its own.
macro_rules! remove {
    ($app:expr, $over:expr, $remove:path) => {
        if !$over.is_empty() {
            let over = $over;
            let write = $app.store.write(move |tx| {
                let over = over.clone();
                Box::pin(async move { $remove(tx, &over).await })
            });
            write.await?;
        }
    };
}

/// Where the walks over the tables stand, and what this process knows of the time.
#[derive(Debug)]
pub struct Trimmer {
    uptime: Stopwatch,
    confirmed: Option<Confirmed>,
    entry: Rsn,
    sid: String,
    signin: Vec<u8>,
}

/// What one turn removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    pub entries: usize,
    pub sessions: usize,
    pub signins: usize,
    pub events: usize,
    /// Authorization requests that nobody answered, people who never came back from an upstream, and half sign-ins.
    pub requests: u64,
    pub codes: u64,
    /// Links in mails that were never followed, and dead letters.
    pub mails: u64,
    /// Accounts whose people wanted them gone.
    pub users: usize,
}

impl Default for Trimmer {
    fn default() -> Self {
        let (sid, signin) = (String::new(), Vec::new());
        Self { uptime: Stopwatch::start(), confirmed: None, entry: Rsn::default(), sid, signin }
    }
}

/// Trims until `stop`. A failure is tried again.
pub async fn keep_trimming(app: App, stop: impl Future<Output = ()>) {
    let trimmer = Mutex::new(Trimmer::default());
    let turn = || async {
        let trimmed = trimmer.lock().await.turn(&app.newest()).await?;
        if trimmed != Trimmed::default() {
            debug!(?trimmed, "what is over was removed");
        }
        Ok(())
    };
    TURN.keep(stop, turn).await;
}

impl Trimmer {
    /// One turn, if it is this replica's.
    ///
    /// # Errors
    /// As the store.
    pub async fn turn(&mut self, app: &App) -> Result<Trimmed, StoreError> {
        self.turn_at(app, self.uptime.elapsed()).await
    }

    /// One turn; `uptime` is what a steady clock says of this process.
    ///
    /// # Errors
    /// As the store.
    pub async fn turn_at(&mut self, app: &App, uptime: Duration) -> Result<Trimmed, StoreError> {
        let read = app.store.read(|tx| {
            Box::pin(async move { Ok((revocations::head(tx).await?.t, turns::confirmed(tx, TURN.name).await?)) })
        });
        let (t, stored) = read.await?;
        let confirmed = self.confirmed.get_or_insert_with(|| Confirmed::new(stored, t, uptime));
        let Some(stored) = TURN.take(app, t).await? else { return Ok(Trimmed::default()) };
        let time = confirmed.at(stored, t, uptime);
        app.store.write(move |tx| Box::pin(turns::confirm(tx, TURN.name, time))).await?;
        let trimmed = self.remove(app, time).await?;
        TURN.done(app).await?;
        Ok(trimmed)
    }

    async fn remove(&mut self, app: &App, time: Timestamp) -> Result<Trimmed, StoreError> {
        let retention = &app.config.retention;
        let (sessions, audit) = (time.minus(retention.sessions), time.minus(retention.audit));
        Ok(Trimmed {
            entries: self.log(app, time).await?,
            sessions: self.sessions(app, sessions).await?,
            signins: self.signins(app, sessions).await?,
            events: events(app, audit).await?,
            requests: requests(app, time).await? + trips(app, time).await? + half_sign_ins(app, time).await?,
            mails: letters(app, time, sessions).await?,
            users: users(app, time).await?,
            codes: codes(app, time.minus(CODE_MEMORY)).await?,
        })
    }

    async fn log(&mut self, app: &App, t: Timestamp) -> Result<usize, StoreError> {
        let mut removed = 0;
        for _ in 0..LOG_PIECES {
            let after = self.entry;
            let piece = app.store.read(move |tx| Box::pin(trim::log(tx, after, t, ROWS))).await?;
            removed += piece.over.len();
            remove!(app, piece.over, trim::remove_entries);
            let Some(next) = piece.next else {
                self.entry = Rsn::default();
                break;
            };
            self.entry = next;
        }
        Ok(removed)
    }

    async fn sessions(&mut self, app: &App, before: Timestamp) -> Result<usize, StoreError> {
        let mut removed = 0;
        for _ in 0..PIECES {
            let after = self.sid.clone();
            let read = app.store.read(move |tx| {
                let after = after.clone();
                Box::pin(async move { trim::sessions(tx, &after, before, ROWS).await })
            });
            let piece = read.await?;
            removed += piece.over.len();
            remove!(app, piece.over, trim::remove_sessions);
            self.sid = piece.next.unwrap_or_default();
            if self.sid.is_empty() {
                break;
            }
        }
        Ok(removed)
    }

    async fn signins(&mut self, app: &App, before: Timestamp) -> Result<usize, StoreError> {
        let (mut removed, idle) = (0, app.config.refresh.idle);
        for _ in 0..PIECES {
            let after = self.signin.clone();
            let read = app.store.read(move |tx| {
                let after = after.clone();
                Box::pin(async move { trim::signins(tx, &after, before, idle, ROWS).await })
            });
            let piece = read.await?;
            removed += piece.over.len();
            remove!(app, piece.over, trim::remove_signins);
            self.signin = piece.next.unwrap_or_default();
            if self.signin.is_empty() {
                break;
            }
        }
        Ok(removed)
    }
}

async fn events(app: &App, before: Timestamp) -> Result<usize, StoreError> {
    let mut removed = 0;
    for _ in 0..PIECES {
        let piece = app.store.read(move |tx| Box::pin(trim::audit(tx, before, ROWS))).await?;
        removed += piece.over.len();
        remove!(app, piece.over, trim::remove_events);
        if piece.next.is_none() {
            break;
        }
    }
    Ok(removed)
}

async fn requests(app: &App, before: Timestamp) -> Result<u64, StoreError> {
    let mut removed = 0;
    for _ in 0..LOG_PIECES {
        let piece = app.store.write(move |tx| {
            Box::pin(async move {
                let requests = authorizations::purge(tx, before, ROWS).await? + pushed::purge(tx, before, ROWS).await?;
                Ok(requests + devices::purge(tx, before, ROWS).await?)
            })
        });
        let piece = piece.await?;
        removed += piece;
        if piece < u64::from(ROWS) {
            break;
        }
    }
    Ok(removed)
}

async fn trips(app: &App, before: Timestamp) -> Result<u64, StoreError> {
    app.store.write(move |tx| Box::pin(upstreams::purge(tx, before, ROWS))).await
}

/// Sign-ins whose second factor never came, authenticator apps that were never confirmed, and challenges that nobody can answer again.
async fn half_sign_ins(app: &App, before: Timestamp) -> Result<u64, StoreError> {
    let removed = app.store.write(move |tx| {
        Box::pin(async move {
            let begun = before.minus(assurance::FRESH);
            let removed = pending::purge(tx, before, ROWS).await? + totps::purge(tx, begun, ROWS).await?;
            Ok(removed + passkeys::purge(tx, before, ROWS).await?)
        })
    });
    removed.await
}

async fn letters(app: &App, now: Timestamp, before: Timestamp) -> Result<u64, StoreError> {
    let removed = app.store.write(move |tx| {
        Box::pin(async move {
            Ok(mail_tokens::purge(tx, now, ROWS).await?
                + mail_codes::purge(tx, now, ROWS).await?
                + mails::purge(tx, before, ROWS).await?
                + invitations::purge(tx, now, ROWS).await?)
        })
    });
    removed.await
}

async fn users(app: &App, now: Timestamp) -> Result<usize, StoreError> {
    let (mut removed, due) = (0, app.store.read(move |tx| Box::pin(users_deleted::due(tx, now, ROWS))).await?);
    for id in due {
        let random = || app.random.bytes().map_err(|error| StoreError::unavailable(error.to_string()));
        let event = AuditEvent::new(Event::UserDeleted, now, &Source::system(), random()?).user(id.as_str());
        let act = app.act_alone(app.clock.now()).map_err(|error| StoreError::unavailable(error.to_string()))?;
        let gone = app.store.write(move |tx| {
            let (id, act, event) = (id.clone(), act.clone(), event.clone());
            Box::pin(async move {
                let gone = users_deleted::remove(tx, &id, Some(now), &act).await?;
                if gone {
                    audit::insert(tx, &event).await?;
                }
                Ok(gone)
            })
        });
        removed += usize::from(gone.await?);
    }
    Ok(removed)
}

async fn codes(app: &App, before: Timestamp) -> Result<u64, StoreError> {
    let mut removed = 0;
    for _ in 0..LOG_PIECES {
        let piece = app.store.write(move |tx| Box::pin(codes::purge(tx, before, ROWS))).await?;
        removed += piece;
        if piece < u64::from(ROWS) {
            break;
        }
    }
    Ok(removed)
}
