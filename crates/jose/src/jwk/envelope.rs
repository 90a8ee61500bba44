//! The members of a JWK that do not depend on its key type (RFC 7517 §4).

use serde_json::{Map, Value};

use super::text_member;
use crate::{Error, KeyError};

/// Most operations that `key_ops` may name: RFC 7517 §4.3 knows eight.
const MAX_KEY_OPS: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Envelope {
    pub(crate) kid: Option<String>,
    pub(crate) alg: Option<String>,
    pub(crate) usage: Option<String>,
    pub(crate) key_ops: Option<Vec<String>>,
}

impl Envelope {
    pub(crate) fn from_members(members: &Map<String, Value>) -> Result<Self, Error> {
        let text = |name| Ok::<_, Error>(text_member(members, name)?.map(Into::into));
        Ok(Self { kid: text("kid")?, alg: text("alg")?, usage: text("use")?, key_ops: key_ops(members)? })
    }

    /// Whether `use` and `key_ops` allow an operation (`sign`, `verify`, `decrypt`, …) that belongs to this use (`sig` or `enc`).
    /// Each of the two restricts; neither widens the other (RFC 7517 §4.2, §4.3).
    pub(crate) fn allows(&self, usage: &str, operation: &str) -> bool {
        let by_use = self.usage.as_deref().is_none_or(|own| own == usage);
        let by_ops = self.key_ops.as_deref().is_none_or(|ops| ops.iter().any(|op| op == operation));
        by_use && by_ops
    }

    /// The members that are texts and present, `kid` first.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("kid", &self.kid), ("alg", &self.alg), ("use", &self.usage)]
            .into_iter()
            .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
    }
}

fn key_ops(members: &Map<String, Value>) -> Result<Option<Vec<String>>, Error> {
    let Some(value) = members.get("key_ops") else { return Ok(None) };
    let malformed = || Error::from(KeyError::Member("key_ops"));
    let items = value.as_array().ok_or_else(malformed)?;
    let mut ops: Vec<String> = Vec::with_capacity(items.len().min(MAX_KEY_OPS));
    for item in items {
        let op = item.as_str().ok_or_else(malformed)?;
        if ops.len() == MAX_KEY_OPS || ops.iter().any(|other| other == op) {
            return Err(malformed());
        }
        ops.push(op.into());
    }
    Ok(Some(ops))
}
