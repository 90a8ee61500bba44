//! Scopes (RFC 6749 §3.3): sets of words. What is granted is never more than what was allowed (TOK-21).

use std::{collections::BTreeSet, fmt, str::FromStr};

/// A set of scope words, written with spaces between them in a fixed order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scope(BTreeSet<String>);

/// Why a text is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadScope {
    #[error("a scope is words of printable ASCII without quotes and backslashes, with single spaces between them")]
    Malformed,
    #[error("a scope has at most {max} words of together at most {bytes} bytes", max = Scope::MAX_WORDS, bytes = Scope::MAX_BYTES)]
    TooLong,
}

impl Scope {
    pub const MAX_WORDS: usize = 64;
    pub const MAX_BYTES: usize = 2048;

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The words that both have.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The words that either has.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// The words of this that the other does not have.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// What somebody gets who is allowed `self` and asks for `requested`: all of it if nothing was asked for, else exactly
    /// what was asked for; `None` if that is more (`invalid_scope`).
    pub fn grant(&self, requested: Option<&Self>) -> Option<Self> {
        match requested {
            None => Some(self.clone()),
            Some(requested) => requested.is_subset(self).then(|| requested.clone()),
        }
    }
}

impl FromStr for Scope {
    type Err = BadScope;

    /// The empty text is the empty scope; a repeated word counts once.
    fn from_str(text: &str) -> Result<Self, BadScope> {
        if text.len() > Self::MAX_BYTES {
            return Err(BadScope::TooLong);
        }
        if text.is_empty() {
            return Ok(Self::default());
        }
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        let good = |word: &str| !word.is_empty() && word.bytes().all(allowed);
        let words: BTreeSet<String> = text.split(' ').map(str::to_owned).collect();
        if !words.iter().all(|word| good(word)) {
            return Err(BadScope::Malformed);
        }
        if words.len() > Self::MAX_WORDS { Err(BadScope::TooLong) } else { Ok(Self(words)) }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.words().enumerate() {
            write!(f, "{}{word}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn the_syntax_is_rfc_6749() {
        assert_eq!(scope("write read write").to_string(), "read write");
        assert_eq!(scope("").to_string(), "");
        assert!(scope("orders:read https://example.com/x!").contains("orders:read"));
        for bad in [" ", "a ", " a", "a  b", "a\tb", "a\nb", "a\"b", "a\\b", "ä", "a\u{7f}"] {
            assert_eq!(bad.parse::<Scope>(), Err(BadScope::Malformed), "{bad:?}");
        }
        assert_eq!("a".repeat(2049).parse::<Scope>(), Err(BadScope::TooLong));
        let many: Vec<_> = (0..65).map(|n| n.to_string()).collect();
        assert_eq!(many.join(" ").parse::<Scope>(), Err(BadScope::TooLong));
    }

    // TOK-21
    #[test]
    fn narrowing_works_and_widening_is_refused() {
        let allowed = scope("read write");
        assert_eq!(allowed.grant(None), Some(allowed.clone()));
        assert_eq!(allowed.grant(Some(&scope("read"))), Some(scope("read")));
        assert_eq!(allowed.grant(Some(&scope("read admin"))), None);
        assert_eq!(Scope::default().grant(Some(&scope("read"))), None);
    }

    proptest! {
        // TOK-21: whatever is asked for, no more than allowed comes out.
        #[test]
        fn nothing_granted_exceeds_what_was_allowed(a in "([a-e]( [a-e]){0,4})?", b in "([a-e]( [a-e]){0,4})?") {
            let (allowed, requested) = (scope(&a), scope(&b));
            if let Some(granted) = allowed.grant(Some(&requested)) {
                prop_assert!(granted.is_subset(&allowed) && granted == requested);
            }
            let both = allowed.intersect(&requested);
            prop_assert!(both.is_subset(&allowed) && both.is_subset(&requested));
            prop_assert!(allowed.is_subset(&allowed.union(&requested)));
            prop_assert_eq!(scope(&allowed.to_string()), allowed);
        }
    }
}
