//! A key that must not be trusted any more: gone from the key set, its tokens dead, its successor signing, in one
//! transaction.

use super::{KeyRing, KeyRingError, change, rows};
use crate::{
    domain::{
        audit::{AuditEvent, Event, Source},
        key_ring::{self, KeyState, Purpose, RingKey},
        revocation::{Entry, Scope},
        time::Timestamp,
    },
    store::{StoreError, Tx, audit, key_verifiers, revocations},
};

/// What one revocation writes.
#[derive(Debug, Clone)]
struct Revocation {
    kid: String,
    /// Who signs from now on, if the key was active.
    replacement: Option<String>,
    /// What tells verifiers that its tokens are dead, and what rests on them: a token may rest on an opaque one, which a
    /// refresh key made. Of a feed key they hear by its own rules.
    entry: Option<Entry>,
    event: AuditEvent,
    now: Timestamp,
}

impl KeyRing {
    /// Removes a key that must not be trusted any more, now (KEY-04). If it was active, its successor (made if there is
    /// none) signs from the same moment on. `scope` is where the log's names are unique. A refresh key ends every session whose token it made. Returns false if it
    /// was removed already.
    ///
    /// # Errors
    /// There is no such key, another replica changed the ring, or the store or the provider failed.
    pub async fn revoke(&self, kid: &str, scope: Scope<'_>, source: &Source) -> Result<bool, KeyRingError> {
        let snapshot = self.reload().await?;
        let Some(key) = snapshot.ring().iter().find(|key| key.kid == kid) else {
            let known = self.list().await?.iter().any(|info| info.key.kid == kid);
            return if known { Ok(false) } else { Err(KeyRingError::NoSuchKey(kid.to_owned())) };
        };
        let replacement = match key.state {
            KeyState::Active { .. } => Some(match key_ring::successor(snapshot.ring(), key.slot) {
                Some(next) => next.kid.clone(),
                None => self.stage(key.slot, source).await?,
            }),
            _ => None,
        };
        let entry = (key.slot.purpose != Purpose::Feed).then(|| Entry::key(scope, kid));
        let revocation = self.revocation(key, replacement, entry, source)?;
        let shown = revocation.event.detail_json();
        let write = self.store.write(move |tx| {
            let revocation = revocation.clone();
            Box::pin(async move { write_revocation(tx, &revocation).await })
        });
        let revoked = write.await.map_err(|error| match error {
            StoreError::Conflict => KeyRingError::Contended,
            other => other.into(),
        })?;
        if revoked {
            tracing::warn!(change = shown, "a key was revoked");
        }
        self.reload().await?;
        Ok(revoked)
    }

    fn revocation(
        &self,
        key: &RingKey,
        replacement: Option<String>,
        entry: Option<Entry>,
        source: &Source,
    ) -> Result<Revocation, KeyRingError> {
        let now = self.clock.now();
        let removed = RingKey { state: KeyState::Removed, ..key.clone() };
        let mut event = change(Event::KeyRevoked, &removed, source, (now, self.random.bytes()?));
        if let Some(next) = &replacement {
            event = event.with("active", next.as_str());
        }
        Ok(Revocation { kid: key.kid.clone(), replacement, entry, event, now })
    }
}

async fn write_revocation(tx: &mut Tx, revocation: &Revocation) -> Result<bool, StoreError> {
    let Revocation { kid, replacement, entry, event, now } = revocation;
    if !rows::revoke(tx, kid, *now).await? {
        return Ok(false);
    }
    key_verifiers::forget(tx, kid).await?;
    if let Some(next) = replacement {
        rows::publish(tx, next, *now).await?;
        // The slot would have no signer: nothing of this happens.
        if !rows::activate(tx, next, *now).await? {
            return Err(StoreError::Conflict);
        }
    }
    if let Some(entry) = entry {
        revocations::append(tx, *now, &[*entry]).await?;
    }
    audit::insert(tx, event).await?;
    Ok(true)
}
