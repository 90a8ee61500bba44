//! The opaque access token: a reference to what the store knows, for the issuer alone to read.
//! `at1.` + base64url(jti | sealed fields).
//!
//! Nothing is stored for it. The fields are sealed (AES-256-GCM) under a key that is made for this one token, of a key of the
//! ring and its random `jti`; so garbage is refused before the database is asked, and a stolen database makes no token. What it
//! is good for, and for how long, hangs on the session or client that it names, and on the revocation log: the same rules that
//! hold for a signed one.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use countersign_jose::b64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{session::Sid, time::Timestamp};

const PREFIX: &str = "at1.";
const JTI_BYTES: usize = 16;
/// Whatever is longer is refused unread.
const MAX_CHARS: usize = 4096;

/// What the keys are derived for, each from a key of the ring.
pub const PURPOSE: &str = "opaque-access-token";

/// A key of opaque access tokens.
pub type Key = Zeroizing<[u8; 32]>;

/// What an opaque access token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Id of the refresh key that it was made by.
    pub key: u8,
    /// The token's own name, base64url; not a credential.
    pub jti: String,
    pub client_id: String,
    /// None: the client's own token.
    pub sid: Option<Sid>,
    pub audiences: Vec<String>,
    /// Space-separated.
    pub scope: String,
    /// Thumbprint of the key that it is bound to.
    pub jkt: Option<String>,
    /// Where the log stood when its authority was checked (revocation rule R3).
    pub rsn: i64,
    /// Unix seconds.
    pub iat: i64,
    /// Unix seconds.
    pub exp: i64,
}

/// The fields as they are sealed.
#[derive(Serialize, Deserialize)]
struct Fields {
    c: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<String>,
    a: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    p: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k: Option<String>,
    n: i64,
    i: i64,
    e: i64,
}

/// Why a text is not an opaque access token that counts. For the log only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("not the text of an opaque access token")]
    Text,
    #[error("no key of the key ring has made it")]
    Forged,
    #[error("it is authentic, but the layout is not ours")]
    Layout,
    #[error("it has expired")]
    Expired,
    /// The cipher refused to work.
    #[error("encryption failed")]
    Cipher,
}

