//! Starting: a new store, a restart, and every reason not to start.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::*;

both_databases! {
    async fn a_new_store_gets_its_keys_and_a_restart_finds_them(store: Store) {
        // KEY-01, KEY-08, KEY-09
        let place = Place::on(store);
        let first = place.open().await;
        let signer = first.signer_for(Algorithm::ES256).unwrap();
        assert!(verifies(&first, &signer));
        assert_eq!(first.snapshot().algorithms(), [Algorithm::ES256]);
        let token = refresh_token(first.snapshot().mac_keys());

        let again = place.open().await;
        assert_eq!(again.snapshot().jwks(), first.snapshot().jwks());
        assert!(verifies(&first, &again.signer_for(Algorithm::ES256).unwrap()));
        again.snapshot().mac_keys().open(&token).unwrap();
        assert_eq!(place.keys().await.len(), 3);
    }

    async fn the_key_set_shows_public_members_only(store: Store) {
        // KEY-05
        let place = Place::on(store);
        let ring = place.open().await;
        ring.ensure_alg(Algorithm::Ed25519, &admin()).await.unwrap();
        ring.ensure_alg(Algorithm::RS256, &admin()).await.unwrap();
        assert!(matches!(ring.ensure_alg(Algorithm::HS256, &admin()).await, Err(KeyRingError::NoSigner(Algorithm::HS256))));
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

    async fn without_the_right_key_encryption_key_nothing_starts_and_nothing_changes(store: Store) {
        // KEY-01, KEY-08, I-9
        let place = Place::on(store);
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

        KekSource::DataFolder(place.folder.path().to_owned()).load(true, Random).unwrap();
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

    async fn a_flipped_byte_a_swapped_row_and_a_lost_row_refuse_to_start(store: Store) {
        // KEY-01, KEY-08
        let place = Place::on(store);
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

    async fn a_running_server_keeps_its_keys_when_the_store_is_tampered_with(store: Store) {
        // KEY-08, I-12
        let place = Place::on(store);
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

    async fn replicas_that_start_together_share_one_ring(store: Store) {
        // KEY-03
        let place = Place::on(store);
        KekSource::DataFolder(place.folder.path().to_owned()).load(true, Random).unwrap();
        let (a, b) = tokio::join!(KeyRing::open(place.setup()), KeyRing::open(place.setup()));
        let (a, b) = (a.unwrap(), b.unwrap());
        a.reload().await.unwrap();
        b.reload().await.unwrap();
        assert_eq!(a.snapshot().jwks(), b.snapshot().jwks());
        assert_eq!(place.keys().await.len(), 3);

        let by = admin();
        let (x, y) = tokio::join!(a.ensure_alg(Algorithm::Ed25519, &by), b.ensure_alg(Algorithm::Ed25519, &by));
        x.and(y).unwrap();
        let ours = a.signer_for(Algorithm::Ed25519).unwrap();
        assert_eq!(ours.kid(), b.signer_for(Algorithm::Ed25519).unwrap().kid());
    }

    async fn a_configured_file_serves_several_places(store: Store) {
        let place = Place::on(store);
        let shared = tempfile::tempdir().unwrap();
        let named = shared.path().join("kek");
        let open = async |path: &Path| {
            let guard = file(KekSource::File(path.to_owned()));
            KeyRing::open(Setup { guard, algs: vec![Algorithm::Ed25519, Algorithm::ES256], ..place.setup() }).await
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
}
