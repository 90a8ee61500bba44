//! Public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037 §2, RFC 7638).

mod check;
mod material;
mod set;

pub(crate) use material::Material;
pub use set::JwkSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use serde_json::{Map, Value};

use crate::{Algorithm, Error, KeyError, json::Reader, limits::MAX_JWK_BYTES};

/// Names of private members, whatever the key type.
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A public key. A private key or a shared secret never becomes one, so that publishing it cannot leak anything.
///
/// ```
/// use countersign_jose::Jwk;
/// let jwk = Jwk::parse(br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
/// assert_eq!(jwk.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"); // RFC 8037 §A.3
/// # Ok::<(), countersign_jose::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    pub(crate) material: Material,
    envelope: Envelope,
}

/// The members that do not depend on the key type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Envelope {
    pub(crate) kid: Option<String>,
    pub(crate) alg: Option<String>,
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
}

impl Jwk {
    /// Reads a public key of at most [`MAX_JWK_BYTES`].
    ///
    /// # Errors
    /// Those of the JSON text; [`Error::TooLong`]; [`KeyError::Private`] if it has private members or is a secret;
    /// [`KeyError::Unsupported`] for a key type or curve that is not here; [`KeyError::Member`], [`KeyError::RsaSize`],
    /// [`KeyError::RsaExponent`], [`KeyError::RsaWeak`], [`KeyError::Point`].
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_JWK_BYTES {
            return Err(Error::TooLong { bytes: json.len(), limit: MAX_JWK_BYTES });
        }
        Self::from_members(&Reader::map(json)?)
    }

    /// Its key id.
    pub fn kid(&self) -> Option<&str> {
        self.envelope.kid.as_deref()
    }

    /// The name of the algorithm it is for, known here or not.
    pub fn alg(&self) -> Option<&str> {
        self.envelope.alg.as_deref()
    }

    /// Its key type.
    pub fn kty(&self) -> &'static str {
        self.material.kty()
    }

    /// Its curve.
    pub fn crv(&self) -> Option<&'static str> {
        self.material.crv()
    }

    /// SHA-256 thumbprint, base64url (RFC 7638): the same for every JWK of this key.
    pub fn thumbprint(&self) -> String {
        self.material.thumbprint()
    }

    /// The public key of a pair that signs.
    pub(crate) fn for_signatures(material: Material, alg: Algorithm, kid: &str) -> Self {
        let envelope = Envelope {
            kid: Some(kid.into()),
            alg: Some(alg.as_str().into()),
            usage: Some("sig".into()),
            key_ops: None,
        };
        Self { material, envelope }
    }

    pub(crate) fn from_members(members: &Map<String, Value>) -> Result<Self, Error> {
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::Private.into());
        }
        Ok(Self { envelope: Self::envelope(members)?, material: Material::from_members(members)? })
    }

    pub(crate) fn envelope(members: &Map<String, Value>) -> Result<Envelope, Error> {
        let text = |name| Ok::<_, Error>(text_member(members, name)?.map(Into::into));
        Ok(Envelope { kid: text("kid")?, alg: text("alg")?, usage: text("use")?, key_ops: key_ops(members)? })
    }

    pub(crate) fn allows(&self, operation: &str) -> bool {
        self.envelope.allows(operation)
    }
}

impl Envelope {
    /// Whether `use` and `key_ops` allow `sign` or `verify` (RFC 7517 §4.2, §4.3).
    pub(crate) fn allows(&self, operation: &str) -> bool {
        let by_use = self.usage.as_deref().is_none_or(|usage| usage == "sig");
        let by_ops = self.key_ops.as_deref().is_none_or(|ops| ops.iter().any(|op| op == operation));
        by_use && by_ops
    }
}

/// A text member; `None` if it is absent.
pub(crate) fn text_member<'m>(members: &'m Map<String, Value>, name: &'static str) -> Result<Option<&'m str>, Error> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyError::Member(name).into()),
    }
}

fn key_ops(members: &Map<String, Value>) -> Result<Option<Vec<String>>, Error> {
    let Some(value) = members.get("key_ops") else { return Ok(None) };
    let malformed = || Error::from(KeyError::Member("key_ops"));
    let items = value.as_array().ok_or_else(malformed)?;
    let mut ops: Vec<String> = Vec::with_capacity(items.len().min(16));
    for item in items {
        let op = item.as_str().ok_or_else(malformed)?;
        if ops.len() == 16 || ops.iter().any(|other| other == op) {
            return Err(malformed());
        }
        ops.push(op.into());
    }
    Ok(Some(ops))
}

impl Serialize for Jwk {
    /// The public members, `kty` first.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kty", self.kty())?;
        for (name, value) in self.material.members().iter().filter(|(name, _)| *name != "kty") {
            map.serialize_entry(name, value)?;
        }
        let envelope = &self.envelope;
        for (name, value) in [("kid", &envelope.kid), ("alg", &envelope.alg), ("use", &envelope.usage)] {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        if let Some(ops) = &envelope.key_ops {
            map.serialize_entry("key_ops", ops)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Jwk {
    /// As [`Jwk::parse`], but duplicate members are for the outer parser to see: prefer `parse` for foreign text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::<String, Value>::deserialize(deserializer)?;
        Self::from_members(&members).map_err(de::Error::custom)
    }
}
