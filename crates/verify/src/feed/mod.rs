//! Following the issuer's revocation feed: reading what it signs, asking it for the time, coming back after every cut.

mod follow;
mod http;
mod lines;
mod runner;
mod signed;
mod site;
mod sse;

pub(crate) use follow::{Follower, Settings};
#[cfg(test)]
pub(crate) use follow::{Lines, Transport};
pub(crate) use http::HttpTransport;
pub(crate) use runner::Runner;
pub(crate) use site::{Credentials, Site};

use std::time::Duration;

/// Why the feed could not be followed. The words are for a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FeedError {
    #[error("no answer from the revocation feed: {0}")]
    Connection(String),
    #[error("the revocation feed was silent for {0:?}")]
    Silent(Duration),
    #[error("the revocation feed did not answer in time")]
    TimedOut,
    #[error("the revocation feed ended")]
    Ended,
    #[error("{what} answered with status {status}")]
    Status { what: &'static str, status: u16 },
    #[error("{what} is not usable: {reason}")]
    Unusable { what: &'static str, reason: String },
    /// The issuer is none of ours, or an older one.
    #[error("the issuer's metadata names no revocation feed; if it has none, say so with without_revocation()")]
    NotAdvertised,
    #[error("a batch of the revocation feed was refused: {0}")]
    Batch(String),
    #[error("a batch of the revocation feed was signed with an unknown key")]
    UnknownKey,
    #[error("the answer to the question for the time was refused: {0}")]
    Time(String),
    #[error("a gap in the revocation feed")]
    Gap,
    #[error("the machine has no randomness")]
    Random,
}
