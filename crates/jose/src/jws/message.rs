//! From a payload to a signed message.

use serde_json::{Map, Value};

use super::{Header, Serialization, fits_compact, signing_input};
use crate::{Algorithm, Error, SigningKey, b64, json::Writer, limits::RSA_BITS};

/// A payload and the signatures over it.
#[derive(Debug, Clone)]
#[must_use]
pub struct Message<'p> {
    payload: &'p [u8],
    unencoded: bool,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone)]
struct Signature {
    protected: String,
    unprotected: Map<String, Value>,
    signature: String,
}

/// What is to be signed by a key that lies elsewhere, in a vault or an HSM.
///
/// ```
/// use countersign_jose::{Algorithm, SigningKey, jws::{Header, Message, Serialization}};
/// # let remote = SigningKey::generate(Algorithm::ES256, "hsm-1")?;
/// let message = Message::new(b"any bytes");
/// let input = message.signing_input(Algorithm::ES256, "hsm-1", &Header::new())?;
/// let signature = remote.sign_raw(input.as_bytes())?; // the bytes go out, the signature comes back: R ‖ S for ES256
/// let text = message.add(input, &signature)?.to_text(Serialization::Flattened)?;
/// # Ok::<(), countersign_jose::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct SigningInput {
    alg: Algorithm,
    protected: String,
    unprotected: Map<String, Value>,
    bytes: Vec<u8>,
}

impl SigningInput {
    /// The bytes to sign (RFC 7515 §5.1 step 5).
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The algorithm to sign with.
    pub fn alg(&self) -> Algorithm {
        self.alg
    }
}

impl<'p> Message<'p> {
    /// A message without a signature yet.
    pub fn new(payload: &'p [u8]) -> Self {
        Self { payload, unencoded: false, signatures: Vec::new() }
    }

    /// A message whose payload is signed as it stands (`b64: false`, RFC 7797). Its readers must allow it.
    pub fn unencoded(payload: &'p [u8]) -> Self {
        Self { payload, unencoded: true, signatures: Vec::new() }
    }

    /// Adds a signature. `kid` is the key's, unless the header sets it or leaves it out.
    ///
    /// # Errors
    /// [`Error::HeaderMalformed`] and [`Error::Duplicate`] for a header that no verifier would accept; [`Error::Sign`].
    pub fn sign(self, key: &SigningKey, header: &Header) -> Result<Self, Error> {
        let input = self.signing_input(key.alg(), key.kid(), header)?;
        let signature = key.sign_raw(input.as_bytes())?;
        self.add(input, &signature)
    }

    /// Prepares a signature by a key that lies elsewhere.
    ///
    /// # Errors
    /// As [`sign`](Self::sign), and [`KeyError::Kid`](crate::KeyError::Kid).
    pub fn signing_input(&self, alg: Algorithm, kid: &str, header: &Header) -> Result<SigningInput, Error> {
        let protected = header.write(alg, Some(kid), self.unencoded)?;
        let bytes = signing_input(&protected, self.payload, self.unencoded);
        Ok(SigningInput { alg, protected, unprotected: header.unprotected_members().clone(), bytes })
    }

    /// Adds a signature that was made elsewhere over [`SigningInput::as_bytes`], in the form of JWS: for ECDSA `R ‖ S`, not DER.
    ///
    /// # Errors
    /// [`Error::SignatureLength`]; [`Error::Sign`] if the input is not of this message.
    pub fn add(mut self, input: SigningInput, signature: &[u8]) -> Result<Self, Error> {
        if !fits(input.alg, signature) {
            return Err(Error::SignatureLength { alg: input.alg, got: signature.len() });
        }
        if input.bytes != signing_input(&input.protected, self.payload, self.unencoded) {
            return Err(Error::Sign);
        }
        let SigningInput { protected, unprotected, .. } = input;
        self.signatures.push(Signature { protected, unprotected, signature: b64::encode(signature) });
        Ok(self)
    }

    /// Writes the message with its payload.
    ///
    /// # Errors
    /// [`Error::SignatureCount`] without a signature, or for more than one where the serialization has one;
    /// [`Error::Unprotected`] where it has no unprotected header; [`Error::PayloadText`] for an unencoded payload that it
    /// cannot carry.
    pub fn to_text(&self, serialization: Serialization) -> Result<String, Error> {
        self.write(serialization, false)
    }

    /// Writes the message without its payload, which travels by another way (RFC 7515 §F).
    ///
    /// # Errors
    /// As [`to_text`](Self::to_text), but every payload is possible.
    pub fn to_detached(&self, serialization: Serialization) -> Result<String, Error> {
        self.write(serialization, true)
    }

    fn write(&self, serialization: Serialization, detached: bool) -> Result<String, Error> {
        let count = self.signatures.len();
        let [first, others @ ..] = self.signatures.as_slice() else { return Err(Error::SignatureCount { got: count }) };
        if serialization != Serialization::General && !others.is_empty() {
            return Err(Error::SignatureCount { got: count });
        }
        let payload = if detached { None } else { Some(self.payload_text(serialization)?) };
        match serialization {
            Serialization::Compact => compact(first, &payload.unwrap_or_default()),
            Serialization::Flattened => {
                let mut json = Writer::with_capacity(256);
                if let Some(payload) = payload {
                    json.text_member("payload", &payload);
                }
                members(&mut json, first);
                Ok(text(json))
            }
            Serialization::General => Ok(self.general(payload)),
        }
    }

    fn payload_text(&self, serialization: Serialization) -> Result<String, Error> {
        if !self.unencoded {
            return Ok(b64::encode(self.payload));
        }
        if serialization == Serialization::Compact && !fits_compact(self.payload) {
            return Err(Error::PayloadText);
        }
        str::from_utf8(self.payload).map(Into::into).map_err(|_| Error::PayloadText)
    }

    fn general(&self, payload: Option<String>) -> String {
        let mut out = Writer::with_capacity(256);
        if let Some(payload) = payload {
            out.text_member("payload", &payload);
        }
        let mut out = text(out);
        out.truncate(out.len() - 1);
        out.push_str(if out.len() > 1 { ",\"signatures\":[" } else { "\"signatures\":[" });
        for (index, signature) in self.signatures.iter().enumerate() {
            let mut json = Writer::with_capacity(256);
            members(&mut json, signature);
            if index > 0 {
                out.push(',');
            }
            out.push_str(&text(json));
        }
        out.push_str("]}");
        out
    }
}

fn compact(signature: &Signature, payload: &str) -> Result<String, Error> {
    match signature.unprotected.keys().next() {
        Some(member) => Err(Error::Unprotected { member: member.clone() }),
        None => Ok([&signature.protected, payload, &signature.signature].join(".")),
    }
}

fn members(json: &mut Writer, signature: &Signature) {
    json.text_member("protected", &signature.protected);
    if !signature.unprotected.is_empty() {
        json.entry("header", &Value::Object(signature.unprotected.clone()));
    }
    json.text_member("signature", &signature.signature);
}

/// The writer puts texts together, so that its bytes are one.
fn text(json: Writer) -> String {
    String::from_utf8(json.finish()).unwrap_or_default()
}

fn fits(alg: Algorithm, signature: &[u8]) -> bool {
    match alg.signature_len() {
        Some(len) => signature.len() == len,
        None => RSA_BITS.contains(&(signature.len() * 8)),
    }
}
