//! From content to a message.

use serde::Serialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{
    ContentAlgorithm, EncryptionKey,
    content::{self, Body},
    header::RESERVED,
    key::{Carried, Parties},
    message::authenticated,
    random::draw,
};
use crate::{
    Error, b64,
    json::{Reader, Writer},
    limits::{MAX_ENCRYPTED_BYTES, MAX_PARTY_BYTES, MAX_RECIPIENTS},
};

/// Encrypts to one recipient or several. The content key and the initialization vector are drawn for each message.
///
/// ```
/// use countersign_jose::jwe::{Decrypted, DecryptionKey, Decryptor, Encryptor, EncryptionKey, KeyAlgorithm};
///
/// let key = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "2026-1")?; // the recipient, once
/// let jwk = key.public_jwk().unwrap(); // which it publishes
///
/// let text = Encryptor::new(&EncryptionKey::from_jwk(&jwk)?).encrypt_json(&serde_json::json!({"order": 7}))?;
/// let order: Decrypted<serde_json::Value> = Decryptor::new(key).decrypt_json(&text)?;
/// assert_eq!(order["order"], 7);
/// # Ok::<(), countersign_jose::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Encryptor<'k> {
    recipients: Vec<&'k EncryptionKey>,
    enc: Option<ContentAlgorithm>,
    typ: Option<String>,
    cty: Option<String>,
    apu: Vec<u8>,
    apv: Vec<u8>,
    aad: Option<String>,
    unprotected: Map<String, Value>,
    limit: usize,
}

impl<'k> Encryptor<'k> {
    /// Encrypts to the holder of this key's other half, content with [`ContentAlgorithm::A256GCM`] unless the key is a content key
    /// (`dir`) or [`enc`](Self::enc) says otherwise.
    pub fn new(recipient: &'k EncryptionKey) -> Self {
        Self {
            recipients: vec![recipient],
            enc: None,
            typ: None,
            cty: None,
            apu: Vec::new(),
            apv: Vec::new(),
            aad: None,
            unprotected: Map::new(),
            limit: MAX_ENCRYPTED_BYTES,
        }
    }

    /// Another recipient, for the [`general`](Self::general) serialization. Each of them can also write to the others in the name
    /// of the sender: encryption says nothing of who wrote.
    pub fn recipient(mut self, recipient: &'k EncryptionKey) -> Self {
        self.recipients.push(recipient);
        self
    }

    /// How the content is encrypted.
    pub fn enc(mut self, enc: ContentAlgorithm) -> Self {
        self.enc = Some(enc);
        self
    }

