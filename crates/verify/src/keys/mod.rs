//! Where the verifier's keys come from, and finding the ones that may have signed a token.

mod fetch;
mod freshness;
mod remote;
mod schedule;
mod set;
mod told;

use std::{sync::Arc, time::Duration};

use countersign_jose::{Algorithm, JwkSet, Unverified, VerifyingKey};
use http::Uri;
use tokio::sync::watch;

use crate::{
    clock::{Clock, Moment},
    rejection::Rejection,
    text::shown,
};
pub use fetch::FetchError;
use fetch::Fetcher;
pub(crate) use remote::Limits;
use remote::{Asked, Loaded, Remote};
use schedule::Reason;
pub(crate) use set::Keys;
pub(crate) use told::{Teller, Told};

/// A verifier's keys.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// Fetched from the issuer and kept fresh.
    Remote(Arc<Remote>),
    /// Given once.
    Given(Arc<Keys>),
    /// Secrets shared with this audience alone, two while one replaces the other. They have no ids; each is tried.
    Shared(Arc<Keys>),
}

/// How the issuer is reached.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) uri: Uri,
    pub(crate) timeout: Duration,
    pub(crate) extra_roots: Vec<Vec<u8>>,
}

/// What a token's header asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'t> {
    kid: Option<&'t str>,
    alg: Algorithm,
}

impl<'t> From<&'t Unverified<'_>> for Wanted<'t> {
    fn from(token: &'t Unverified<'_>) -> Self {
        Self { kid: token.kid(), alg: token.alg() }
    }
}

/// The state of a verifier's keys, for a health page or a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// Whether tokens can be checked at all.
    pub ready: bool,
    /// The ids of the keys in use.
    pub keys: Vec<String>,
    /// Why keys of the last set were not usable.
    pub skipped: Vec<String>,
    /// How long ago the set was fetched or confirmed; `None` if it was given, or never came.
    pub age: Option<Duration>,
    /// Why the last try to fetch failed; `None` after a success.
    pub last_error: Option<FetchError>,
}

impl KeySource {
    /// # Errors
    /// One of the extra root certificates is unusable.
    pub(crate) fn remote(
        address: Address,
        clock: Clock,
        limits: Limits,
        teller: Teller,
    ) -> Result<Self, rustls::Error> {
        let fetcher = Fetcher::new(address.uri, address.timeout, &address.extra_roots)?;
        Ok(Self::Remote(Remote::start(fetcher, clock, (limits, teller))))
    }

    /// # Errors
    /// No key of the set is usable.
    pub(crate) fn given(jwks: &JwkSet) -> Result<Self, FetchError> {
        Ok(Self::Given(Arc::new(Keys::public(jwks)?)))
    }

    pub(crate) fn shared(secrets: Vec<VerifyingKey>) -> Self {
        Self::Shared(Arc::new(Keys::secrets(secrets)))
    }

    /// Keys among which the token's may be, without waiting. What is missing is asked for in the background.
    pub(crate) fn find(&self, wanted: Wanted<'_>, now: Moment) -> Result<Arc<Keys>, Rejection> {
        match self {
            Self::Given(keys) | Self::Shared(keys) => Ok(Arc::clone(keys)),
            Self::Remote(remote) => {
                let found = lookup(remote, wanted, now);
                if let Some(reason) = found.wish(wanted) {
                    // Nobody waits for the answer here.
                    let _ = remote.ask(reason);
                }
                found.into_result(remote, wanted)
            }
        }
    }

    /// The keys in use, if nothing about them is to be asked of the issuer. Never shared secrets: which of them signed a token does
    /// not show in its header.
    pub(crate) fn fresh(&self, now: Moment) -> Option<Arc<Keys>> {
        match self {
            Self::Given(keys) => Some(Arc::clone(keys)),
            Self::Shared(_) => None,
            Self::Remote(remote) => {
                remote.current(now).filter(|loaded| !loaded.is_stale(now)).map(|loaded| Arc::clone(&loaded.keys))
            }
        }
    }

    /// Whether keys that were found before are those that [`find`](Self::find) would give now, without a fetch that would
    /// be worth waiting for.
    #[inline]
    pub(crate) fn are_current(&self, keys: &Arc<Keys>, now: Moment) -> bool {
        match self {
            Self::Given(current) | Self::Shared(current) => Arc::ptr_eq(keys, current),
            Self::Remote(remote) => remote.holds(keys, now),
        }
    }

    /// As [`find`](Self::find), and waits, within bounds, for a fetch that may bring what is missing.
    pub(crate) async fn find_online(&self, wanted: Wanted<'_>, now: Moment) -> Result<Arc<Keys>, Rejection> {
        let Self::Remote(remote) = self else { return self.find(wanted, now) };
        let found = lookup(remote, wanted, now);
        let Some(reason) = found.wish(wanted) else { return found.into_result(remote, wanted) };
        // While the issuer fails, good keys that have only grown stale are used without waiting (stale-if-error).
        let wait = !(matches!(found, Lookup::Stale(_)) && remote.is_failing());
        let rest = match remote.ask(reason) {
            Asked::Flight(flight) if wait => return after(flight, remote, wanted).await,
            Asked::NotBefore(rest) => Some(rest),
            // The issuer has said so a short while ago.
            Asked::Absent => None,
            Asked::Flight(_) | Asked::NoRuntime => Some(Duration::ZERO),
        };
        // A fetch may have landed between the look and the question, whatever the answer was.
        match (lookup(remote, wanted, remote.clock().now()), rest) {
            // Nobody knows whether the issuer has this key, because it does not answer.
            (Lookup::Unknown { .. } | Lookup::Nothing, Some(rest)) if remote.is_failing() => {
                Err(not_ready(remote, rest))
            }
            (found, _) => found.into_result(remote, wanted),
        }
    }

