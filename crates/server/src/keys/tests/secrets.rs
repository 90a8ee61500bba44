//! Secrets shared with audiences, and that no secret is ever shown.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use countersign_jose::{AccessClaims, Audience, Error, Verifier, profile::AccessToken, sign};

use super::*;
use crate::{
    domain::{audience::KeyChoice, key_ring::Purpose},
    support::databases::TestStore,
};

both_databases! {
    async fn an_audience_has_a_secret_of_its_own(store: Store) {
        // KEY-01, KEY-09, TOK-19
        let place = Place::on(store);
        let ring = place.open().await;
        let made = ring.new_audience_secret("legacy").await.unwrap();
        let choice = KeyChoice::Audience("legacy");
        assert!(matches!(ring.snapshot().signer(choice), Err(KeyRingError::NoAudienceSecret(_))));
        add_audience(&place, made.sealed.clone()).await;
        ring.reload().await.unwrap();

        let signer = ring.snapshot().signer(choice).unwrap().here().unwrap().clone();
        assert_eq!((signer.alg(), signer.kid()), (Algorithm::HS256, made.kid.as_str()));
        let secret = b64::decode(made.secret.expose()).unwrap();
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

    async fn an_audience_forges_tokens_for_nobody_but_itself(store: Store) {
        // TOK-18, TOK-19, KEY-09
        let place = Place::on(store);
        let ring = place.open().await;
        let made = ring.new_audience_secret("legacy").await.unwrap();
        add_audience(&place, made.sealed).await;
        let snapshot = ring.reload().await.unwrap();
        let now = place.clock.now();
        let policy =
            |audience: &str| Verifier::<AccessToken>::builder().issuer("https://id.example").audience(audience).policy();
        let shared = snapshot.signer(KeyChoice::Audience("legacy")).unwrap().here().unwrap().clone();
        let forged = sign::<AccessToken>(&shared, &claims(&["admin", "legacy"])).unwrap();
        let own = sign::<AccessToken>(&shared, &claims(&["legacy"])).unwrap();
        let refused = |error: Error| error.code();
        assert_eq!(snapshot.verify(&policy("admin"), &[], &forged, now).map_err(refused), Err("unknown_key"));
        assert_eq!(snapshot.verify(&policy("legacy"), &[], &own, now).map_err(refused), Err("unknown_key"));
        assert_eq!(snapshot.verify(&policy("admin"), &["other", "legacy"], &forged, now).map_err(refused), Err("wrong_audience"));
        assert_eq!(
            snapshot.verify(&policy("legacy"), &["other", "legacy"], &forged, now).map_err(refused),
            Err("wrong_audience")
        );
        snapshot.verify(&policy("legacy"), &["other", "legacy"], &own, now).unwrap();

        let signer = snapshot.signer(KeyChoice::Ring(Algorithm::ES256)).unwrap().here().unwrap().clone();
        let token = sign::<AccessToken>(&signer, &claims(&["admin", "legacy"])).unwrap();
        snapshot.verify(&policy("admin"), &[], &token, now).unwrap();
        let late = now.plus(HOUR);
        assert_eq!(snapshot.verify(&policy("admin"), &[], &token, late).map_err(refused), Err("expired"));
    }
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
    let base64 = b64::encode(&secret[at..at + 9]);
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

    let test = TestStore::sqlite().await;
    let place = Place::on(test.store.clone());
    let ring = place.open().await;
    let made = ring.new_audience_secret("legacy").await.unwrap();
    add_audience(&place, made.sealed.clone()).await;
    // Another test's thread may have reached the log's lines while there was no subscriber, and noted that nobody listens.
    tracing::callsite::rebuild_interest_cache();
    ring.rotate(TOKEN, When::Now, &admin()).await.unwrap();
    ring.rotate(Slot::REFRESH, When::Now, &admin()).await.unwrap();
    ring.reload().await.unwrap();

    let mut secrets = vec![b64::decode(fs::read(place.kek()).unwrap().trim_ascii_end()).unwrap()];
    secrets.push(b64::decode(made.secret.expose()).unwrap());
    for row in place.keys().await {
        let context = format!("{}|{}|{}", row.key.kid, row.key.slot.purpose.as_str(), row.key.slot.alg);
        let plain = ring.provider().unseal(row.sealed.as_deref().unwrap(), &context).await.unwrap();
        // The private scalar of a P-256 key in PKCS #8 begins at byte 36; the public point follows it.
        secrets.push(if row.key.slot.purpose == Purpose::Refresh { plain.to_vec() } else { plain[36..68].to_vec() });
    }
    assert_eq!(secrets.len(), 7);

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
    let files = fs::read_dir(test.folder().unwrap()).unwrap();
    let files: Vec<u8> = files.flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(files.windows(9).any(|window| window == b"refresh-1"), "the database was read");
    for secret in &secrets {
        assert!(!files.windows(16).any(|window| window == &secret[..16]), "a secret is in the database in clear");
    }
}
