//! Keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037 §2, RFC 9964 §3, RFC 7638).

pub(crate) mod curve;

mod check;
mod envelope;
mod material;
mod private;
mod set;

pub(crate) use envelope::Envelope;
pub(crate) use material::Material;
pub use private::PrivateJwk;
pub(crate) use private::Wiped;
pub use set::JwkSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use serde_json::{Map, Value};

use crate::{
    Algorithm, Error, KeyError,
    json::Reader,
    key::{pem, spki},
    limits::MAX_JWK_BYTES,
};

/// Names of private members, whatever the key type.
pub(crate) const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

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
    pub(crate) envelope: Envelope,
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

    /// Reads a public key in DER: SubjectPublicKeyInfo (RFC 5280 §4.1.2.7, RFC 8410, RFC 9881), RSAPublicKey (RFC 8017 §A.1.1), or
    /// an X.509 certificate, of which the key alone is taken: its dates, its names and whoever signed it are not looked at.
    ///
    /// # Errors
    /// [`KeyError::Der`], [`KeyError::Private`] if it is a private key, [`KeyError::Unsupported`], and those of a public JWK.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Ok(Self::from_material(spki::read(der)?))
    }

    /// The key in DER as SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    pub fn to_spki(&self) -> Vec<u8> {
        spki::write(&self.material)
    }

    /// The key in PEM (RFC 7468 §13).
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.to_spki()).to_string()
    }

    /// An RSA key in DER as RSAPublicKey (RFC 8017 §A.1.1).
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for other keys.
    pub fn to_pkcs1(&self) -> Result<Vec<u8>, Error> {
        spki::write_pkcs1(&self.material).ok_or_else(|| KeyError::NoSuchForm.into())
    }

    /// The same key under this id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.envelope.kid = Some(kid.into());
        self
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

    /// A key of which nothing but itself is known.
    pub(crate) fn from_material(material: Material) -> Self {
        let alg = material.alg().map(|alg| alg.as_str().into());
        Self { material, envelope: Envelope { alg, ..Envelope::default() } }
    }

    pub(crate) fn from_members(members: &Map<String, Value>) -> Result<Self, Error> {
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::Private.into());
        }
        Ok(Self { envelope: Envelope::from_members(members)?, material: Material::from_members(members)? })
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

impl Serialize for Jwk {
    /// The public members, `kty` first.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kty", self.kty())?;
        // `alg` of an `AKP` key is the same member as that of the envelope.
        for (name, value) in self.material.members().iter().filter(|(name, _)| !["kty", "alg"].contains(name)) {
            map.serialize_entry(name, value)?;
        }
        for (name, value) in self.envelope.texts() {
            map.serialize_entry(name, value)?;
        }
        if let Some(ops) = &self.envelope.key_ops {
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
