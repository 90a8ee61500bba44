//! `aud`: one name or several (RFC 7519 §4.1.3).

use serde::Serialize;

use crate::{
    Error,
    json::{Member, Reader, Writer, read_list},
};

/// Whom a token is meant for. The form, one text or a list, is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Audience {
    /// One name, written as a text.
    One(String),
    /// Names, written as a list. An empty list is refused.
    Many(Vec<String>),
}

impl Audience {
    /// Whether exactly this name is among them; no prefix, no case folding.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|each| each == name)
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(name) => std::slice::from_ref(name).iter(),
            Self::Many(names) => names.iter(),
        }
        .map(String::as_str)
    }
}

impl Default for Audience {
    /// No name at all, which neither signs nor verifies.
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<&str> for Audience {
    fn from(name: &str) -> Self {
        Self::One(name.into())
    }
}

impl From<String> for Audience {
    fn from(name: String) -> Self {
        Self::One(name)
    }
}

impl From<Vec<String>> for Audience {
    fn from(names: Vec<String>) -> Self {
        Self::Many(names)
    }
}

impl Member for Audience {
    const EXPECTED: &'static str = "a text or a list of texts, none empty";

    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        let audience = if reader.peek() == Some(b'[') {
            read_list(reader)?.map(Self::Many)
        } else {
            String::read(reader)?.map(Self::One)
        };
        Ok(audience.filter(Self::is_valid))
    }

    fn write(&self, out: &mut Writer) {
        match self {
            Self::One(name) => out.text(name),
            Self::Many(names) => out.array(names, |out, name| out.text(name)),
        }
    }

    fn is_valid(&self) -> bool {
        self.iter().next().is_some() && self.iter().all(|name| !name.is_empty())
    }
}
