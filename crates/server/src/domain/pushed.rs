//! Authorization requests that a client pushed before it sends its person (RFC 9126): their names, and for how long each is good.

use std::time::Duration;

use aws_lc_rs::digest;
use countersign_jose::b64;

/// How long after the push a person must arrive (OAU-09).
pub const PUSHED_TTL: Duration = Duration::from_secs(60);
/// How long a request is remembered, so that it is granted once: longer than a person may take on the pages.
pub const PUSHED_MEMORY: Duration = Duration::from_hours(1);

const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// The `request_uri` of a pushed request: 256 random bits that nobody guesses, of use to its client alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestUri(String);

/// What the database knows a request by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushedId([u8; 32]);

/// What a `request_uri` parameter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Of the form that is given out here.
    Pushed(PushedId),
    /// Of that form but for its random part.
    Garbage,
    /// Another address: nothing is ever fetched from it (OAU-10, OAU-14).
    Foreign,
}

impl RequestUri {
    pub fn new(random: &[u8; 32]) -> Self {
        Self(format!("{URN}{}", b64::encode(random)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn id(&self) -> PushedId {
        PushedId::of(&self.0)
    }
}

impl PushedId {
    fn of(uri: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, uri.as_bytes()).as_ref());
        Self(hash)
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Reads a `request_uri` parameter.
pub fn named(request_uri: &str) -> Named {
    match request_uri.strip_prefix(URN) {
        None => Named::Foreign,
        Some(random) if b64::decode_array::<32>(random).is_ok() => Named::Pushed(PushedId::of(request_uri)),
        Some(_) => Named::Garbage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // OAU-09, OAU-10
    #[test]
    fn only_what_was_given_out_here_is_looked_up() {
        let uri = RequestUri::new(&[7; 32]);
        assert_eq!(named(uri.as_str()), Named::Pushed(uri.id()));
        assert_ne!(uri.id(), RequestUri::new(&[8; 32]).id());
        assert_ne!(uri.id().as_bytes(), &[7; 32]);
        for garbage in [URN.to_owned(), format!("{URN}x"), format!("{}A", uri.as_str()), format!("{}=", uri.as_str())] {
            assert_eq!(named(&garbage), Named::Garbage, "{garbage}");
        }
        for foreign in
            ["", "https://app.example/r.jwt", "urn:ietf:params:oauth:request_ur", "URN:IETF:params:oauth:request_uri:x"]
        {
            assert_eq!(named(foreign), Named::Foreign, "{foreign}");
        }
    }
}
