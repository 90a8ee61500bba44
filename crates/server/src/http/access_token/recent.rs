//! Signed access tokens that were verified a moment ago. Services ask about a token at each request that brings it, and a signature
//! takes longer to verify than all the rest of an introspection. Whether a token has expired, was ended, or came from a key that is
//! not used any more is asked every time: what stands here says that a text is authentic, and nothing else. So another spelling of
//! the same token is only verified once more (TOK-22).

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::digest;
use countersign_jose::{AccessClaims, Verified, VerifyingKey};

/// Tokens of one generation. There are two; a token takes a kilobyte or so.
const GENERATION: usize = 1_024;

/// A bounded set of them: of the two generations the older one is forgotten when the younger one is full, but for what was asked
/// about meanwhile.
#[derive(Debug, Default)]
pub struct Recent(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<TextHash, Known>,
    old: HashMap<TextHash, Known>,
}

/// SHA-256 of the whole token: what differs in one bit, in the signature too, is another one.
type TextHash = [u8; 32];

/// A token whose signature held.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub claims: Arc<Verified<AccessClaims>>,
    pub kid: Box<str>,
    pub key: Arc<VerifyingKey>,
}

impl Known {
    /// It was verified with this very key, not with another one of that name.
    pub fn was_under(&self, key: &Arc<VerifyingKey>) -> bool {
        Arc::ptr_eq(&self.key, key)
    }
}

impl Recent {
    pub(super) fn find(&self, token: &str) -> Option<Known> {
        let hash = hash(token);
        let mut all = self.lock();
        if let Some(known) = all.young.get(&hash) {
            return Some(known.clone());
        }
        let known = all.old.remove(&hash)?;
        all.keep(hash, known.clone());
        Some(known)
    }

    pub(super) fn keep(&self, token: &str, known: Known) {
        self.lock().keep(hash(token), known);
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn keep(&mut self, hash: TextHash, known: Known) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(hash, known);
    }
}

fn hash(token: &str) -> TextHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use countersign_jose::{Algorithm, Audience, SigningKey, Verifier, profile::AccessToken, sign};

    use super::*;

    fn known() -> Known {
        let key = SigningKey::generate(Algorithm::ES256, "k").unwrap();
        let claims = AccessClaims {
            iss: "https://id.example".to_owned(),
            sub: "usr_a".to_owned(),
            aud: Audience::One("api".to_owned()),
            client_id: "app".to_owned(),
            jti: "j".to_owned(),
            exp: 100,
            ..AccessClaims::default()
        };
        let token = sign::<AccessToken>(&key, &claims).unwrap();
        let policy = Verifier::<AccessToken>::builder().issuer("https://id.example").any_audience().policy();
        let key = Arc::new(key.verifying_key().unwrap());
        let claims = policy.verify_with(&key, policy.parse(&token).unwrap(), 0).unwrap();
        Known { claims: Arc::new(claims), kid: "k".into(), key }
    }

    #[test]
    fn the_whole_text_decides_and_only_the_key_that_it_was_verified_with() {
        let (recent, known) = (Recent::default(), known());
        recent.keep("a.b.c", known.clone());
        assert!(recent.find("a.b.c").is_some_and(|found| found.was_under(&known.key)));
        assert!(!known.was_under(&Arc::new((*known.key).clone())));
        for other in ["a.b.d", "a.b.c ", "", "a.b"] {
            assert!(recent.find(other).is_none(), "{other}");
        }
    }

    #[test]
    fn it_is_bounded_and_what_is_asked_about_stays() {
        let (recent, known) = (Recent::default(), known());
        recent.keep("asked", known.clone());
        for n in 0..10 * GENERATION {
            recent.keep(&format!("token {n}"), known.clone());
            assert!(n % GENERATION != 0 || recent.find("asked").is_some(), "{n}");
        }
        let all = recent.lock();
        assert!(all.young.len() <= GENERATION && all.old.len() <= GENERATION);
        drop(all);
        assert!(recent.find("token 0").is_none());
    }
}
