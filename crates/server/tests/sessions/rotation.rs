//! REF-03 to REF-13, one by one, with a clock that the test moves.

use std::time::Duration;

use countersign_server::{
    domain::{
        refresh::{Grant, MANY_SHARED_GENERATIONS, MANY_SHARES, Reason, Theft},
        rsn::Rsn,
        session::Nonce,
        time::Timestamp,
    },
    store::{
        StoreError,
        sessions::{self, NewSession, Refresh, Successor},
    },
};

use crate::{
    both_databases,
    rig::{ABSOLUTE, Answer, GRACE, IDLE, Rig},
};

const SECOND: Duration = Duration::from_secs(1);

both_databases! {
    // REF-03: another client's attempt is refused and changes nothing.
    async fn another_client_is_refused_and_the_token_survives(store: Store) {
        let rig = Rig::new(store).await;
        rig.add_client("other").await;
        let (_, token) = rig.session().await;
        let stolen = Refresh { client_id: "other".into(), ..rig.request(&token) };
        assert_eq!(rig.send(stolen).await, Answer::Refused(Reason::OtherClient));
        assert_eq!(rig.refresh(&token).await.grant(), Some(Grant::Rotate));
        // Even a reused token cannot be turned against the session by another client.
        let reused = Refresh { client_id: "other".into(), ..rig.request(&token) };
        rig.clock.advance(GRACE);
        assert_eq!(rig.send(reused).await, Answer::Refused(Reason::OtherClient));
        assert!(rig.log().await.is_empty());
    }

    // REF-02, REF-03: a session bound to a key is refreshed with that key only.
    async fn a_bound_session_needs_its_key(store: Store) {
        let rig = Rig::new(store).await;
        let signin = rig.sign_in(Rsn::default()).await;
        let new = NewSession { dpop_jkt: Some("key-1".into()), ..rig.new_session(signin) };
        let token = rig.try_open(&new).await.unwrap();
        for jkt in [None, Some("key-2".to_owned())] {
            let attempt = Refresh { dpop_jkt: jkt, ..rig.request(&token) };
            assert_eq!(rig.send(attempt).await, Answer::Refused(Reason::OtherKey));
        }
        let attempt = Refresh { dpop_jkt: Some("key-1".into()), ..rig.request(&token) };
        assert_eq!(rig.send(attempt).await.grant(), Some(Grant::Rotate));
    }

    // REF-05: the response was lost; the retry gets the same successor, however often, and the access token lives on.
    async fn a_retry_within_the_grace_gets_the_same_successor(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let lost = rig.refresh(&token).await.token();
        for _ in 0..3 {
            rig.clock.advance(2 * SECOND);
            let again = rig.refresh(&token).await;
            assert_eq!(again, Answer::Granted(Grant::Share, lost.clone()));
        }
        rig.clock.advance(GRACE);
        assert_eq!(rig.refresh(&lost).await.grant(), Some(Grant::Rotate));
        assert!(rig.log().await.is_empty() && rig.events().await.is_empty());
    }

    // REF-05: the newest token again, within the grace: at most one rotation per grace.
    async fn the_current_token_comes_back_unrotated_within_the_grace(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let next = rig.refresh(&token).await.token();
        rig.clock.advance(SECOND);
        assert_eq!(rig.refresh(&next).await, Answer::Granted(Grant::Again, next.clone()));
        // A slow parallel request with the parent is still served.
        assert_eq!(rig.refresh(&token).await, Answer::Granted(Grant::Share, next));
    }

    // REF-06: the parent after the window while the successor is unused: replaced, and the lost successor is void.
    async fn a_lost_successor_is_replaced_and_void(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let lost = rig.refresh(&token).await.token();
        rig.clock.advance(GRACE);
        let answer = rig.refresh(&token).await;
        assert_eq!(answer.grant(), Some(Grant::Replace));
        let replaced = answer.token();
        assert_ne!(replaced, lost);
        assert_eq!(rig.open_token(&replaced).generation(), rig.open_token(&lost).generation());
        assert_eq!(rig.refresh(&lost).await, Answer::Refused(Reason::Reused(Theft::Void)));
        assert_eq!(rig.refresh(&replaced).await, Answer::Refused(Reason::Ended));
    }

    // REF-06: the parent once its successor was used.
    async fn a_parent_after_its_successor_was_used_ends_the_session(store: Store) {
        let rig = Rig::new(store).await;
        let (sid, token) = rig.session().await;
        let next = rig.refresh(&token).await.token();
        rig.clock.advance(SECOND);
        assert_eq!(rig.refresh(&next).await.grant(), Some(Grant::Again));
        rig.clock.advance(GRACE);
        assert_eq!(rig.refresh(&token).await, Answer::Refused(Reason::Reused(Theft::ParentIsOver)));
        assert_eq!(rig.refresh(&next).await, Answer::Refused(Reason::Ended));
        // Its access tokens die with it, and whoever asks why is told which token, from where, how far apart.
        assert_eq!(rig.log().await, [2]);
        assert_eq!(rig.events().await, ["authn_token_reuse"]);
        let info = crate::commit!(rig, |tx, sid| sessions::find(tx, &sid)).unwrap();
        assert_eq!(info.revoked_reason.as_deref(), Some("reuse"));
        let detail: serde_json::Value = serde_json::from_str(&info.revoked_detail.unwrap()).unwrap();
        let expected = serde_json::json!({
            "reuse": "parent_is_over", "generation": 0, "current_generation": 1, "ms_since_rotation": 11_000,
            "ip": "192.0.2.1", "device": "test",
        });
        assert_eq!(detail, expected);
    }

    // REF-07: 34 → 35 → 36; 34 is replayed; 36 must fail.
    async fn a_grandparent_kills_every_descendant(store: Store) {
        let rig = Rig::new(store).await;
        let (_, mut token) = rig.session().await;
        let mut chain = vec![token.clone()];
        for _ in 0..36 {
            rig.clock.advance(GRACE);
            token = rig.refresh(&token).await.token();
            chain.push(token.clone());
        }
        assert_eq!(rig.open_token(&chain[36]).generation(), 36);
        assert_eq!(rig.refresh(&chain[34]).await, Answer::Refused(Reason::Reused(Theft::Older)));
        for token in &chain[34..] {
            assert_eq!(rig.refresh(token).await, Answer::Refused(Reason::Ended));
        }
        // What has ended is ended once: one entry, one event.
        assert_eq!(rig.log().await, [2]);
        assert_eq!(rig.events().await, ["authn_token_reuse"]);
    }

    // REF-08: many shares of one generation raise one event.
    async fn many_shares_of_one_generation_are_told(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        for _ in 0..MANY_SHARES {
            assert!(rig.events().await.is_empty());
            assert!(rig.refresh(&token).await.grant().is_some());
        }
        for _ in 0..5 {
            assert_eq!(rig.refresh(&token).await.grant(), Some(Grant::Share));
            assert_eq!(rig.events().await, ["session_suspicious"]);
        }
    }

    // REF-08: shares in most generations of a session raise an event.
    async fn a_second_holder_who_rides_every_generation_is_told(store: Store) {
        let rig = Rig::new(store).await;
        let (_, mut token) = rig.session().await;
        for _ in 0..MANY_SHARED_GENERATIONS {
            assert!(rig.events().await.is_empty());
            rig.clock.advance(GRACE);
            let next = rig.refresh(&token).await.token();
            assert_eq!(rig.refresh(&token).await, Answer::Granted(Grant::Share, next.clone()));
            token = next;
        }
        assert_eq!(rig.events().await, ["session_suspicious"]);
    }

    // REF-10: rotation extends the idle lifetime, never the absolute one.
    async fn lifetimes_end_a_session_without_killing_it(store: Store) {
        let rig = Rig::new(store).await;
        let (_, idle) = rig.session().await;
        let (_, mut busy) = rig.session().await;
        for _ in 0..3 {
            rig.clock.advance(IDLE - SECOND);
            busy = rig.refresh(&busy).await.token();
        }
        assert_eq!(rig.refresh(&idle).await, Answer::Refused(Reason::Idle));
        rig.clock.advance(ABSOLUTE - 3 * (IDLE - SECOND));
        assert_eq!(rig.refresh(&busy).await, Answer::Refused(Reason::Expired));
        assert!(rig.log().await.is_empty() && rig.events().await.is_empty());
    }

    // REF-12: two refreshes in the same microsecond are ordered by generation.
    async fn generations_order_what_happens_at_one_moment(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let first = rig.refresh_with(&token, &[1; 16]).await.token();
        let second = rig.refresh_with(&first, &[2; 16]).await.token();
        assert_eq!(rig.open_token(&second).generation(), 2);
        assert_eq!(rig.refresh_with(&token, &[1; 16]).await, Answer::Refused(Reason::Reused(Theft::Older)));
    }

    // REF-13: a failure before the commit leaves the old token usable.
    async fn a_failure_before_the_commit_leaves_the_token_good(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let request = rig.request(&token);
        let failed = rig.store.write(move |tx| {
            let request = request.clone();
            Box::pin(async move {
                sessions::refresh(tx, &request).await?;
                Err::<(), _>(StoreError::Broken("the disk is full".into()))
            })
        });
        assert!(failed.await.is_err());
        let answer = rig.refresh(&token).await;
        assert_eq!(answer.grant(), Some(Grant::Rotate));
        assert_eq!(rig.open_token(&answer.token()).generation(), 1);
    }

    // A generation that the database never issued: it lost commits, or K leaked. Refused, alarmed, never adopted.
    async fn a_generation_from_the_future_is_refused_and_told(store: Store) {
        let rig = Rig::new(store).await;
        let (sid, token) = rig.session().await;
        let future = rig.seal(&sid, 5, &Nonce::new([5; 16]));
        assert_eq!(rig.refresh(&future).await, Answer::Refused(Reason::Future));
        assert_eq!(rig.events().await, ["sys_token_from_future"]);
        assert_eq!(rig.refresh(&token).await.grant(), Some(Grant::Rotate));
    }

    // Rule B: the client commits to its successor before it asks; a retry is good at any time, anything else is theft.
    async fn a_committed_client_may_retry_at_any_time(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let next = rig.refresh_with(&token, &[1; 16]).await.token();
        rig.clock.advance(100 * GRACE);
        assert_eq!(rig.refresh_with(&token, &[1; 16]).await, Answer::Granted(Grant::Retry, next.clone()));
        // No grace: the newest token rotates at once.
        let newest = rig.refresh_with(&next, &[2; 16]).await;
        assert_eq!(newest.grant(), Some(Grant::Rotate));
        let expected = rig.seal(rig.open_token(&next).sid(), 2, &Nonce::committed_by(&[2; 16]));
        assert_eq!(newest.token(), expected);
        assert_eq!(rig.refresh_with(&next, &[3; 16]).await, Answer::Refused(Reason::Reused(Theft::OtherSuccessor)));
        assert_eq!(rig.refresh_with(&expected, &[4; 16]).await, Answer::Refused(Reason::Ended));
    }

    async fn a_committed_session_accepts_no_refresh_without_next_nonce(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let next = rig.refresh_with(&token, &[1; 16]).await.token();
        assert_eq!(rig.refresh(&next).await, Answer::Refused(Reason::Reused(Theft::Uncommitted)));
        assert_eq!(rig.refresh_with(&next, &[2; 16]).await, Answer::Refused(Reason::Ended));
    }

    // I-6: a clock that was set back neither stretches the grace nor signs anybody out.
    async fn a_clock_set_back_is_survived(store: Store) {
        let mut rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let next = rig.refresh(&token).await.token();
        rig.clock = countersign_server::clock::Clock::manual(Timestamp::from_secs(1_799_900_000));
        assert_eq!(rig.refresh(&next).await.grant(), Some(Grant::Rotate));
    }

    // REF-01: the database alone forges nothing: what it keeps is not a token without K.
    async fn what_the_database_keeps_is_no_token(store: Store) {
        let rig = Rig::new(store).await;
        let (sid, token) = rig.session().await;
        let row = &rig.rows("SELECT gen, nonce FROM sessions").await[0];
        let thief = countersign_server::domain::refresh_token::MacKeys::new(1, [(1, &[8; 32][..])]).unwrap();
        let forged = thief.seal(&sid, row.get(0).unwrap(), &Nonce::new(row.get(1).unwrap()));
        assert!(rig.keys.open(forged.expose()).is_err());
        assert_eq!(rig.refresh(&token).await.grant(), Some(Grant::Rotate));
    }

    // `grace = 0`: every token is good for one use.
    async fn strict_one_time_use_can_be_configured(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let strict = |token| Refresh { grace: Duration::ZERO, ..rig.request(token) };
        let first = rig.send(strict(&token)).await.token();
        let second = rig.send(strict(&first)).await;
        assert_eq!(second.grant(), Some(Grant::Rotate));
        assert_eq!(rig.send(strict(&first)).await, Answer::Refused(Reason::Reused(Theft::ParentIsOver)));
    }

    // A session that began under rule A and whose response was lost is served when its client turns to rule B.
    async fn a_client_may_turn_to_rule_b_after_a_lost_response(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let lost = rig.refresh(&token).await.token();
        assert_eq!(rig.refresh_with(&token, &[1; 16]).await, Answer::Granted(Grant::Share, lost));
        rig.clock.advance(GRACE);
        let replaced = rig.refresh_with(&token, &[1; 16]).await;
        assert_eq!(replaced.grant(), Some(Grant::Replace));
        rig.clock.advance(GRACE);
        let retried = rig.refresh_with(&token, &[1; 16]).await;
        assert_eq!(retried, Answer::Granted(Grant::Retry, replaced.token()));
        let drawn = Refresh { successor: Successor::Drawn(Nonce::new([9; 16])), ..rig.request(&token) };
        assert_eq!(rig.send(drawn).await, Answer::Refused(Reason::Reused(Theft::Uncommitted)));
    }
}
