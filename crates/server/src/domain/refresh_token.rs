//! The refresh token as the client holds it:
//! `rt1.` + base64url(version | key id | sid | generation | nonce | MAC).
//!
//! The MAC (HMAC-SHA-256 under K, cut to 16 bytes) is checked before the database is asked: garbage costs nothing, and
//! nobody can end a session by guessing. A stolen database forges no token, since it has no K; K alone forges none
//! either, since it has no nonce (REF-01).

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use countersign_jose::b64;
use zeroize::Zeroizing;

use super::session::{Nonce, Sid};
use crate::secret::PlainSecret;

const PREFIX: &str = "rt1.";
const VERSION: u8 = 1;
const MAC_BYTES: usize = 16;
/// Version, key id and sid.
const HEAD_BYTES: usize = 2 + Sid::BYTES;
/// Seven bits a byte; a generation has at most 63.
const MAX_GENERATION_BYTES: usize = 9;
const MIN_BYTES: usize = HEAD_BYTES + 1 + Nonce::BYTES + MAC_BYTES;
const MAX_BYTES: usize = MIN_BYTES - 1 + MAX_GENERATION_BYTES;
/// Characters of the longest possible token; whatever is longer is refused unread.
const MAX_CHARS: usize = PREFIX.len() + MAX_BYTES.div_ceil(3) * 4;

/// An authentic refresh token: made by this issuer for this session and generation. Says nothing about whether it is
/// still good; that is for `refresh::decide`. Only [`MacKeys::open`] makes one.
#[derive(Debug, Clone)]
pub struct Presented {
    sid: Sid,
    generation: i64,
    nonce: Nonce,
}

impl Presented {
    pub fn sid(&self) -> &Sid {
        &self.sid
    }

    /// How often the session's token had been rotated when this one was issued.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    pub fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}

/// Why a text is not a refresh token of this issuer. For the log only: the client always hears `invalid_grant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Garbage {
    #[error("not the text of a refresh token")]
    Text,
    #[error("a refresh token of an unknown version")]
    Version,
    #[error("made with a key that is not in the key ring")]
    UnknownKey,
    #[error("the MAC does not match")]
    Mac,
    #[error("the MAC matches, but the layout is not ours")]
    Layout,
}

/// Why a set of keys cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MacKeysError {
    #[error("two refresh keys have the id {0}")]
    Duplicate(u8),
    #[error("the current refresh key {0} is not among the keys")]
    NoCurrent(u8),
    #[error("refresh key {0} is shorter than 32 bytes")]
    Short(u8),
}

/// K: the keys of the MAC by key id. One is current and signs; all of them verify, so K rotates without an interruption.
#[derive(Clone)]
pub struct MacKeys {
    current: (u8, hmac::Key),
    others: Vec<(u8, hmac::Key)>,
}

impl MacKeys {
    /// Length of a MAC.
    pub(super) const MAC_BYTES: usize = MAC_BYTES;

