//! Encrypting tokens to whoever they are for: one public key of theirs, and how the content is encrypted.

use countersign_jose::{
    Error, Jwk,
    jwe::{ContentAlgorithm, EncryptionKey, Encryptor, KeyAlgorithm},
};
use serde::{Deserialize, Serialize};

/// How content is encrypted where nobody says otherwise.
const DEFAULT: ContentAlgorithm = ContentAlgorithm::A256GCM;

/// A recipient of encrypted tokens: a JWK that was checked, bound to one algorithm, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    jwk: Jwk,
    enc: ContentAlgorithm,
}

/// Nothing that tokens could be encrypted to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEncryption {
    #[error("the key cannot be used: {0}")]
    Key(Error),
    /// What opens the message could also have made it, and the issuer would keep it.
    #[error("a shared secret or a password is no key of a recipient; take a key pair")]
    Secret,
    #[error("{0:?} is not the name of a way to encrypt content")]
    Content(String),
}

impl Encryption {
    /// Reads a public JWK whose `alg` says how the content's key is encrypted, and the name of a way to encrypt the content.
    ///
    /// # Errors
    /// [`BadEncryption`]
    pub fn parse(jwk: &[u8], enc: Option<&str>) -> Result<Self, BadEncryption> {
        let jwk = Jwk::parse(jwk).map_err(BadEncryption::Key)?;
        let key = EncryptionKey::from_jwk(&jwk).map_err(BadEncryption::Key)?;
        if key.alg().is_symmetric() {
            return Err(BadEncryption::Secret);
        }
        let named = enc.map(|name| name.parse().map_err(|_| BadEncryption::Content(name.to_owned())));
        Ok(Self { jwk, enc: named.transpose()?.unwrap_or(DEFAULT) })
    }

    /// What was stored: it was checked when it was registered.
    ///
    /// # Errors
    /// [`BadEncryption::Key`]
    pub fn stored(text: &str) -> Result<Self, BadEncryption> {
        serde_json::from_str(text).map_err(|_| BadEncryption::Key(Error::Json { at: 0 }))
    }

    /// The text that the store keeps.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How the key of the content is encrypted.
    pub fn alg(&self) -> Option<KeyAlgorithm> {
        EncryptionKey::from_jwk(&self.jwk).ok().map(|key| key.alg())
    }

    /// How the content is encrypted.
    pub fn enc(&self) -> ContentAlgorithm {
        self.enc
    }

    /// Encrypts a token that was signed: both layers hold, or it is none (TOK-11).
    ///
    /// # Errors
    /// The key or the cipher.
    pub fn encrypt(&self, token: &str) -> Result<String, Error> {
        let key = EncryptionKey::from_jwk(&self.jwk)?;
        Encryptor::new(&key).enc(self.enc).encrypt_signed(token)
    }
}

/// The algorithms that a recipient's key may be for.
pub fn key_algorithms() -> impl Iterator<Item = KeyAlgorithm> {
    KeyAlgorithm::all().filter(|alg| !alg.is_symmetric() && !alg.is_password())
}

#[cfg(test)]
mod tests {
    use countersign_jose::jwe::{DecryptionKey, Decryptor};

    use super::*;

    fn public(alg: KeyAlgorithm) -> Vec<u8> {
        serde_json::to_vec(&DecryptionKey::generate(alg, "k").unwrap().public_jwk().unwrap()).unwrap()
    }

    // KEY-05: a public key of a pair, with its algorithm.
    #[test]
    fn a_recipient_has_a_key_pair() {
        for alg in key_algorithms().filter(|alg| !alg.as_str().starts_with("RSA")) {
            let read = Encryption::parse(&public(alg), None).unwrap();
            assert_eq!(Encryption::stored(&read.to_json()), Ok(read), "{alg:?}");
        }
        let names: Vec<_> = key_algorithms().map(KeyAlgorithm::as_str).collect();
        assert!(names.contains(&"RSA-OAEP-256") && names.contains(&"ECDH-ES"), "{names:?}");
        assert!(
            !names.iter().any(|name| name.starts_with("PBES2") || *name == "dir" || *name == "A128KW"),
            "{names:?}"
        );
        for bad in [&br#"{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAA","alg":"A128KW"}"#[..], br#"{"kty":"EC"}"#, b"7"] {
            assert!(Encryption::parse(bad, None).is_err());
        }
        let good = public(KeyAlgorithm::EcdhEsA256KW);
        assert_eq!(Encryption::parse(&good, Some("A1GCM")), Err(BadEncryption::Content("A1GCM".to_owned())));
    }

    // TOK-11
    #[test]
    fn what_is_not_signed_is_not_encrypted() {
        let key = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "k").unwrap();
        let jwk = serde_json::to_vec(&key.public_jwk().unwrap()).unwrap();
        let to = Encryption::parse(&jwk, Some("A128CBC-HS256")).unwrap();
        assert!(to.encrypt("a text").is_err());
        let text = to.encrypt("eyJhbGciOiJFUzI1NiJ9.e30.AAAA").unwrap();
        let opened = Decryptor::new(key).accept([ContentAlgorithm::A128CbcHs256]).decrypt(&text).unwrap();
        assert_eq!((opened.as_slice(), opened.cty()), (&b"eyJhbGciOiJFUzI1NiJ9.e30.AAAA"[..], Some("JWT")));
    }
}
