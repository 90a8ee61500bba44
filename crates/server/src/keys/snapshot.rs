//! The key ring as it was when it was last read: immutable, behind an atomic swap.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::digest;
use bytes::Bytes;
use countersign_jose::{
    Algorithm, Audience, Claims, Error, Policy, SigningKey, Verified, VerifyingKey, b64, profile::Profile,
};
use http::HeaderValue;
use serde_json::{Value, json};

use super::{
    error::KeyRingError,
    material::{self, AudienceKey, Material},
    provider::KeyProvider,
    signer::Signer,
    stores::KeyStores,
};
use crate::{
    domain::{
        audience::KeyChoice,
        key_ring::{self, KeyState, Purpose, RingKey, Slot},
        key_store::StoreName,
        refresh_token::MacKeys,
        time::Timestamp,
    },
    store::keys::{AudienceSecretRow, KeyRow},
};

/// The public keys as `/.well-known/jwks.json` answers them, rendered once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwks {
    pub body: Bytes,
    /// A strong entity tag, quoted.
    pub etag: HeaderValue,
}

/// Every key in use, opened.
#[derive(Debug)]
pub struct Snapshot {
    ring: Vec<RingKey>,
    material: HashMap<String, Material>,
    audiences: HashMap<String, AudienceKey>,
    macs: MacKeys,
    jwks: Jwks,
    feed_jwks: Jwks,
}

impl Snapshot {
    /// Opens what the store holds. What `previous` has open already is not opened again.
    ///
    /// # Errors
    /// A key does not open or is not what its row says, or a slot has no active key.
    pub(super) async fn build(
        rows: &[KeyRow],
        audiences: &[AudienceSecretRow],
        (provider, stores): (&KeyProvider, &KeyStores),
        previous: Option<&Self>,
    ) -> Result<Self, KeyRingError> {
        let rows = || rows.iter().filter(|row| row.key.state != KeyState::Removed);
        let ring: Vec<RingKey> = rows().map(|row| row.key.clone()).collect();
        key_ring::check(&ring)?;
        let mut material = HashMap::new();
        for row in rows() {
            let known = previous.and_then(|previous| previous.material.get(&row.key.kid));
            let opened = match known {
                Some(known) => known.clone(),
                None => material::open(provider, stores, row).await?,
            };
            material.insert(row.key.kid.clone(), opened);
        }
        let audiences = open_audiences(audiences, provider, previous).await?;
        let macs = mac_keys(&ring, &material)?;
        // A lost key of the feed is restored from a backup, as every other: nothing is made anew (KEY-08).
        key_ring::active(&ring, Slot::FEED).ok_or(key_ring::Damaged { slot: Slot::FEED, active: 0 })?;
        let jwks = render(&ring, &material, Purpose::Token)?;
        let feed_jwks = render(&ring, &material, Purpose::Feed)?;
        Ok(Self { ring, material, audiences, macs, jwks, feed_jwks })
    }

    /// The key that signs by this choice (`domain::audience::key_choice`).
    ///
    /// # Errors
    /// The issuer has no such key, or not yet.
    pub fn signer(&self, choice: KeyChoice<'_>) -> Result<Signer, KeyRingError> {
        match choice {
            KeyChoice::Ring(alg) => self.signer_for(alg),
            KeyChoice::Audience(audience) => {
                let known = self.audiences.get(audience).map(|known| Signer::Here(Arc::clone(&known.key)));
                known.ok_or_else(|| KeyRingError::NoAudienceSecret(audience.to_owned()))
            }
        }
    }

    /// The issuer's active key of this algorithm.
    ///
    /// # Errors
    /// The issuer has none.
    pub fn signer_for(&self, alg: Algorithm) -> Result<Signer, KeyRingError> {
        self.signer_in(Slot::token(alg))
    }

