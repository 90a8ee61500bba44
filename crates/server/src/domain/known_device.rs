//! What a browser holds that has signed in to an account before: attempts with it are counted apart, so that an attacker who
//! keeps failing at the account cannot keep its owner out (LOG-06). It says how strong that sign-in was, and proves nothing else:
//! whoever knew the password alone gets no count of their own for the second factor (MFA-01).

use aws_lc_rs::digest;
use countersign_jose::b64;

use super::{assurance::Level, refresh_token::MacKeys};

const VERSION: u8 = 1;
/// A random name of the device at this account.
pub const ID_BYTES: usize = 16;
/// What the MAC is about: no refresh token begins like this.
const fn label(level: Level) -> &'static [u8] {
    match level {
        Level::One => b"countersign-known-device",
        Level::Two => b"countersign-known-device-2",
    }
}

/// The cookie's value: `version | key id | name | MAC`, bound to one account and to the strength of the sign-in.
pub fn seal(keys: &MacKeys, account: &str, level: Level, id: [u8; ID_BYTES]) -> String {
    let (key, mac) = keys.sign(&[label(level), account.as_bytes(), &id]);
    b64::encode([&[VERSION, key][..], &id, &mac].concat())
}

/// Under which name attempts are counted: the device's own at this account if the cookie is one of ours for it, of a sign-in of
/// this level at least; else the account's.
pub fn counted_as(keys: &MacKeys, account: &str, cookie: Option<&str>, least: Level) -> String {
    let Some(id) = cookie.and_then(|cookie| open(keys, account, cookie, least)) else { return account.to_owned() };
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(label(Level::One));
    hash.update(account.as_bytes());
    hash.update(&id);
    b64::encode(hash.finish().as_ref())
}

fn open(keys: &MacKeys, account: &str, cookie: &str, least: Level) -> Option<[u8; ID_BYTES]> {
    let bytes = b64::decode_array::<{ 2 + ID_BYTES + MacKeys::MAC_BYTES }>(cookie).ok()?;
    let (head, mac) = bytes.split_last_chunk::<{ MacKeys::MAC_BYTES }>()?;
    let (head, id) = head.split_last_chunk::<ID_BYTES>()?;
    let &[VERSION, key] = head else { return None };
    let is = |level: &Level| keys.verifies(key, &[label(*level), account.as_bytes(), id], mac);
    Level::ALL.iter().filter(|level| **level >= least).any(is).then_some(*id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> MacKeys {
        MacKeys::new(1, [(1, &[byte; 32][..])]).unwrap()
    }

    // LOG-06
    #[test]
    fn a_cookie_counts_for_its_account_and_issuer_alone() {
        let cookie = seal(&keys(1), "ada", Level::One, [7; 16]);
        let own = counted_as(&keys(1), "ada", Some(&cookie), Level::One);
        assert_ne!(own, "ada");
        assert_eq!(own, counted_as(&keys(1), "ada", Some(&cookie), Level::One));
        assert_ne!(own, counted_as(&keys(1), "ada", Some(&seal(&keys(1), "ada", Level::One, [8; 16])), Level::One));
        assert_eq!(counted_as(&keys(1), "bob", Some(&cookie), Level::One), "bob");
        assert_eq!(counted_as(&keys(2), "ada", Some(&cookie), Level::One), "ada");
        assert_eq!(counted_as(&keys(1), "ada", None, Level::One), "ada");
        for wrong in ["", "AAAA", &cookie[1..], &format!("{cookie}A"), &cookie.replace(&cookie[3..5], "__")] {
            assert_eq!(counted_as(&keys(1), "ada", Some(wrong), Level::One), "ada", "{wrong}");
        }
    }

    // MFA-01: many cookies of sign-ins with the password alone are no more guesses at the second factor.
    #[test]
    fn a_cookie_says_how_strong_its_sign_in_was() {
        let weak = seal(&keys(1), "ada", Level::One, [7; 16]);
        let strong = seal(&keys(1), "ada", Level::Two, [7; 16]);
        assert_eq!(counted_as(&keys(1), "ada", Some(&weak), Level::Two), "ada");
        assert_ne!(counted_as(&keys(1), "ada", Some(&strong), Level::Two), "ada");
        assert_ne!(counted_as(&keys(1), "ada", Some(&strong), Level::One), "ada");
    }
}
