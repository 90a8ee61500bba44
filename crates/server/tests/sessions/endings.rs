//! What ends sessions, and what stays: REF-09 to REF-11, CSR-03, and the log of what was ended.

use countersign_server::{
    domain::{
        refresh::{Grant, Reason},
        rsn::Rsn,
        session::EndReason,
        signin::{Over, SigninSecret},
    },
    store::{
        sessions::{self, Ended, Renewal},
        signins,
    },
};

use crate::{
    both_databases, commit,
    rig::{Answer, CLIENT, GRACE, IDLE, Rig, TTL, USER},
};

both_databases! {
    // REF-11: signing out here ends the sign-in and all its sessions, and no other.
    async fn signing_out_here_ends_the_whole_sign_in(store: Store) {
        let rig = Rig::new(store).await;
        rig.add_client("second").await;
        let signin = rig.sign_in(Rsn::default()).await;
        let first = rig.try_open(&rig.new_session(signin)).await.unwrap();
        let mut other_client = rig.new_session(signin);
        other_client.client_id = "second".into();
        rig.try_open(&other_client).await.unwrap();
        let (_, elsewhere) = rig.session().await;

        let act = rig.act();
        let ended = commit!(rig, |tx, signin, act| sessions::end_signin(tx, &signin, EndReason::Logout, &act));
        assert_eq!(ended.sessions, 2);
        assert_eq!(rig.log().await, [2, 2]);
        assert_eq!(rig.events().await, ["session_ended"]);
        assert_eq!(rig.refresh(&first).await, Answer::Refused(Reason::Ended));
        assert_eq!(rig.refresh(&elsewhere).await.grant(), Some(Grant::Rotate));
        assert!(rig.try_open(&rig.new_session(signin)).await.is_none(), "no session of an ended sign-in");

        // Ending what has ended appends nothing.
        let act = rig.act();
        let again = commit!(rig, |tx, signin, act| sessions::end_signin(tx, &signin, EndReason::Logout, &act));
        assert_eq!(again, Ended::default());
        assert_eq!(rig.log().await, [2, 2]);
        assert_eq!(rig.events().await, ["session_ended"]);
    }

    // REF-11: one entry and one mark, however many sessions there are.
    async fn signing_out_everywhere_is_one_entry(store: Store) {
        let rig = Rig::new(store).await;
        let mut tokens = Vec::new();
        for _ in 0..5 {
            tokens.push(rig.session().await);
        }
        let act = rig.act();
        let ended = commit!(rig, |tx, act| sessions::end_everywhere(tx, USER, EndReason::LogoutEverywhere, &act)).unwrap();
        let rsn = ended.rsn.unwrap();
        assert_eq!(rig.log().await, [3]);
        for (sid, token) in &tokens {
            assert_eq!(rig.refresh(token).await, Answer::Refused(Reason::SignedOut));
            let authority = rig.authority(sid).await.unwrap();
            assert!(!authority.stands());
            assert_eq!(authority.min_rsn.user, rsn);
        }
        // Whoever signs in afterwards is not concerned, in the same microsecond either (I6 of the log).
        let signin = rig.sign_in(rsn).await;
        let token = rig.try_open(&rig.new_session(signin)).await.unwrap();
        assert_eq!(rig.refresh(&token).await.grant(), Some(Grant::Rotate));
        // A sign-in whose ceremony began before is: R2 holds when a session is opened, too.
        let stale = rig.sign_in(Rsn::new(rsn.get() - 1)).await;
        assert!(rig.try_open(&rig.new_session(stale)).await.is_none());
        // A token of a session that is dead already ends nothing and appends nothing.
        rig.clock.advance(GRACE);
        let (_, old) = &tokens[0];
        assert_eq!(rig.refresh(old).await, Answer::Refused(Reason::SignedOut));
        assert_eq!(rig.log().await, [3]);
    }

    async fn a_dead_sign_ins_sessions_append_nothing(store: Store) {
        let rig = Rig::new(store).await;
        let signin = rig.sign_in(Rsn::default()).await;
        rig.try_open(&rig.new_session(signin)).await.unwrap();
        let act = rig.act();
        commit!(rig, |tx, act| sessions::end_everywhere(tx, USER, EndReason::Password, &act));
        let act = rig.act();
        let ended = commit!(rig, |tx, signin, act| sessions::end_signin(tx, &signin, EndReason::Logout, &act));
        assert_eq!(ended, Ended { sessions: 1, rsn: None });
        assert_eq!(rig.log().await, [3]);
    }

    // An entry is needed for as long as a token may be out: the latest `exp` that any refresh noted.
    async fn entries_live_as_long_as_the_tokens_they_end(store: Store) {
        let rig = Rig::new(store).await;
        let (over, _) = rig.session().await;
        rig.clock.advance(TTL + GRACE * 6);
        let (live, token) = rig.session().await;
        rig.refresh(&token).await;
        let exp = rig.clock.now().plus(TTL).secs() + 60;
        for (sid, entries) in [(over, 0), (live, 1)] {
            let act = rig.act();
            let ended = commit!(rig, |tx, sid, act| sessions::end_session(tx, &sid, EndReason::Admin, &act));
            assert_eq!((ended.sessions, ended.rsn.is_some()), (1, entries == 1));
        }
        let exps: Vec<i64> = rig.rows("SELECT exp FROM rev_log").await.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(exps, [exp]);
    }

    // REF-11: consent withdrawn ends that client's sessions of that user, one by one.
    async fn withdrawing_consent_ends_one_clients_sessions(store: Store) {
        let rig = Rig::new(store).await;
        rig.add_client("second").await;
        let (_, kept) = rig.session().await;
        let signin = rig.sign_in(Rsn::default()).await;
        let mut new = rig.new_session(signin);
        new.client_id = "second".into();
        rig.try_open(&new).await.unwrap();
        let act = rig.act();
        let ended =
            commit!(rig, |tx, act| sessions::end_client_sessions(tx, USER, "second", EndReason::ConsentWithdrawn, &act));
        assert_eq!(ended.sessions, 1);
        assert_eq!(rig.log().await, [2]);
        assert_eq!(rig.refresh(&kept).await.grant(), Some(Grant::Rotate));
    }

    // REF-11: a disabled user or client refreshes nothing and opens nothing.
    async fn the_disabled_neither_refresh_nor_open(store: Store) {
        let rig = Rig::new(store).await;
        for (off, on) in [
            ("UPDATE users SET disabled_at = 1 WHERE user_id = $1", "UPDATE users SET disabled_at = NULL WHERE user_id = $1"),
            ("UPDATE clients SET disabled_at = 1 WHERE client_id = $1", "UPDATE clients SET disabled_at = NULL WHERE client_id = $1"),
        ] {
            let name = if off.contains("users") { USER } else { CLIENT };
            let (sid, token) = rig.session().await;
            let signin = rig.sign_in(Rsn::default()).await;
            rig.execute(off, &[name]).await;
            assert_eq!(rig.refresh(&token).await, Answer::Refused(Reason::Disabled));
            assert!(rig.try_open(&rig.new_session(signin)).await.is_none());
            assert!(!rig.authority(&sid).await.unwrap().stands());
            rig.execute(on, &[name]).await;
            assert_eq!(rig.refresh(&token).await.grant(), Some(Grant::Rotate));
        }
        rig.execute("DELETE FROM users WHERE user_id = $1", &[USER]).await;
        let sid = rig.rows("SELECT sid FROM sessions").await[0].get::<String>(0).unwrap();
        assert!(rig.authority(&countersign_server::domain::session::Sid::parse(&sid).unwrap()).await.is_none());
    }

    // RLO-09: whichever of user, client and tenant was signed out last counts.
    async fn every_min_rsn_counts(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        for (off, on, name) in [
            ("UPDATE users SET min_rsn = 1 WHERE user_id = $1", "UPDATE users SET min_rsn = 0 WHERE user_id = $1", USER),
            ("UPDATE clients SET min_rsn = 1 WHERE client_id = $1", "UPDATE clients SET min_rsn = 0 WHERE client_id = $1", CLIENT),
            ("UPDATE tenants SET min_rsn = 1 WHERE tenant = $1", "UPDATE tenants SET min_rsn = 0 WHERE tenant = $1", "default"),
        ] {
            rig.execute(off, &[name]).await;
            assert_eq!(rig.refresh(&token).await, Answer::Refused(Reason::SignedOut));
            rig.execute(on, &[name]).await;
        }
        assert_eq!(rig.refresh(&token).await.grant(), Some(Grant::Rotate));
    }

    // CSR-03: a new id, its sessions follow, the old cookie is dead.
    async fn a_sign_in_changes_its_id_and_keeps_its_sessions(store: Store) {
        let rig = Rig::new(store).await;
        let old = rig.sign_in(Rsn::default()).await;
        let new = rig.new_session(old);
        let token = rig.try_open(&new).await.unwrap();
        let fresh = SigninSecret::new(&[9; 32]).id();
        assert!(commit!(rig, |tx, old, fresh| signins::rotate_id(tx, &old, &fresh)));
        assert!(!commit!(rig, |tx, old, fresh| signins::rotate_id(tx, &old, &fresh)), "the old id is gone");
        assert!(commit!(rig, |tx, old| signins::find(tx, &old)).is_none());
        let sid = new.sid.clone();
        assert_eq!(commit!(rig, |tx, sid| signins::of_session(tx, &sid)), Some(fresh));
        assert_eq!(rig.refresh(&token).await.grant(), Some(Grant::Rotate));
        let act = rig.act();
        let ended = commit!(rig, |tx, fresh, act| sessions::end_signin(tx, &fresh, EndReason::Logout, &act));
        assert_eq!(ended.sessions, 1);
        assert!(!commit!(rig, |tx, fresh, old| signins::rotate_id(tx, &fresh, &old)), "an ended sign-in keeps its id");
    }

    // CSR-04: what the cookie finds, and when it stops counting.
    async fn a_sign_in_is_found_by_its_cookie(store: Store) {
        let rig = Rig::new(store).await;
        let id = rig.sign_in(Rsn::default()).await;
        let found = commit!(rig, |tx, id| signins::find(tx, &id)).unwrap();
        assert_eq!((found.user_id.as_str(), found.amr.as_str(), found.tenant.as_str()), (USER, "pwd", "default"));
        rig.clock.advance(GRACE);
        let now = rig.clock.now();
        commit!(rig, |tx, id| signins::touch(tx, &id, now, now));
        let touched = commit!(rig, |tx, id| signins::find(tx, &id)).unwrap();
        assert_eq!(touched.last_seen_at, now);
        rig.clock.advance(IDLE);
        assert_eq!(touched.clone().live(rig.clock.now(), IDLE).unwrap_err(), Over::Idle);
        assert!(touched.live(now, IDLE).is_ok());
        let act = rig.act();
        commit!(rig, |tx, act| sessions::end_everywhere(tx, USER, EndReason::Password, &act));
        let found = commit!(rig, |tx, id| signins::find(tx, &id)).unwrap();
        assert_eq!(found.live(now, IDLE).unwrap_err(), Over::SignedOut);
    }

    // The browser's cookie renews its session without a refresh token, and the session knows until when tokens are out.
    async fn a_cookie_renews_its_session(store: Store) {
        let rig = Rig::new(store).await;
        let signin = rig.sign_in(Rsn::default()).await;
        let new = rig.new_session(signin);
        rig.try_open(&new).await.unwrap();
        rig.clock.advance(TTL);
        let now = rig.clock.now();
        let renewal = Renewal {
            signin,
            client_id: CLIENT.into(),
            at_exp: now.plus(TTL).secs(),
            idle_expires_at: now.plus(IDLE),
            now,
        };
        assert_eq!(commit!(rig, |tx, renewal| sessions::renew(tx, &renewal)), Some(new.sid));
        let act = rig.act();
        commit!(rig, |tx, signin, act| sessions::end_signin(tx, &signin, EndReason::Logout, &act));
        assert_eq!(rig.log().await, [2], "the renewed token needs its entry");
        assert_eq!(commit!(rig, |tx, renewal| sessions::renew(tx, &renewal)), None);
    }

    async fn sessions_are_listed_in_pages_newest_first(store: Store) {
        let rig = Rig::new(store).await;
        let mut sids = Vec::new();
        for n in 0..7 {
            // Two of them at one moment: the sid decides.
            if n != 3 {
                rig.clock.advance(GRACE);
            }
            sids.push(rig.session().await.0);
        }
        let ended = sids[2].clone();
        let act = rig.act();
        commit!(rig, |tx, ended, act| sessions::end_session(tx, &ended, EndReason::Admin, &act));
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = commit!(rig, |tx, after| sessions::list(tx, USER, after.as_ref(), 3));
            let Some(last) = page.last() else { break };
            let cursor = sessions::Cursor::behind(last);
            assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
            after = Some(cursor);
            seen.extend(page);
        }
        assert!(seen.is_sorted_by(|a, b| (a.created_at, &a.sid) > (b.created_at, &b.sid)));
        assert_eq!(seen.len(), 7);
        let reasons: Vec<_> = seen.iter().filter_map(|info| info.revoked_reason.as_deref()).collect();
        assert_eq!(reasons, ["admin"]);
        assert!(seen.iter().all(|info| !info.signed_out && info.device == "test"));
    }

    // What an access token may say is read afresh each time.
    async fn authority_is_read_afresh(store: Store) {
        let rig = Rig::new(store).await;
        let (sid, _) = rig.session().await;
        let before = rig.authority(&sid).await.unwrap();
        assert!(before.stands() && before.roles.is_empty());
        rig.execute("INSERT INTO user_roles (user_id, audience, role) VALUES ($1, 'api', 'buyer')", &[USER]).await;
        rig.execute("UPDATE users SET token_rsn = 77, attributes = '{\"plan\":\"gold\"}' WHERE user_id = $1", &[USER]).await;
        let after = rig.authority(&sid).await.unwrap();
        assert_eq!(after.roles[0].role.as_str(), "buyer");
        assert_eq!(after.attributes["plan"], "gold");
        assert!(after.stands(), "soft: the session lives on");
        assert_eq!(after.token_rsn(Rsn::new(5)), Rsn::new(77));
        assert_eq!(after.token_rsn(Rsn::new(500)), Rsn::new(500));
        assert_eq!((after.amr.as_str(), after.auth_time), ("pwd", before.auth_time));
    }
}
