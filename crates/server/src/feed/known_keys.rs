//! Which keys the readers of the feed say that they have: a new one signs when those who check tokens can know it
//! (KEY-02).

use std::{collections::VecDeque, fmt, net::IpAddr, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName};

use crate::clock::Stopwatch;

/// The header in which a verifier names the keys of tokens that it has, with spaces between.
pub const KEYS_HEADER: HeaderName = HeaderName::from_static("countersign-keys");
/// More than a key set of many algorithms in the middle of a rotation.
const LONGEST: usize = 4096;
/// Who asks and waits is away between two questions: what it said is good for a few of them.
const REMEMBERED: Duration = Duration::from_secs(5);
const MOST_REMEMBERED: usize = 8192;
/// So many laggards are told by name.
const NAMED: usize = 16;

/// What a reader says of itself.
#[derive(Debug, Clone)]
pub struct Said {
    keys: Arc<str>,
    /// Its address and its client, as far as they are known.
    who: Arc<str>,
}

impl Said {
    /// What the header says; none for a reader that checks no tokens with keys of this issuer, or does not say. A header that
    /// makes no sense is no reason to keep a reader from its revocations.
    pub fn read(headers: &HeaderMap, address: Option<IpAddr>, client: Option<&str>) -> Option<Self> {
        let text = headers.get(&KEYS_HEADER)?.to_str().ok().filter(|text| text.len() <= LONGEST)?;
        Some(Self { keys: text.into(), who: Name(address, client).to_string().into() })
    }

    fn has(&self, kid: &str) -> bool {
        self.keys.split(' ').any(|key| key == kid)
    }
}

/// Whom an operator has to look for.
struct Name<'a>(Option<IpAddr>, Option<&'a str>);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(address), Some(client)) => write!(f, "{client} ({address})"),
            (Some(address), None) => address.fmt(f),
            (None, client) => f.write_str(client.unwrap_or("the local socket")),
        }
    }
}

/// How far a key has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Knowing {
    pub knowing: usize,
    pub lagging: usize,
    /// The first of those who lag, each once.
    pub who: Vec<String>,
}

impl Knowing {
    /// Of `said`, who has `kid`.
    pub(super) fn of<'a>(kid: &str, said: impl Iterator<Item = &'a Said>) -> Self {
        let mut seen = Self::default();
        for said in said {
            if said.has(kid) {
                seen.knowing += 1;
                continue;
            }
            seen.lagging += 1;
            if seen.who.len() < NAMED && !seen.who.iter().any(|who| **who == *said.who) {
                seen.who.push(said.who.to_string());
            }
        }
        seen
    }
}

/// The keys that all of them have, as a header says it; none if nobody said anything.
pub(super) fn common<'a>(mut said: impl Iterator<Item = &'a Said>) -> Option<String> {
    let first = said.next()?;
    let mut keys: Vec<&str> = first.keys.split(' ').filter(|key| !key.is_empty()).collect();
    for said in said {
        keys.retain(|key| said.has(key));
    }
    keys.sort_unstable();
    Some(keys.join(" "))
}

/// What was said by those who ask and wait, until they ask again.
#[derive(Debug, Default)]
pub(super) struct Remembered(VecDeque<(Stopwatch, Said)>);

impl Remembered {
    pub(super) fn add(&mut self, said: Said) {
        self.forget();
        if self.0.len() == MOST_REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((Stopwatch::start(), said));
    }

    pub(super) fn forget(&mut self) {
        while self.0.front().is_some_and(|(watch, _)| watch.elapsed() > REMEMBERED) {
            self.0.pop_front();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Said> {
        self.0.iter().map(|(_, said)| said)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn said(keys: &str, client: &str) -> Said {
        let headers = HeaderMap::from_iter([(KEYS_HEADER, HeaderValue::from_str(keys).unwrap())]);
        Said::read(&headers, None, Some(client)).unwrap()
    }

    #[test]
    fn a_key_is_known_by_its_whole_name() {
        let all = [said("k1 k22", "orders"), said("k1", "stock"), said("", "mail"), said("k1", "stock")];
        let knowing = Knowing::of("k1", all.iter());
        assert_eq!((knowing.knowing, knowing.lagging, knowing.who), (3, 1, vec!["mail".to_owned()]));
        let knowing = Knowing::of("k2", all.iter());
        assert_eq!((knowing.knowing, knowing.lagging), (0, 4));
        assert_eq!(knowing.who, ["orders", "stock", "mail"]);
    }

    #[test]
    fn a_relay_says_what_all_behind_it_have() {
        assert_eq!(common([].into_iter()), None);
        assert_eq!(common([said("b a", "x"), said("a c b", "y")].iter()).as_deref(), Some("a b"));
        assert_eq!(common([said("a", "x"), said("b", "y")].iter()).as_deref(), Some(""));
    }

    #[test]
    fn what_makes_no_sense_counts_for_nothing() {
        let read = |value| Said::read(&HeaderMap::from_iter([(KEYS_HEADER, value)]), None, None);
        assert!(read(HeaderValue::from_bytes(b"\xff").unwrap()).is_none());
        assert!(read(HeaderValue::from_str(&"k".repeat(LONGEST + 1)).unwrap()).is_none());
        assert!(Said::read(&HeaderMap::new(), None, None).is_none());
    }
}
