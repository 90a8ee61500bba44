//! Nonces that a server hands out and recognises without remembering them (RFC 9449 §8, §9).

use std::{fmt, time::Duration};

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};

use crate::{b64, limits::DEFAULT_LEEWAY, policy::seconds};

const LABEL: &[u8] = b"countersign-dpop-nonce";
const MAC_BYTES: usize = 16;
/// Base64url of the time, 8 bytes, and the MAC.
const CHARS: usize = 32;

/// Makes and recognises nonces: the time they were made at, with a MAC. Servers that share the key recognise each other's; who
/// does not have the key cannot know the nonce of a later second, so no proof can be made long before it is used.
#[derive(Clone)]
pub struct Nonces {
    current: hmac::Key,
    others: Vec<hmac::Key>,
    lifetime: i64,
}

impl Nonces {
    /// Nonces under this key, good for `lifetime`.
    pub fn new(key: &[u8; 32], lifetime: Duration) -> Self {
        Self { current: mac_key(key), others: Vec::new(), lifetime: seconds(lifetime) }
    }

    /// Recognises nonces under this key as well: one that was replaced, or that follows.
    #[must_use]
    pub fn or(mut self, key: &[u8; 32]) -> Self {
        self.others.push(mac_key(key));
        self
    }

    /// The nonce of this second. `now` is in seconds since 1970.
    pub fn issue(&self, now: i64) -> String {
        b64::encode([&now.to_be_bytes(), &mac(&self.current, now)[..]].concat())
    }

    /// Until when a nonce is good, in seconds since 1970; `None` if it is not, or nobody with one of the keys made it. A
    /// server whose clock is ahead by no more than the default leeway may have made it.
    pub fn recognise(&self, nonce: &str, now: i64) -> Option<i64> {
        let bytes = b64::decode(nonce).ok().filter(|_| nonce.len() == CHARS)?;
        let (time, presented) = bytes.split_first_chunk::<8>()?;
        let made = i64::from_be_bytes(*time);
        let mut keys = std::iter::once(&self.current).chain(&self.others);
        if !keys.any(|key| verify_slices_are_equal(&mac(key, made), presented).is_ok()) {
            return None;
        }
        let until = made.saturating_add(self.lifetime);
        let ahead = made.saturating_sub(now) > seconds(DEFAULT_LEEWAY);
        (now < until && !ahead).then_some(until)
    }
}

fn mac_key(key: &[u8; 32]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key)
}

fn mac(key: &hmac::Key, time: i64) -> [u8; MAC_BYTES] {
    let whole = hmac::sign(key, &[LABEL, &time.to_be_bytes()].concat());
    let mut cut = [0; MAC_BYTES];
    cut.copy_from_slice(&whole.as_ref()[..MAC_BYTES]);
    cut
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn nonces(key: u8) -> Nonces {
        Nonces::new(&[key; 32], Duration::from_secs(300))
    }

    // RFC 9449 §8, §11.3
    #[test]
    fn a_nonce_is_good_for_its_lifetime() {
        let nonce = nonces(1).issue(NOW);
        for (at, good) in [(-11, false), (-10, true), (0, true), (299, true), (300, false), (10_000, false)] {
            assert_eq!(nonces(1).recognise(&nonce, NOW + at), good.then_some(NOW + 300), "{at}");
        }
        assert!(nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{nonce}");
    }

    #[test]
    fn replicas_and_keys_that_follow_each_other_agree() {
        let nonce = nonces(1).issue(NOW);
        assert_eq!(nonces(1).recognise(&nonce, NOW), Some(NOW + 300));
        assert_eq!(nonces(2).recognise(&nonce, NOW), None);
        assert_eq!(nonces(2).or(&[1; 32]).recognise(&nonce, NOW), Some(NOW + 300));
        assert_eq!(format!("{:?}", nonces(1)), "Nonces { lifetime: 300, .. }");
    }

    proptest! {
        #[test]
        fn nobody_else_makes_a_nonce(text in "[A-Za-z0-9_-]{0,40}", at in 0..32_usize, with in "[A-Za-z0-9_-]") {
            prop_assert_eq!(nonces(1).recognise(&text, NOW), None);
            let good = nonces(1).issue(NOW);
            let changed = format!("{}{with}{}", &good[..at], &good[at + 1..]);
            prop_assert_eq!(nonces(1).recognise(&changed, NOW).is_some(), changed == good);
        }
    }
}
