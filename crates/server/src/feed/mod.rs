//! The revocation feed: the log, signed, for everybody who checks tokens.
//!
//! ```text
//! rev_head, rev_log ─▶ publish.rs ─▶ hub.rs ─▶ answer.rs ─▶ readers
//!                      (one task)   (lines)   (stream, long-poll, plain)
//! ```
//! A line is signed once and sent as the same bytes to any number of readers. Nobody's request reads the database or signs
//! anything, but for the time anchor (`http/revocations.rs`).

mod answer;
mod chain;
mod hub;
mod known_keys;
mod line;
mod publish;

use std::time::Duration;

pub use answer::{Ask, Reader, Refused, Way, Who, answer};
pub use hub::{Full, Hub, Seat, Seats, Subscription, View};
pub use known_keys::{KEYS_HEADER, Knowing, Said};
pub use line::Line;
pub use publish::{close, publish};

/// The one stream of the log, as it stands in URLs.
pub const STREAM: &str = "0";
/// The longest pause between two lines while the database answers; said in the metadata.
pub const HEARTBEAT: Duration = Duration::from_millis(200);
