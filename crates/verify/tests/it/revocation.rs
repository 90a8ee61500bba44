//! Revocation as a service meets it: a test issuer in the process, and one over HTTP with its feed.

use std::{sync::Arc, time::Duration};

use countersign_verify::{
    Claims, Clock, Profile, Rejection, RevocationEvent, TestIssuer, TestServer, Verifier, VerifierBuilder,
};
use proptest::prelude::*;

use crate::support::{ISSUER, NOW, eventually};

fn issuer() -> (TestIssuer, Clock) {
    let clock = Clock::manual(NOW);
    (TestIssuer::new(ISSUER).audience("orders").clock(clock.clone()), clock)
}

fn code(outcome: Result<Claims, Rejection>) -> &'static str {
    outcome
        .map_or_else(|rejection| rejection.code(), |claims| if claims.is_stale() { "accepted_stale" } else { "good" })
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

// R4, REF-09
#[test]
fn each_kind_of_revocation_ends_what_it_names_and_no_more() {
    type Revoke = fn(&TestIssuer, &str);
    let kinds: [(&str, Revoke, &str, bool); 6] = [
        ("token", |issuer, token| issuer.revoke_token(token), "revoked", true),
        ("session", |issuer, _| issuer.revoke_session("phone"), "revoked", true),
        ("user", |issuer, _| issuer.revoke_user("usr_1"), "revoked", false),
        ("client", |issuer, _| issuer.revoke_client("app"), "revoked", false),
        ("tenant", |issuer, _| issuer.revoke_tenant(), "revoked", false),
        ("everything", |issuer, _| issuer.revoke_everything(), "below_floor", false),
    ];
    for (name, revoke, expected, spares_others) in kinds {
        let (issuer, _) = issuer();
        let verifier = issuer.verifier();
        let token = issuer.token().sub("usr_1").sid("phone").client_id("app").sign();
        let other = issuer.token().sub("usr_2").sid("laptop").client_id("other").sign();
        assert_eq!((code(verifier.verify(&token)), code(verifier.verify(&other))), ("good", "good"), "{name}");
        revoke(&issuer, &token);
        assert_eq!(code(verifier.verify(&token)), expected, "{name}: cached, and dead all the same");
        assert_eq!(code(verifier.verify(&token)), expected, "{name}");
        assert_eq!(code(issuer.verifier().verify(&token)), expected, "{name}: a fresh verifier knows it as well");
        if spares_others {
            assert_eq!(code(verifier.verify(&other)), "good", "{name}");
        }
        // I6: what is issued afterwards, within the same microsecond, is good.
        let new = issuer.token().sub("usr_1").sid("new").client_id("app").sign();
        assert_eq!(code(verifier.verify(&new)), "good", "{name}");
    }
}

// RFC 8693, R4: whatever ends the token that another was exchanged for ends that one, too, over two services; nothing else does.
#[test]
fn an_exchanged_token_dies_with_what_it_rests_on() {
    type Revoke = fn(&TestIssuer, &str);
    let kinds: [(&str, Revoke, &str); 8] = [
        ("token", |issuer, token| issuer.revoke_token(token), "revoked"),
        ("session", |issuer, _| issuer.revoke_session("phone"), "revoked"),
        ("user", |issuer, _| issuer.revoke_user("usr_1"), "revoked"),
        ("client", |issuer, _| issuer.revoke_client("app"), "revoked"),
        ("service", |issuer, _| issuer.revoke_client("orders"), "revoked"),
        ("tenant", |issuer, _| issuer.revoke_tenant(), "revoked"),
        ("key", |issuer, _| issuer.revoke_key("test-1"), "killed_key"),
        ("everything", |issuer, _| issuer.revoke_everything(), "below_floor"),
    ];
    for (name, revoke, expected) in kinds {
        let (issuer, _) = issuer();
        let token = issuer.token().sub("usr_1").sid("phone").client_id("app").sign();
        if name == "key" {
            issuer.rotate();
        }
        let verifier = issuer.verifier();
        let at_orders = issuer.token().client_id("orders").exchanged_for(&token).sign();
        let at_bills = issuer.token().client_id("bills").exchanged_for(&at_orders).sign();
        for token in [&at_orders, &at_bills] {
            assert_eq!(code(verifier.verify(token)), "good", "{name}");
        }
        issuer.revoke_session("laptop");
        assert_eq!(code(verifier.verify(&at_bills)), "good", "{name}: somebody else's end");
        revoke(&issuer, &token);
        for token in [&at_orders, &at_bills] {
            assert_eq!(code(verifier.verify(token)), expected, "{name}: cached, and dead all the same");
            assert_eq!(code(issuer.verifier().verify(token)), expected, "{name}: a fresh verifier");
        }
    }
}

