//! Names in the revocation log: what an entry of the feed ends, and how it is named there. Issuer and verifiers must agree
//! to the bit, so this is the one place that knows.

use aws_lc_rs::digest;

use crate::{Error, FeedEntry, b64};

/// The tenant of a token without `tid`, and of what belongs to the issuer as a whole: its signing keys.
pub const DEFAULT_TENANT: &str = "default";

/// What an entry ends. The numbers are those of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One access token, by its `jti`.
    Token = 1,
    /// One session, by its `sid`.
    Session = 2,
    /// A user's tokens and sessions older than the entry.
    User = 3,
    /// A client's tokens and sessions older than the entry.
    Client = 4,
    /// A tenant's tokens and sessions older than the entry.
    Tenant = 5,
    /// Everything signed by one key, by its `kid`.
    Key = 6,
}

impl Kind {
    /// The number of the feed and of the database.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a number; `None` if there is none.
    pub const fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Token,
            2 => Self::Session,
            3 => Self::User,
            4 => Self::Client,
            5 => Self::Tenant,
            6 => Self::Key,
            _ => return None,
        })
    }

    /// Whether only what is older than the entry is dead, since the id lives on.
    pub const fn is_conditional(self) -> bool {
        matches!(self, Self::User | Self::Client | Self::Tenant)
    }
}

/// Where ids are unique: the issuer (`iss`) and the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The issuer's URL, as tokens name it in `iss`.
    pub issuer: &'a str,
    /// The tenant's name; [`DEFAULT_TENANT`] where a token has no `tid`.
    pub tenant: &'a str,
}

/// The name of what an entry ends: a hash, so that the log itself names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId([u8; 16]);

impl EntryId {
    /// The first 16 bytes of SHA-256 over a label, the kind, and issuer, tenant and value with their lengths.
    ///
    /// ```
    /// use countersign_jose::revocation::{DEFAULT_TENANT, EntryId, Kind, Scope};
    ///
    /// let scope = Scope { issuer: "https://id.example", tenant: DEFAULT_TENANT };
    /// assert_eq!(EntryId::of(Kind::Session, scope, "abc").to_string(), "5sqXz7iQL9v7SrUAHM1z_g");
    /// ```
    pub fn of(kind: Kind, scope: Scope<'_>, value: &str) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"countersign-revocation");
        hash.update(&[kind.number()]);
        for part in [scope.issuer, scope.tenant, value] {
            // Lengths beyond four bytes cannot reach here: every part is a bounded claim.
            hash.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finish().as_ref()[..16]);
        Self(id)
    }

    /// The id of a batch's entry.
    ///
    /// # Errors
    /// [`Error::Base64`]: not 16 bytes in canonical base64url.
    pub fn of_entry(entry: &FeedEntry) -> Result<Self, Error> {
        b64::decode_array(&entry.id).map(Self)
    }

    /// As a column holds it.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// 22 characters of base64url, as the feed writes it.
impl std::fmt::Display for EntryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&b64::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> = Scope { issuer: "https://id.example", tenant: DEFAULT_TENANT };

    /// Computed apart from this code:
    /// `printf 'countersign-revocation\2\0\0\0\22https://id.example\0\0\0\7default\0\0\0\3abc' | sha256sum`
    #[test]
    fn the_id_of_an_entry_is_the_published_hash() {
        let id = EntryId::of(Kind::Session, SCOPE, "abc");
        let hex: String = id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "e6ca97cfb8902fdbfb4ab5001ccd73fe");
        let entry = FeedEntry { kind: 2, id: id.to_string(), rsn: 1, exp: 1 };
        assert_eq!(EntryId::of_entry(&entry), Ok(id));
    }

    #[test]
    fn no_two_things_share_an_id() {
        let a = EntryId::of(Kind::Token, SCOPE, "x");
        assert_ne!(a, EntryId::of(Kind::Session, SCOPE, "x"));
        assert_ne!(a, EntryId::of(Kind::Token, Scope { tenant: "other", ..SCOPE }, "x"));
        // The lengths keep the parts apart.
        assert_ne!(
            EntryId::of(Kind::Token, Scope { issuer: "i", tenant: "ab" }, "c"),
            EntryId::of(Kind::Token, Scope { issuer: "i", tenant: "a" }, "bc"),
        );
    }

    #[test]
    fn an_id_of_another_length_is_refused() {
        for id in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB"] {
            assert_eq!(EntryId::of_entry(&FeedEntry { kind: 2, id: id.into(), rsn: 1, exp: 1 }), Err(Error::Base64));
        }
    }

    #[test]
    fn kinds_have_their_numbers() {
        for number in 1..=6 {
            assert_eq!(Kind::from_number(number).map(|kind| i64::from(kind.number())), Some(number));
        }
        assert_eq!(Kind::from_number(0).or(Kind::from_number(7)), None);
    }
}
