//! Stored password hashes as PHC strings: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
//!
//! A stored hash decides how much memory and time its check costs, so what is read is bounded: one row, however it came
//! into the database, cannot take the machine down.

use std::fmt;

use base64_simd::STANDARD_NO_PAD as BASE64;

/// The most memory a stored hash may ask for, KiB, unless the configuration itself asks for more.
pub const MAX_MEMORY_KIB: u32 = 128 * 1024;
/// The most passes a stored hash may ask for.
pub const MAX_ITERATIONS: u32 = 20;
/// The most lanes a stored hash may ask for.
pub const MAX_PARALLELISM: u32 = 16;
/// Bytes of a salt and of a hash that this server makes.
pub(super) const SALT_BYTES: usize = 16;
pub(super) const HASH_BYTES: usize = 32;

const MAX_TEXT: usize = 256;

/// What a hash costs: argon2id with these parameters (RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordParams {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes; they are computed one after the other, on one thread.
    pub parallelism: u32,
}

impl PasswordParams {
    /// A hash with these parameters is to be replaced by one with `wanted`: it is cheaper to guess in any respect.
    pub fn weaker_than(self, wanted: Self) -> bool {
        self.memory_kib < wanted.memory_kib
            || self.iterations < wanted.iterations
            || self.work() < wanted.work()
            || self.parallelism < wanted.parallelism
    }

    /// What is missing to the cost of `wanted`, as parameters of an extra computation; none if it costs as much already.
    pub(super) fn missing_to(self, wanted: Self) -> Option<Self> {
        let missing = wanted.work().checked_sub(self.work())? / u64::from(wanted.iterations);
        let memory_kib = u32::try_from(missing).ok().filter(|kib| *kib >= 8)?;
        Some(Self { memory_kib, iterations: wanted.iterations, parallelism: 1 })
    }

    /// Blocks of 1 KiB that are filled.
    fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }

    fn within(self, max_memory_kib: u32) -> bool {
        (1..=MAX_PARALLELISM).contains(&self.parallelism)
            && (1..=MAX_ITERATIONS).contains(&self.iterations)
            && (8 * self.parallelism..=max_memory_kib).contains(&self.memory_kib)
    }
}

/// A stored hash, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Phc {
    pub params: PasswordParams,
    pub salt: Vec<u8>,
    pub hash: Vec<u8>,
}

/// Why a stored hash cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHash {
    #[error("it is no hash that is known here")]
    Malformed,
    #[error("its parameters are out of bounds")]
    Parameters,
}

impl Phc {
    /// Reads a stored hash that asks for at most `max_memory_kib`.
    ///
    /// # Errors
    /// It is malformed, of another algorithm, or asks for too much.
    pub(super) fn parse(text: &str, max_memory_kib: u32) -> Result<Self, BadHash> {
        Self::parse_as("argon2id", text, max_memory_kib)
    }

    /// The same of another member of the family.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub(super) fn parse_as(name: &str, text: &str, max_memory_kib: u32) -> Result<Self, BadHash> {
        if text.len() > MAX_TEXT {
            return Err(BadHash::Malformed);
        }
        let mut parts = text.split('$');
        let mut next = || parts.next().ok_or(BadHash::Malformed);
        if (next()?, next()?, next()?) != ("", name, "v=19") {
            return Err(BadHash::Malformed);
        }
        let params = parameters(next()?).ok_or(BadHash::Malformed)?;
        let (salt, hash) = (bytes(next()?, 8..=64)?, bytes(next()?, 16..=64)?);
        if parts.next().is_some() {
            return Err(BadHash::Malformed);
        }
        if !params.within(max_memory_kib) {
            return Err(BadHash::Parameters);
        }
        Ok(Self { params, salt, hash })
    }
}

impl fmt::Display for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PasswordParams { memory_kib, iterations, parallelism } = self.params;
        let (salt, hash) = (BASE64.encode_to_string(&self.salt), BASE64.encode_to_string(&self.hash));
        write!(f, "$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${salt}${hash}")
    }
}

impl fmt::Debug for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phc({:?}, …)", self.params)
    }
}

fn parameters(text: &str) -> Option<PasswordParams> {
    let mut parts = text.split(',');
    let mut next = |name| number(parts.next()?.strip_prefix(name)?);
    let params = PasswordParams { memory_kib: next("m=")?, iterations: next("t=")?, parallelism: next("p=")? };
    parts.next().is_none().then_some(params)
}