// The other way round nothing dies: who was called does not end who called.
#[test]
fn what_rests_on_a_token_does_not_end_it() {
    let (issuer, _) = issuer();
    let token = issuer.token().sub("usr_1").sid("phone").client_id("app").sign();
    let at_orders = issuer.token().client_id("orders").exchanged_for(&token).sign();
    let verifier = issuer.verifier();
    issuer.revoke_token(&at_orders);
    issuer.revoke_client("orders");
    assert_eq!((code(verifier.verify(&token)), code(verifier.verify(&at_orders))), ("good", "revoked"));
}

// I7, KEY-04: the key is still in the verifier's set, and its tokens are dead; so is whatever a thief signs anew.
#[test]
fn a_killed_key_beats_a_stale_key_set() {
    let (issuer, _) = issuer();
    let old = issuer.verifier();
    let token = issuer.token().sign();
    assert_eq!(code(old.verify(&token)), "good");
    issuer.revoke_key("test-1");
    let stolen = issuer.token().sub("usr_admin").sign();
    for verifier in [&old, &issuer.verifier()] {
        assert_eq!(code(verifier.verify(&token)), "killed_key");
        assert_eq!(code(verifier.verify(&stolen)), "killed_key");
    }
    issuer.rotate();
    assert_eq!(code(issuer.verifier().verify(&issuer.token().sign())), "good");
}

// I5, TOK-26: 503 and not 401
#[test]
fn a_service_that_is_cut_off_knows_it() {
    for (profile, bound, beyond) in
        [(Profile::Strict, 1, "stale"), (Profile::Balanced, 10, "stale"), (Profile::Available, 10, "accepted_stale")]
    {
        let (issuer, clock) = issuer();
        let verifier = issuer.verifier_builder().profile(profile).build().unwrap();
        let token = issuer.token().sign();
        assert_eq!(code(verifier.verify(&token)), "good");
        issuer.cut_feed();
        clock.advance(secs(bound) - Duration::from_millis(10));
        assert_eq!(code(verifier.verify(&token)), "good", "{profile:?}");
        clock.advance(Duration::from_millis(20));
        assert_eq!(code(verifier.verify(&token)), beyond, "{profile:?}");
        let status = verifier.revocation_status().unwrap();
        assert!(status.stale && status.lag > Some(secs(bound)), "{status:?}");
        assert_eq!(status.refused_stale + status.accepted_stale, 1);
        issuer.restore_feed();
        assert_eq!(code(verifier.verify(&token)), "good", "{profile:?}");
    }
}

// Revoked wins over stale.
#[test]
fn what_is_known_to_be_dead_is_dead_however_old_the_view() {
    let (issuer, clock) = issuer();
    let verifier = issuer.verifier();
    let token = issuer.token().sid("phone").sign();
    assert_eq!(code(verifier.verify(&token)), "good");
    issuer.revoke_session("phone");
    assert_eq!(code(verifier.verify(&token)), "revoked");
    issuer.cut_feed();
    clock.advance(secs(60));
    assert_eq!(code(verifier.verify(&token)), "revoked");
}

#[test]
fn a_route_may_ask_for_a_fresher_view() {
    let (issuer, clock) = issuer();
    let verifier = issuer.verifier_builder().profile(Profile::Available).build().unwrap();
    let (strict, within) = (verifier.with_profile(Profile::Strict), verifier.fresh_within(secs(3)));
    let token = issuer.token().sign();
    assert_eq!(code(verifier.verify(&token)), "good");
    issuer.cut_feed();
    clock.advance(secs(2));
    assert_eq!([&verifier, &strict, &within].map(|it| code(it.verify(&token))), ["good", "stale", "good"]);
    clock.advance(secs(2));
    assert_eq!([&verifier, &strict, &within].map(|it| code(it.verify(&token))), ["good", "stale", "stale"]);
}

