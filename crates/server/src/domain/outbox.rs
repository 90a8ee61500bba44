//! How long something is tried that somebody else has to take.

use std::time::Duration;

/// The wait after the n-th attempt is n² steps: soon at first, then ever longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    pub step: Duration,
    /// After this many nobody tries any more.
    pub attempts: i64,
}

impl Retries {
    /// How long to wait after this many attempts.
    pub fn wait(self, attempts: i64) -> Duration {
        self.step.saturating_mul(u32::try_from(attempts.saturating_pow(2)).unwrap_or(u32::MAX))
    }

    pub const fn is_last(self, attempts: i64) -> bool {
        attempts >= self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_the_square() {
        let retries = Retries { step: Duration::from_secs(5), attempts: 3 };
        assert_eq!([1, 2, 3].map(|attempt| retries.wait(attempt).as_secs()), [5, 20, 45]);
        assert_eq!(retries.wait(i64::MAX), retries.wait(i64::MAX - 1));
        assert!(!retries.is_last(2) && retries.is_last(3));
    }
}
