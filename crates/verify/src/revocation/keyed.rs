//! A fast hash with a secret key, for tables whose keys are random already.
//!
//! Ids of the log are cut from SHA-256 and signatures are random, so their bits need no stirring. Who may choose *which* of
//! many they bring in (sessions that are ended on purpose, say) could still crowd one place of a table; the key, drawn once
//! per table, hides where the places are.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Two secret words.
#[derive(Clone, Copy)]
pub(crate) struct Keyed {
    low: u64,
    high: u64,
}

impl Keyed {
    /// A key of the operating system's randomness, by way of the standard library's.
    pub(crate) fn random() -> Self {
        let source = RandomState::new();
        Self { low: source.hash_one(0_u8), high: source.hash_one(1_u8) }
    }

    /// The hash of two words: the 128-bit product of both, folded twice, because an even factor leaves its low bits empty.
    #[inline]
    pub(crate) fn fold(self, low: u64, high: u64) -> u64 {
        let product = u128::from(low ^ self.low) * u128::from(high ^ self.high);
        let folded = low_half(product) ^ low_half(product >> 64);
        folded ^ (folded >> 32)
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyed(…)")
    }
}

impl BuildHasher for Keyed {
    type Hasher = Folding;

    #[inline]
    fn build_hasher(&self) -> Folding {
        Folding { key: *self, hash: 0 }
    }
}

/// Hashes one `u128`.
#[derive(Debug)]
pub(crate) struct Folding {
    key: Keyed,
    hash: u64,
}

impl Hasher for Folding {
    #[inline]
    fn write_u128(&mut self, id: u128) {
        self.hash = self.key.fold(low_half(id) ^ self.hash, low_half(id >> 64));
    }

    /// Not used by the tables here; correct all the same.
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(16) {
            let mut padded = [0; 16];
            padded[..part.len()].copy_from_slice(part);
            self.write_u128(u128::from_le_bytes(padded));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.hash
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the caller takes both halves")]
const fn low_half(wide: u128) -> u64 {
    wide as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_places_spread() {
        let (one, other) = (Keyed::random(), Keyed::random());
        assert_ne!(one.hash_one(7_u128), other.hash_one(7_u128));
        assert_eq!(one.hash_one(7_u128), one.hash_one(7_u128));
        // Ids chosen to agree in 64 of their bits still spread over the low bits of the hash.
        let mut buckets = [0_u32; 256];
        for n in 0..65_536_u128 {
            buckets[usize::try_from(one.hash_one(n << 64) & 255).unwrap()] += 1;
        }
        assert!(buckets.iter().all(|count| (128..=512).contains(count)), "{buckets:?}");
    }
}