// I11: a local clock that is set back accepts nothing whose entry was forgotten.
#[test]
fn a_clock_that_is_set_back_revives_nothing() {
    let (issuer, clock) = issuer();
    let verifier = issuer.verifier();
    let token = issuer.token().sid("phone").sign();
    assert_eq!(code(verifier.verify(&token)), "good");
    clock.advance(secs(3_600));
    assert_eq!(code(verifier.verify(&token)), "expired");
    issuer.cut_feed();
    clock.step_to(NOW);
    assert_eq!(code(verifier.verify(&token)), "expired");
}

// A hit in the cache spares the signature, and nothing else.
#[test]
fn a_cached_token_expires_and_answers_for_its_exact_text_only() {
    let (issuer, clock) = issuer();
    let verifier = issuer.verifier_builder().require_role("admin").build().unwrap();
    let token = issuer.token().role("admin").sign();
    let lacking = issuer.token().sign();
    for _ in 0..3 {
        assert_eq!((code(verifier.verify(&token)), code(verifier.verify(&lacking))), ("good", "role"));
    }
    // The same end, another beginning.
    let (head, rest) = token.split_at(40);
    let altered = format!("{}x{rest}", &head[..39]);
    assert!(verifier.verify(&altered).is_err());
    clock.advance(secs(599 + 12));
    assert_eq!(code(verifier.verify(&token)), "expired");
}

#[test]
fn the_cache_can_be_turned_off() {
    let (issuer, _) = issuer();
    let verifier = issuer.verifier_builder().cached_tokens(0).build().unwrap();
    let token = issuer.token().sid("phone").sign();
    assert_eq!((code(verifier.verify(&token)), code(verifier.verify(&token))), ("good", "good"));
    issuer.revoke_session("phone");
    assert_eq!(code(verifier.verify(&token)), "revoked");
}

#[test]
fn a_verifier_without_revocation_has_no_state_to_show() {
    let (issuer, _) = issuer();
    let verifier = issuer.verifier_builder().without_revocation().build().unwrap();
    let token = issuer.token().sid("phone").sign();
    issuer.revoke_session("phone");
    assert_eq!(code(verifier.verify(&token)), "good");
    assert!(verifier.revocation_status().is_none() && verifier.events().is_none());
}

// I8
#[test]
fn a_flood_of_revocations_is_bounded() {
    let (issuer, clock) = issuer();
    let verifier = issuer.verifier_builder().max_entries(100).build().unwrap();
    let token = issuer.token().sid("old").sign();
    assert_eq!(code(verifier.verify(&token)), "good");
    let mut events = verifier.events().unwrap();
    for n in 0..1_000 {
        clock.advance(Duration::from_millis(1));
        issuer.revoke_session(format!("s{n}"));
    }
    assert_eq!(code(verifier.verify(&token)), "below_floor", "its client refreshes");
    assert_eq!(code(verifier.verify(&issuer.token().sid("new").sign())), "good");
    let status = verifier.revocation_status().unwrap();
    assert!(status.entries <= 100 && status.alarms > 0, "{status:?}");
    let overflow =
        std::iter::from_fn(|| events.try_recv().ok()).any(|it| matches!(it, RevocationEvent::Overflow { .. }));
    assert!(overflow);
}

// I13
#[tokio::test]
async fn a_guard_fires_when_its_token_dies() {
    let (issuer, clock) = issuer();
    let verifier = issuer.verifier();
    let claims = |sid: &str| verifier.verify(&issuer.token().sid(sid).sign()).unwrap();
    let [revoked, expired] = ["a", "b"].map(|sid| tokio::spawn(verifier.guard(&claims(sid))));
    let cut = tokio::spawn(verifier.fresh_within(secs(2)).guard(&claims("c")));
    issuer.revoke_session("a");
    // Somebody else's request brings the news.
    assert_eq!(code(verifier.verify(&issuer.token().sid("d").sign())), "good");
    assert_eq!(revoked.await.unwrap().code(), "revoked");
    tokio::task::yield_now().await;
    assert!(!expired.is_finished() && !cut.is_finished());
    issuer.cut_feed();
    step(&clock, 3).await;
    assert_eq!(cut.await.unwrap().code(), "stale");
    issuer.restore_feed();
    step(&clock, 620).await;
    assert_eq!(expired.await.unwrap().code(), "expired");
}

