//! A browser before anybody has signed in: its pre-session, the tokens of its forms, and the requests that it carries through
//! the pages (CSR-05, CSR-06).

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hmac};
use countersign_jose::b64;
use zeroize::Zeroizing;

/// The value of the cookie that a browser gets with its first form: 256 random bits. It signs nobody in and is never the
/// value of a sign-in (CSR-03).
#[derive(Clone)]
pub struct BrowserSecret(Zeroizing<String>);

impl BrowserSecret {
    pub fn new(random: &[u8; 32]) -> Self {
        Self(Zeroizing::new(b64::encode(random)))
    }

    /// Reads a cookie's value; `None` if it cannot be one of ours.
    pub fn parse(cookie: &str) -> Option<Self> {
        let bytes = Zeroizing::new(b64::decode_array::<32>(cookie).ok()?);
        Some(Self::new(&bytes))
    }

    /// The value for `Set-Cookie`.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }

    /// The token that a form of this browser carries. It is for one form and what that is about: nobody who cannot read the
    /// cookie can make it, and it is of no use in another form.
    pub fn form_token(&self, form: &str, about: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let mut context = hmac::Context::with_key(&key);
        for part in ["countersign-form", form, about] {
            // Lengths first, so that no two pairs make the same bytes.
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        b64::encode(context.sign())
    }

    /// Whether a form came from a page that this browser got, compared in constant time.
    pub fn owns_form(&self, form: &str, about: &str, token: &str) -> bool {
        verify_slices_are_equal(self.form_token(form, about).as_bytes(), token.as_bytes()).is_ok()
    }
}

impl fmt::Debug for BrowserSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserSecret(…)")
    }
}

/// The name of an authorization request that waits for its person, as the page's address carries it: 128 random bits. It is
/// worth nothing in another browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestName(String);

impl RequestName {
    pub fn new(random: &[u8; 16]) -> Self {
        Self(b64::encode(random))
    }

    /// Reads a name that came from outside; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = b64::decode_array(text).ok()?;
        Some(Self::new(&bytes))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    // CSR-05, CSR-06
    #[test]
    fn a_form_belongs_to_one_browser_one_form_and_one_subject() {
        let (browser, other) = (BrowserSecret::new(&[1; 32]), BrowserSecret::new(&[2; 32]));
        let token = browser.form_token("signin", "r1");
        assert!(browser.owns_form("signin", "r1", &token));
        assert!(!other.owns_form("signin", "r1", &token));
        assert!(!browser.owns_form("consent", "r1", &token));
        assert!(!browser.owns_form("signin", "r2", &token));
        assert!(!browser.owns_form("signinr", "1", &token));
        for forged in ["", "A", &token[1..], &format!("{token}A")] {
            assert!(!browser.owns_form("signin", "r1", forged));
        }
    }

    #[test]
    fn secrets_do_not_print_and_garbage_is_none() {
        let browser = BrowserSecret::new(&[1; 32]);
        assert_eq!(format!("{browser:?}"), "BrowserSecret(…)");
        assert_eq!(BrowserSecret::parse(browser.expose()).unwrap().hash(), browser.hash());
        assert!(BrowserSecret::parse("x").is_none());
        let name = RequestName::new(&[9; 16]);
        assert_eq!(RequestName::parse(name.as_str()), Some(name));
        assert_eq!(RequestName::parse("x"), None);
    }
}
