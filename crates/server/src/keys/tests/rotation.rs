//! Transitions: by schedule, by command, by emergency; with replicas and crashes.

use std::sync::atomic::Ordering;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::*;
use crate::{
    domain::{
        key_ring::{JWKS_MAX_AGE, SKEW, Transition, check, plan},
        revocation::Entry,
    },
    keys::rotation::{STAGING, STAGING_LEASE},
    store::turns::Turn,
};

/// Kind, id and expiry of every entry of the revocation log.
async fn log(place: &Place) -> Vec<(i64, Vec<u8>, i64)> {
    let sql = "SELECT kind, id, exp FROM rev_log ORDER BY rsn";
    let rows = place.store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap();
    rows.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap())).collect()
}

both_databases! {
    async fn keys_rotate_by_schedule_without_a_gap(store: Store) {
        // KEY-02, KEY-03
        let place = Place::on(store);
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
        assert_eq!(place.words(Slot::FEED).await, ["removed", "active"]);
        ring.snapshot().mac_keys().open(&refresh_token).unwrap();
        place.open().await.snapshot().mac_keys().open(&refresh_token).unwrap();
    }

    async fn feed_keys_have_a_set_and_a_rotation_of_their_own(store: Store) {
        // KEY-09: neither set verifies what the other signed.
        let place = Place::on(store);
        let ring = place.open().await;
        let kids = |jwks: Jwks| -> Vec<String> {
            let keys = JwkSet::parse(&jwks.body).unwrap().keys;
            let mut kids: Vec<_> = keys.iter().map(|jwk| jwk.kid().unwrap().to_owned()).collect();
            kids.sort();
            kids
        };
        let token = kid(&ring);
        let feed = ring.snapshot().feed_signer().unwrap().kid().to_owned();
        assert!(feed.starts_with("feed-"));
        assert_eq!((kids(ring.jwks()), kids(ring.feed_jwks())), (vec![token.clone()], vec![feed.clone()]));
        assert!(ring.snapshot().verifying_key(&feed).is_none(), "no token is checked with a feed key");

        let next = ring.rotate(Slot::FEED, When::Published, &admin()).await.unwrap().key.kid;
        assert_eq!(ring.snapshot().feed_signer().unwrap().kid(), feed, "verifiers first, then signatures");
        let mut both = [feed.clone(), next.clone()];
        both.sort();
        assert_eq!(kids(ring.feed_jwks()), both);
        place.clock.advance(PUBLISH_FOR);
        ring.tick().await.unwrap();
        assert_eq!(ring.snapshot().feed_signer().unwrap().kid(), next);
        assert_eq!((kid(&ring), kids(ring.jwks())), (token.clone(), vec![token.clone()]), "the other set stays");

        assert!(ring.revoke(&next, scope(), &admin()).await.unwrap());
        assert_ne!(ring.snapshot().feed_signer().unwrap().kid(), next);
        assert!(!kids(ring.feed_jwks()).contains(&next));
        assert!(log(&place).await.is_empty(), "only keys of tokens have entries");

        place.execute("DELETE FROM keys WHERE purpose = 'feed'").await;
        assert!(matches!(place.refusal().await, KeyRingError::Damaged(_)), "no feed key is made anew");
    }

    async fn a_rotation_is_ordered_once_and_ends_when_verifiers_know(store: Store) {
        // KEY-02
        let place = Place::on(store);
        let ring = place.open().await;
        let old = kid(&ring);
        let next = ring.rotate(TOKEN, When::Published, &admin()).await.unwrap();
        assert_eq!(next.key.state.as_str(), "published");
        assert!(published(&ring).contains(&next.key.kid));
        assert_eq!(ring.rotate(TOKEN, When::Published, &admin()).await.unwrap(), next, "a second order changes nothing");

        place.clock.advance(JWKS_MAX_AGE + SKEW);
        ring.tick().await.unwrap();
        assert_eq!(kid(&ring), old, "the configured time is longer");
        place.clock.advance(PUBLISH_FOR);
        ring.tick().await.unwrap();
        assert_eq!(kid(&ring), next.key.kid);

        let hasty = ring.rotate(TOKEN, When::Now, &admin()).await.unwrap();
        assert_eq!(kid(&ring), hasty.key.kid);
        assert_eq!(place.words(TOKEN).await, ["retiring", "retiring", "active"]);
        let missing = ring.rotate(Slot::token(Algorithm::PS256), When::Now, &admin()).await.unwrap_err();
        assert!(matches!(missing, KeyRingError::NoSigner(Algorithm::PS256)));
    }

    async fn a_key_that_is_not_trusted_any_more_is_gone_at_once(store: Store) {
        // KEY-03, KEY-04
        let place = Place::on(store);
        let ring = place.open().await;
        let stolen = ring.signer_for(Algorithm::ES256).unwrap();
        assert!(ring.revoke(stolen.kid(), scope(), &admin()).await.unwrap());
        let audit = place.audit().await;
        let (actor, _, detail) = audit.iter().find(|(_, event, _)| event == "key_revoked").unwrap();
        assert_eq!(actor, "usr_admin");
        assert_eq!((&detail["kid"], &detail["active"]), (&stolen.kid().into(), &kid(&ring).into()));
        let entry = Entry::key(scope(), stolen.kid());
        assert_eq!(log(&place).await, [(6, entry.id.as_bytes().to_vec(), 0)], "verifiers are told, for ever");
        assert!(!verifies(&ring, &stolen));
        assert!(verifies(&ring, &ring.signer_for(Algorithm::ES256).unwrap()));
        assert_eq!(place.words(TOKEN).await, ["removed", "active"]);
        assert!(!ring.revoke(stolen.kid(), scope(), &admin()).await.unwrap(), "once is enough");
        assert_eq!(log(&place).await.len(), 1);
        assert!(matches!(ring.revoke("nobody", scope(), &admin()).await, Err(KeyRingError::NoSuchKey(_))));

        let waiting = ring.rotate(TOKEN, When::Published, &admin()).await.unwrap().key.kid;
        assert!(ring.revoke(&waiting, scope(), &admin()).await.unwrap());
        assert_eq!(place.words(TOKEN).await, ["removed", "removed", "active"]);
        let waiting = ring.rotate(TOKEN, When::Published, &admin()).await.unwrap().key.kid;
        assert!(ring.revoke(&kid(&ring), scope(), &admin()).await.unwrap());
        assert_eq!(kid(&ring), waiting, "the successor takes over");

        let refresh_token = refresh_token(ring.snapshot().mac_keys());
        assert!(ring.revoke("refresh-1", scope(), &admin()).await.unwrap());
        assert!(ring.snapshot().mac_keys().open(&refresh_token).is_err());
        assert_eq!(log(&place).await.len(), 4, "exchanged tokens rest on opaque ones, which it made");
    }

    async fn replicas_never_do_a_transition_twice(store: Store) {
        // KEY-02, KEY-03
        let place = Place::on(store);
        let (a, b) = (place.open().await, place.open().await);
        let mut done = 0;
        for _ in 0..40 {
            place.clock.advance(HOUR);
            let (x, y) = tokio::join!(a.tick(), b.tick());
            done += x.unwrap() + y.unwrap();
            for slot in [TOKEN, Slot::REFRESH, Slot::FEED] {
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
        assert_eq!(done + 3 * 3, expected, "each transition was counted by exactly one replica");
    }

    async fn one_replica_makes_a_key_while_the_others_wait(store: Store) {
        // A key store keeps every key that it was asked for.
        let place = Place::on(store);
        let (a, b) = (place.open().await, place.open().await);
        let before = place.keys().await.len();
        place.clock.advance(DAY - PUBLISH_FOR);
        // A third replica is at it.
        let clock = place.clock.now();
        let elsewhere = Turn { name: STAGING, holder: "c", every: Duration::ZERO, lease: STAGING_LEASE, clock };
        let taken = {
            let turn = elsewhere.clone();
            place.store.write(move |tx| {
                let turn = turn.clone();
                Box::pin(async move { turn.take(tx, clock).await })
            })
        };
        assert!(taken.await.unwrap().is_some());
        assert_eq!((a.tick().await.unwrap(), b.tick().await.unwrap()), (0, 0));
        assert_eq!(place.keys().await.len(), before);
        let done = place.store.write(move |tx| {
            let turn = elsewhere.clone();
            Box::pin(async move { turn.done(tx).await })
        });
        done.await.unwrap();

        let (x, y) = tokio::join!(a.tick(), b.tick());
        x.and(y).unwrap();
        while a.tick().await.unwrap() + b.tick().await.unwrap() > 0 {}
        assert_eq!(place.words(TOKEN).await, ["active", "published"]);
        let made = place.audit().await.into_iter().filter(|(_, event, _)| event == "key_created").count();
        assert_eq!(made, place.keys().await.len(), "a key that was made is a key that is kept");
    }

    async fn a_crash_between_any_two_transitions_is_survived(store: Store) {
        // KEY-03, I-9
        let place = Place::on(store);
        let ring = place.open().await;
        let old = kid(&ring);
        place.clock.advance(DAY);
        let mut steps = 0;
        while kid(&place.open().await) == old {
            // A new process each time: it does one thing and is gone.
            let replica = place.open().await;
            let due = plan(replica.snapshot().ring(), place.clock.now(), &replica.policy, &[]);
            match due.into_iter().find(|transition| !matches!(transition, Transition::Remove { .. })) {
                Some(step) => assert!(replica.carry_out(step, &admin()).await.unwrap()),
                None => place.clock.advance(PUBLISH_FOR),
            }
            let restarted = place.open().await;
            assert!(verifies(&restarted, &restarted.signer_for(Algorithm::ES256).unwrap()));
            steps += 1;
            assert!(steps < 20, "it comes to an end");
        }
        assert!(published(&place.open().await).contains(&old));
    }

    async fn an_activation_that_would_leave_no_signer_does_not_happen(store: Store) {
        // KEY-03
        let place = Place::on(store);
        let ring = place.open().await;
        let retire = kid(&ring);
        let lost = Transition::Activate { kid: "nobody".to_owned(), retire: retire.clone() };
        assert!(!ring.carry_out(lost, &admin()).await.unwrap());
        assert_eq!(place.words(TOKEN).await, ["active"]);
        let staged = ring.stage(TOKEN, &admin()).await.unwrap();
        let early = Transition::Activate { kid: staged, retire };
        assert!(!ring.carry_out(early, &admin()).await.unwrap(), "an unpublished key does not sign");
        assert_eq!(place.words(TOKEN).await, ["active", "staged"]);
    }

    async fn every_change_has_one_audit_event_and_every_refusal_none(store: Store) {
        // AUD-01, AUD-04, I-10
        let place = Place::on(store);
        let ring = place.open().await;
        let old = kid(&ring);
        let new = ring.rotate(TOKEN, When::Published, &admin()).await.unwrap().key.kid;
        ring.rotate(TOKEN, When::Published, &admin()).await.unwrap();
        let twice = Transition::Publish { kid: new.clone() };
        assert!(!ring.carry_out(twice, &admin()).await.unwrap());
        let wrong = Transition::Activate { kid: new.clone(), retire: new.clone() };
        assert!(!ring.carry_out(wrong, &admin()).await.unwrap());
        place.clock.advance(PUBLISH_FOR);
        ring.tick().await.unwrap();
        place.clock.advance(HOUR + SKEW);
        ring.tick().await.unwrap();

        let audit = place.audit().await;
        let other = |kid: &Value| kid.as_str().is_some_and(|kid| kid == "refresh-1" || kid.starts_with("feed-"));
        let of_tokens = audit.iter().filter(|(_, _, detail)| !other(&detail["kid"]));
        let told: Vec<_> = of_tokens
            .map(|(actor, event, detail)| (actor.as_str(), event.as_str(), &detail["kid"], &detail["state"]))
            .map(|(actor, event, kid, state)| (actor, event, kid.as_str().unwrap(), state.as_str().unwrap()))
            .collect();
        let expected = [
            ("system", "key_created", old.as_str(), "active"),
            ("usr_admin", "key_created", new.as_str(), "staged"),
            ("usr_admin", "key_rotated", new.as_str(), "published"),
            ("system", "key_rotated", new.as_str(), "active"),
            ("system", "key_rotated", old.as_str(), "removed"),
        ];
        // Events of one instant have no order among them.
        assert_eq!(told.len(), expected.len(), "{told:?}");
        assert!(expected.iter().all(|event| told.contains(event)), "{told:?}");
        assert_eq!(audit.iter().filter(|(_, _, detail)| detail["retiring"] == old.as_str()).count(), 1);
    }

    async fn random_walks_never_break_the_ring(store: Store) {
        // KEY-02, KEY-03, I-6, I-9: two replicas, crashes (dropped turns), orders, revocations, a clock that jumps.
        let mut runner = TestRunner::deterministic();
        let walk = prop::collection::vec(step(), 120).new_tree(&mut runner).unwrap().current();
        let place = Place::on(store);
        let mut replicas = [place.open().await, place.open().await];
        let mut before = place.keys().await;
        for (at, step) in walk.iter().enumerate() {
            run(&place, &mut replicas, step).await;
            let now = place.keys().await;
            let ring: Vec<RingKey> = now.iter().map(|row| row.key.clone()).collect();
            assert_eq!(check(&ring), Ok(()), "step {at}: {step:?}");
            for old in &before {
                let new = now.iter().find(|row| row.key.kid == old.key.kid).expect("no row is ever lost");
                assert!(rank(new.key.state) >= rank(old.key.state), "step {at}: {step:?} moved {old:?} back");
                assert_eq!(new.sealed.is_none(), new.key.state == KeyState::Removed, "step {at}: {step:?}");
            }
            before = now;
            let fresh = place.open().await;
            assert!(verifies(&fresh, &fresh.signer_for(Algorithm::ES256).unwrap()), "step {at}: {step:?}");
            fresh.snapshot().mac_keys().open(&refresh_token(fresh.snapshot().mac_keys())).unwrap();
        }
        assert!(before.len() > 8, "the walk went somewhere");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Clock(i64),
    Tick(usize),
    BothTick,
    Rotate(usize, bool),
    RevokeActive(usize),
    Restart(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2 * DAY.as_secs()).prop_map(Step::Wait),
        1 => (-200_000..200_000_i64).prop_map(Step::Clock),
        3 => (0..2_usize).prop_map(Step::Tick),
        2 => Just(Step::BothTick),
        1 => (0..2_usize, any::<bool>()).prop_map(|(replica, now)| Step::Rotate(replica, now)),
        1 => (0..2_usize).prop_map(Step::RevokeActive),
        1 => (0..2_usize).prop_map(Step::Restart),
    ]
}

async fn run(place: &Place, replicas: &mut [KeyRing; 2], step: &Step) {
    match *step {
        Step::Wait(secs) => place.clock.advance(Duration::from_secs(secs)),
        Step::Clock(secs) => {
            if let Clock::Manual(at) = &place.clock {
                at.fetch_add(secs * 1_000_000, Ordering::SeqCst);
            }
        }
        Step::Tick(replica) => _ = replicas[replica].tick().await.unwrap(),
        Step::BothTick => {
            let (a, b) = tokio::join!(replicas[0].tick(), replicas[1].tick());
            a.and(b).unwrap();
        }
        Step::Rotate(replica, now) => {
            let when = if now { When::Now } else { When::Published };
            replicas[replica].rotate(TOKEN, when, &admin()).await.unwrap();
        }
        Step::RevokeActive(replica) => {
            // As it knows it: perhaps another replica retired the key long ago.
            let known = kid(&replicas[replica]);
            replicas[replica].revoke(&known, scope(), &admin()).await.unwrap();
        }
        Step::Restart(replica) => replicas[replica] = place.open().await,
    }
}

fn rank(state: KeyState) -> usize {
    let order = ["staged", "published", "active", "retiring", "removed"];
    order.iter().position(|word| *word == state.as_str()).unwrap()
}