    /// Returns once there are keys, or when a try to get them has failed.
    pub(crate) async fn ready(&self) -> Result<(), FetchError> {
        let Self::Remote(remote) = self else { return Ok(()) };
        loop {
            if remote.current(remote.clock().now()).is_some() {
                return Ok(());
            }
            match remote.ask(Reason::Stale) {
                Asked::Flight(mut flight) => {
                    let landed = flight.changed().await.is_ok();
                    if remote.current(remote.clock().now()).is_none() {
                        let error = remote.last_error().filter(|_| landed);
                        return Err(error.unwrap_or(FetchError::Stopped));
                    }
                }
                // A fetch may have landed since the look above; its keys are there, and the next one is far away.
                Asked::NotBefore(_) if remote.current(remote.clock().now()).is_some() => return Ok(()),
                Asked::NotBefore(rest) => {
                    let deadline = remote.clock().now().steady().saturating_add(rest);
                    remote.clock().sleep_until(deadline).await;
                }
                Asked::Absent | Asked::NoRuntime => return Err(FetchError::Stopped),
            }
        }
    }

    pub(crate) fn status(&self) -> KeyStatus {
        let (keys, age, last_error) = match self {
            Self::Given(keys) | Self::Shared(keys) => (Some(Arc::clone(keys)), None, None),
            Self::Remote(remote) => {
                let now = remote.clock().now();
                let current = remote.current(now);
                let age = current.as_ref().map(|loaded| now.since(loaded.fetched_at));
                (current.map(|loaded| Arc::clone(&loaded.keys)), age, remote.last_error())
            }
        };
        KeyStatus {
            ready: keys.is_some(),
            keys: keys.as_ref().map(|keys| keys.ids()).unwrap_or_default(),
            skipped: keys.map(|keys| keys.skipped().to_vec()).unwrap_or_default(),
            age,
            last_error,
        }
    }
}

/// What the current set says about a token's key.
enum Lookup {
    Fresh(Arc<Keys>),
    /// The key is known, and the set is past its freshness.
    Stale(Arc<Keys>),
    Unknown {
        known: String,
    },
    /// No set, or one past the hard cap.
    Nothing,
}

fn lookup(remote: &Remote, wanted: Wanted<'_>, now: Moment) -> Lookup {
    match remote.current(now).as_deref() {
        None => Lookup::Nothing,
        Some(Loaded { keys, .. }) if !keys.knows(wanted.kid, wanted.alg) => Lookup::Unknown { known: keys.names() },
        Some(loaded) if loaded.is_stale(now) => Lookup::Stale(Arc::clone(&loaded.keys)),
        Some(loaded) => Lookup::Fresh(Arc::clone(&loaded.keys)),
    }
}

impl Lookup {
    /// The fetch that would help. A token without `kid` is never worth one.
    fn wish<'t>(&self, wanted: Wanted<'t>) -> Option<Reason<'t>> {
        match self {
            Self::Fresh(_) => None,
            Self::Stale(_) | Self::Nothing => Some(Reason::Stale),
            Self::Unknown { .. } => wanted.kid.map(Reason::UnknownKid),
        }
    }

    fn into_result(self, remote: &Remote, wanted: Wanted<'_>) -> Result<Arc<Keys>, Rejection> {
        match self {
            Self::Fresh(keys) | Self::Stale(keys) => Ok(keys),
            Self::Unknown { known } => {
                Err(Rejection::UnknownKey { kid: wanted.kid.map(shown).unwrap_or_default(), known })
            }
            Self::Nothing => Err(not_ready(remote, Duration::ZERO)),
        }
    }
}

/// Waits for a fetch to land, and looks again. An unknown key is called unknown only if the issuer has just said so.
async fn after(mut flight: watch::Receiver<()>, remote: &Remote, wanted: Wanted<'_>) -> Result<Arc<Keys>, Rejection> {
    let landed = matches!(tokio::time::timeout(remote.max_wait(), flight.changed()).await, Ok(Ok(())));
    let answered = landed && !remote.is_failing();
    match lookup(remote, wanted, remote.clock().now()) {
        Lookup::Unknown { .. } if !answered => Err(not_ready(remote, Duration::ZERO)),
        found => {
            if let (Lookup::Unknown { .. }, Some(kid)) = (&found, wanted.kid) {
                remote.note_absent(kid);
            }
            found.into_result(remote, wanted)
        }
    }
}

fn not_ready(remote: &Remote, rest: Duration) -> Rejection {
    let cause = remote.last_error().map_or_else(|| "not fetched yet".to_owned(), |error| error.to_string());
    Rejection::NotReady { retry_after: rest.as_secs().max(1), cause }
}
