//! Names of audiences (resource servers): the values of `aud`.

use std::fmt;

/// The audience that the first start makes for the person's own services.
pub const API: &str = "api";
/// The issuer's own admin API. Its tokens are for users with the role `admin` only.
pub const ADMIN: &str = "admin";

/// An audience's name: 1 to 200 printable ASCII characters without space, `"` and `\`. Often a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudienceId(String);

/// A name that no audience can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an audience is 1 to 200 printable ASCII characters without spaces, quotes and backslashes")]
pub struct BadAudienceId;

impl AudienceId {
    /// # Errors
    /// [`BadAudienceId`].
    pub fn parse(text: &str) -> Result<Self, BadAudienceId> {
        let good =
            (1..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if good { Ok(Self(text.to_owned())) } else { Err(BadAudienceId) }
    }

    /// Reads names separated by spaces, in their order.
    ///
    /// # Errors
    /// [`BadAudienceId`].
    pub fn parse_list(text: &str) -> Result<Vec<Self>, BadAudienceId> {
        text.split_ascii_whitespace().map(Self::parse).collect()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AudienceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_spaces_or_quotes() {
        for good in [API, ADMIN, "https://orders.example/v1?x=1", "urn:a:b", &"x".repeat(200)] {
            assert_eq!(AudienceId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "a\"", "a\\", "ä", "a\n", &"x".repeat(201)] {
            assert_eq!(AudienceId::parse(bad), Err(BadAudienceId), "{bad:?}");
        }
        let list: Vec<_> = AudienceId::parse_list("b a").unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(list, ["b", "a"]);
    }
}
