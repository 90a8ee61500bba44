//! Points in time and spans, as the store keeps them: Unix microseconds.

use std::time::Duration;

/// A point in time: microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, as `iat` and `exp` carry them.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This time and a span later; saturates.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    /// This time and a span earlier; saturates.
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros(span)))
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A span in microseconds; saturates.
pub fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// A span as `Retry-After` carries it (RFC 9110 §10.2.3): whole seconds, rounded up, so that waiting as told is enough.
pub fn retry_after_secs(span: Duration) -> u64 {
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_never_too_early() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            assert_eq!(retry_after_secs(Duration::from_millis(millis)), seconds, "{millis} ms");
        }
    }

    #[test]
    fn times_saturate() {
        let now = Timestamp::from_secs(10);
        assert_eq!(now.minus(Duration::from_secs(4)), Timestamp::from_secs(6));
        assert_eq!(now.minus(Duration::MAX).minus(Duration::MAX), Timestamp::from_micros(i64::MIN));
    }
}