    /// The active key of the revocation feed.
    ///
    /// # Errors
    /// The issuer has none.
    pub fn feed_signer(&self) -> Result<Arc<SigningKey>, KeyRingError> {
        let signer = self.signer_in(Slot::FEED)?;
        signer.here().cloned().ok_or(KeyRingError::NoSigner(Slot::FEED.alg))
    }

    fn signer_in(&self, slot: Slot) -> Result<Signer, KeyRingError> {
        match key_ring::active(&self.ring, slot).and_then(|key| self.material.get(&key.kid)) {
            Some(Material::Signing { signer, .. }) => Ok(signer.clone()),
            _ => Err(KeyRingError::NoSigner(slot.alg)),
        }
    }

    /// The slots of tokens whose key lies elsewhere than it should, and where none waits to follow it.
    pub(super) fn misplaced(&self, wanted: Option<StoreName>) -> Vec<Slot> {
        let elsewhere = |slot: &Slot| self.signer_in(*slot).is_ok_and(|signer| signer.store() != wanted);
        let possible = |slot: &Slot| wanted.is_none_or(|store| store.can_sign(slot.alg));
        let slots = self.algorithms().into_iter().map(Slot::token);
        slots
            .filter(|slot| elsewhere(slot) && possible(slot) && key_ring::successor(&self.ring, *slot).is_none())
            .collect()
    }

    /// The keys that sign, or will, in a store other than this one.
    pub(super) fn signing_outside(&self, kept: Option<StoreName>) -> Vec<(&str, StoreName)> {
        let alive = self.ring.iter().filter(|key| !matches!(key.state, KeyState::Retiring { .. }));
        let there = alive.filter_map(|key| match self.material.get(&key.kid) {
            Some(Material::Signing { signer, .. }) => Some((key.kid.as_str(), signer.store()?)),
            _ => None,
        });
        there.filter(|(_, store)| Some(*store) != kept).collect()
    }

    /// Verifies one of the issuer's own tokens: signed by a key that the JWKS shows.
    ///
    /// An audience that shares a secret with the issuer can forge what is signed with it, so such a token counts only
    /// where it speaks to that audience alone: `shared_with` names who may be spoken to (an introspection by a service of
    /// theirs); with none, none is accepted.
    ///
    /// # Errors
    /// [`Error::UnknownKey`], and as [`Policy::verify_with`].
    pub fn verify<P: Profile>(
        &self,
        policy: &Policy<P>,
        shared_with: &[&str],
        token: &str,
        now: Timestamp,
    ) -> Result<Verified<P::Claims>, Error> {
        let unverified = policy.parse(token)?;
        let unknown = Error::UnknownKey { kid: unverified.kid().map(Into::into) };
        if let Some(key) = unverified.kid().and_then(|kid| self.verifying_key(kid)) {
            return policy.verify_with(&key, unverified, now.secs());
        }
        let by_secret = |audience: &&str| {
            let shared = self.audiences.get(*audience)?;
            let verified = policy.parse(token).and_then(|it| policy.verify_with(&shared.verifying, it, now.secs()));
            Some(verified.and_then(|verified| check_audience(verified, audience)))
        };
        shared_with.iter().filter_map(by_secret).reduce(Result::or).unwrap_or(Err(unknown))
    }

    /// The key of tokens that the JWKS shows under this `kid`; a feed key is none.
    pub fn verifying_key(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        let shown = |key: &RingKey| key.slot.purpose == Purpose::Token && key.state.is_public();
        let public = self.ring.iter().any(|key| key.kid == kid && shown(key));
        match self.material.get(kid).filter(|_| public) {
            Some(Material::Signing { verifying, .. }) => Some(Arc::clone(verifying)),
            _ => None,
        }
    }

    /// Whether a key that a token rests on still counts: one that the JWKS shows, or a refresh key of the ring.
    pub fn counts(&self, kid: &str) -> bool {
        let refresh = |key: &RingKey| key.kid == kid && key.slot == Slot::REFRESH;
        self.verifying_key(kid).is_some() || self.ring.iter().any(refresh)
    }

