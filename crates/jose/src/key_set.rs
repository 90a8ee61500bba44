//! Keys of one issuer, and the headers that are known to belong to them.

use std::{fmt, sync::OnceLock};

use crate::{Algorithm, Error, VerifyingKey, header::Header};

/// The longest header, in bytes of its text in a token with the dot after it, that is remembered.
const MAX_KNOWN: usize = 512;

/// Keys of one issuer. `kid` is a name to look up and nothing else.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    entries: Vec<Entry>,
}

/// A key, and the header of the first token whose signature it proved. An issuer writes the same header on every token that it
/// signs with a key, so that the others are recognised by comparing bytes. What a header says depends on nothing but its text,
/// and which key it means on nothing but the set, which never changes: what was checked once holds again. A header is
/// remembered only with a signature that held; a stranger cannot fill the place.
#[derive(Clone)]
struct Entry {
    key: VerifyingKey,
    known: OnceLock<Known>,
}

#[derive(Clone)]
struct Known {
    /// In base64url, with the dot after it.
    text: Box<str>,
    header: Header,
}

/// A token that begins with a header which the set has seen before, under a signature that held. Of this token itself nothing was
/// checked: [`Policy::verify_recognised`](crate::Policy::verify_recognised) does it all.
///
/// ```compile_fail,E0451
/// // Only `KeySet::recognise` makes one.
/// let forged = countersign_jose::Recognised { token: "e30.e30.", header_len: 4 };
/// ```
#[derive(Clone, Copy)]
pub struct Recognised<'k, 't> {
    pub(crate) token: &'t str,
    /// The length of its header's text, the dot included.
    pub(crate) header_len: usize,
    pub(crate) header: &'k Header,
    pub(crate) key: &'k VerifyingKey,
}

impl<'k> Recognised<'k, '_> {
    /// The key that the header means.
    pub fn key(&self) -> &'k VerifyingKey {
        self.key
    }
}

impl KeySet {
    /// The key that a header means.
    ///
    /// With a `kid`, the key of that id (or one without an id, if it is the only key of its algorithm). Without one, the only key
    /// of the algorithm.
    ///
    /// # Errors
    /// [`Error::UnknownKey`]; [`Error::AlgorithmMismatch`] if the only keys with that `kid` are for other algorithms.
    pub fn pick(&self, kid: Option<&str>, alg: Algorithm) -> Result<&VerifyingKey, Error> {
        self.entry(kid, alg).map(|entry| &entry.key)
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.entries.iter().map(|entry| &entry.key)
    }

    pub(crate) fn push(&mut self, key: VerifyingKey) {
        self.entries.push(Entry { key, known: OnceLock::new() });
        // Another key may change which one a header without `kid` means.
        self.entries.iter_mut().for_each(|entry| entry.known = OnceLock::new());
    }

    /// Whether the token begins with a header that is known, byte for byte: the first of each key whose signature held.
    #[inline]
    pub fn recognise<'k, 't>(&'k self, token: &'t str) -> Option<Recognised<'k, 't>> {
        self.entries.iter().find_map(|Entry { key, known }| {
            let Known { text, header } = known.get()?;
            let known = Recognised { token, header_len: text.len(), header, key };
            token.as_bytes().starts_with(text.as_bytes()).then_some(known)
        })
    }

    /// Remembers the header of a token whose signature the key that [`pick`](Self::pick) answers for it proved.
    pub(crate) fn remember(&self, text: &str, header: &Header) {
        if text.len() <= MAX_KNOWN
            && let Ok(entry) = self.entry(header.kid(), header.alg)
        {
            entry.known.get_or_init(|| Known { text: text.into(), header: header.clone() });
        }
    }

    fn entry(&self, kid: Option<&str>, alg: Algorithm) -> Result<&Entry, Error> {
        let named = |entry: &&Entry| kid.is_some() && entry.key.kid() == kid;
        if let Some(entry) = self.entries.iter().find(|entry| named(entry) && entry.key.alg() == alg) {
            return Ok(entry);
        }
        if let Some(Entry { key, .. }) = self.entries.iter().find(named) {
            return Err(Error::AlgorithmMismatch { expected: key.alg(), got: alg });
        }
        let mut fitting = self.entries.iter().filter(|entry| entry.key.alg() == alg);
        match (fitting.next(), fitting.next(), &*self.entries) {
            (Some(entry), None, _) if kid.is_none() || entry.key.kid().is_none() => Ok(entry),
            (None, _, [Entry { key, .. }]) if kid.is_none() || key.kid().is_none() => {
                Err(Error::AlgorithmMismatch { expected: key.alg(), got: alg })
            }
            _ => Err(Error::UnknownKey { kid: kid.map(Into::into) }),
        }
    }
}

impl FromIterator<VerifyingKey> for KeySet {
    fn from_iter<T: IntoIterator<Item = VerifyingKey>>(keys: T) -> Self {
        Self { entries: keys.into_iter().map(|key| Entry { key, known: OnceLock::new() }).collect() }
    }
}

