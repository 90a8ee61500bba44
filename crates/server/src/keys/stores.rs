//! The key stores that are set up. Which of them guards the key-encryption key is another question: while keys move, two do.

use std::sync::Arc;

use super::{error::KeyRingError, meters::Meters, remote::KeyStore};
use crate::{clock::Clock, config, domain::key_store::StoreName, random::Random};

/// Cheap to clone. None of them is asked before it is needed.
#[derive(Debug, Clone, Default)]
pub struct KeyStores {
    all: Arc<[Arc<KeyStore>]>,
    meters: Meters,
}

impl KeyStores {
    pub fn new(config: &config::KeyStores, clock: &Clock, random: Random) -> Self {
        let meters = Meters::default();
        let made = StoreName::ALL.into_iter().filter_map(|name| KeyStore::new(name, config, (clock, random), &meters));
        Self { all: made.map(Arc::new).collect(), meters }
    }

    /// This one.
    ///
    /// # Errors
    /// It is not set up here.
    pub fn get(&self, name: StoreName) -> Result<&Arc<KeyStore>, KeyRingError> {
        self.all.iter().find(|store| store.name() == name).ok_or(KeyRingError::NotSetUp { store: name })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<KeyStore>> {
        self.all.iter()
    }

    pub fn meters(&self) -> &Meters {
        &self.meters
    }
}
