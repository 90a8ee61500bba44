//! Challenges: 128 random bits, under our MAC with their time and what they are for. Nothing is kept of one until it is used;
//! then it is, for as long as it could be used again, so that it is good once (MFA-04).

use countersign_jose::b64;

use super::{PATIENCE, Refusal, sha256};
use crate::domain::{refresh_token::MacKeys, time::Timestamp};

const VERSION: u8 = 1;
const RANDOM_BYTES: usize = 16;
const TIME_BYTES: usize = 8;
const BYTES: usize = 2 + TIME_BYTES + RANDOM_BYTES + MacKeys::MAC_BYTES;
/// What the MAC is about: no refresh token begins like this.
const LABEL: &[u8] = b"countersign-passkey-challenge";

/// What an answer to a challenge will be taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new passkey for whoever is signed in.
    Add,
    /// Somebody, of whom nothing is known yet.
    SignIn,
    /// The second factor of somebody who is known.
    Second,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::SignIn => "sign-in",
            Self::Second => "second",
        }
    }
}

/// The purpose of a challenge, and the browser, request or sign-in that it was given to: nobody else can use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding([u8; 32]);

impl Binding {
    pub fn new(purpose: Purpose, to: &[&[u8]]) -> Self {
        let mut bytes = Vec::new();
        for part in [purpose.as_str().as_bytes()].iter().chain(to) {
            // Lengths first, so that no two lists make the same bytes.
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(sha256(&[&bytes]))
    }
}

/// A challenge that came back in time, to where it was given. Only [`open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    id: [u8; 32],
    until: Timestamp,
}

impl Challenge {
    /// What the store notes of it once it is used.
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// From when on it is refused for its age.
    pub fn until(&self) -> Timestamp {
        self.until
    }
}

/// A new challenge, as options for the browser carry it.
pub fn draw(keys: &MacKeys, binding: &Binding, random: [u8; RANDOM_BYTES], now: Timestamp) -> String {
    let time = now.micros().to_be_bytes();
    let (key, mac) = keys.sign(&[LABEL, &binding.0, &time, &random]);
    b64::encode([&[VERSION, key][..], &time, &random, &mac].concat())
}

/// Reads a challenge that came back.
///
/// # Errors
/// [`Refusal::Challenge`], [`Refusal::Expired`]
pub fn open(keys: &MacKeys, binding: &Binding, text: &str, now: Timestamp) -> Result<Challenge, Refusal> {
    let bytes = b64::decode_array::<BYTES>(text).map_err(|_| Refusal::Challenge)?;
    let (issued, key, time, random, mac) = parts(&bytes).ok_or(Refusal::Challenge)?;
    if !keys.verifies(key, &[LABEL, &binding.0, time, random], mac) {
        return Err(Refusal::Challenge);
    }
    let until = issued.plus(PATIENCE);
    if now >= until { Err(Refusal::Expired) } else { Ok(Challenge { id: sha256(&[text.as_bytes()]), until }) }
}

type Parts<'b> = (Timestamp, u8, &'b [u8; TIME_BYTES], &'b [u8; RANDOM_BYTES], &'b [u8; MacKeys::MAC_BYTES]);

fn parts(bytes: &[u8; BYTES]) -> Option<Parts<'_>> {
    let (head, mac) = bytes.split_last_chunk::<{ MacKeys::MAC_BYTES }>()?;
    let (head, random) = head.split_last_chunk::<RANDOM_BYTES>()?;
    let (head, time) = head.split_last_chunk::<TIME_BYTES>()?;
    let &[VERSION, key] = head else { return None };
    Some((Timestamp::from_micros(i64::from_be_bytes(*time)), key, time, random, mac))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    fn keys(byte: u8) -> MacKeys {
        MacKeys::new(1, [(1, &[byte; 32][..])]).unwrap()
    }

    // MFA-04
    #[test]
    fn a_challenge_is_for_one_purpose_one_browser_and_five_minutes() {
        let own = Binding::new(Purpose::SignIn, &[b"browser", b"request"]);
        let text = draw(&keys(1), &own, [7; 16], NOW);
        let opened = open(&keys(1), &own, &text, NOW).unwrap();
        assert_eq!(open(&keys(1), &own, &text, NOW).unwrap(), opened);
        assert_eq!(opened.until(), NOW.plus(PATIENCE));
        assert_eq!(open(&keys(1), &own, &text, opened.until()), Err(Refusal::Expired));
        assert_ne!(open(&keys(1), &own, &draw(&keys(1), &own, [8; 16], NOW), NOW).unwrap(), opened);
        for other in [
            Binding::new(Purpose::Second, &[b"browser", b"request"]),
            Binding::new(Purpose::Add, &[b"browser", b"request"]),
            Binding::new(Purpose::SignIn, &[b"other", b"request"]),
            Binding::new(Purpose::SignIn, &[b"browserr", b"equest"]),
            Binding::new(Purpose::SignIn, &[b"browser"]),
        ] {
            assert_eq!(open(&keys(1), &other, &text, NOW), Err(Refusal::Challenge));
        }
        assert_eq!(open(&keys(2), &own, &text, NOW), Err(Refusal::Challenge));
    }

    // MFA-04: whoever moves its time forward breaks its MAC.
    #[test]
    fn no_bit_of_a_challenge_can_be_changed() {
        let own = Binding::new(Purpose::SignIn, &[b"browser"]);
        let text = draw(&keys(1), &own, [7; 16], NOW);
        let bytes = b64::decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&keys(1), &own, &b64::encode(&changed), NOW), Err(Refusal::Challenge), "bit {bit}");
        }
        for garbage in ["", "A", &text[1..], &format!("{text}A"), &format!("{text}=")] {
            assert_eq!(open(&keys(1), &own, garbage, NOW), Err(Refusal::Challenge), "{garbage}");
        }
    }
}