/// Decimal digits without a sign or a leading zero: one spelling for each number.
pub(super) fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok())?
}

fn bytes(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Result<Vec<u8>, BadHash> {
    let bytes = BASE64.decode_to_vec(text).map_err(|_| BadHash::Malformed)?;
    if lengths.contains(&bytes.len()) { Ok(bytes) } else { Err(BadHash::Malformed) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2E$RdescudvJCsgt3ub+b4dWRWJTmaaJObG";

    #[test]
    fn a_good_hash_is_read_and_written_alike() {
        let phc = Phc::parse(GOOD, MAX_MEMORY_KIB).unwrap();
        assert_eq!(phc.params, PasswordParams { memory_kib: 65536, iterations: 3, parallelism: 4 });
        assert_eq!(phc.to_string(), GOOD);
        assert!(!format!("{phc:?}").contains("Rdes"));
    }

    // LOG-01: parameters are bounded on read.
    #[test]
    fn hostile_parameters_are_refused() {
        for params in [
            "m=131073,t=3,p=4",
            "m=4294967295,t=1,p=1",
            "m=65536,t=21,p=4",
            "m=65536,t=4294967295,p=4",
            "m=65536,t=3,p=17",
            "m=8,t=3,p=4",
        ] {
            let hostile = GOOD.replace("m=65536,t=3,p=4", params);
            assert_eq!(Phc::parse(&hostile, MAX_MEMORY_KIB).unwrap_err(), BadHash::Parameters, "{params}");
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        for (from, to) in [
            ("argon2id", "argon2i"),
            ("argon2id", "Argon2id"),
            ("v=19", "v=16"),
            ("$v=19", ""),
            ("m=65536", "m=065536"),
            ("m=65536", "m=+65536"),
            ("m=65536", "m="),
            ("m=65536", "m=42949672960"),
            ("t=3,p=4", "p=4,t=3"),
            ("p=4", "p=4,keyid=AA"),
            ("t=3", "t=0"),
            ("c29tZXNhbHRzb21lc2E", "c29tZXNhbHRzb21lc2F"),
            ("c29tZXNhbHRzb21lc2E", "c29t"),
            ("RdescudvJCsgt3ub+b4dWRWJTmaaJObG", ""),
            ("JObG", "JObG$"),
            ("JObG", "JObG="),
            ("$argon2id", "argon2id"),
        ] {
            assert!(Phc::parse(&GOOD.replacen(from, to, 1), MAX_MEMORY_KIB).is_err(), "{from} -> {to}");
        }
    }

    // LOG-01: rehash on login when weaker.
    #[test]
    fn weaker_means_less_of_anything() {
        let wanted = PasswordParams { memory_kib: 19456, iterations: 2, parallelism: 1 };
        assert!(!wanted.weaker_than(wanted));
        assert!(PasswordParams { memory_kib: 19455, ..wanted }.weaker_than(wanted));
        assert!(PasswordParams { iterations: 1, ..wanted }.weaker_than(wanted));
        assert!(PasswordParams { parallelism: 1, ..wanted }.weaker_than(PasswordParams { parallelism: 2, ..wanted }));
        assert!(!PasswordParams { memory_kib: 65536, iterations: 3, parallelism: 4 }.weaker_than(wanted));
    }

    proptest! {
        // LOG-05: an old, cheap hash and its supplement cost what a new one costs, within one row of blocks.
        #[test]
        fn the_supplement_makes_up_the_cost(m in 8_u32..40_000, t in 1_u32..5) {
            let wanted = PasswordParams { memory_kib: 19456, iterations: 2, parallelism: 1 };
            let stored = PasswordParams { memory_kib: m, iterations: t, parallelism: 1 };
            let extra = stored.missing_to(wanted).map_or(0, PasswordParams::work);
            let total = stored.work() + extra;
            prop_assert!(total + 18 >= wanted.work());
            prop_assert!(extra == 0 || total <= wanted.work());
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,120}") {
            let _ = Phc::parse(&text, MAX_MEMORY_KIB);
            let _ = Phc::parse(&format!("$argon2id$v=19${text}"), MAX_MEMORY_KIB);
        }
    }
}