impl fmt::Debug for Recognised<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recognised").field("key", self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::b64;

    fn key(kid: &str) -> VerifyingKey {
        VerifyingKey::hmac(Algorithm::HS256, kid, &[7; 32]).unwrap()
    }

    fn header(kid: &str) -> Header {
        Header::parse(format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#).into_bytes()).unwrap()
    }

    #[test]
    fn a_remembered_header_is_recognised_whole_or_not_at_all() {
        let keys: KeySet = [key("a"), key("b")].into_iter().collect();
        let text = b64::encode(r#"{"alg":"HS256","kid":"b"}"#) + ".";
        assert!(keys.recognise(&text).is_none());
        keys.remember(&text, &header("b"));

        let token = text.clone() + "e30.";
        let found = keys.recognise(&token).unwrap();
        assert_eq!((found.key().kid(), found.header.kid(), found.header_len), (Some("b"), Some("b"), text.len()));
        for end in 0..text.len() {
            assert!(keys.recognise(&text[..end]).is_none());
            let mut other = text.clone().into_bytes();
            other[end] ^= 1;
            assert!(keys.recognise(str::from_utf8(&other).unwrap()).is_none());
        }
    }

    #[test]
    fn the_first_header_of_a_key_stays_and_long_ones_are_not_kept() {
        let keys: KeySet = [key("a")].into_iter().collect();
        keys.remember(&"x".repeat(MAX_KNOWN + 1), &header("a"));
        keys.remember("first.", &header("a"));
        keys.remember("second.", &header("a"));
        keys.remember("unknown.", &header("c"));
        assert!(keys.recognise("first.").is_some());
        assert!(keys.recognise("second.").is_none() && keys.recognise("unknown.").is_none());
    }

    // TOK-02: every way in which a header and the keys of a set can fit or not
    #[test]
    fn a_header_means_one_key_or_none() {
        let hmac = |alg, kid| VerifyingKey::hmac(alg, kid, &[7; 64]).unwrap();
        let nameless = |alg| hmac(alg, "k").without_kid();
        let set = |keys: &[&VerifyingKey]| keys.iter().copied().cloned().collect::<KeySet>();
        let pick = |keys: &KeySet, kid, alg| keys.pick(kid, alg).map(|key| key.kid().map(str::to_owned));
        let unknown = |kid: Option<&str>| Err(Error::UnknownKey { kid: kid.map(Into::into) });
        let mismatch = |expected, got| Err(Error::AlgorithmMismatch { expected, got });
        let (hs256, hs384, hs512) = (Algorithm::HS256, Algorithm::HS384, Algorithm::HS512);
        let (a, b, c) = (hmac(hs256, "a"), hmac(hs384, "b"), hmac(hs256, "c"));
        let named = |kid: &str| Ok(Some(kid.to_owned()));

        let two = set(&[&a, &b]);
        assert_eq!(pick(&two, Some("a"), hs256), named("a"));
        assert_eq!(pick(&two, Some("b"), hs384), named("b"));
        assert_eq!(pick(&two, Some("a"), hs384), mismatch(hs256, hs384));
        assert_eq!(pick(&two, Some("x"), hs256), unknown(Some("x")));
        assert_eq!(pick(&two, None, hs384), named("b"));
        assert_eq!(pick(&two, None, hs512), unknown(None));

        let one = set(&[&a]);
        assert_eq!(pick(&one, None, hs256), named("a"));
        assert_eq!(pick(&one, None, hs512), mismatch(hs256, hs512));
        assert_eq!(pick(&one, Some("x"), hs256), unknown(Some("x")));
        assert_eq!(pick(&one, Some("x"), hs512), unknown(Some("x")));

        assert_eq!(pick(&set(&[&a, &c]), None, hs256), unknown(None), "which of the two?");
        assert_eq!(pick(&set(&[&a, &c]), Some("c"), hs256), named("c"));
        let shared = set(&[&nameless(hs256)]);
        assert_eq!(pick(&shared, Some("x"), hs256), Ok(None));
        assert_eq!(pick(&shared, None, hs256), Ok(None));
        assert_eq!(pick(&shared, Some("x"), hs512), mismatch(hs256, hs512));
        assert_eq!(pick(&set(&[&a, &nameless(hs256)]), Some("x"), hs256), unknown(Some("x")));
        assert_eq!(pick(&set(&[&a, &nameless(hs384)]), Some("x"), hs384), Ok(None));
        assert_eq!(pick(&KeySet::default(), None, hs256), unknown(None));
    }

    #[test]
    fn another_key_makes_the_set_forget() {
        let mut keys: KeySet = [key("a")].into_iter().collect();
        keys.remember("first.", &header("a"));
        keys.push(key("b"));
        assert!(keys.recognise("first.").is_none());
    }
}
