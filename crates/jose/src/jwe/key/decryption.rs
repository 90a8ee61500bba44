//! Keys that decrypt.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    agreement::PrivateKey,
    rsa::{KeySize, OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use zeroize::Zeroizing;

use super::{
    EncryptionKey,
    agree::{self, Curve, Point},
    secret::Secret,
};
use crate::{
    Error, Jwk, KeyError, PrivateJwk,
    jwe::{ContentAlgorithm, KeyAlgorithm, alg::KeyFamily, header::Header, random::draw},
    jwk::Material,
    key::{
        pair::{Pair, Private},
        pkcs8,
    },
    limits::PBES2_ROUNDS,
};

/// A key that decrypts with exactly one algorithm, prepared once. It never prints its secret.
#[derive(Clone)]
pub struct DecryptionKey {
    /// The half that encrypts; it knows the algorithm and the id.
    other: EncryptionKey,
    opener: Arc<Opener>,
    /// The key to be written somewhere; a password is not.
    jwk: Option<Arc<PrivateJwk>>,
}

enum Opener {
    Secret(Secret),
    Rsa(OaepPrivateDecryptingKey, &'static OaepAlgorithm),
    Agree(PrivateKey, Curve),
}

impl DecryptionKey {
    /// Draws a new key: an RSA pair of 3072 bits, a pair on P-256 to agree with, or a secret to share.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for a password, and for a content key (`dir`), which [`generate_direct`](Self::generate_direct)
    /// draws; [`KeyError::Generate`], [`KeyError::Kid`].
    pub fn generate(alg: KeyAlgorithm, kid: impl Into<String>) -> Result<Self, Error> {
        match (alg.row().family, alg.secret_len()) {
            (KeyFamily::Rsa { .. }, _) => Self::of_drawn(alg, kid.into(), &Pair::generate_rsa(KeySize::Rsa3072)?),
            (KeyFamily::Agree { .. }, _) => Self::generate_on(Curve::P256, alg, kid),
            (_, Some(len)) => Self::secret(alg, kid, &draw(len).map_err(|_| KeyError::Generate)?),
            (_, None) => Err(KeyError::NoSuchForm.into()),
        }
    }

    /// Draws a new pair on a curve.
    ///
    /// # Errors
    /// [`KeyError::DoesNotFit`] unless the algorithm agrees on a key; [`KeyError::Generate`], [`KeyError::Kid`].
    pub fn generate_on(curve: Curve, alg: KeyAlgorithm, kid: impl Into<String>) -> Result<Self, Error> {
        Self::of_drawn(alg, kid.into(), &Pair::generate_on(curve.keys())?)
    }

    /// Draws a new content key (`dir`).
    ///
    /// # Errors
    /// [`KeyError::Generate`], [`KeyError::Kid`].
    pub fn generate_direct(enc: ContentAlgorithm, kid: impl Into<String>) -> Result<Self, Error> {
        Self::direct(enc, kid, &draw(enc.key_len()).map_err(|_| KeyError::Generate)?)
    }

    /// A private key or a shared secret that names its algorithm. A content key (`dir`) names how it encrypts content instead
    /// (`"alg": "A256GCM"`, as in RFC 7520 §5.6).
    ///
    /// # Errors
    /// [`KeyError::AlgorithmMissing`], [`KeyError::Unsupported`] for an `alg` that does not encrypt here, and as
    /// [`from_jwk_as`](Self::from_jwk_as).
    pub fn from_jwk(jwk: &PrivateJwk) -> Result<Self, Error> {
        Self::from_jwk_as(jwk, own_algorithm(jwk)?)
    }

    /// A private key or a shared secret for the algorithm that the caller's policy names, where the JWK may leave it open. The id
    /// of a pair is the JWK's, or else its thumbprint.
    ///
    /// # Errors
    /// [`KeyError::DoesNotFit`] if the key does not fit it or names another, [`KeyError::AlgorithmMissing`] for a content key
    /// (`dir`) that does not name how it encrypts content, [`KeyError::NotForEncryption`], [`KeyError::SecretLength`].
    pub fn from_jwk_as(jwk: &PrivateJwk, alg: KeyAlgorithm) -> Result<Self, Error> {
        let (_, operations) = alg.operations();
        if !operations.iter().any(|operation| jwk.envelope.allows("enc", operation)) {
            return Err(KeyError::NotForEncryption.into());
        }
        let (other, opener) = match (jwk.secret(), jwk.pair()) {
            (Some(bytes), _) => {
                let (other, secret) = EncryptionKey::of_secret_jwk(alg, jwk, bytes)?;
                (other, Opener::Secret(secret))
            }
            (None, Some((public, private))) => {
                if jwk.alg().is_some_and(|name| name.parse() != Ok(alg)) {
                    return Err(KeyError::DoesNotFit(alg).into());
                }
                let kid = jwk.kid().map_or_else(|| public.thumbprint(), Into::into);
                (EncryptionKey::of_material(alg, Some(kid), public)?, prepare(alg, public, private)?)
            }
            (None, None) => return Err(KeyError::DoesNotFit(alg).into()),
        };
        Ok(Self { jwk: Some(Arc::new(Self::named(jwk, &other))), other, opener: Arc::new(opener) })
    }

    /// A shared secret, of exactly the length that the algorithm takes.
    ///
    /// # Errors
    /// As [`EncryptionKey::secret`].
    pub fn secret(alg: KeyAlgorithm, kid: impl Into<String>, secret: &[u8]) -> Result<Self, Error> {
        let jwk = PrivateJwk::from_secret(secret).with_kid(kid);
        Self::from_jwk_as(&jwk, alg)
    }

    /// A shared secret that is the content key (`dir`), for one way to encrypt content.
    ///
    /// # Errors
    /// As [`EncryptionKey::direct`].
    pub fn direct(enc: ContentAlgorithm, kid: impl Into<String>, secret: &[u8]) -> Result<Self, Error> {
        let mut jwk = PrivateJwk::from_secret(secret).with_kid(kid);
        jwk.envelope.alg = Some(enc.as_str().into());
        Self::from_jwk_as(&jwk, KeyAlgorithm::Dir)
    }

    /// A password (PBES2). Nothing else makes a recipient hash passwords: without a key of this kind every such message is
    /// refused.
    ///
    /// # Errors
    /// As [`EncryptionKey::password`].
    pub fn password(alg: KeyAlgorithm, kid: impl Into<String>, password: &str) -> Result<Self, Error> {
        let secret = Secret::password(alg, password.as_bytes())?.with_rounds(*PBES2_ROUNDS.end())?;
        let opener = Arc::new(Opener::Secret(secret));
        Ok(Self { other: EncryptionKey::password(alg, kid, password)?, opener, jwk: None })
    }

    /// The most rounds that a sender may ask for (`p2c`), within [`PBES2_ROUNDS`], whose end is the limit otherwise. Without effect
    /// on other keys.
    ///
    /// # Errors
    /// [`Error::Rounds`] outside that range.
    pub fn with_max_rounds(mut self, max_rounds: u32) -> Result<Self, Error> {
        if let Opener::Secret(secret) = &*self.opener {
            self.opener = Arc::new(Opener::Secret(secret.with_rounds(max_rounds)?));
        }
        Ok(self)
    }

    /// The same key under no id: it decrypts messages of its algorithm whatever `kid` they name.
    #[must_use]
    pub fn without_kid(mut self) -> Self {
        self.other = self.other.without_kid();
        self
    }

    /// The half that encrypts: the public key, or the same secret.
    pub fn encryption_key(&self) -> EncryptionKey {
        self.other.clone()
    }

    /// The public half as a JWK with `alg`, `kid` and `use: "enc"`. `None` for a secret.
    pub fn public_jwk(&self) -> Option<Jwk> {
        self.jwk.as_ref()?.public_jwk()
    }

    /// The whole key, to be written somewhere. `None` for a password.
    pub fn private_jwk(&self) -> Option<&PrivateJwk> {
        self.jwk.as_deref()
    }

    /// The one algorithm it decrypts with.
    pub fn alg(&self) -> KeyAlgorithm {
        self.other.alg()
    }

    /// Its key id.
    pub fn kid(&self) -> Option<&str> {
        self.other.kid()
    }

    /// The one way to encrypt content that it is for, if it is a content key (`dir`).
    pub fn enc(&self) -> Option<ContentAlgorithm> {
        self.other.enc()
    }

    /// The content key of a message. Where it does not unwrap, or has another length than it must, it is a random one, so that
    /// the content does not decrypt: what failed can be seen neither in the error nor in the time (RFC 7516 §11.5, RFC 8725 §3.2).
    pub(in crate::jwe) fn content_key(
        &self,
        enc: ContentAlgorithm,
        header: &Header<'_>,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let random = draw(enc.key_len()).map_err(|_| Error::Decrypt)?;
        let unwrapped = match &*self.opener {
            Opener::Secret(secret) => secret.unwrap(header, encrypted_key)?,
            Opener::Agree(key, curve) => agree::unwrap((self.alg(), enc), (key, *curve), header, encrypted_key)?,
            Opener::Rsa(key, oaep) => rsa_unwrap(key, oaep, encrypted_key),
        };
        Ok(unwrapped.filter(|key| key.len() == enc.key_len()).unwrap_or(random))
    }

    fn of_drawn(alg: KeyAlgorithm, kid: String, pair: &Pair) -> Result<Self, Error> {
        let (public, private) = pair.halves()?;
        Self::from_jwk_as(&PrivateJwk::from_halves(public, private).with_kid(kid), alg)
    }

    /// The key with what is known of it by now.
    fn named(jwk: &PrivateJwk, other: &EncryptionKey) -> PrivateJwk {
        let mut named = jwk.clone();
        named.envelope.kid = other.kid().map(Into::into);
        named.envelope.alg = Some(other.enc().map_or(other.alg().as_str(), ContentAlgorithm::as_str).into());
        named.envelope.usage = Some("enc".into());
        named
    }
}

/// The algorithm that a key names; a content key names how it encrypts content.
pub(super) fn own_algorithm(jwk: &PrivateJwk) -> Result<KeyAlgorithm, Error> {
    let name = jwk.alg().ok_or(KeyError::AlgorithmMissing)?;
    match name.parse::<ContentAlgorithm>() {
        Ok(_) => Ok(KeyAlgorithm::Dir),
        Err(_) => Ok(name.parse().map_err(|_| KeyError::Unsupported(name.into()))?),
    }
}

fn prepare(alg: KeyAlgorithm, public: &Material, private: &Private) -> Result<Opener, Error> {
    let malformed = |_| KeyError::Malformed;
    match (alg.row().family, private) {
        (KeyFamily::Rsa { oaep }, Private::Rsa(_)) => {
            let der = pkcs8::write(public, private)?;
            let key = PrivateDecryptingKey::from_pkcs8(&der).map_err(malformed)?;
            let key = OaepPrivateDecryptingKey::new(key).map_err(|_| KeyError::Malformed)?;
            Ok(Opener::Rsa(key, oaep))
        }
        (KeyFamily::Agree { .. }, Private::Bytes(d)) => {
            let curve = Point::of(public).ok_or(KeyError::DoesNotFit(alg))?.curve();
            Ok(Opener::Agree(PrivateKey::from_private_key(curve.agreement(), d).map_err(malformed)?, curve))
        }
        _ => Err(KeyError::DoesNotFit(alg).into()),
    }
}

fn rsa_unwrap(
    key: &OaepPrivateDecryptingKey,
    oaep: &'static OaepAlgorithm,
    encrypted_key: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut content_key = Zeroizing::new(vec![0; key.min_output_size()]);
    let len = key.decrypt(oaep, encrypted_key, &mut content_key, None).ok()?.len();
    content_key.truncate(len);
    Some(content_key)
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey").field("alg", &self.alg()).field("kid", &self.kid()).finish_non_exhaustive()
    }
}
