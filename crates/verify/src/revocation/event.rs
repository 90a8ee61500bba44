//! What whoever runs a service may want to know about its view of the log.

use std::time::Duration;

/// The state of a verifier's revocations, for a health page or a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationStatus {
    /// Whether tokens can be judged: a whole snapshot is there, and the issuer has said what time it is.
    pub ready: bool,
    /// Whether the feed is connected at this moment.
    pub connected: bool,
    /// Whether the view is older than the verifier's bound.
    pub stale: bool,
    /// How old the view is at most, by the issuer's clock; `None` until it is ready.
    pub lag: Option<Duration>,
    /// The newest position of the log that was reached, in microseconds of the issuer's clock.
    pub head: i64,
    /// Tokens with a smaller `rsn` are refused.
    pub floor: i64,
    /// How many entries are held, killed keys not counted.
    pub entries: usize,
    /// How many signing keys are known to be killed.
    pub killed_keys: usize,
    /// How often the feed was connected.
    pub connections: u64,
    /// How many batches were taken in.
    pub batches: u64,
    /// How many tokens were let through although the view was stale ([`Profile::Available`](crate::Profile::Available)).
    pub accepted_stale: u64,
    /// How many tokens were refused because the view was stale.
    pub refused_stale: u64,
    /// How often something happened that should not; see [`RevocationEvent`].
    pub alarms: u64,
    /// Why the last try to follow the feed failed; `None` while it is connected.
    pub last_error: Option<String>,
}

/// Something happened to a verifier's view of the log. From [`Verifier::events`](crate::Verifier::events).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationEvent {
    /// The feed is connected.
    Connected,
    /// The feed broke off; the reason is for a log.
    Disconnected {
        /// What ended it.
        reason: String,
    },
    /// Something is dead that was not before.
    Revoked {
        /// The newest position that was reached.
        head: i64,
        /// How many entries are held.
        entries: usize,
    },
    /// The view has grown older than the bound.
    Stale,
    /// The view is fresh again, or for the first time.
    Fresh,
    /// Alarm: the server has fewer entries than it had (a failover that lost commits, a restored backup). Everything that
    /// was known is kept.
    LostCommits {
        /// The position that was known.
        known: i64,
        /// Where the server is.
        server: i64,
    },
    /// Alarm: there are more entries than may be held. The oldest were dropped; instead, every token below this position
    /// is refused, and its client refreshes.
    Overflow {
        /// The new local floor.
        floor: i64,
    },
}