    /// The keys (id and at least 32 bytes each) and the id of the current one.
    ///
    /// # Errors
    /// [`MacKeysError`]: an id twice, no current key, or a key that is too short.
    pub fn new<'k>(current: u8, keys: impl IntoIterator<Item = (u8, &'k [u8])>) -> Result<Self, MacKeysError> {
        let mut all: Vec<(u8, hmac::Key)> = Vec::new();
        for (id, key) in keys {
            if key.len() < 32 {
                return Err(MacKeysError::Short(id));
            }
            if all.iter().any(|(known, _)| *known == id) {
                return Err(MacKeysError::Duplicate(id));
            }
            all.push((id, hmac::Key::new(hmac::HMAC_SHA256, key)));
        }
        let at = all.iter().position(|(id, _)| *id == current).ok_or(MacKeysError::NoCurrent(current))?;
        Ok(Self { current: all.swap_remove(at), others: all })
    }

    /// Writes the token of this session, generation and nonce, under the current key.
    pub fn seal(&self, sid: &Sid, generation: i64, nonce: &Nonce) -> PlainSecret {
        let (id, key) = &self.current;
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
        bytes.extend_from_slice(&[VERSION, *id]);
        bytes.extend_from_slice(&sid.to_bytes());
        push_varint(&mut bytes, generation.unsigned_abs());
        bytes.extend_from_slice(nonce.expose());
        let mac = hmac::sign(key, &bytes);
        bytes.extend_from_slice(&mac.as_ref()[..MAC_BYTES]);
        let encoded = Zeroizing::new(b64::encode(&bytes));
        PlainSecret::new(format!("{PREFIX}{}", *encoded))
    }

    /// Reads a token that somebody presents.
    ///
    /// # Errors
    /// [`Garbage`]: it was not made by this issuer. Nothing is looked up, nothing is changed.
    pub fn open(&self, text: &str) -> Result<Presented, Garbage> {
        if text.len() > MAX_CHARS {
            return Err(Garbage::Text);
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(Garbage::Text)?;
        let bytes = Zeroizing::new(b64::decode(encoded).map_err(|_| Garbage::Text)?);
        if !(MIN_BYTES..=MAX_BYTES).contains(&bytes.len()) {
            return Err(Garbage::Text);
        }
        if bytes[0] != VERSION {
            return Err(Garbage::Version);
        }
        let key = self.key(bytes[1]).ok_or(Garbage::UnknownKey)?;
        let (body, mac) = bytes.split_at(bytes.len() - MAC_BYTES);
        verify_slices_are_equal(&hmac::sign(key, body).as_ref()[..MAC_BYTES], mac).map_err(|_| Garbage::Mac)?;
        parse(body).ok_or(Garbage::Layout)
    }

    /// The MAC of something else than a refresh token, and the id of its key. The first part is a label that no token begins
    /// with.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> (u8, [u8; MAC_BYTES]) {
        let (id, key) = &self.current;
        (*id, mac(key, parts))
    }

    /// Whether [`MacKeys::sign`] made this MAC.
    pub(super) fn verifies(&self, id: u8, parts: &[&[u8]], shown: &[u8; MAC_BYTES]) -> bool {
        self.key(id).is_some_and(|key| verify_slices_are_equal(&mac(key, parts), shown).is_ok())
    }

    /// Of each key, by its id, one for another purpose, the current one's first (KEY-09). What is written here begins with a version, and
    /// this with a word, so that no text stands for both.
    pub fn derived(&self, purpose: &str) -> impl Iterator<Item = (u8, Zeroizing<[u8; 32]>)> {
        let derive = move |key: &hmac::Key| {
            let mut derived = Zeroizing::new([0; 32]);
            derived.copy_from_slice(hmac::sign(key, &[b"countersign-derived|", purpose.as_bytes()].concat()).as_ref());
            derived
        };
        std::iter::once(&self.current).chain(&self.others).map(move |(id, key)| (*id, derive(key)))
    }

    fn key(&self, id: u8) -> Option<&hmac::Key> {
        std::iter::once(&self.current).chain(&self.others).find(|(known, _)| *known == id).map(|(_, key)| key)
    }
}

fn mac(key: &hmac::Key, parts: &[&[u8]]) -> [u8; MAC_BYTES] {
    let mut context = hmac::Context::with_key(key);
    parts.iter().for_each(|part| context.update(part));
    let mut mac = [0; MAC_BYTES];
    mac.copy_from_slice(&context.sign().as_ref()[..MAC_BYTES]);
    mac
}

impl fmt::Debug for MacKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<u8> = self.others.iter().map(|(id, _)| *id).collect();
        f.debug_struct("MacKeys").field("current", &self.current.0).field("others", &others).finish()
    }
}

/// The parts of an authentic body; its length was checked.
fn parse(body: &[u8]) -> Option<Presented> {
    let (head, rest) = body.split_at_checked(HEAD_BYTES)?;
    let (generation, nonce) = rest.split_at_checked(rest.len().checked_sub(Nonce::BYTES)?)?;
    Some(Presented {
        sid: Sid::from_bytes(head[2..].try_into().ok()?),
        generation: i64::try_from(read_varint(generation)?).ok()?,
        nonce: Nonce::new(nonce.try_into().ok()?),
    })
}

/// Little-endian groups of seven bits, the high bit set on all but the last.
fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 && low < 0x80 {
            return out.push(low);
        }
        out.push(0x80 | low);
    }
}

