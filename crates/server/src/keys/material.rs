//! Secrets of the ring: making new ones, sealing them, and opening them again as what their row says they are.

use std::{fmt, sync::Arc};

use aws_lc_rs::digest;
use countersign_jose::{Algorithm, SigningKey, VerifyingKey, b64};
use zeroize::Zeroizing;

use super::{error::KeyRingError, provider::KeyProvider};
use crate::{
    domain::{
        key_ring::{KeyState, Purpose, RingKey, Slot},
        time::Timestamp,
    },
    random::Random,
    secret::PlainSecret,
    store::keys::{AudienceSecretRow, KeyRow},
};

/// Refresh keys are called `refresh-<number>`; the number counts for ever and its last byte is in each token.
const REFRESH_PREFIX: &str = "refresh-";
/// Feed keys are called `feed-…`, so that a log line tells which set a `kid` belongs to.
const FEED_PREFIX: &str = "feed-";

/// What a key of the ring can do.
#[derive(Clone)]
pub(super) enum Material {
    Signing { key: Arc<SigningKey>, verifying: Arc<VerifyingKey> },
    Mac { id: u8, key: Arc<Zeroizing<[u8; 32]>> },
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signing { .. } => "Signing(…)",
            Self::Mac { .. } => "Mac(…)",
        })
    }
}

/// The secret that an HS256 audience shares with the issuer, in use.
#[derive(Clone)]
pub(super) struct AudienceKey {
    /// What it was opened from: the same text is not opened twice.
    pub sealed: Vec<u8>,
    pub key: Arc<SigningKey>,
    pub verifying: Arc<VerifyingKey>,
}

impl fmt::Debug for AudienceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AudienceKey(…)")
    }
}

/// A new secret for an HS256 audience: sealed for the store, and in clear for its owner, once.
#[derive(Debug)]
pub struct NewAudienceSecret {
    /// For `audiences.sealed_secret`.
    pub sealed: Vec<u8>,
    /// The secret as the member `k` of a JWK carries it: 32 bytes, base64url.
    pub secret: PlainSecret,
    /// The `kid` of this audience's tokens.
    pub kid: String,
}

/// Makes a key for `slot`, sealed and ready to be inserted. RSA keys take seconds, so this happens on a blocking thread.
pub(super) async fn generate(
    provider: &KeyProvider,
    random: Random,
    slot: Slot,
    refresh_number: u64,
    now: Timestamp,
) -> Result<KeyRow, KeyRingError> {
    let Made { kid, plain, public_jwk } = match slot.purpose {
        Purpose::Token => signing_key(random, slot.alg, "").await?,
        Purpose::Feed => signing_key(random, slot.alg, FEED_PREFIX).await?,
        Purpose::Refresh => mac_key(random, refresh_number)?,
    };
    let sealed = provider.seal(&plain, &context(&kid, slot)).await.map_err(KeyRingError::Seal)?;
    let key = RingKey { kid, slot, state: KeyState::Staged };
    Ok(KeyRow { key, sealed: Some(sealed), public_jwk, created_at: now })
}

/// Opens a key's private half.
pub(super) async fn open(provider: &KeyProvider, key: &RingKey, sealed: &[u8]) -> Result<Material, KeyRingError> {
    let kid = key.kid.as_str();
    let plain = provider.unseal(sealed, &context(kid, key.slot)).await;
    let plain = plain.map_err(|error| KeyRingError::Unseal { kid: kid.to_owned(), error })?;
    let not_that_key = |reason: String| KeyRingError::NotThatKey { kid: kid.to_owned(), reason };
    match key.slot.purpose {
        Purpose::Token | Purpose::Feed => {
            let key =
                SigningKey::from_pkcs8(key.slot.alg, kid, &plain).map_err(|error| not_that_key(error.to_string()))?;
            signing(key).ok_or_else(|| not_that_key("it has no public half".to_owned()))
        }
        Purpose::Refresh => {
            let id = refresh_number(kid).ok_or_else(|| not_that_key("its name has no number".to_owned()))?;
            let key = plain.as_slice().try_into().map_err(|_| not_that_key("it is not 32 bytes".to_owned()))?;
            Ok(Material::Mac { id: id.to_le_bytes()[0], key: Arc::new(Zeroizing::new(key)) })
        }
    }
}

