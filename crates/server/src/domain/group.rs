//! Groups: people who get roles together.

use std::fmt;

/// The most members of one group: what the group loses, each of them loses in one transaction.
pub const MAX_MEMBERS: i64 = 10_000;
/// The most groups of one person.
pub const MAX_OF_USER: i64 = 64;

/// What people are told of a name that does not fit.
pub const NAME_RULE: &str = "is 1 to 64 of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or digit";

/// A group's id: 1 to 64 of lower-case letters, digits, `.`, `_` and `-`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(String);

impl GroupId {
    /// `None`: it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is a name as [`NAME_RULE`] says. There is one way to write each, so that no two look alike.
pub fn is_name(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| letter(b) || b"._-".contains(&b))
        && text.bytes().next().is_some_and(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_one_way() {
        for good in ["staff", "4711", "eu.west-1_b", &"x".repeat(64)] {
            assert_eq!(GroupId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Staff", "-a", ".a", "a b", "a@b", "a/b", "ä", "a\n", &"x".repeat(65)] {
            assert!(GroupId::parse(bad).is_none(), "{bad:?}");
        }
    }
}
