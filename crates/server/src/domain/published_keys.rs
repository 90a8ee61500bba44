//! When a client's published keys are asked for (`jwks_uri`), and how long what came is good. Anybody can make the issuer ask, by a
//! token that names the client: so it asks seldom, and a stranger's tokens never push out keys that are good (KEY-07).

use std::{sync::Arc, time::Duration};

use countersign_jose::{KeySet, b64};
use serde_json::Value;

use super::{credential::KeysUri, time::Timestamp};

/// How long keys are used without asking again: a key that its client withdrew is good for no longer.
const FRESH: Duration = Duration::from_mins(10);
/// How long they are used while the client does not answer.
const STALE: Duration = Duration::from_hours(1);
/// Between two questions that were in vain: no answer, or no key of the name that a token had.
const COOL_DOWN: Duration = Duration::from_secs(30);

/// What is remembered of the keys at one client's address.
#[derive(Debug, Clone)]
pub struct Remembered {
    uri: KeysUri,
    read: Option<(Arc<KeySet>, Timestamp)>,
    /// Nothing is asked before.
    not_before: Timestamp,
}

impl Remembered {
    pub fn new(uri: &KeysUri) -> Self {
        Self { uri: uri.clone(), read: None, not_before: Timestamp::from_secs(0) }
    }

    /// Whether it is about this address; what came from another one counts for nothing.
    pub fn is_of(&self, uri: &KeysUri) -> bool {
        self.uri == *uri
    }

    /// Whether to ask at `now`, for a token whose header names this key.
    pub fn ask(&self, kid: Option<&str>, now: Timestamp) -> bool {
        let wanted = match &self.read {
            Some((keys, at)) => !is_fresh(*at, now) || !knows(keys, kid),
            None => true,
        };
        wanted && self.not_before <= now
    }

    /// Keeps what came at `now` for a token that names this key.
    pub fn answered(&mut self, keys: KeySet, kid: Option<&str>, now: Timestamp) {
        let missed = self.read.as_ref().is_some_and(|(_, at)| is_fresh(*at, now)) || !knows(&keys, kid);
        if missed {
            self.not_before = now.plus(COOL_DOWN);
        }
        self.read = Some((Arc::new(keys), now));
    }

    /// Notes that nothing came at `now`.
    pub fn silent(&mut self, now: Timestamp) {
        self.not_before = now.plus(COOL_DOWN);
    }

    /// The keys that count at `now`.
    pub fn keys(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        self.read.as_ref().filter(|(_, at)| now < at.plus(STALE)).map(|(keys, _)| Arc::clone(keys))
    }
}

/// The name of the key that a token's header has, before anything is proved.
pub fn claimed_kid(token: &str) -> Option<String> {
    let header = b64::decode(token.split('.').next()?).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    header.get("kid")?.as_str().map(str::to_owned)
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now < at.plus(FRESH)
}

/// A token that names no key is for whichever fits.
fn knows(keys: &KeySet, kid: Option<&str>) -> bool {
    kid.is_none() || keys.iter().any(|key| key.kid() == kid)
}

#[cfg(test)]
mod tests {
    use countersign_jose::{Algorithm, JwkSet, SigningKey};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    fn keys(kid: &str) -> KeySet {
        let key = SigningKey::generate(Algorithm::ES256, kid).unwrap();
        JwkSet::from(vec![key.public_jwk().unwrap()]).verifying_keys().collect()
    }

    fn uri(text: &str) -> KeysUri {
        KeysUri::parse(text).unwrap()
    }

    fn after(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn knowing(kid: &str) -> Remembered {
        let mut known = Remembered::new(&uri("https://app.example/keys"));
        assert!(known.ask(Some(kid), NOW));
        known.answered(keys(kid), Some(kid), NOW);
        known
    }

    // KEY-07: a rotation is seen at once, and the next one after a while; a stranger's names change nothing else.
    #[test]
    fn a_new_name_is_asked_for_once_in_a_while() {
        let mut known = knowing("a");
        assert!(!known.ask(Some("a"), NOW) && !known.ask(None, NOW));
        assert!(known.ask(Some("b"), NOW));
        known.answered(keys("b"), Some("b"), NOW);
        assert!(!known.ask(Some("c"), after(29)) && known.ask(Some("c"), after(30)));
        assert!(known.keys(after(29)).unwrap().pick(Some("b"), Algorithm::ES256).is_ok());
        known.answered(keys("b"), Some("c"), after(30));
        assert!(!known.ask(Some("d"), after(59)) && known.keys(after(59)).is_some());
        // One that was in vain from the start is one, too.
        let mut known = Remembered::new(&uri("https://app.example/keys"));
        known.answered(keys("a"), Some("x"), NOW);
        assert!(!known.ask(Some("x"), after(29)) && known.ask(Some("x"), after(30)));
    }

    #[test]
    fn keys_are_good_for_a_while_and_a_little_longer_in_silence() {
        let mut known = knowing("a");
        assert!(!known.ask(Some("a"), after(599)) && known.ask(Some("a"), after(600)));
        known.silent(after(600));
        assert!(!known.ask(Some("a"), after(629)) && known.ask(Some("a"), after(630)));
        assert!(known.keys(after(3599)).is_some() && known.keys(after(3600)).is_none());
        // What came after a silence sets no pause.
        known.answered(keys("a"), Some("a"), after(3600));
        assert!(known.ask(Some("b"), after(3600)) && known.keys(after(3600)).is_some());
    }

    #[test]
    fn another_address_is_another_matter() {
        let known = knowing("a");
        assert!(known.is_of(&uri("https://app.example/keys")) && !known.is_of(&uri("https://app.example/others")));
    }

    #[test]
    fn a_name_is_read_from_the_header() {
        let token = |header: &str| format!("{}.e30.x", b64::encode(header));
        assert_eq!(claimed_kid(&token(r#"{"alg":"ES256","kid":"k"}"#)).as_deref(), Some("k"));
        for bad in ["", ".", "x.y.z", &token("{}"), &token(r#"{"kid":7}"#), &token("[]")] {
            assert_eq!(claimed_kid(bad), None, "{bad}");
        }
    }
}
