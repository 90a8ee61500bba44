//! The high-water mark: how far the database had come, kept outside of it. A database that is behind its mark was restored
//! from a backup, or has lost what it had committed: revocations may be missing (I-5).

use std::{fmt, time::Duration};

use super::{rsn::Rsn, time::Timestamp};

/// How far the log may have been ahead of the mark that was written last.
const LAG: Duration = Duration::from_secs(10);

/// Where the revocation log stood, as it was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    pub rsn: Rsn,
    /// The log's time.
    pub t: Timestamp,
}

impl Mark {
    /// Whether a log that stands here has lost what this mark has seen.
    pub fn is_above(self, head: Self) -> bool {
        self.rsn > head.rsn || self.t > head.t
    }

    /// The mark of both.
    #[must_use]
    pub fn raised(self, to: Self) -> Self {
        Self { rsn: self.rsn.max(to.rsn), t: self.t.max(to.t) }
    }

    /// Above everything that the lost part can have held.
    pub fn above_all(self) -> Rsn {
        Rsn::new(Timestamp::from_micros(self.rsn.get()).plus(LAG).micros())
    }

    /// As it is sealed: two big-endian numbers.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.rsn.get().to_be_bytes());
        bytes[8..].copy_from_slice(&self.t.micros().to_be_bytes());
        bytes
    }

    /// What [`Mark::to_bytes`] made; `None` if it cannot have been.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (rsn, t) = bytes.split_first_chunk::<8>()?;
        let t: [u8; 8] = t.try_into().ok()?;
        Some(Self { rsn: Rsn::new(i64::from_be_bytes(*rsn)), t: Timestamp::from_micros(i64::from_be_bytes(t)) })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position {}", self.rsn)?;
        match jiff::Timestamp::from_microsecond(self.t.micros()) {
            Ok(t) if self.t > Timestamp::default() => write!(f, " at {t:.0}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(rsn: i64, t: i64) -> Mark {
        Mark { rsn: Rsn::new(rsn), t: Timestamp::from_micros(t) }
    }

    // I-5
    #[test]
    fn a_log_that_is_behind_in_either_has_lost_something() {
        let seen = mark(10, 20);
        assert!(!seen.is_above(seen) && !seen.is_above(mark(11, 21)));
        assert!(seen.is_above(mark(9, 30)) && seen.is_above(mark(30, 19)));
        assert_eq!(seen.raised(mark(9, 30)), mark(10, 30));
        assert!(seen.above_all() > seen.rsn);
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let seen = mark(1_790_000_000_000_001, 1_790_000_000_500_000);
        assert_eq!(Mark::from_bytes(&seen.to_bytes()), Some(seen));
        assert_eq!(Mark::from_bytes(&seen.to_bytes()[1..]), None);
        assert_eq!(Mark::from_bytes(&[0; 17]), None);
        assert_eq!(seen.to_string(), "position 1790000000000001 at 2026-09-21T14:13:20Z");
        assert_eq!(mark(3, 0).to_string(), "position 3");
    }
}
