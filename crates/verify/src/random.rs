//! Randomness: nonces that nobody may guess, and pauses that should not fall together.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Where it comes from: the machine, or in a test a seed.
#[derive(Debug)]
pub(crate) enum Random {
    System,
    #[cfg_attr(not(test), expect(dead_code, reason = "simulations repeat themselves exactly"))]
    Seeded(AtomicU64),
}

impl Random {
    /// Sixteen bytes; `None` if the machine has none to give.
    #[expect(clippy::disallowed_methods, reason = "the one source of randomness of this crate")]
    pub(crate) fn bytes(&self) -> Option<[u8; 16]> {
        let mut bytes = [0; 16];
        match self {
            Self::System => aws_lc_rs::rand::fill(&mut bytes).ok()?,
            Self::Seeded(state) => {
                let (low, high) = bytes.split_at_mut(8);
                low.copy_from_slice(&next(state).to_le_bytes());
                high.copy_from_slice(&next(state).to_le_bytes());
            }
        }
        Some(bytes)
    }

    /// Between half of `pause` and all of it.
    pub(crate) fn jittered(&self, pause: Duration) -> Duration {
        let byte = self.bytes().map_or(0, |bytes| u32::from(bytes[0]));
        pause / 2 + pause / 2 * byte / 255
    }
}

/// SplitMix64.
fn next(state: &AtomicU64) -> u64 {
    let mut z = state.fetch_add(0x9E37_79B9_7F4A_7C15, Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_jittered_within_bounds() {
        let pause = Duration::from_millis(800);
        let pauses: Vec<_> = (0..200).map(|_| Random::System.jittered(pause)).collect();
        assert!(pauses.iter().all(|it| (pause / 2..=pause).contains(it)));
        assert!(pauses.iter().any(|it| *it != pauses[0]));
    }

    #[test]
    fn nonces_differ_and_seeds_repeat() {
        assert_ne!(Random::System.bytes(), Random::System.bytes());
        let seeded = || Random::Seeded(AtomicU64::new(7));
        assert_eq!(seeded().bytes(), seeded().bytes());
    }
}
