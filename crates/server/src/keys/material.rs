//! Secrets of the ring: making new ones, sealing them, and opening them again as what their row says they are.

use std::{fmt, sync::Arc};

use aws_lc_rs::digest;
use countersign_jose::{Algorithm, SigningKey, VerifyingKey, b64};
use zeroize::Zeroizing;

use super::{
    error::KeyRingError,
    provider::KeyProvider,
    remote::KeyStore,
    signer::{KeyThere, Signer},
    stores::KeyStores,
};
use crate::{
    domain::{
        key_ring::{KeyState, Purpose, RingKey, Slot},
        key_store::StoreName,
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
    Signing { signer: Signer, verifying: Arc<VerifyingKey> },
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

/// What makes keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maker<'a> {
    pub provider: &'a KeyProvider,
    pub random: Random,
    /// Where the keys of tokens are made, if not here.
    pub there: Option<&'a Arc<KeyStore>>,
}

/// Makes a key for `slot`, sealed and ready to be inserted. RSA keys take seconds, so this happens on a blocking thread.
pub(super) async fn generate(
    maker: Maker<'_>,
    slot: Slot,
    refresh_number: u64,
    now: Timestamp,
) -> Result<KeyRow, KeyRingError> {
    let Maker { provider, random, there } = maker;
    // The feed is signed every second and must not stop when a store does (I-7), and refresh tokens are checked before
    // anything is asked.
    let Made { kid, store, plain, public_jwk } = match (slot.purpose, there) {
        (Purpose::Token, Some(there)) => key_there(random, slot.alg, there).await?,
        (Purpose::Token, None) => signing_key(random, slot.alg, "").await?,
        (Purpose::Feed, _) => signing_key(random, slot.alg, FEED_PREFIX).await?,
        (Purpose::Refresh, _) => mac_key(random, refresh_number)?,
    };
    let sealed = provider.seal(&plain, &context(&kid, slot, store)).await.map_err(KeyRingError::Seal)?;
    let key = RingKey { kid, slot, state: KeyState::Staged };
    Ok(KeyRow { key, store, sealed: Some(sealed), public_jwk, created_at: now })
}

/// Opens a key's private half, or what leads to it.
pub(super) async fn open(provider: &KeyProvider, stores: &KeyStores, row: &KeyRow) -> Result<Material, KeyRingError> {
    let (key, sealed) = (&row.key, row.sealed.as_deref().unwrap_or_default());
    let kid = key.kid.as_str();
    let plain = provider.unseal(sealed, &context(kid, key.slot, row.store)).await;
    let plain = plain.map_err(|error| KeyRingError::Unseal { kid: kid.to_owned(), error })?;
    let not_that_key = |reason: String| KeyRingError::NotThatKey { kid: kid.to_owned(), reason };
    if let Some(store) = row.store {
        let there = KeyThere::open(stores, store, (kid, key.slot.alg), &plain).map_err(not_that_key)?;
        let verifying = there.verifying();
        return Ok(Material::Signing { signer: Signer::There(Arc::new(there)), verifying });
    }
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
    store: Option<StoreName>,
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
    Ok(Made { kid, store: None, plain, public_jwk })
}

/// What is sealed of a key in a store is its name there and its public half: whoever can only write to the database cannot
/// make verifiers trust a key.
async fn key_there(random: Random, alg: Algorithm, there: &Arc<KeyStore>) -> Result<Made, KeyRingError> {
    let kid = b64::encode(random.bytes::<9>()?);
    let (reference, public_jwk) = KeyThere::make(there, alg, &kid).await?;
    Ok(Made { kid, store: Some(there.name()), plain: reference.into(), public_jwk: Some(public_jwk) })
}

fn mac_key(random: Random, number: u64) -> Result<Made, KeyRingError> {
    let key = Zeroizing::new(random.bytes::<32>()?);
    let kid = format!("{REFRESH_PREFIX}{number}");
    Ok(Made { kid, store: None, plain: Zeroizing::new(key.to_vec()), public_jwk: None })
}

fn signing(key: SigningKey) -> Option<Material> {
    let verifying = Arc::new(key.verifying_key()?);
    Some(Material::Signing { signer: Signer::Here(Arc::new(key)), verifying })
}

/// What a sealed key is bound to: moved to another row, it does not open.
fn context(kid: &str, slot: Slot, store: Option<StoreName>) -> String {
    let here = format!("{kid}|{}|{}", slot.purpose.as_str(), slot.alg);
    store.map_or(here.clone(), |store| format!("{here}|{}", store.as_str()))
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
