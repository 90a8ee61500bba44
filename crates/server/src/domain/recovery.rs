//! Recovery codes: what a person keeps on paper for the day when the telephone is gone. Ten of 120 random bits each, shown once;
//! only their hashes are kept, and each opens once (MFA-02).

use std::fmt;

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use super::{otp::base32, user::UserId};

/// How many a person gets at a time.
pub const COUNT: usize = 10;

/// Small letters and digits that nobody confuses; `0`, `1` and `8` are read as what they look like.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const LEN: usize = 24;
const GROUP: usize = 4;

/// One code in clear. Never printed.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// Random bytes of one: 120 bits, so that its hash may be a fast one.
    pub const BYTES: usize = 15;

    pub fn new(random: &[u8; Self::BYTES]) -> Self {
        Self(Zeroizing::new(base32(random, ALPHABET)))
    }

    /// Reads what was typed, in any case and with any spaces and hyphens; `None` if it cannot be a code.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > 128 {
            return None;
        }
        let text: Zeroizing<String> = Zeroizing::new(typed.chars().filter_map(read).collect());
        let good = text.len() == LEN && text.bytes().all(|letter| ALPHABET.contains(&letter));
        good.then_some(Self(text))
    }

    /// As people read it, in groups of four.
    pub fn shown(&self) -> Zeroizing<String> {
        let groups: Vec<&str> = (0..LEN).step_by(GROUP).filter_map(|at| self.0.get(at..at + GROUP)).collect();
        Zeroizing::new(groups.join("-"))
    }

    /// What the store keeps of it; the same code of another person has another.
    pub fn hash(&self, user: &UserId) -> RecoveryHash {
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in ["countersign-recovery", user.as_str(), &self.0] {
            // Lengths first, so that no two make the same bytes.
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.finish().as_ref());
        RecoveryHash(bytes)
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// What the store keeps of a code: of no use to whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryHash([u8; 32]);

impl RecoveryHash {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn read(c: char) -> Option<char> {
    match c {
        c if c.is_whitespace() || matches!(c, '-' | '‐' | '‑' | '–' | '—') => None,
        '0' => Some('o'),
        '1' => Some('l'),
        '8' => Some('b'),
        c => Some(c.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // MFA-02
    #[test]
    fn a_code_is_120_bits_and_only_its_hash_is_kept() {
        let code = RecoveryCode::new(&[7; 15]);
        let shown = code.shown();
        assert_eq!((shown.len(), shown.matches('-').count()), (29, 5));
        let (ada, bob) = (UserId::new([1; 16]), UserId::new([2; 16]));
        assert_eq!(RecoveryCode::parse(&shown).unwrap().hash(&ada), code.hash(&ada));
        assert_ne!(code.hash(&ada), code.hash(&bob));
        assert_ne!(code.hash(&ada), RecoveryCode::new(&[8; 15]).hash(&ada));
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }

    #[test]
    fn what_people_type_is_read() {
        let code = RecoveryCode::new(&[0xa5; 15]);
        let (ada, shown) = (UserId::new([1; 16]), code.shown());
        for typed in [
            shown.to_uppercase(),
            shown.replace('-', ""),
            shown.replace('-', " – "),
            format!("  {}\n", *shown),
            shown.replace('l', "1").replace('o', "0").replace('b', "8"),
        ] {
            assert_eq!(RecoveryCode::parse(&typed).unwrap().hash(&ada), code.hash(&ada), "{typed}");
        }
        for bad in ["", "123456", &shown[1..], &format!("{}a", *shown), &shown.replace('u', "9"), &"a".repeat(129)] {
            assert!(RecoveryCode::parse(bad).is_none(), "{bad}");
        }
    }
}