/// Makes a secret for an HS256 audience.
pub(super) async fn generate_audience_secret(
    provider: &KeyProvider,
    random: Random,
    audience: &str,
) -> Result<NewAudienceSecret, KeyRingError> {
    let secret = Zeroizing::new(random.bytes::<32>()?);
    let sealed = provider.seal(&secret[..], &audience_context(audience)).await.map_err(KeyRingError::Seal)?;
    Ok(NewAudienceSecret { sealed, kid: audience_kid(&secret[..]), secret: PlainSecret::new(b64::encode(&secret[..])) })
}

/// Opens an audience's secret.
pub(super) async fn open_audience(
    provider: &KeyProvider,
    row: &AudienceSecretRow,
) -> Result<AudienceKey, KeyRingError> {
    let secret = provider.unseal(&row.sealed, &audience_context(&row.audience)).await;
    let secret = secret.map_err(|error| KeyRingError::AudienceSecret { audience: row.audience.clone(), error })?;
    let kid = audience_kid(&secret);
    let not_that_key =
        |error: countersign_jose::Error| KeyRingError::NotThatKey { kid: kid.clone(), reason: error.to_string() };
    let key = SigningKey::hmac(Algorithm::HS256, &kid, &secret).map_err(not_that_key)?;
    let verifying = VerifyingKey::hmac(Algorithm::HS256, &kid, &secret).map_err(not_that_key)?;
    Ok(AudienceKey { sealed: row.sealed.clone(), key: Arc::new(key), verifying: Arc::new(verifying) })
}

/// The number of the refresh key `kid`.
pub(super) fn refresh_number(kid: &str) -> Option<u64> {
    kid.strip_prefix(REFRESH_PREFIX)?.parse().ok()
}

/// A new key before it is sealed.
struct Made {
    kid: String,
    plain: Zeroizing<Vec<u8>>,
    public_jwk: Option<String>,
}

async fn signing_key(random: Random, alg: Algorithm, prefix: &str) -> Result<Made, KeyRingError> {
    let kid = format!("{prefix}{}", b64::encode(random.bytes::<9>()?));
    let name = kid.clone();
    let failed = |reason: String| KeyRingError::Generate(reason);
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(alg, name)).await;
    let key = made.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    let plain = key.to_pkcs8().map_err(|error| failed(error.to_string()))?;
    let public_jwk = key.public_jwk().map(|jwk| serde_json::to_string(&jwk));
    let public_jwk = public_jwk.transpose().map_err(|error| failed(error.to_string()))?;
    Ok(Made { kid, plain, public_jwk })
}

fn mac_key(random: Random, number: u64) -> Result<Made, KeyRingError> {
    let key = Zeroizing::new(random.bytes::<32>()?);
    Ok(Made { kid: format!("{REFRESH_PREFIX}{number}"), plain: Zeroizing::new(key.to_vec()), public_jwk: None })
}

fn signing(key: SigningKey) -> Option<Material> {
    let verifying = Arc::new(key.verifying_key()?);
    Some(Material::Signing { key: Arc::new(key), verifying })
}

/// What a sealed key is bound to: moved to another row, it does not open.
fn context(kid: &str, slot: Slot) -> String {
    format!("{kid}|{}|{}", slot.purpose.as_str(), slot.alg)
}

fn audience_context(audience: &str) -> String {
    format!("{audience}|audience")
}

/// A name for a shared secret that tells nothing of its 256 random bits and stays the same if it is sealed anew.
fn audience_kid(secret: &[u8]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(b"countersign-audience-kid");
    hash.update(secret);
    b64::encode(&hash.finish().as_ref()[..9])
}