    /// The type of the whole (`typ`, RFC 7516 §4.1.11).
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = Some(typ.into());
        self
    }

    /// The type of the content (`cty`, RFC 7516 §4.1.12).
    pub fn cty(mut self, cty: impl Into<String>) -> Self {
        self.cty = Some(cty.into());
        self
    }

    /// What names the sender and the recipient in a key agreement (`apu`, `apv`, RFC 7518 §4.6.1), each of at most
    /// [`MAX_PARTY_BYTES`]. Other algorithms have no place for it.
    pub fn parties(mut self, apu: &[u8], apv: &[u8]) -> Self {
        self.apu = apu.to_vec();
        self.apv = apv.to_vec();
        self
    }

    /// Data that is authenticated with the content and not encrypted. Not in a compact message.
    pub fn aad(mut self, aad: &[u8]) -> Self {
        self.aad = Some(b64::encode(aad)).filter(|aad| !aad.is_empty());
        self
    }

    /// A header member that everybody can read and change. Not in a compact message.
    pub fn unprotected(mut self, name: impl Into<String>, value: Value) -> Self {
        self.unprotected.insert(name.into(), value);
        self
    }

    /// The longest text that is made, in bytes; [`MAX_ENCRYPTED_BYTES`] by default, as a recipient reads no longer one unless it
    /// [says so](super::Decryptor::limit).
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Encrypts to one recipient, as a compact message (RFC 7516 §7.1).
    ///
    /// # Errors
    /// [`Error::Member`] where there is something that a compact message has no place for: another recipient, additional
    /// data, an unprotected member. [`Error::ContentAlgorithm`] if a `dir` key is for another one; [`Error::HeaderMalformed`],
    /// [`Error::TooLong`]; [`Error::Encrypt`] if a primitive fails.
    pub fn encrypt(&self, content: &[u8]) -> Result<String, Error> {
        let excess = [
            ("recipients", self.recipients.len() > 1),
            ("aad", self.aad.is_some()),
            ("unprotected", !self.unprotected.is_empty()),
        ];
        if let Some((member, _)) = excess.into_iter().find(|(_, present)| *present) {
            return Err(Error::Member { member });
        }
        let sealed = self.seal(content)?;
        let Body { iv, ciphertext, tag } = &sealed.body;
        let mut text = sealed.protected;
        for part in [&sealed.carried[0].encrypted_key, iv, ciphertext, tag] {
            text.push('.');
            b64::encode_into(&mut text, part);
        }
        self.checked(text)
    }

    /// Encrypts a value that serializes to JSON, as a compact message.
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt); [`Error::Content`] if it does not serialize, or to a JSON that a recipient would refuse.
    pub fn encrypt_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<String, Error> {
        let content = Zeroizing::new(serde_json::to_vec(value).map_err(|_| Error::Content)?);
        Reader::document(&content, Reader::value).map_err(|_| Error::Content)?;
        self.encrypt(&content)
    }

    /// Encrypts to one recipient, as JSON in the flattened serialization (RFC 7516 §7.2.2).
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt), additional data and unprotected members aside; [`Error::ClaimReserved`] for an unprotected
    /// member whose name has a meaning.
    pub fn flattened(&self, content: &[u8]) -> Result<String, Error> {
        if self.recipients.len() > 1 {
            return Err(Error::Member { member: "recipients" });
        }
        let mut sealed = self.seal(content)?;
        let mut members = self.members(&sealed);
        if let Some(carried) = sealed.carried.pop() {
            members.extend(recipient_members(None, carried));
        }
        self.checked(Value::Object(members).to_string())
    }

    /// Encrypts to every recipient, as JSON in the general serialization (RFC 7516 §7.2.1).
    ///
    /// # Errors
    /// As [`flattened`](Self::flattened); [`Error::Recipients`] for more than [`MAX_RECIPIENTS`], or if one of several shares or
    /// agrees on the content key itself (`dir`, `ECDH-ES`).
    pub fn general(&self, content: &[u8]) -> Result<String, Error> {
        let sealed = self.seal(content)?;
        let mut members = self.members(&sealed);
        let own = |key| (self.recipients.len() > 1).then_some(key);
        let recipients: Vec<Value> = (self.recipients.iter().zip(sealed.carried))
            .map(|(key, carried)| Value::Object(recipient_members(own(*key), carried)))
            .collect();
        members.insert("recipients".into(), recipients.into());
        self.checked(Value::Object(members).to_string())
    }

    fn seal(&self, content: &[u8]) -> Result<Sealed, Error> {
        let enc = self.content_algorithm()?;
        self.check()?;
        let parties = Parties { apu: &self.apu, apv: &self.apv };
        let mut content_key = draw(enc.key_len())?;
        let carried = self.recipients.iter().map(|key| key.carry(enc, &parties, &mut content_key));
        let carried: Vec<Carried> = carried.collect::<Result<_, _>>()?;
        let protected = b64::encode(self.protected(enc, &carried));
        let iv = draw(enc.iv_len())?.to_vec();
        let body = content::seal(enc, &content_key, iv, &authenticated(&protected, self.aad.as_deref()), content)?;
        Ok(Sealed { protected, carried, body })
    }

    fn content_algorithm(&self) -> Result<ContentAlgorithm, Error> {
        let fixed = self.recipients.iter().find_map(|key| key.enc());
        match (fixed, self.enc) {
            (Some(fixed), Some(got)) if fixed != got => Err(Error::ContentAlgorithm { got }),
            _ => Ok(fixed.or(self.enc).unwrap_or(ContentAlgorithm::A256GCM)),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let got = self.recipients.len();
        let alone = got > 1 && self.recipients.iter().any(|key| key.alg().is_direct());
        let passwords = self.recipients.iter().filter(|key| key.alg().is_password()).count();
        if alone || passwords > 1 || got > MAX_RECIPIENTS {
            return Err(Error::Recipients { got });
        }
        for (member, bytes) in [("apu", &self.apu), ("apv", &self.apv)] {
            if bytes.len() > MAX_PARTY_BYTES {
                return Err(Error::HeaderMalformed { member });
            }
        }
        match self.unprotected.keys().find(|name| RESERVED.contains(&name.as_str())) {
            Some(name) => Err(Error::ClaimReserved { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// The protected header. With one recipient it holds everything; with several, what is common to them.
    fn protected(&self, enc: ContentAlgorithm, carried: &[Carried]) -> Vec<u8> {
        let mut header = Writer::with_capacity(256);
        if let ([key], [carried]) = (self.recipients.as_slice(), carried) {
            header.text_member("alg", key.alg().as_str());
            header.text_member("enc", enc.as_str());
            for (name, value) in own_header(key, &carried.params).iter().filter(|(name, _)| *name != "alg") {
                header.entry(name, value);
            }
        } else {
            header.text_member("enc", enc.as_str());
        }
        header.member("typ", &self.typ);
        header.member("cty", &self.cty);
        header.finish()
    }

    fn members(&self, sealed: &Sealed) -> Map<String, Value> {
        let Body { iv, ciphertext, tag } = &sealed.body;
        let mut members = Map::new();
        members.insert("protected".into(), sealed.protected.clone().into());
        for (name, bytes) in [("iv", iv), ("ciphertext", ciphertext), ("tag", tag)] {
            members.insert(name.into(), b64::encode(bytes).into());
        }
        if !self.unprotected.is_empty() {
            members.insert("unprotected".into(), self.unprotected.clone().into());
        }
        if let Some(aad) = &self.aad {
            members.insert("aad".into(), aad.clone().into());
        }
        members
    }

    /// A message that no recipient would read is not made.
    fn checked(&self, text: String) -> Result<String, Error> {
        if text.len() > self.limit {
            return Err(Error::TooLong { bytes: text.len(), limit: self.limit });
        }
        Ok(text)
    }
}

struct Sealed {
    protected: String,
    /// One for each recipient.
    carried: Vec<Carried>,
    body: Body,
}

/// What a recipient's key says of it: its algorithm, its id, the parameters of the algorithm.
fn own_header(key: &EncryptionKey, params: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let mut members = vec![("alg", key.alg().as_str().into())];
    members.extend(key.kid().map(|kid| ("kid", kid.into())));
    members.extend(params.iter().cloned());
    members
}

/// `own` is the key of a recipient whose header is not protected, as there are several.
fn recipient_members(own: Option<&EncryptionKey>, carried: Carried) -> Map<String, Value> {
    let mut members = Map::new();
    if let Some(key) = own {
        let header: Map<String, Value> =
            own_header(key, &carried.params).into_iter().map(|(name, value)| (name.into(), value)).collect();
        members.insert("header".into(), json!(header));
    }
    if !carried.encrypted_key.is_empty() {
        members.insert("encrypted_key".into(), b64::encode(carried.encrypted_key).into());
    }
    members
}
