//! Shared secrets and passwords: the same bytes on both sides.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use serde_json::Value;
use zeroize::Zeroizing;

use super::Carried;
use crate::{
    Error, KeyError, b64,
    jwe::{
        ContentAlgorithm, KeyAlgorithm,
        alg::KeyFamily,
        content::{Body, gcm_seal, gcm_unwrap},
        header::Header,
        random::draw,
        wrap,
    },
    limits::{PASSWORD_BYTES, PBES2_ROUNDS, PBES2_SALT_BYTES},
};

/// RFC 7518 §4.7.1.1, §4.7.1.2, in bytes.
const GCM_IV: usize = 12;
const GCM_TAG: usize = 16;

/// Length in bytes of a salt that is drawn here.
const SALT: usize = 16;

#[derive(Clone)]
pub(in crate::jwe) struct Secret {
    alg: KeyAlgorithm,
    bytes: Zeroizing<Vec<u8>>,
    /// How often a password is hashed, or, where it decrypts, may be at most.
    rounds: u32,
}

impl Secret {
    /// A secret of exactly the length that its algorithm takes (RFC 7518 §4.4, §4.7).
    pub(super) fn shared(alg: KeyAlgorithm, bytes: &[u8]) -> Result<Self, Error> {
        let Some(len) = alg.secret_len() else { return Err(KeyError::DoesNotFit(alg).into()) };
        Self::of_length(alg, bytes, len)
    }

    /// The content key itself.
    pub(super) fn direct(enc: ContentAlgorithm, bytes: &[u8]) -> Result<Self, Error> {
        Self::of_length(KeyAlgorithm::Dir, bytes, enc.key_len())
    }

    pub(super) fn password(alg: KeyAlgorithm, bytes: &[u8]) -> Result<Self, Error> {
        let KeyFamily::Password { rounds, .. } = alg.row().family else {
            return Err(KeyError::DoesNotFit(alg).into());
        };
        if !PASSWORD_BYTES.contains(&bytes.len()) {
            return Err(KeyError::PasswordLength(bytes.len()).into());
        }
        Ok(Self { alg, bytes: Zeroizing::new(bytes.to_vec()), rounds })
    }

    pub(super) fn with_rounds(&self, rounds: u32) -> Result<Self, Error> {
        let limit = *PBES2_ROUNDS.end();
        if !PBES2_ROUNDS.contains(&rounds) {
            return Err(Error::Rounds { got: rounds.into(), limit });
        }
        Ok(Self { rounds, ..self.clone() })
    }

    fn of_length(alg: KeyAlgorithm, bytes: &[u8], expected: usize) -> Result<Self, Error> {
        if bytes.len() != expected {
            return Err(KeyError::SecretLength { expected, got: bytes.len() }.into());
        }
        Ok(Self { alg, bytes: Zeroizing::new(bytes.to_vec()), rounds: 0 })
    }

    /// Wraps the content key, or, for `dir`, replaces it.
    pub(super) fn carry(&self, content_key: &mut Zeroizing<Vec<u8>>) -> Result<Carried, Error> {
        match self.alg.row().family {
            KeyFamily::Direct => {
                content_key.clone_from(&self.bytes);
                Ok(Carried::default())
            }
            KeyFamily::GcmWrap { gcm } => {
                let iv = draw(GCM_IV)?;
                let mut encrypted_key = content_key.to_vec();
                let tag = gcm_seal(gcm, &self.bytes, &iv, &[], &mut encrypted_key).map_err(|_| Error::Encrypt)?;
                Ok(Carried { encrypted_key, params: vec![("iv", text(&iv)), ("tag", text(&tag))] })
            }
            KeyFamily::Password { .. } => {
                let salt = draw(SALT)?;
                let kek = self.stretch(&salt, self.rounds)?;
                let encrypted_key = wrap::wrap(&kek, content_key).map_err(|_| Error::Encrypt)?;
                Ok(Carried { encrypted_key, params: vec![("p2s", text(&salt)), ("p2c", self.rounds.into())] })
            }
            _ => {
                let encrypted_key = wrap::wrap(&self.bytes, content_key).map_err(|_| Error::Encrypt)?;
                Ok(Carried { encrypted_key, params: Vec::new() })
            }
        }
    }

    /// The content key; none if it does not unwrap, which nobody without the secret may learn.
    pub(super) fn unwrap(
        &self,
        header: &Header<'_>,
        encrypted_key: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        match self.alg.row().family {
            KeyFamily::Direct if encrypted_key.is_empty() => Ok(Some(self.bytes.clone())),
            KeyFamily::Direct => {
                Err(Error::PartLength { part: "encrypted_key", expected: 0, got: encrypted_key.len() })
            }
            KeyFamily::GcmWrap { gcm } => {
                let (iv, tag) = (header.bytes("iv", GCM_IV)?, header.bytes("tag", GCM_TAG)?);
                for (member, len, expected) in [("iv", iv.len(), GCM_IV), ("tag", tag.len(), GCM_TAG)] {
                    if len != expected {
                        return Err(Error::HeaderMalformed { member });
                    }
                }
                Ok(gcm_unwrap(gcm, &self.bytes, &Body { iv, ciphertext: encrypted_key.to_vec(), tag }).ok())
            }
            KeyFamily::Password { .. } => {
                let kek = self.stretch(&salt(header)?, self.rounds_of(header)?)?;
                Ok(wrap::unwrap(&kek, encrypted_key).ok())
            }
            _ => Ok(wrap::unwrap(&self.bytes, encrypted_key).ok()),
        }
    }

    /// RFC 7518 §4.8.1.2: never more rounds than the limit, whoever asks (CVE-2022-36083).
    fn rounds_of(&self, header: &Header<'_>) -> Result<u32, Error> {
        let member = header.member("p2c").ok_or(Error::HeaderMissing { member: "p2c" })?;
        let got = member.as_u64().ok_or(Error::HeaderMalformed { member: "p2c" })?;
        let limit = self.rounds;
        u32::try_from(got)
            .ok()
            .filter(|rounds| (*PBES2_ROUNDS.start()..=limit).contains(rounds))
            .ok_or(Error::Rounds { got, limit })
    }

    /// PBKDF2 over the name of the algorithm, a zero and the salt (RFC 7518 §4.8.1.1).
    fn stretch(&self, salt: &[u8], rounds: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
        let KeyFamily::Password { hash, wrap, .. } = self.alg.row().family else { return Err(Error::Encrypt) };
        let salt = [self.alg.as_str().as_bytes(), &[0], salt].concat();
        let mut kek = Zeroizing::new(vec![0; wrap]);
        let rounds = NonZeroU32::new(rounds).ok_or(Error::Encrypt)?;
        pbkdf2::derive(hash, rounds, &salt, &self.bytes, &mut kek);
        Ok(kek)
    }
}

fn salt(header: &Header<'_>) -> Result<Vec<u8>, Error> {
    if header.member("p2s").is_none() {
        return Err(Error::HeaderMissing { member: "p2s" });
    }
    let salt = header.bytes("p2s", *PBES2_SALT_BYTES.end())?;
    if PBES2_SALT_BYTES.contains(&salt.len()) { Ok(salt) } else { Err(Error::HeaderMalformed { member: "p2s" }) }
}

fn text(bytes: &[u8]) -> Value {
    b64::encode(bytes).into()
}
