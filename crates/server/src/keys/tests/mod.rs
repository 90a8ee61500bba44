//! The ring over a real store: start, restart, refusal, rotation, replicas, and what it never shows.

mod rotation;
mod secrets;
mod start;
mod verifiers;

use std::{path::PathBuf, time::Duration};

use countersign_jose::{Algorithm, JwkSet, VerifyingKey};
use serde_json::Value;

use super::*;
use crate::{
    both_databases,
    domain::{
        key_ring::PolicySettings,
        key_store::KeyPlace,
        refresh_token::MacKeys,
        revocation::Scope,
        session::{Nonce, Sid},
    },
    store::{Param, Row},
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const PUBLISH_FOR: Duration = Duration::from_secs(600);
const TOKEN: Slot = Slot::token(Algorithm::ES256);

/// A data folder, its database, and a clock that its replicas share.
struct Place {
    folder: tempfile::TempDir,
    store: Store,
    clock: Clock,
}

impl Place {
    fn on(store: Store) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, store, clock: Clock::manual(Timestamp::from_secs(1_790_000_000)) }
    }

    fn setup(&self) -> Setup {
        Setup {
            store: self.store.clone(),
            guard: file(KekSource::DataFolder(self.folder.path().to_owned())),
            stores: KeyStores::default(),
            clock: self.clock.clone(),
            random: Random,
            policy: Policy::new(PolicySettings {
                rotate_every: DAY,
                publish_for: PUBLISH_FOR,
                wait_for_verifiers: HOUR,
                access_token_ttl_cap: HOUR,
                refresh_lifetime_cap: 2 * DAY,
            }),
            algs: Vec::new(),
        }
    }

    async fn open(&self) -> KeyRing {
        KeyRing::open(self.setup()).await.unwrap()
    }

    async fn refusal(&self) -> KeyRingError {
        KeyRing::open(self.setup()).await.unwrap_err()
    }

    fn kek(&self) -> PathBuf {
        self.folder.path().join("kek")
    }

    async fn execute(&self, sql: &'static str) {
        self.store.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap();
    }

    async fn keys(&self) -> Vec<KeyRow> {
        read(&self.store).await.unwrap().keys
    }

    /// What the audit says: actor, event and detail, oldest first.
    async fn audit(&self) -> Vec<(String, String, Value)> {
        let sql = "SELECT actor, event, detail FROM audit ORDER BY id";
        let read = self.store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await }));
        let rows = read.await.unwrap();
        let detail = |row: &Row| serde_json::from_str(&row.get::<String>(2).unwrap()).unwrap();
        rows.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap(), detail(row))).collect()
    }

    /// The states of a slot's keys, the nearest to the end first.
    async fn words(&self, slot: Slot) -> Vec<&'static str> {
        let keys = self.keys().await;
        let of_slot = |word| keys.iter().filter(move |row| row.key.slot == slot && row.key.state.as_str() == word);
        let order = ["removed", "retiring", "active", "published", "staged"];
        order.into_iter().flat_map(|word| of_slot(word).map(move |_| word)).collect()
    }
}

fn file(file: KekSource) -> Guard {
    Guard { place: KeyPlace::File, file, sign_there: false }
}

fn admin() -> Source {
    Source { actor: "usr_admin".to_owned(), ip: "192.0.2.1".to_owned(), request_id: "r".to_owned() }
}

fn scope() -> Scope<'static> {
    Scope { issuer: "https://id.example", tenant: "default" }
}

fn kid(ring: &KeyRing) -> String {
    ring.signer_for(Algorithm::ES256).unwrap().kid().to_owned()
}

fn published(ring: &KeyRing) -> Vec<String> {
    let set: Value = serde_json::from_slice(&ring.jwks().body).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Any verifier's view: does what `signer` signs hold against the published set?
fn verifies(ring: &KeyRing, signer: &Signer) -> bool {
    let signer = signer.here().unwrap();
    let set = JwkSet::parse(&ring.jwks().body).unwrap();
    let jwk = set.keys.iter().find(|jwk| jwk.kid() == Some(signer.kid()));
    jwk.is_some_and(|jwk| {
        VerifyingKey::from_jwk(jwk).unwrap().verify_raw(b"m", &signer.sign_raw(b"m").unwrap()).is_ok()
    })
}

fn refresh_token(macs: &MacKeys) -> String {
    macs.seal(&Sid::from_bytes(&[7; 18]), 1, &Nonce::new([9; 16])).expose().to_owned()
}
