//! Secrets have types of their own: none prints itself, and what is shown once differs from what is stored.

use std::fmt;

use zeroize::Zeroizing;

/// A secret in clear: a password on its way to the hash, a new client secret on its way to its owner.
/// Wiped when dropped; `Debug` shows nothing; there is no `Display` and no `Serialize`.
#[derive(Clone)]
pub struct PlainSecret(Zeroizing<String>);

impl PlainSecret {
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Adds a character. Growing past the capacity would leave a copy of the secret behind.
    pub(crate) fn push(&mut self, c: char) {
        self.0.push(c);
    }

    /// The secret itself. Every call is a place to review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainSecret(…)")
    }
}

impl<'de> serde::Deserialize<'de> for PlainSecret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