/// Second by second, so that whoever waits is seen to wait.
async fn step(clock: &Clock, seconds: u64) {
    for _ in 0..seconds {
        clock.advance(secs(1));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // I12: whatever was revoked, a verifier that was there all along, a fresh one and the issuer's own word agree.
    #[test]
    fn an_old_and_a_fresh_verifier_agree(steps in prop::collection::vec((0..7_usize, 0..3_usize, any::<bool>()), 1..30)) {
        let (issuer, clock) = issuer();
        let old = issuer.verifier();
        let mut tokens = Vec::new();
        for (what, which, pass) in steps {
            let name = format!("n{which}");
            if pass {
                clock.advance(Duration::from_micros(1));
            }
            match what {
                0 => issuer.revoke_user(&name),
                1 => issuer.revoke_session(&name),
                2 => issuer.revoke_client(&name),
                3 => if let Some(token) = tokens.last() { issuer.revoke_token(token) },
                _ => tokens.push(issuer.token().sub(&name).sid(&name).client_id(&name).sign()),
            }
            let fresh = issuer.verifier();
            for token in &tokens {
                prop_assert_eq!(code(old.verify(token)), code(fresh.verify(token)));
            }
        }
    }
}

async fn served() -> (TestIssuer, TestServer) {
    let issuer = TestIssuer::new(ISSUER).audience("orders");
    let server = issuer.serve().await.unwrap();
    (issuer, server)
}

async fn ready(builder: VerifierBuilder) -> Verifier {
    let verifier = builder.build().unwrap();
    verifier.ready().await.unwrap();
    verifier
}

// I4
#[tokio::test]
async fn a_revocation_arrives_over_the_feed() {
    let (issuer, server) = served().await;
    issuer.revoke_session("before");
    let verifier = ready(server.verifier_builder()).await;
    let token = |sid: &str| issuer.token().sid(sid).sign();
    let (before, after) = (token("before"), token("after"));
    assert_eq!((code(verifier.verify(&before)), code(verifier.verify(&after))), ("revoked", "good"));
    issuer.revoke_session("after");
    eventually("refused", || code(verifier.verify(&after)) == "revoked").await;
    let status = verifier.revocation_status().unwrap();
    assert!(status.ready && status.connected && !status.stale && status.last_error.is_none(), "{status:?}");
}

#[tokio::test]
async fn a_verifier_that_was_cut_off_comes_back_by_itself() {
    let (issuer, server) = served().await;
    let verifier = ready(server.verifier_builder().profile(Profile::Strict)).await;
    let mut events = verifier.events().unwrap();
    let token = issuer.token().sid("phone").sign();
    assert_eq!(code(verifier.verify(&token)), "good");
    // Listeners hear of an age a moment later than it is judged.
    tokio::time::sleep(secs(1)).await;
    issuer.cut_feed();
    issuer.revoke_session("phone");
    eventually("stale", || code(verifier.verify(&token)) == "stale").await;
    assert_eq!(code(verifier.verify_online(&token).await), "stale", "nobody to ask: no credentials");
    tokio::time::sleep(secs(1)).await;
    issuer.restore_feed();
    eventually("what was missed is known", || code(verifier.verify(&token)) == "revoked").await;
    eventually("fresh", || code(verifier.verify(&issuer.token().sign())) == "good").await;
    for wanted in ["Disconnected", "Stale", "Connected", "Fresh"] {
        while !format!("{:?}", events.recv().await.unwrap()).starts_with(wanted) {}
    }
}

// I12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_view_is_too_old_the_issuer_is_asked() {
    let (issuer, server) = served().await;
    let builder = server.verifier_builder().profile(Profile::Strict).client_credentials("orders", "secret");
    let verifier = ready(builder).await;
    let (good, dead) = (issuer.token().sid("good").sign(), issuer.token().sid("dead").sign());
    assert_eq!(code(verifier.verify(&good)), "good");
    issuer.cut_feed();
    issuer.revoke_session("dead");
    eventually("stale", || code(verifier.verify(&good)) == "stale").await;
    assert_eq!(code(verifier.verify_online(&dead).await), "inactive");
    // Single flight, and an answer is kept for a moment.
    let asked = server.introspections();
    let many: Vec<_> = (0..50)
        .map(|_| {
            let (verifier, good) = (verifier.clone(), good.clone());
            tokio::spawn(async move { code(verifier.verify_online(&good).await) })
        })
        .collect();
    for task in many {
        assert_eq!(task.await.unwrap(), "good");
    }
    let asked = server.introspections() - asked;
    assert!((1..=10).contains(&asked), "asked {asked} times for 50 requests");
    // A stranger's token makes nobody ask.
    let before = server.introspections();
    assert_eq!(code(verifier.verify_online(&issuer.token().wrong_key()).await), "signature");
    assert_eq!(server.introspections(), before);
    drop(server);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(code(verifier.verify_online(&good).await), "stale", "the issuer is gone: 503");
}