/// The value of exactly these bytes, in the shortest form only: one text per token.
fn read_varint(bytes: &[u8]) -> Option<u64> {
    let (last, before) = bytes.split_last()?;
    let shortest = *last != 0 || before.is_empty();
    if bytes.len() > MAX_GENERATION_BYTES || *last >= 0x80 || before.iter().any(|byte| *byte < 0x80) || !shortest {
        return None;
    }
    Some(bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> MacKeys {
        MacKeys::new(7, [(7, &[1; 32][..]), (3, &[2; 32][..])]).unwrap()
    }

    fn token(generation: i64) -> String {
        keys().seal(&Sid::new("u-1", &[9; 16]), generation, &Nonce::new([4; 16])).expose().to_owned()
    }

    /// A token with any bytes as its body, under the right key: what only a bug of ours could make.
    fn authentic(body: &[u8]) -> String {
        let mac = hmac::sign(&keys().current.1, body);
        format!("{PREFIX}{}", b64::encode([body, &mac.as_ref()[..MAC_BYTES]].concat()))
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(user in ".{0,40}", random: [u8; 16], generation in 0..=i64::MAX, nonce: [u8; 16]) {
            let sid = Sid::new(&user, &random);
            let opened = keys().open(keys().seal(&sid, generation, &Nonce::new(nonce)).expose()).unwrap();
            prop_assert_eq!(opened.sid(), &sid);
            prop_assert_eq!(opened.generation(), generation);
            prop_assert!(opened.nonce() == &Nonce::new(nonce));
        }

        // REF-01: no bit of a token can be changed.
        #[test]
        fn a_changed_character_is_garbage(generation in 0..=i64::MAX, at: prop::sample::Index, with in "[ -~]") {
            let good = token(generation);
            let at = at.index(good.len());
            let changed = format!("{}{with}{}", &good[..at], &good[at + 1..]);
            prop_assert_eq!(keys().open(&changed).is_ok(), changed == good);
        }

        #[test]
        fn a_cut_or_grown_token_is_garbage(generation in 0..=i64::MAX, at: prop::sample::Index, more in "[A-Za-z0-9_-]{1,9}") {
            let good = token(generation);
            prop_assert!(keys().open(&good[..at.index(good.len())]).is_err());
            // Too long, or with a MAC of something else: a small generation leaves room for a character.
            let refused = keys().open(&format!("{good}{more}")).unwrap_err();
            prop_assert!(matches!(refused, Garbage::Text | Garbage::Mac), "{refused:?}");
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,200}") {
            prop_assert!(keys().open(&text).is_err());
            let prefixed = format!("rt1.{text}");
            prop_assert!(keys().open(&prefixed).is_err());
        }

        #[test]
        fn varints_have_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..10)) {
            if let Some(value) = read_varint(&bytes) {
                let mut again = Vec::new();
                push_varint(&mut again, value);
                prop_assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn each_kind_of_garbage_has_its_word() {
        let good = token(0);
        let body: Vec<u8> = b64::decode(&good[PREFIX.len()..]).unwrap()[..MIN_BYTES - MAC_BYTES].to_vec();
        let with = |at: usize, byte: u8| {
            let mut body = body.clone();
            body[at] = byte;
            authentic(&body)
        };
        assert_eq!(keys().open("rt2.AAAA").unwrap_err(), Garbage::Text);
        assert_eq!(keys().open(&with(0, 2)).unwrap_err(), Garbage::Version);
        assert_eq!(keys().open(&with(1, 9)).unwrap_err(), Garbage::UnknownKey);
        assert_eq!(keys().open(&with(1, 3)).unwrap_err(), Garbage::Mac);
        assert_eq!(keys().open(&with(HEAD_BYTES, 0x80)).unwrap_err(), Garbage::Layout);
        assert!(keys().open(&with(HEAD_BYTES, 5)).is_ok());
    }

    #[test]
    fn the_last_character_has_one_spelling() {
        // TOK-08 for our own token: the longest body leaves bits over in its last character.
        let good = token(i64::MAX);
        let spellings =
            (b'!'..=b'~').filter(|last| keys().open(&format!("{}{}", &good[..good.len() - 1], *last as char)).is_ok());
        assert_eq!(spellings.count(), 1);
    }

    #[test]
    fn an_older_key_still_opens_and_a_removed_one_does_not() {
        let old = token(5);
        let rotated = MacKeys::new(8, [(8, &[8; 32][..]), (7, &[1; 32][..])]).unwrap();
        assert!(rotated.open(&old).is_ok());
        assert_ne!(rotated.seal(&Sid::new("u-1", &[9; 16]), 5, &Nonce::new([4; 16])).expose(), old);
        let removed = MacKeys::new(8, [(8, &[8; 32][..])]).unwrap();
        assert_eq!(removed.open(&old).unwrap_err(), Garbage::UnknownKey);
    }

    #[test]
    fn each_key_has_another_one_for_each_purpose() {
        // KEY-09
        let all: Vec<_> = ["a", "b"].iter().flat_map(|purpose| keys().derived(purpose).collect::<Vec<_>>()).collect();
        assert_eq!(all.len(), 4);
        assert!(
            all.iter()
                .enumerate()
                .all(|(at, key)| all[at + 1..].iter().all(|(_, other)| *other != key.1) && *key.1 != [1; 32])
        );
        let rotated = MacKeys::new(3, [(7, &[1; 32][..]), (3, &[2; 32][..])]).unwrap();
        assert_eq!(rotated.derived("a").last(), keys().derived("a").next());
    }

    #[test]
    fn bad_key_sets_are_refused() {
        assert_eq!(MacKeys::new(1, [(1, &[0; 31][..])]).unwrap_err(), MacKeysError::Short(1));
        assert_eq!(MacKeys::new(1, [(2, &[0; 32][..])]).unwrap_err(), MacKeysError::NoCurrent(1));
        assert_eq!(MacKeys::new(1, [(1, &[0; 32][..]), (1, &[1; 32][..])]).unwrap_err(), MacKeysError::Duplicate(1));
    }

    #[test]
    fn nothing_prints_a_secret() {
        let presented = keys().open(&token(1)).unwrap();
        let printed = format!("{presented:?} {:?}", keys());
        assert!(!printed.contains("4, 4") && !printed.contains("1, 1"), "{printed}");
    }
}
