//! The ring over a real store: start, restart, refusal, rotation, replicas, and what it never shows.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_jose::{
    AccessClaims, Algorithm, Audience, Error, JwkSet, SigningKey, Verifier, VerifyingKey, profile::AccessToken, sign,
};
use serde_json::Value;

use super::*;
use crate::{
    domain::{
        audience::KeyChoice,
        key_ring::{JWKS_MAX_AGE, PolicySettings, Purpose, SKEW, Transition},
        refresh_token::MacKeys,
        session::{Nonce, Sid},
    },
    store::{Param, StoreConfig},
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const PUBLISH_FOR: Duration = Duration::from_secs(600);
const TOKEN: Slot = Slot::token(Algorithm::ES256);

/// One data folder with its database, and a clock that its replicas share.
struct Place {
    folder: tempfile::TempDir,
    store: Store,
    clock: Clock,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreConfig::Sqlite { path: folder.path().join("store.db") }).await.unwrap();
        Self { folder, store, clock: Clock::manual(Timestamp::from_secs(1_790_000_000)) }
    }

    fn setup(&self) -> Setup {
        Setup {
            store: self.store.clone(),
            kek: KekSource::DataFolder(self.folder.path().to_owned()),
            clock: self.clock.clone(),
            random: Random,
            policy: Policy::new(PolicySettings {
                rotate_every: DAY,
                publish_for: PUBLISH_FOR,
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

    fn kek(&self) -> std::path::PathBuf {
        self.folder.path().join("kek")
    }

    async fn execute(&self, sql: &'static str) {
        self.store.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap();
    }

    async fn keys(&self) -> Vec<KeyRow> {
        read(&self.store).await.unwrap().keys
    }

    /// The states of a slot's keys, the nearest to the end first.
    async fn words(&self, slot: Slot) -> Vec<&'static str> {
        let keys = self.keys().await;
        let of_slot = |word| keys.iter().filter(move |row| row.key.slot == slot && row.key.state.as_str() == word);
        let order = ["removed", "retiring", "active", "published", "staged"];
        order.into_iter().flat_map(|word| of_slot(word).map(move |_| word)).collect()
    }
}

fn kid(ring: &KeyRing) -> String {
    ring.signer_for(Algorithm::ES256).unwrap().kid().to_owned()
}

fn published(ring: &KeyRing) -> Vec<String> {
    let set: Value = serde_json::from_slice(&ring.jwks().body).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Any verifier's view: does what `signer` signs hold against the published set?
fn verifies(ring: &KeyRing, signer: &SigningKey) -> bool {
    let set = JwkSet::parse(&ring.jwks().body).unwrap();
    let jwk = set.keys.iter().find(|jwk| jwk.kid() == Some(signer.kid()));
    jwk.is_some_and(|jwk| {
        VerifyingKey::from_jwk(jwk).unwrap().verify_raw(b"m", &signer.sign_raw(b"m").unwrap()).is_ok()
    })
}

fn refresh_token(macs: &MacKeys) -> String {
    macs.seal(&Sid::from_bytes(&[7; 18]), 1, &Nonce::new([9; 16])).expose().to_owned()
}

#[tokio::test]
async fn a_new_store_gets_its_keys_and_a_restart_finds_them() {
    // KEY-01, KEY-08, KEY-09
    let place = Place::new().await;
    let first = place.open().await;
    let signer = first.signer_for(Algorithm::ES256).unwrap();
    assert!(verifies(&first, &signer));
    assert_eq!(first.snapshot().algorithms(), [Algorithm::ES256]);
    let token = refresh_token(first.snapshot().mac_keys());

    let again = place.open().await;
    assert_eq!(again.snapshot().jwks(), first.snapshot().jwks());
    assert!(verifies(&first, &again.signer_for(Algorithm::ES256).unwrap()));
    again.snapshot().mac_keys().open(&token).unwrap();
    assert_eq!(place.keys().await.len(), 2);
}

#[tokio::test]
async fn the_key_set_shows_public_members_only() {
    // KEY-05
    let place = Place::new().await;
    let ring = place.open().await;
    ring.ensure_alg(Algorithm::Ed25519).await.unwrap();
    ring.ensure_alg(Algorithm::RS256).await.unwrap();
    assert!(matches!(ring.ensure_alg(Algorithm::HS256).await, Err(KeyRingError::NoSigner(Algorithm::HS256))));
    let set: Value = serde_json::from_slice(&ring.jwks().body).unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3, "refresh keys are not shown");
    for key in keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
        let kid = key["kid"].as_str().unwrap();
        assert_eq!(kid.len(), 12);
        assert!(kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{kid}");
        let alg: Algorithm = key["alg"].as_str().unwrap().parse().unwrap();
        assert!(verifies(&ring, &ring.signer_for(alg).unwrap()));
        assert_eq!(ring.snapshot().verifying_key(kid).unwrap().alg(), alg);
    }
    let mut kids = published(&ring);
    kids.sort();
    kids.dedup();
    assert_eq!(kids.len(), 3);
    let etag = ring.jwks().etag;
    assert!(etag.as_bytes().starts_with(b"\"") && etag.as_bytes().ends_with(b"\""));
    assert_eq!(place.open().await.jwks().etag, etag);
    assert!(ring.snapshot().verifying_key("refresh-1").is_none());
}

#[tokio::test]
async fn without_the_right_key_encryption_key_nothing_starts_and_nothing_changes() {
    // KEY-01, KEY-08, I-9
    let place = Place::new().await;
    place.open().await;
    let before: Vec<_> = place.keys().await.into_iter().map(|row| (row.key, row.sealed)).collect();
    let good = fs::read(place.kek()).unwrap();

    fs::set_permissions(place.kek(), fs::Permissions::from_mode(0o644)).unwrap();
    let wide = place.refusal().await.to_string();
    assert!(wide.contains("can be read by others (mode 0644); run: chmod 600"), "{wide}");

    fs::remove_file(place.kek()).unwrap();
    let missing = place.refusal().await.to_string();
    assert!(missing.contains("is missing, but this database holds keys that only it opens"), "{missing}");
    assert!(!place.kek().exists(), "no other one is made in its place");

    let other = Place::new().await;
    other.open().await;
    fs::copy(other.kek(), place.kek()).unwrap();
    let wrong = place.refusal().await;
    assert!(matches!(wrong, KeyRingError::OtherKek { .. }), "{wrong}");
    place.execute("DELETE FROM meta WHERE name = 'kek_id'").await;
    let wrong = place.refusal().await;
    assert!(matches!(wrong, KeyRingError::Unseal { error: SealError::OtherKek { .. }, .. }), "{wrong}");

    fs::write(place.kek(), good).unwrap();
    place.open().await;
    let after: Vec<_> = place.keys().await.into_iter().map(|row| (row.key, row.sealed)).collect();
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_flipped_byte_a_swapped_row_and_a_lost_row_refuse_to_start() {
    // KEY-01, KEY-08
    let place = Place::new().await;
    place.open().await;
    let rows = place.keys().await;
    let whole = rows.iter().find(|row| row.key.slot == TOKEN).unwrap().sealed.clone().unwrap();
    let refresh = rows.iter().find(|row| row.key.slot == Slot::REFRESH).unwrap().sealed.clone().unwrap();
    let put = async |sealed: &[u8]| {
        let sealed = sealed.to_vec();
        let write = place.store.write(move |tx| {
            let sealed = sealed.clone();
            let sql = "UPDATE keys SET sealed = $1 WHERE purpose = 'token'";
            Box::pin(async move { tx.execute(sql, &[Param::Blob(&sealed)]).await })
        });
        write.await.unwrap();
    };
    for at in [9, 21, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        put(&flipped).await;
        let error = place.refusal().await;
        assert!(matches!(error, KeyRingError::Unseal { error: SealError::Damaged, .. }), "byte {at}: {error}");
    }
    put(&refresh).await;
    let swapped = place.refusal().await;
    assert!(matches!(swapped, KeyRingError::Unseal { error: SealError::Damaged, .. }), "{swapped}");
    put(&whole).await;
    place.open().await;

    place.execute("DELETE FROM keys WHERE purpose = 'refresh'").await;
    assert!(matches!(place.refusal().await, KeyRingError::Damaged(_)), "no refresh key is made anew");
    place.execute("DELETE FROM keys").await;
    assert!(matches!(place.refusal().await, KeyRingError::KeysGone));
}

#[tokio::test]
async fn a_running_server_keeps_its_keys_when_the_store_is_tampered_with() {
    // KEY-08, I-12
    let place = Place::new().await;
    let ring = place.open().await;
    let before = ring.snapshot().jwks().clone();
    // Somebody who can only write to the database plants a key of their own.
    place
        .execute(
            "INSERT INTO keys (kid, purpose, alg, state, sealed, public_jwk, created_at, published_at) \
             SELECT 'planted', purpose, alg, 'published', sealed, public_jwk, created_at, created_at \
             FROM keys WHERE purpose = 'token'",
        )
        .await;
    assert!(matches!(ring.tick().await, Err(KeyRingError::Unseal { kid, .. }) if kid == "planted"));
    assert_eq!(*ring.snapshot().jwks(), before);
    assert!(verifies(&ring, &ring.signer_for(Algorithm::ES256).unwrap()));
}

#[tokio::test]
async fn keys_rotate_by_schedule_without_a_gap() {
    // KEY-02, KEY-03
    let place = Place::new().await;
    let ring = place.open().await;
    let (old, old_signer) = (kid(&ring), ring.signer_for(Algorithm::ES256).unwrap());
    let refresh_token = refresh_token(ring.snapshot().mac_keys());
    assert_eq!(ring.tick().await.unwrap(), 0);

    place.clock.advance(DAY - PUBLISH_FOR);
    while ring.tick().await.unwrap() > 0 {}
    assert_eq!(place.words(TOKEN).await, ["active", "published"]);
    assert_eq!(kid(&ring), old, "verifiers first, then signatures");
    let kids = published(&ring);
    assert_eq!(kids.len(), 2);

    place.clock.advance(PUBLISH_FOR);
    while ring.tick().await.unwrap() > 0 {}
    assert_eq!(place.words(TOKEN).await, ["retiring", "active"]);
    let new = kid(&ring);
    assert!(new != old && kids.contains(&new));
    assert!(verifies(&ring, &old_signer), "tokens that are out stay good");

    place.clock.advance(HOUR + SKEW);
    while ring.tick().await.unwrap() > 0 {}
    assert_eq!(place.words(TOKEN).await, ["removed", "active"]);
    assert_eq!(published(&ring), [new]);
    assert!(!verifies(&ring, &old_signer));
    assert!(ring.snapshot().verifying_key(&old).is_none());
    let removed = place.keys().await.into_iter().find(|row| row.key.kid == old).unwrap();
    assert_eq!(removed.sealed, None, "a removed key's private half is forgotten");

    assert_eq!(place.words(Slot::REFRESH).await, ["retiring", "active"]);
    ring.snapshot().mac_keys().open(&refresh_token).unwrap();
    place.open().await.snapshot().mac_keys().open(&refresh_token).unwrap();
}

#[tokio::test]
async fn a_rotation_is_ordered_once_and_ends_when_verifiers_know() {
    // KEY-02
    let place = Place::new().await;
    let ring = place.open().await;
    let old = kid(&ring);
    let next = ring.rotate(TOKEN, When::Published).await.unwrap();
    assert_eq!(next.key.state.as_str(), "published");
    assert!(published(&ring).contains(&next.key.kid));
    assert_eq!(ring.rotate(TOKEN, When::Published).await.unwrap(), next, "a second order changes nothing");

    place.clock.advance(JWKS_MAX_AGE + SKEW);
    ring.tick().await.unwrap();
    assert_eq!(kid(&ring), old, "the configured time is longer");
    place.clock.advance(PUBLISH_FOR);
    ring.tick().await.unwrap();
    assert_eq!(kid(&ring), next.key.kid);

    let hasty = ring.rotate(TOKEN, When::Now).await.unwrap();
    assert_eq!(kid(&ring), hasty.key.kid);
    assert_eq!(place.words(TOKEN).await, ["retiring", "retiring", "active"]);
    let missing = ring.rotate(Slot::token(Algorithm::PS256), When::Now).await.unwrap_err();
    assert!(matches!(missing, KeyRingError::NoSigner(Algorithm::PS256)));
}

#[tokio::test]
async fn a_key_that_is_not_trusted_any_more_is_gone_at_once() {
    // KEY-03, KEY-04
    let place = Place::new().await;
    let ring = place.open().await;
    let stolen = ring.signer_for(Algorithm::ES256).unwrap();
    assert!(ring.revoke(stolen.kid()).await.unwrap());
    assert!(!verifies(&ring, &stolen));
    assert!(verifies(&ring, &ring.signer_for(Algorithm::ES256).unwrap()));
    assert_eq!(place.words(TOKEN).await, ["removed", "active"]);
    assert!(!ring.revoke(stolen.kid()).await.unwrap(), "once is enough");
    assert!(matches!(ring.revoke("nobody").await, Err(KeyRingError::NoSuchKey(_))));

    let waiting = ring.rotate(TOKEN, When::Published).await.unwrap().key.kid;
    assert!(ring.revoke(&waiting).await.unwrap());
    assert_eq!(place.words(TOKEN).await, ["removed", "removed", "active"]);
    let waiting = ring.rotate(TOKEN, When::Published).await.unwrap().key.kid;
    assert!(ring.revoke(&kid(&ring)).await.unwrap());
    assert_eq!(kid(&ring), waiting, "the successor takes over");
}

#[tokio::test]
async fn replicas_that_start_together_share_one_ring() {
    // KEY-03
    let place = Place::new().await;
    KekSource::DataFolder(place.folder.path().to_owned()).load(true, Random).unwrap();
    let (a, b) = tokio::join!(KeyRing::open(place.setup()), KeyRing::open(place.setup()));
    let (a, b) = (a.unwrap(), b.unwrap());
    a.reload().await.unwrap();
    b.reload().await.unwrap();
    assert_eq!(a.snapshot().jwks(), b.snapshot().jwks());
    assert_eq!(place.keys().await.len(), 2);

    let (x, y) = tokio::join!(a.ensure_alg(Algorithm::Ed25519), b.ensure_alg(Algorithm::Ed25519));
    x.and(y).unwrap();
    let ours = a.signer_for(Algorithm::Ed25519).unwrap();
    assert_eq!(ours.kid(), b.signer_for(Algorithm::Ed25519).unwrap().kid());
}

#[tokio::test]
async fn replicas_never_do_a_transition_twice() {
    // KEY-02, KEY-03
    let place = Place::new().await;
    let (a, b) = (place.open().await, place.open().await);
    let mut done = 0;
    for _ in 0..40 {
        place.clock.advance(HOUR);
        let (x, y) = tokio::join!(a.tick(), b.tick());
        done += x.unwrap() + y.unwrap();
        for slot in [TOKEN, Slot::REFRESH] {
            let words = place.words(slot).await;
            assert_eq!(words.iter().filter(|word| **word == "active").count(), 1, "{words:?}");
            assert!(words.iter().filter(|word| ["staged", "published"].contains(word)).count() <= 1, "{words:?}");
        }
        a.reload().await.unwrap();
        assert!(verifies(&a, &b.signer_for(Algorithm::ES256).unwrap()), "a lagging replica's key is still shown");
    }
    let expected: usize = place
        .keys()
        .await
        .iter()
        .map(|row| match row.key.state {
            KeyState::Staged => 1,
            KeyState::Published { .. } => 2,
            // The first key of a slot was not staged by a turn; its retirement is part of another's activation.
            KeyState::Active { .. } | KeyState::Retiring { .. } => 3,
            KeyState::Removed => 4,
        })
        .sum();
    assert_eq!(done + 2 * 3, expected, "each transition was counted by exactly one replica");
}

#[tokio::test]
async fn a_crash_between_any_two_transitions_is_survived() {
    // KEY-03, I-9
    let place = Place::new().await;
    let ring = place.open().await;
    let old = kid(&ring);
    place.clock.advance(DAY);
    let mut steps = 0;
    while kid(&place.open().await) == old {
        // A new process each time: it does one thing and is gone.
        let replica = place.open().await;
        let due = crate::domain::key_ring::plan(replica.snapshot().ring(), place.clock.now(), &replica.policy);
        match due.into_iter().find(|transition| !matches!(transition, Transition::Remove { .. })) {
            Some(step) => assert!(replica.carry_out(step).await.unwrap()),
            None => place.clock.advance(PUBLISH_FOR),
        }
        let restarted = place.open().await;
        assert!(verifies(&restarted, &restarted.signer_for(Algorithm::ES256).unwrap()));
        steps += 1;
        assert!(steps < 20, "it comes to an end");
    }
    assert!(published(&place.open().await).contains(&old));
}

#[tokio::test]
async fn an_activation_that_would_leave_no_signer_does_not_happen() {
    // KEY-03
    let place = Place::new().await;
    let ring = place.open().await;
    let retire = kid(&ring);
    let lost = Transition::Activate { kid: "nobody".to_owned(), retire: retire.clone() };
    assert!(!ring.carry_out(lost).await.unwrap());
    assert_eq!(place.words(TOKEN).await, ["active"]);
    let staged = ring.stage(TOKEN).await.unwrap();
    let early = Transition::Activate { kid: staged, retire };
    assert!(!ring.carry_out(early).await.unwrap(), "an unpublished key does not sign");
    assert_eq!(place.words(TOKEN).await, ["active", "staged"]);
}

fn claims(audience: &[&str]) -> AccessClaims {
    AccessClaims {
        iss: "https://id.example".to_owned(),
        sub: "u".to_owned(),
        aud: Audience::Many(audience.iter().map(|name| (*name).to_owned()).collect()),
        client_id: "c".to_owned(),
        jti: "j".to_owned(),
        iat: 1_790_000_000,
        exp: 1_790_000_600,
        ..AccessClaims::default()
    }
}

#[tokio::test]
async fn an_audience_forges_tokens_for_nobody_but_itself() {
    // TOK-18, TOK-19, KEY-09
    let place = Place::new().await;
    let ring = place.open().await;
    let made = ring.new_audience_secret("legacy").await.unwrap();
    add_audience(&place, made.sealed).await;
    let snapshot = ring.reload().await.unwrap();
    let now = place.clock.now();
    let policy =
        |audience: &str| Verifier::<AccessToken>::builder().issuer("https://id.example").audience(audience).policy();
    let shared = snapshot.signer(KeyChoice::Audience("legacy")).unwrap();
    let forged = sign::<AccessToken>(&shared, &claims(&["admin", "legacy"])).unwrap();
    let own = sign::<AccessToken>(&shared, &claims(&["legacy"])).unwrap();
    let refused = |error: Error| error.code();
    assert_eq!(snapshot.verify(&policy("admin"), None, &forged, now).map_err(refused), Err("unknown_key"));
    assert_eq!(snapshot.verify(&policy("legacy"), None, &own, now).map_err(refused), Err("unknown_key"));
    assert_eq!(snapshot.verify(&policy("admin"), Some("legacy"), &forged, now).map_err(refused), Err("wrong_audience"));
    assert_eq!(
        snapshot.verify(&policy("legacy"), Some("legacy"), &forged, now).map_err(refused),
        Err("wrong_audience")
    );
    snapshot.verify(&policy("legacy"), Some("legacy"), &own, now).unwrap();

    let signer = snapshot.signer(KeyChoice::Ring(Algorithm::ES256)).unwrap();
    let token = sign::<AccessToken>(&signer, &claims(&["admin", "legacy"])).unwrap();
    snapshot.verify(&policy("admin"), None, &token, now).unwrap();
    let late = now.plus(HOUR);
    assert_eq!(snapshot.verify(&policy("admin"), None, &token, late).map_err(refused), Err("expired"));
}

async fn add_audience(place: &Place, sealed: Vec<u8>) {
    let write = place.store.write(move |tx| {
        let sealed = sealed.clone();
        let sql = "INSERT INTO audiences (audience, tenant, name, alg, sealed_secret, created_at) \
                   VALUES ('legacy', 'default', 'Legacy', 'HS256', $1, 0)";
        Box::pin(async move { tx.execute(sql, &[Param::Blob(&sealed)]).await })
    });
    write.await.unwrap();
}

#[tokio::test]
async fn an_audience_has_a_secret_of_its_own() {
    // KEY-01, KEY-09, TOK-19
    let place = Place::new().await;
    let ring = place.open().await;
    let made = ring.new_audience_secret("legacy").await.unwrap();
    let choice = KeyChoice::Audience("legacy");
    assert!(matches!(ring.snapshot().signer(choice), Err(KeyRingError::NoAudienceSecret(_))));
    add_audience(&place, made.sealed.clone()).await;
    ring.reload().await.unwrap();

    let signer = ring.snapshot().signer(choice).unwrap();
    assert_eq!((signer.alg(), signer.kid()), (Algorithm::HS256, made.kid.as_str()));
    let secret = countersign_jose::b64::decode(made.secret.expose()).unwrap();
    let theirs = VerifyingKey::hmac(Algorithm::HS256, &made.kid, &secret).unwrap();
    theirs.verify_raw(b"m", &signer.sign_raw(b"m").unwrap()).unwrap();
    assert!(ring.snapshot().verifying_key(&made.kid).is_none(), "it verifies nothing for anybody else");
    assert!(!published(&ring).contains(&made.kid), "a shared secret is never published");
    assert!(ring.signer_for(Algorithm::HS256).is_err(), "no secret is shared with everybody");

    let elsewhere = ring.new_audience_secret("other").await.unwrap();
    place.execute("DELETE FROM audiences").await;
    add_audience(&place, elsewhere.sealed).await;
    let moved = ring.reload().await.unwrap_err();
    assert!(matches!(moved, KeyRingError::AudienceSecret { error: SealError::Damaged, .. }), "{moved}");
    assert_eq!(ring.snapshot().signer(choice).unwrap().kid(), made.kid, "the last good set stays in use");
    assert!(matches!(place.refusal().await, KeyRingError::AudienceSecret { .. }));
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn spellings(secret: &[u8]) -> Vec<String> {
    let part = &secret[secret.len() / 2..secret.len() / 2 + 8];
    let list = format!("{part:?}");
    let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
    let at = secret.len() / 2 / 3 * 3;
    let base64 = countersign_jose::b64::encode(&secret[at..at + 9]);
    vec![list.trim_matches(['[', ']']).to_owned(), hex.to_uppercase(), hex, base64]
}

#[tokio::test]
async fn no_secret_is_ever_shown() {
    // KEY-01, AUD-02
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let place = Place::new().await;
    let ring = place.open().await;
    let made = ring.new_audience_secret("legacy").await.unwrap();
    add_audience(&place, made.sealed.clone()).await;
    ring.rotate(TOKEN, When::Now).await.unwrap();
    ring.rotate(Slot::REFRESH, When::Now).await.unwrap();
    ring.reload().await.unwrap();

    let mut secrets = vec![countersign_jose::b64::decode(fs::read(place.kek()).unwrap().trim_ascii_end()).unwrap()];
    secrets.push(countersign_jose::b64::decode(made.secret.expose()).unwrap());
    for row in place.keys().await {
        let context = format!("{}|{}|{}", row.key.kid, row.key.slot.purpose.as_str(), row.key.slot.alg);
        let plain = ring.provider().unseal(row.sealed.as_deref().unwrap(), &context).await.unwrap();
        // The private scalar of a P-256 key in PKCS #8 begins at byte 36; the public point follows it.
        secrets.push(if row.key.slot.purpose == Purpose::Token { plain[36..68].to_vec() } else { plain.to_vec() });
    }
    assert_eq!(secrets.len(), 6);

    let snapshot = ring.snapshot();
    let signer = ring.signer_for(Algorithm::ES256).unwrap();
    let mut shown =
        format!("{ring:?} {snapshot:?} {signer:?} {made:?} {:?} {:?}", place.keys().await, ring.list().await);
    shown += &format!("{ring:#?} {snapshot:#?}");
    shown += &String::from_utf8_lossy(&snapshot.jwks().body);
    shown += &String::from_utf8_lossy(&log.0.lock().unwrap());
    assert!(shown.contains("the key ring moved"), "the log was captured");
    for secret in &secrets {
        for spelling in spellings(secret) {
            assert!(!shown.contains(&spelling), "{spelling} is shown");
        }
    }
    let files: Vec<u8> = fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name() != Some("kek".as_ref()))
        .flat_map(|path: std::path::PathBuf| fs::read(&path).unwrap())
        .collect();
    for secret in &secrets {
        assert!(!files.windows(16).any(|window| window == &secret[..16]), "a secret is in the database in clear");
    }
}

#[tokio::test]
async fn a_configured_file_serves_several_places() {
    let place = Place::new().await;
    let shared = tempfile::tempdir().unwrap();
    let named = shared.path().join("kek");
    let open = async |path: &Path| {
        let kek = KekSource::File(path.to_owned());
        KeyRing::open(Setup { kek, algs: vec![Algorithm::Ed25519, Algorithm::ES256], ..place.setup() }).await
    };
    let missing = open(&named).await.unwrap_err().to_string();
    assert!(missing.contains("it must hold 32 random bytes as base64url"), "{missing}");
    KekSource::DataFolder(shared.path().to_owned()).load(true, Random).unwrap();
    let ring = open(&named).await.unwrap();
    for alg in [Algorithm::Ed25519, Algorithm::ES256] {
        assert!(ring.snapshot().algorithms().contains(&alg));
    }
    assert!(!place.kek().exists());
    open(&named).await.unwrap();
    assert_eq!(published(&ring).len(), 2);
}