    /// The name of the refresh key with this id.
    pub fn refresh_kid(&self, id: u8) -> Option<&str> {
        let is_it = |material: &Material| matches!(material, Material::Mac { id: known, .. } if *known == id);
        self.material.iter().find(|(_, material)| is_it(material)).map(|(kid, _)| kid.as_str())
    }

    /// The keys of refresh tokens.
    pub fn mac_keys(&self) -> &MacKeys {
        &self.macs
    }

    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }

    /// The public keys of the revocation feed, a set of their own.
    pub fn feed_jwks(&self) -> &Jwks {
        &self.feed_jwks
    }

    /// The algorithms that the issuer's own keys sign with.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let slots = self.ring.iter().filter(|key| matches!(key.state, KeyState::Active { .. })).map(|key| key.slot);
        slots.filter(|slot| *slot == Slot::token(slot.alg)).map(|slot| slot.alg).collect()
    }

    pub(super) fn ring(&self) -> &[RingKey] {
        &self.ring
    }
}

fn check_audience<C: Claims>(verified: Verified<C>, audience: &str) -> Result<Verified<C>, Error> {
    let named: Vec<&str> = verified.registered().aud.into_iter().flat_map(Audience::iter).collect();
    if named == [audience] {
        return Ok(verified);
    }
    Err(Error::Audience { expected: audience.to_owned(), got: named.join(" ") })
}

async fn open_audiences(
    rows: &[AudienceSecretRow],
    provider: &KeyProvider,
    previous: Option<&Snapshot>,
) -> Result<HashMap<String, AudienceKey>, KeyRingError> {
    let mut opened = HashMap::with_capacity(rows.len());
    for row in rows {
        let known = previous.and_then(|previous| previous.audiences.get(&row.audience));
        let key = match known.filter(|known| known.sealed == row.sealed) {
            Some(known) => known.clone(),
            None => material::open_audience(provider, row).await?,
        };
        opened.insert(row.audience.clone(), key);
    }
    Ok(opened)
}

fn mac_keys(ring: &[RingKey], material: &HashMap<String, Material>) -> Result<MacKeys, KeyRingError> {
    let mac = |kid: &str| match material.get(kid) {
        Some(Material::Mac { id, key }) => Some((*id, key.as_slice())),
        _ => None,
    };
    let current = key_ring::active(ring, Slot::REFRESH).and_then(|key| mac(&key.kid));
    let (current, _) = current.ok_or(key_ring::Damaged { slot: Slot::REFRESH, active: 0 })?;
    Ok(MacKeys::new(current, ring.iter().filter_map(|key| mac(&key.kid)))?)
}

/// The public half comes from what was opened, never from a column: whoever can only write to the database
/// cannot make verifiers trust a key.
fn render(ring: &[RingKey], material: &HashMap<String, Material>, purpose: Purpose) -> Result<Jwks, KeyRingError> {
    let mut keys = Vec::new();
    for ring_key in ring.iter().filter(|key| key.slot.purpose == purpose && key.state.is_public()) {
        if let Some(Material::Signing { signer, .. }) = material.get(&ring_key.kid) {
            let jwk = serde_json::to_value(signer.public_jwk());
            let failed = |reason: String| KeyRingError::NotThatKey { kid: ring_key.kid.clone(), reason };
            keys.push(jwk.map_err(|error| failed(error.to_string()))?);
        }
    }
    let body = json!({ "keys": Value::from(keys) }).to_string();
    let hash = digest::digest(&digest::SHA256, body.as_bytes());
    let etag = format!("\"{}\"", b64::encode(&hash.as_ref()[..12]));
    let etag = HeaderValue::from_maybe_shared(etag).map_err(|_| KeyRingError::Generate("an entity tag".to_owned()))?;
    Ok(Jwks { body: Bytes::from(body), etag })
}
