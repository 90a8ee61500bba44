//! `countersign restore`: looks at a database that may be older than it has been, and accepts it.
//!
//! What the backup remembers as alive may have been ended since, so everything ends: the floor kills every access token,
//! the tenants' `min_rsn` every session and sign-in, and every key is replaced, because one that was stolen and revoked
//! since could sign what no floor kills.

use crate::{
    app::{Opened, StartError},
    clock::Clock,
    config::Config,
    domain::{
        audit::{AuditEvent, Event, Source},
        key_ring::KeyState,
        mark::Mark,
        revocation::Scope,
        rsn::Rsn,
    },
    http::TENANT,
    mark::{MarkError, MarkFile, of_store},
    random::Random,
    store::{
        Store,
        restore::{self, Pending},
    },
};

/// What a look finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where the database's log stands.
    pub head: Mark,
    /// How far it had come; `None` if no readable mark says so.
    pub seen: Option<Mark>,
    /// The database is behind.
    pub older: bool,
    /// It says of itself that it must be accepted.
    pub pending: Option<Pending>,
}

/// What an acceptance did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub found: Found,
    /// Everything whose authority is older is dead.
    pub floor: Rsn,
    /// The keys that were revoked.
    pub keys: Vec<String>,
}

/// Looks, and changes nothing.
///
/// # Errors
/// [`StartError`]: a server runs, or the database cannot be opened.
pub async fn look(config: &Config) -> Result<Found, StartError> {
    let opened = Opened::open(config, &Clock::System, Random).await?;
    let found = found(config, &opened).await;
    opened.store.close().await;
    found
}

/// Accepts the database as it is. What was begun and interrupted is done again.
///
/// # Errors
/// [`StartError`]; the next start refuses until it was done to its end.
pub async fn accept(config: &Config) -> Result<Accepted, StartError> {
    let opened = Opened::open(config, &Clock::System, Random).await?;
    let accepted = carry_out(config, &opened).await;
    opened.store.close().await;
    accepted
}

/// Refuses a backup, and a database at which an acceptance was begun and not finished.
///
/// # Errors
/// [`StartError::NotAccepted`], [`StartError::RestoreUnfinished`]
pub(crate) async fn check_finished(store: &Store) -> Result<(), StartError> {
    match store.read(|tx| Box::pin(restore::pending(tx))).await? {
        Some(Pending::Backup) => Err(StartError::NotAccepted),
        Some(Pending::Begun) => Err(StartError::RestoreUnfinished),
        None => Ok(()),
    }
}

async fn found(config: &Config, opened: &Opened) -> Result<Found, StartError> {
    let head = of_store(&opened.store).await?;
    let (seen, unreadable) = match MarkFile::new(config).read(opened.ring.provider()).await {
        Ok(seen) => (seen, false),
        Err(MarkError::Unreadable { .. }) => (None, true),
        Err(error) => return Err(error.into()),
    };
    let pending = opened.store.read(|tx| Box::pin(restore::pending(tx))).await?;
    Ok(Found { head, seen, older: unreadable || seen.is_some_and(|seen| seen.is_above(head)), pending })
}

async fn carry_out(config: &Config, opened: &Opened) -> Result<Accepted, StartError> {
    let found = found(config, opened).await?;
    opened.store.write(|tx| Box::pin(restore::begin(tx))).await?;
    let source = Source { actor: Source::LOCAL.to_owned(), ..Source::system() };
    let keys = replace_keys(config, opened, &source).await?;
    crate::failpoint::hit("restore.keys");
    let (now, seen) = (Clock::System.now(), found.seen.unwrap_or_default().raised(found.head));
    let event = AuditEvent::new(Event::DatabaseRestored, now, &source, Random.bytes()?)
        .with("database", found.head.to_string())
        .with("seen", found.seen.map_or_else(String::new, |seen| seen.to_string()));
    let finish = opened.store.write(move |tx| {
        let event = event.clone();
        Box::pin(async move { restore::finish(tx, now, seen.above_all(), seen.t, &event).await })
    });
    let head = finish.await?;
    MarkFile::new(config).write(opened.ring.provider(), Mark { rsn: head.rsn, t: head.t }).await?;
    Ok(Accepted { found, floor: head.floor, keys })
}

/// Revokes every key that the backup holds. Those that wait to sign go first, so that no successor comes from the backup.
async fn replace_keys(config: &Config, opened: &Opened, source: &Source) -> Result<Vec<String>, StartError> {
    let mut keys = opened.ring.list().await?;
    keys.retain(|info| info.key.state != KeyState::Removed);
    keys.sort_by_key(|info| matches!(info.key.state, KeyState::Active { .. }));
    let scope = Scope { issuer: config.issuer.as_str(), tenant: TENANT };
    let mut revoked = Vec::with_capacity(keys.len());
    for info in keys {
        if opened.ring.revoke(&info.key.kid, scope, source).await? {
            revoked.push(info.key.kid);
        }
    }
    Ok(revoked)
}
