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
/// Pieces of the log in one turn: a tenth of a million rows, more than come meanwhile.
const LOG_PIECES: usize = 128;
/// For how long a turn is at one table, while there is more; between its pieces others write. What is left is for the next
/// turn.
const SHARE: Duration = Duration::from_secs(1);
/// Pieces of a table in a turn, however slow the database is.
const PIECES: usize = 8;

/// Removes these rows or notes when they are due, in a transaction of its own.
macro_rules! remove {
    ($app:expr, $rows:expr, $remove:path $(, $more:ident)*) => {
        if !$rows.is_empty() {
            let rows = $rows;
            let write = $app.store.write(move |tx| {
                let rows = rows.clone();
                Box::pin(async move { $remove(tx, &rows $(, $more)*).await })
            });
            write.await?;
        }
    };
}

/// Removes in pieces, each in a transaction of its own, until there is no full one or its share of the turn has passed.
macro_rules! purge {
    ($app:expr, |$tx:ident| $purge:expr) => {{
        let (mut share, mut removed) = (Share::begin(), 0);
        loop {
            let piece = $app.store.write(move |$tx| Box::pin(async move { $purge })).await?;
            removed += piece;
            if piece < u64::from(ROWS) || share.is_over() {
                break removed;
            }
        }
    }};
}

/// One table's part of a turn.
struct Share {
    begun: Stopwatch,
    pieces: usize,
}

impl Share {
    fn begin() -> Self {
        Self { begun: Stopwatch::start(), pieces: 0 }
    }

    /// Asked after each piece.
    fn is_over(&mut self) -> bool {
        self.pieces += 1;
        self.pieces >= PIECES && self.begun.elapsed() > SHARE
    }
}

/// Where the walk over the log stands, and what this process knows of the time.
#[derive(Debug)]
pub struct Trimmer {
    uptime: Stopwatch,
    confirmed: Option<Confirmed>,
    entry: Rsn,
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
        Self { uptime: Stopwatch::start(), confirmed: None, entry: Rsn::default() }
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
            sessions: ended_sessions(app, sessions).await?,
            signins: ended_signins(app, sessions).await?,
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
}

async fn ended_sessions(app: &App, before: Timestamp) -> Result<usize, StoreError> {
    let (mut share, mut removed) = (Share::begin(), 0);
    loop {
        let due = app.store.read(move |tx| Box::pin(trim::sessions(tx, before, ROWS))).await?;
        removed += due.over.len();
        remove!(app, due.over, trim::remove_sessions);
        remove!(app, due.later, trim::sessions_later, before);
        if !due.more || share.is_over() {
            return Ok(removed);
        }
    }
}

async fn ended_signins(app: &App, before: Timestamp) -> Result<usize, StoreError> {
    let (mut share, mut removed, idle) = (Share::begin(), 0, app.config.refresh.idle);
    loop {
        let due = app.store.read(move |tx| Box::pin(trim::signins(tx, before, idle, ROWS))).await?;
        removed += due.over.len();
        remove!(app, due.over, trim::remove_signins);
        remove!(app, due.later, trim::signins_later, before, idle);
        if !due.more || share.is_over() {
            return Ok(removed);
        }
    }
}

async fn events(app: &App, before: Timestamp) -> Result<usize, StoreError> {
    let (mut share, mut removed) = (Share::begin(), 0);
    loop {
        let piece = app.store.read(move |tx| Box::pin(trim::audit(tx, before, ROWS))).await?;
        removed += piece.over.len();
        remove!(app, piece.over, trim::remove_events);
        if piece.next.is_none() || share.is_over() {
            return Ok(removed);
        }
    }
}

async fn requests(app: &App, before: Timestamp) -> Result<u64, StoreError> {
    Ok(purge!(app, |tx| {
        let requests = authorizations::purge(tx, before, ROWS).await? + pushed::purge(tx, before, ROWS).await?;
        Ok(requests + devices::purge(tx, before, ROWS).await?)
    }))
}

async fn trips(app: &App, before: Timestamp) -> Result<u64, StoreError> {
    Ok(purge!(app, |tx| upstreams::purge(tx, before, ROWS).await))
}

/// Sign-ins whose second factor never came, authenticator apps that were never confirmed, and challenges that nobody can answer again.
async fn half_sign_ins(app: &App, before: Timestamp) -> Result<u64, StoreError> {
    let begun = before.minus(assurance::FRESH);
    Ok(purge!(app, |tx| {
        let removed = pending::purge(tx, before, ROWS).await? + totps::purge(tx, begun, ROWS).await?;
        Ok(removed + passkeys::purge(tx, before, ROWS).await?)
    }))
}

async fn letters(app: &App, now: Timestamp, before: Timestamp) -> Result<u64, StoreError> {
    Ok(purge!(app, |tx| {
        Ok(mail_tokens::purge(tx, now, ROWS).await?
            + mail_codes::purge(tx, now, ROWS).await?
            + mails::purge(tx, before, ROWS).await?
            + invitations::purge(tx, now, ROWS).await?)
    }))
}

async fn users(app: &App, now: Timestamp) -> Result<usize, StoreError> {
    let (mut removed, due) = (0, app.store.read(move |tx| Box::pin(users_deleted::due(tx, now, ROWS))).await?);
    let mut share = Share::begin();
    for id in due {
        if share.is_over() {
            break;
        }
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
    Ok(purge!(app, |tx| codes::purge(tx, before, ROWS).await))
}
