//! From a message to its content.

use serde::de::DeserializeOwned;

use super::{
    ContentAlgorithm, Decrypted, DecryptionKey, KeyAlgorithm, content, decrypted::About, header::Header,
    message::Message,
};
use crate::{Error, limits::MAX_ENCRYPTED_BYTES};

/// The keys of a recipient and what it accepts. The header of a message must agree with them; it chooses nothing.
///
/// ```
/// use countersign_jose::jwe::{ContentAlgorithm, Decryptor, DecryptionKey, Encryptor, KeyAlgorithm};
///
/// let key = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "2026-1")?;
/// let text = Encryptor::new(&key.encryption_key()).encrypt(b"meet me at noon")?;
///
/// let decryptor = Decryptor::new(key).accept([ContentAlgorithm::A256GCM]);
/// assert_eq!(**decryptor.decrypt(&text)?, b"meet me at noon");
/// # Ok::<(), countersign_jose::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Decryptor {
    keys: Vec<DecryptionKey>,
    encs: Vec<ContentAlgorithm>,
    limit: usize,
}

impl Decryptor {
    /// Decrypts with this key, content of every [`ContentAlgorithm`].
    pub fn new(key: DecryptionKey) -> Self {
        Self { keys: vec![key], encs: ContentAlgorithm::all().collect(), limit: MAX_ENCRYPTED_BYTES }
    }

    /// Another key, as while one is replaced by the next. A message is decrypted with the key that its `kid` names, or else with
    /// the only one of its algorithm; keys are not tried one after the other.
    pub fn or_key(mut self, key: DecryptionKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Accepts these algorithms for the content and no other. With exactly one, a message in JSON may leave `enc` unprotected.
    pub fn accept(mut self, encs: impl IntoIterator<Item = ContentAlgorithm>) -> Self {
        self.encs = encs.into_iter().collect();
        self
    }

    /// The longest text that is read, in bytes; [`MAX_ENCRYPTED_BYTES`] by default.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Decrypts a compact message (RFC 7516 §7.1).
    ///
    /// # Errors
    /// For the text [`Error::TooLong`], [`Error::Character`], [`Error::NotEncrypted`], [`Error::Base64`]; for the header those of
    /// the JSON text, [`Error::HeaderMissing`], [`Error::HeaderMalformed`], [`Error::AlgorithmUnknown`], [`Error::Critical`],
    /// [`Error::Compressed`], [`Error::Rounds`]; [`Error::UnknownKey`], [`Error::KeyAlgorithmMismatch`],
    /// [`Error::ContentAlgorithm`], [`Error::PartLength`]; and one and the same [`Error::Decrypt`] for whatever only the holder of
    /// the key can see.
    pub fn decrypt(&self, text: &str) -> Result<Decrypted, Error> {
        self.open(&Message::compact(text, self.limit)?)
    }

    /// Decrypts a compact message and reads its content as JSON.
    ///
    /// # Errors
    /// As [`decrypt`](Self::decrypt) and [`Decrypted::json`].
    pub fn decrypt_json<T: DeserializeOwned>(&self, text: &str) -> Result<Decrypted<T>, Error> {
        self.decrypt(text)?.json()
    }

    /// Decrypts a message in the flattened or the general JSON serialization (RFC 7516 §7.2). One recipient whose key is here is
    /// enough; the headers of all are checked.
    ///
    /// # Errors
    /// As [`decrypt`](Self::decrypt), [`Error::Member`], [`Error::Recipients`]. With several recipients, that of the first
    /// recipient for whom there is a key.
    pub fn decrypt_general(&self, text: &str) -> Result<Decrypted, Error> {
        self.open(&Message::general(text, self.limit)?)
    }

    fn open(&self, message: &Message) -> Result<Decrypted, Error> {
        let headers = message.headers()?;
        check_recipients(&headers)?;
        let mut refusal = None;
        for (header, recipient) in headers.iter().zip(&message.recipients) {
            let refused = match self.pick(header) {
                Ok(key) => match self.open_with(key, message, header, &recipient.encrypted_key) {
                    Err(error) => (true, error),
                    content => return content,
                },
                Err(error) => (false, error),
            };
            if refusal.as_ref().is_none_or(|(had_key, _)| !had_key && refused.0) {
                refusal = Some(refused);
            }
        }
        Err(refusal.map_or(Error::Decrypt, |(_, error)| error))
    }

    fn open_with(
        &self,
        key: &DecryptionKey,
        message: &Message,
        header: &Header<'_>,
        encrypted_key: &[u8],
    ) -> Result<Decrypted, Error> {
        let enc = self.check_enc(key, header)?;
        let content_key = key.content_key(enc, header, encrypted_key)?;
        let content = content::open(enc, &content_key, &message.authenticated(), &message.body)?;
        let text = |name| header.protected_text(name).map(Into::into);
        let about = About {
            alg: key.alg(),
            enc,
            kid: key.kid().map(Into::into),
            typ: text("typ"),
            cty: text("cty"),
            aad: message.aad()?,
        };
        Ok(Decrypted::new(content, about))
    }

    /// An unprotected `enc` could be changed by anybody, so that it may only repeat what the caller named.
    fn check_enc(&self, key: &DecryptionKey, header: &Header<'_>) -> Result<ContentAlgorithm, Error> {
        let got = header.enc()?;
        let only = key.enc().or_else(|| <[_; 1]>::try_from(self.encs.as_slice()).ok().map(|[enc]| enc));
        if key.enc().is_some_and(|enc| enc != got) || !self.encs.contains(&got) {
            return Err(Error::ContentAlgorithm { got });
        }
        if !header.is_protected("enc") && only != Some(got) {
            return Err(Error::HeaderMalformed { member: "enc" });
        }
        Ok(got)
    }

    /// As the key of a signature is picked: by its id and its algorithm, or as the only one of its algorithm.
    fn pick(&self, header: &Header<'_>) -> Result<&DecryptionKey, Error> {
        let (kid, got) = (header.kid()?, header.alg()?);
        let named = |key: &&DecryptionKey| kid.is_some() && key.kid() == kid;
        if let Some(key) = self.keys.iter().find(|key| named(key) && key.alg() == got) {
            return Ok(key);
        }
        if let Some(key) = self.keys.iter().find(named) {
            return Err(Error::KeyAlgorithmMismatch { expected: key.alg(), got });
        }
        let open = |key: &DecryptionKey| kid.is_none() || key.kid().is_none();
        let mut fitting = self.keys.iter().filter(|key| key.alg() == got);
        match (fitting.next(), fitting.next(), self.keys.as_slice()) {
            (Some(key), None, _) if open(key) => Ok(key),
            (None, _, [key]) if open(key) => Err(Error::KeyAlgorithmMismatch { expected: key.alg(), got }),
            _ => Err(Error::UnknownKey { kid: kid.map(Into::into) }),
        }
    }
}

/// With several recipients none can have agreed on the content key (RFC 7516 §5.1 step 5), and one password at most is stretched
/// for a message: each costs as much as its sender likes.
fn check_recipients(headers: &[Header<'_>]) -> Result<(), Error> {
    let count = |is: fn(KeyAlgorithm) -> bool| {
        headers.iter().filter_map(|header| header.alg().ok()).filter(|alg| is(*alg)).count()
    };
    let alone = headers.len() > 1 && count(KeyAlgorithm::is_direct) > 0;
    if alone || count(KeyAlgorithm::is_password) > 1 {
        return Err(Error::Recipients { got: headers.len() });
    }
    Ok(())
}