#[tokio::test]
async fn an_issuer_without_a_feed_is_not_taken_for_one_without_revocations() {
    let server = crate::support::KeyServer::start().await;
    server.answer(crate::support::Answer::json(format!(r#"{{"issuer":"{ISSUER}"}}"#)));
    let builder =
        || Verifier::builder(ISSUER).audience("orders").keys(server.issuer.jwks()).clock(server.clock.clone());
    let verifier = builder().metadata_uri(server.uri()).profile(Profile::Balanced).build().unwrap();
    let why = verifier.ready().await.unwrap_err().to_string();
    assert!(why.contains("without_revocation"), "{why}");
    let rejection = verifier.verify(&server.token()).unwrap_err();
    assert_eq!((rejection.code(), rejection.status().as_u16()), ("not_ready", 503));
    assert!(rejection.got().contains("without_revocation"), "{rejection}");
    assert!(builder().without_revocation().build().unwrap().verify(&server.token()).is_ok());
}

#[tokio::test]
async fn many_verifiers_share_nothing_and_all_hear() {
    let (issuer, server) = served().await;
    let token = Arc::new(issuer.token().sid("phone").sign());
    let mut verifiers = Vec::new();
    for _ in 0..20 {
        verifiers.push(ready(server.verifier_builder()).await);
    }
    issuer.revoke_session("phone");
    for verifier in &verifiers {
        eventually("refused", || code(verifier.verify(&token)) == "revoked").await;
    }
}

#[tokio::test]
async fn where_streams_are_held_back_the_feed_is_asked_instead() {
    let (issuer, server) = served().await;
    server.hold_streams();
    let verifier = server.verifier_builder().build().unwrap();
    let token = issuer.token().sid("phone").sign();
    eventually("ready", || code(verifier.verify(&token)) == "good").await;
    issuer.revoke_session("phone");
    eventually("refused", || code(verifier.verify(&token)) == "revoked").await;
    let status = verifier.revocation_status().unwrap();
    assert!(status.connected && status.batches > 0, "{status:?}");
}

// A relay is another address of the same signed lines.
#[tokio::test]
async fn a_relay_needs_no_trust() {
    let (issuer, server) = served().await;
    let relay = server.metadata_uri().replace(".well-known/openid-configuration", "revocations/0");
    let verifier = ready(server.verifier_builder().revocation_feed(relay)).await;
    let stranger = TestIssuer::new(ISSUER).serve().await.unwrap();
    let forged = stranger.metadata_uri().replace(".well-known/openid-configuration", "revocations/0");
    let misled = server.verifier_builder().revocation_feed(forged).build().unwrap();
    let token = issuer.token().sign();
    assert_eq!(code(verifier.verify(&token)), "good");
    let why = misled.ready().await.unwrap_err().to_string();
    assert!(why.contains("refused"), "{why}");
    eventually("the keys are there, the log is not", || code(misled.verify(&token)) == "not_ready").await;
}