/// Whether a text claims to be an opaque access token.
pub fn is_opaque(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Writes a token that means this, under the current key; `jti` is random, and key and name in `reference` are not looked at.
///
/// # Errors
/// [`Refused::Cipher`], and [`Refused::Layout`] for what could not be read again.
pub fn seal(key: &Key, jti: [u8; JTI_BYTES], reference: &Reference) -> Result<String, Refused> {
    let fields = Fields {
        c: reference.client_id.clone(),
        s: reference.sid.as_ref().map(ToString::to_string),
        a: reference.audiences.clone(),
        p: reference.scope.clone(),
        k: reference.jkt.clone(),
        n: reference.rsn,
        i: reference.iat,
        e: reference.exp,
    };
    let mut body = serde_json::to_vec(&fields).map_err(|_| Refused::Layout)?;
    let (key, nonce) = of_token(key, &jti)?;
    key.seal_in_place_append_tag(nonce, Aad::from(PREFIX), &mut body).map_err(|_| Refused::Cipher)?;
    let text = format!("{PREFIX}{}", b64::encode([&jti[..], &body].concat()));
    if text.len() > MAX_CHARS { Err(Refused::Layout) } else { Ok(text) }
}

/// Reads a token that somebody presents. Says nothing about whether what it refers to still stands.
///
/// # Errors
/// [`Refused`]: nothing was looked up.
pub fn open(keys: impl Iterator<Item = (u8, Key)>, text: &str) -> Result<Reference, Refused> {
    let encoded = text.strip_prefix(PREFIX).filter(|_| text.len() <= MAX_CHARS).ok_or(Refused::Text)?;
    let bytes = b64::decode(encoded).map_err(|_| Refused::Text)?;
    let (jti, body) = bytes.split_first_chunk::<JTI_BYTES>().ok_or(Refused::Text)?;
    for (id, key) in keys {
        let (key, nonce) = of_token(&key, jti)?;
        let mut body = body.to_vec();
        if let Ok(fields) = key.open_in_place(nonce, Aad::from(PREFIX), &mut body) {
            return parse((id, jti), fields).ok_or(Refused::Layout);
        }
    }
    Err(Refused::Forged)
}

impl Reference {
    /// # Errors
    /// [`Refused::Expired`]. Nobody's clock is asked but the issuer's own, so there is no leeway.
    pub fn live(self, now: Timestamp) -> Result<Self, Refused> {
        if now.secs() < self.exp { Ok(self) } else { Err(Refused::Expired) }
    }
}

fn parse((key, jti): (u8, &[u8; JTI_BYTES]), fields: &[u8]) -> Option<Reference> {
    let fields: Fields = serde_json::from_slice(fields).ok()?;
    let sid = match &fields.s {
        Some(sid) => Some(Sid::parse(sid)?),
        None => None,
    };
    Some(Reference {
        key,
        jti: b64::encode(jti),
        client_id: fields.c,
        sid,
        audiences: fields.a,
        scope: fields.p,
        jkt: fields.k,
        rsn: fields.n,
        iat: fields.i,
        exp: fields.e,
    })
}

/// The key of this one token. It encrypts nothing else, so its nonce is always the same.
fn of_token(key: &Key, jti: &[u8; JTI_BYTES]) -> Result<(LessSafeKey, Nonce), Refused> {
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key[..]), jti);
    let key = UnboundKey::new(&AES_256_GCM, derived.as_ref()).map_err(|_| Refused::Cipher)?;
    Ok((LessSafeKey::new(key), Nonce::assume_unique_for_key([0; NONCE_LEN])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [1; 32];

    fn keys(bytes: &[[u8; 32]]) -> impl Iterator<Item = (u8, Key)> {
        bytes.iter().map(|bytes| (bytes[0], Zeroizing::new(*bytes)))
    }

    fn reference() -> Reference {
        Reference {
            key: KEY[0],
            jti: b64::encode([7; 16]),
            client_id: "shop".to_owned(),
            sid: Some(Sid::new("usr_a", &[9; 16])),
            audiences: vec!["api".to_owned()],
            scope: "openid orders:read".to_owned(),
            jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".to_owned()),
            rsn: i64::MAX,
            iat: 1_790_000_000,
            exp: 1_790_000_600,
        }
    }

    fn token() -> String {
        seal(&Zeroizing::new(KEY), [7; 16], &reference()).unwrap()
    }

    // KEY-09: a token opens under its own key alone, also while that one is retiring.
    #[test]
    fn what_is_sealed_opens() {
        assert_eq!(open(keys(&[KEY]), &token()), Ok(reference()));
        assert_eq!(open(keys(&[[2; 32], KEY]), &token()), Ok(reference()));
        assert_eq!(open(keys(&[[2; 32]]), &token()), Err(Refused::Forged));
        let own = Reference { sid: None, jkt: None, scope: String::new(), ..reference() };
        assert_eq!(open(keys(&[KEY]), &seal(&Zeroizing::new(KEY), [7; 16], &own).unwrap()), Ok(own));
    }

    // TOK-23: whoever holds it reads nothing from it.
    #[test]
    fn it_tells_its_holder_nothing() {
        let bytes = b64::decode(&token()[PREFIX.len()..]).unwrap();
        for word in ["shop", "api", "openid", reference().sid.unwrap().as_str()] {
            assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
        }
        let other = seal(&Zeroizing::new(KEY), [8; 16], &reference()).unwrap();
        assert_ne!(token()[30..], other[30..]);
    }

    // TOK-15
    #[test]
    fn it_ends_in_its_last_second() {
        let at = |secs| reference().live(Timestamp::from_secs(secs));
        assert!(at(1_790_000_599).is_ok());
        assert_eq!(at(1_790_000_600), Err(Refused::Expired));
    }

    #[test]
    fn one_that_is_too_long_is_not_made() {
        let long = Reference { scope: "x".repeat(MAX_CHARS), ..reference() };
        assert_eq!(seal(&Zeroizing::new(KEY), [7; 16], &long), Err(Refused::Layout));
        assert_eq!(open(keys(&[KEY]), &format!("{PREFIX}{}", "A".repeat(MAX_CHARS))), Err(Refused::Text));
    }

    proptest! {
        // TOK-08: no character of a token can be changed.
        #[test]
        fn a_changed_character_is_refused(at: prop::sample::Index, with in "[ -~]") {
            let good = token();
            let at = at.index(good.len());
            let changed = format!("{}{with}{}", &good[..at], &good[at + 1..]);
            prop_assert_eq!(open(keys(&[KEY]), &changed).is_ok(), changed == good);
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,200}") {
            prop_assert!(open(keys(&[KEY]), &text).is_err());
            let prefixed = format!("{PREFIX}{text}");
            prop_assert!(open(keys(&[KEY]), &prefixed).is_err());
        }
    }
}
