//! The keys that clients publish at addresses of their own (`jwks_uri`): asked for when a token needs them, one question at a time
//! for each client, and remembered as `domain/published_keys.rs` says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use countersign_jose::{Error, KeySet};
use http::StatusCode;
use tokio::sync::Mutex as Turn;

use crate::{
    app::App,
    domain::{
        client::ClientId,
        credential::{BadKeys, Keys, KeysUri, published},
        published_keys::{Remembered, claimed_kid},
    },
    outbound::CallError,
};

/// The most clients that are remembered. All are forgotten at once then: it costs one question each.
const MOST: usize = 10_000;

/// Why there are no keys of a client.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    #[error("its registered keys cannot be read: {0}")]
    Registered(Error),
    #[error("it publishes none where it says so, or it was asked a moment ago")]
    Published,
}

/// Why a question was in vain. For the log.
#[derive(Debug, thiserror::Error)]
enum InVain {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("status {0}, or no JSON")]
    Answer(StatusCode),
    #[error(transparent)]
    Keys(#[from] BadKeys),
}

/// What every request may look at. Cheap to make.
#[derive(Debug, Default)]
pub struct PublishedKeys(Mutex<HashMap<ClientId, Arc<Turn<Remembered>>>>);

impl PublishedKeys {
    fn of(&self, client: &ClientId, uri: &KeysUri) -> Arc<Turn<Remembered>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(client) {
            known.clear();
        }
        let fresh = || Arc::new(Turn::new(Remembered::new(uri)));
        Arc::clone(known.entry(client.clone()).or_insert_with(fresh))
    }
}

/// The public keys of a client, for a token that it seems to have signed.
///
/// # Errors
/// [`NoKeys`]
pub async fn of_token(app: &App, client: &ClientId, keys: &Keys, token: &str) -> Result<Arc<KeySet>, NoKeys> {
    let uri = match keys {
        Keys::Registered(keys) => return keys.key_set().map(Arc::new).map_err(NoKeys::Registered),
        Keys::Published(uri) => uri,
    };
    let kid = claimed_kid(token);
    let turn = app.client_keys.of(client, uri);
    // Whoever comes while somebody asks waits for the answer, and does not ask again.
    let mut known = turn.lock().await;
    let now = app.steady_now();
    if !known.is_of(uri) {
        *known = Remembered::new(uri);
    }
    if known.ask(kid.as_deref(), now) {
        match ask(app, uri).await {
            Ok(keys) => known.answered(keys, kid.as_deref(), now),
            Err(error) => {
                tracing::warn!(%client, uri = uri.as_str(), %error, "the keys of a client cannot be read");
                known.silent(now);
            }
        }
    }
    known.keys(now).ok_or(NoKeys::Published)
}

async fn ask(app: &App, uri: &KeysUri) -> Result<KeySet, InVain> {
    let called = app.outbound.get(uri.as_str(), None).await?;
    if called.status != StatusCode::OK || !called.is_json {
        return Err(InVain::Answer(called.status));
    }
    Ok(published(&called.body)?)
}
