//! What a browser holds that has signed in to an account before: attempts with it are counted apart, so that an attacker who
//! keeps failing at the account cannot keep its owner out (LOG-06). It proves nothing else.

use aws_lc_rs::digest;
use countersign_jose::b64;

use super::refresh_token::MacKeys;

const VERSION: u8 = 1;
/// A random name of the device at this account.
pub const ID_BYTES: usize = 16;
/// What the MAC is about: no refresh token begins like this.
const LABEL: &[u8] = b"countersign-known-device";

/// The cookie's value: `version | key id | name | MAC`, bound to one account.
pub fn seal(keys: &MacKeys, account: &str, id: [u8; ID_BYTES]) -> String {
    let (key, mac) = keys.sign(&[LABEL, account.as_bytes(), &id]);
    b64::encode([&[VERSION, key][..], &id, &mac].concat())
}

/// Under which name attempts are counted: the device's own at this account if the cookie is one of ours for it, else the
/// account's.
pub fn counted_as(keys: &MacKeys, account: &str, cookie: Option<&str>) -> String {
    let Some(id) = cookie.and_then(|cookie| open(keys, account, cookie)) else { return account.to_owned() };
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(LABEL);
    hash.update(account.as_bytes());
    hash.update(&id);
    b64::encode(hash.finish().as_ref())
}

fn open(keys: &MacKeys, account: &str, cookie: &str) -> Option<[u8; ID_BYTES]> {
    let bytes = b64::decode_array::<{ 2 + ID_BYTES + MacKeys::MAC_BYTES }>(cookie).ok()?;
    let (head, mac) = bytes.split_last_chunk::<{ MacKeys::MAC_BYTES }>()?;
    let (head, id) = head.split_last_chunk::<ID_BYTES>()?;
    let &[VERSION, key] = head else { return None };
    keys.verifies(key, &[LABEL, account.as_bytes(), id], mac).then_some(*id)
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
        let cookie = seal(&keys(1), "ada", [7; 16]);
        let own = counted_as(&keys(1), "ada", Some(&cookie));
        assert_ne!(own, "ada");
        assert_eq!(own, counted_as(&keys(1), "ada", Some(&cookie)));
        assert_ne!(own, counted_as(&keys(1), "ada", Some(&seal(&keys(1), "ada", [8; 16]))));
        assert_eq!(counted_as(&keys(1), "bob", Some(&cookie)), "bob");
        assert_eq!(counted_as(&keys(2), "ada", Some(&cookie)), "ada");
        assert_eq!(counted_as(&keys(1), "ada", None), "ada");
        for wrong in ["", "AAAA", &cookie[1..], &format!("{cookie}A"), &cookie.replace(&cookie[3..5], "__")] {
            assert_eq!(counted_as(&keys(1), "ada", Some(wrong)), "ada", "{wrong}");
        }
    }
}
