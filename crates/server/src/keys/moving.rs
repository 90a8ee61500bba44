//! Moving the key-encryption key from one guard to another without an interruption: the next guard gets it beside the present one,
//! servers with the old and the new configuration both start, and when all of them have the new one the old is forgotten.

use super::{KeyRing, KeyRingError, kek_wraps, provider::ProviderError, read, wrapped};
use crate::{
    domain::{
        audit::{AuditEvent, Event, Source},
        key_store::{KeyPlace, StoreName},
    },
    store::kek_wraps::KekWrap,
};

/// The next guard has the key, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// Where it is now besides, for people.
    pub place: String,
    pub kek_id: String,
}

/// The present guard is the only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The guard that is left.
    pub kept: String,
    /// What was forgotten.
    pub forgotten: Vec<String>,
    /// What opens the database still, and is for its owner to remove.
    pub left: Option<String>,
}

impl KeyRing {
    /// Gives the key-encryption key to another guard, and looks whether it gives it back.
    ///
    /// # Errors
    /// The guard is not set up here, does not answer, or gives something else back; nothing was changed then.
    pub async fn guard_with(&self, to: KeyPlace, source: &Source) -> Result<Wrapped, KeyRingError> {
        let stored = read(&self.store).await?;
        let kek = self.guard.reopen(&self.stores, self.random, &stored.wraps).await?;
        let kek_id = wrapped::kek_id(&kek)?;
        if kek_id != self.provider.id() {
            return Err(KeyRingError::OtherKek { sealed_under: self.provider.id(), configured: kek_id });
        }
        let (place, wrap) = match to {
            KeyPlace::File => {
                self.guard.file.keep(&kek, self.random).map_err(ProviderError::from)?;
                (self.guard.file.place(), None)
            }
            KeyPlace::Store(name) => {
                let wrap = wrapped::wrap(self.stores.get(name)?, &kek, self.clock.now()).await?;
                (wrap.place.clone(), Some(wrap))
            }
        };
        let event = self.moved(Event::KekWrapped, source)?.with("store", to.as_str()).with("kek", kek_id.as_str());
        let write = self.store.write(move |tx| {
            let (wrap, event) = (wrap.clone(), event.clone());
            Box::pin(async move {
                if let Some(wrap) = &wrap {
                    kek_wraps::put(tx, wrap).await?;
                }
                crate::store::audit::insert(tx, &event).await
            })
        });
        write.await?;
        tracing::warn!(place, "the key-encryption key has another guard beside the present one");
        Ok(Wrapped { place, kek_id })
    }

    /// Forgets every guard but the one that is configured, once that one has shown that it opens the key.
    ///
    /// # Errors
    /// The configured guard does not open it, or a key that signs lies in another store; nothing was changed then.
    pub async fn keep_one_guard(&self, source: &Source) -> Result<Finished, KeyRingError> {
        let stored = read(&self.store).await?;
        let kek = self.guard.reopen(&self.stores, self.random, &stored.wraps).await?;
        let kek_id = wrapped::kek_id(&kek)?;
        if kek_id != self.provider.id() {
            return Err(KeyRingError::OtherKek { sealed_under: self.provider.id(), configured: kek_id });
        }
        let kept = self.guard.place.store();
        if let Some((kid, store)) = self.reload().await?.signing_outside(kept).first() {
            return Err(KeyRingError::StillSigning { kid: (*kid).to_owned(), store: *store });
        }
        let others: Vec<KekWrap> = stored.wraps.iter().filter(|wrap| Some(wrap.store) != kept).cloned().collect();
        self.forget(others.iter().map(|wrap| wrap.store).collect(), kek_id, source).await?;
        let mut forgotten: Vec<String> = others.into_iter().map(|wrap| wrap.place).collect();
        let file = &self.guard.file;
        let (kept, left) = match kept {
            None => (file.place(), None),
            Some(name) => {
                let was_there = file.load(false, self.random).is_ok_and(|found| found == kek);
                let stays = file.forget(&kek, self.random).map_err(ProviderError::from)?;
                if was_there && !stays {
                    forgotten.push(file.place());
                }
                (self.stores.get(name)?.place(), (was_there && stays).then(|| file.place()))
            }
        };
        Ok(Finished { kept, forgotten, left })
    }

    /// The wrapped forms that lie in the database.
    ///
    /// # Errors
    /// The store failed.
    pub async fn wraps(&self) -> Result<Vec<KekWrap>, KeyRingError> {
        Ok(read(&self.store).await?.wraps)
    }

    /// Asks the configured guard whether it opens the key-encryption key now.
    ///
    /// # Errors
    /// It does not.
    pub async fn probe(&self) -> Result<(), KeyRingError> {
        let stored = read(&self.store).await?;
        self.guard.reopen(&self.stores, self.random, &stored.wraps).await.map(drop)
    }

    async fn forget(&self, stores: Vec<StoreName>, kek_id: String, source: &Source) -> Result<(), KeyRingError> {
        let kept = self.guard.place.store();
        let names = stores.iter().map(|store| store.as_str()).collect::<Vec<_>>().join(" ");
        let event = self.moved(Event::KekForgotten, source)?.with("store", names.as_str());
        let event = event.with("kept", self.guard.place.as_str());
        let write = self.store.write(move |tx| {
            let (stores, event, kek_id) = (stores.clone(), event.clone(), kek_id.clone());
            Box::pin(async move {
                // Another server, with another guard, may be forgetting this one just now.
                if let Some(kept) = kept
                    && !kek_wraps::hold(tx, kept, &kek_id).await?
                {
                    return Ok(false);
                }
                for store in stores {
                    kek_wraps::forget(tx, store).await?;
                }
                crate::store::audit::insert(tx, &event).await?;
                Ok(true)
            })
        });
        if write.await? { Ok(()) } else { Err(KeyRingError::Contended) }
    }

    fn moved(&self, event: Event, source: &Source) -> Result<AuditEvent, KeyRingError> {
        Ok(AuditEvent::new(event, self.clock.now(), source, self.random.bytes()?))
    }
}
