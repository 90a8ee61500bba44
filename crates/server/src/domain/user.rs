//! Names of users, and what is known about them beyond their sign-in.

use std::{collections::BTreeSet, fmt};

use countersign_jose::b64;
use serde_json::{Map, Value};

/// Only users have ids that begin with this: no client can take a name that a user has (TOK-20).
pub const USER_ID_PREFIX: &str = "usr_";

/// A user's id, the `sub` of tokens: `usr_` and 128 random bits in base64url. Never given to anybody else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(String);

impl UserId {
    /// The id of a new user.
    pub fn new(random: [u8; 16]) -> Self {
        Self(format!("{USER_ID_PREFIX}{}", b64::encode(random)))
    }

    /// Reads an id that came from outside; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let random = b64::decode(text.strip_prefix(USER_ID_PREFIX)?).ok()?;
        let id = Self::new(random.try_into().ok()?);
        (id.0 == text).then_some(id)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What audiences may map into claims: a JSON object of texts, numbers, truth values, and lists of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes(Map<String, Value>);

/// Why attributes are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAttributes {
    #[error("attributes are a JSON object")]
    NotAnObject,
    #[error("the attribute name {0:?} is not 1 to 64 letters, digits, `_`, `-` or `.`")]
    Name(String),
    #[error("the attribute {0:?} is not a text, a number, a truth value, or a list of these")]
    Value(String),
    #[error("the attributes are longer than {max} bytes of JSON", max = Attributes::MAX_BYTES)]
    TooLong,
}

impl Attributes {
    /// The most bytes of all attributes together, as JSON: they may end up in every token.
    pub const MAX_BYTES: usize = 4096;

    /// # Errors
    /// [`BadAttributes`] tells which one and why.
    pub fn new(map: Map<String, Value>) -> Result<Self, BadAttributes> {
        for (name, value) in &map {
            let word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            if name.is_empty() || name.len() > 64 || !name.chars().all(word) {
                return Err(BadAttributes::Name(name.chars().take(64).collect()));
            }
            if !is_plain(value) && !value.as_array().is_some_and(|list| list.iter().all(is_plain)) {
                return Err(BadAttributes::Value(name.clone()));
            }
        }
        let attributes = Self(map);
        if attributes.to_json().len() > Self::MAX_BYTES { Err(BadAttributes::TooLong) } else { Ok(attributes) }
    }

    /// Reads what the store keeps.
    ///
    /// # Errors
    /// [`BadAttributes`].
    pub fn parse(json: &str) -> Result<Self, BadAttributes> {
        Self::new(serde_json::from_str(json).map_err(|_| BadAttributes::NotAnObject)?)
    }

    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// The names of what differs between these attributes and others.
    pub fn changed<'a>(&'a self, other: &'a Self) -> BTreeSet<&'a str> {
        let names = self.0.keys().chain(other.0.keys()).map(String::as_str);
        names.filter(|name| self.0.get(*name) != other.0.get(*name)).collect()
    }

    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

// NUL is what PostgreSQL cannot keep in text.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains('\0'),
        Value::Number(_) | Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    // TOK-23: ids are 128 random bits.
    #[test]
    fn ids_are_read_in_one_spelling_only() {
        let id = UserId::new([0xFF; 16]);
        assert_eq!(id.as_str(), "usr______________________w");
        assert_eq!(UserId::parse(id.as_str()), Some(id));
        for bad in [
            "",
            "usr_",
            "usr______________________x",
            "usr______________________w=",
            "usr_____________________w",
            "USR______________________w",
            "______________________w",
            "usr_ _____________________w",
        ] {
            assert_eq!(UserId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn attributes_are_plain_and_bounded() {
        let good = Attributes::parse(r#"{"plan":"gold","seats":3,"beta":true,"teams":["a","b"]}"#).unwrap();
        assert_eq!(Attributes::parse(&good.to_json()), Ok(good));
        assert_eq!(Attributes::parse("[]"), Err(BadAttributes::NotAnObject));
        assert_eq!(Attributes::parse("{"), Err(BadAttributes::NotAnObject));
        for (bad, error) in [
            (json!({"": 1}), BadAttributes::Name(String::new())),
            (json!({"a b": 1}), BadAttributes::Name("a b".into())),
            (json!({"a": null}), BadAttributes::Value("a".into())),
            (json!({"a": {"b": 1}}), BadAttributes::Value("a".into())),
            (json!({"a": [[1]]}), BadAttributes::Value("a".into())),
            (json!({"a": "x\0"}), BadAttributes::Value("a".into())),
            (json!({"a": "x".repeat(5000)}), BadAttributes::TooLong),
        ] {
            assert_eq!(Attributes::new(bad.as_object().unwrap().clone()), Err(error), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_id_is_read_back(random: [u8; 16]) {
            let id = UserId::new(random);
            prop_assert_eq!(id.as_str().len(), 26);
            prop_assert_eq!(UserId::parse(id.as_str()), Some(id));
        }
    }
}
