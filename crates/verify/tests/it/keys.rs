//! KEY-04 and KEY-07: the key cache against a server that is slow, down, lying, or rotating.

use std::time::Duration;

use countersign_verify::{Claims, FetchError, ReadyError, Rejection, Verifier};

use crate::support::{Answer, KeyServer, eventually};

fn codes(outcome: Result<Claims, Rejection>) -> Result<(), &'static str> {
    outcome.map(|_| ()).map_err(|rejection| rejection.code())
}

#[tokio::test]
async fn a_dead_issuer_does_not_stop_the_service_and_is_found_when_it_comes() {
    let mut server = KeyServer::start().await;
    server.down();
    let verifier = server.builder().build().unwrap();
    let token = server.token();
    assert_eq!(codes(verifier.verify(&token)), Err("not_ready"));
    let rejection = verifier.verify_online(&token).await.unwrap_err();
    assert_eq!(rejection.status(), 503, "never 401: {rejection}");
    eventually("the failed try is seen", || verifier.status().last_error.is_some()).await;
    assert!(matches!(verifier.status().last_error, Some(FetchError::Connection(_))));

    server.up().await;
    // Nobody asks: the background task tries again after its back-off.
    server.pass(30);
    eventually("ready", || verifier.status().ready).await;
    assert_eq!(codes(verifier.verify(&token)), Ok(()));
}

#[tokio::test]
async fn ready_reports_the_reason_of_a_failed_try() {
    let server = KeyServer::start().await;
    server.answer(Answer::status(500));
    let verifier = server.builder().build().unwrap();
    assert_eq!(verifier.ready().await, Err(ReadyError::Keys(FetchError::Status(500))));
    server.answer(Answer::Keys);
    server.pass(30);
    assert_eq!(verifier.ready().await, Ok(()));
}

// KEY-07: single flight
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_requests_share_one_fetch() {
    let server = KeyServer::start().await;
    server.close_gate();
    let verifier = server.builder().max_wait(Duration::from_secs(60)).fetch_timeout(Duration::from_secs(60));
    let verifier = verifier.build().unwrap();
    let first: Vec<_> = spawn_many(&verifier, &server.token());
    eventually("the fetch has begun", || server.requests() == 1).await;
    server.open_gate();
    for task in first {
        assert_eq!(codes(task.await.unwrap()), Ok(()));
    }
    assert_eq!(server.requests(), 1);

    server.issuer.rotate();
    server.pass(30);
    server.close_gate();
    let second = spawn_many(&verifier, &server.token());
    eventually("the fetch has begun", || server.requests() == 2).await;
    server.open_gate();
    for task in second {
        assert_eq!(codes(task.await.unwrap()), Ok(()), "the rotated key came with the one fetch");
    }
    assert_eq!(server.requests(), 2);
}

fn spawn_many(verifier: &Verifier, token: &str) -> Vec<tokio::task::JoinHandle<Result<Claims, Rejection>>> {
    let one = |_| {
        let (verifier, token) = (verifier.clone(), token.to_owned());
        tokio::spawn(async move { verifier.verify_online(&token).await })
    };
    (0..100).map(one).collect()
}

// KEY-07: whoever looks just before a fetch lands, and asks just after it, is not sent away
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_falls_between_the_look_and_the_landing() {
    let server = KeyServer::start().await;
    let token = server.token();
    for round in 1..=40 {
        let verifier = server.builder().max_wait(Duration::from_secs(60)).build().unwrap();
        for task in spawn_many(&verifier, &token) {
            assert_eq!(codes(task.await.unwrap()), Ok(()), "round {round}");
        }
        assert_eq!(server.requests(), round);
    }
}

// KEY-07: a caller that goes away does not stop the fetch for the others
#[tokio::test]
async fn a_cancelled_caller_leaves_the_fetch_running() {
    let server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    server.issuer.rotate();
    server.pass(30);
    server.close_gate();
    let token = server.token();
    let caller = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { verifier.verify_online(&token).await }
    });
    eventually("the fetch has begun", || server.requests() == 2).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    server.open_gate();
    eventually("the new key is there", || verifier.verify(&token).is_ok()).await;
    assert_eq!(server.requests(), 2);
}

// KEY-07: cool-down
#[tokio::test]
async fn invented_key_ids_cost_one_fetch_per_cool_down() {
    let server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    for round in 1..=3 {
        server.pass(30);
        for _ in 0..20 {
            let other = countersign_verify::TestIssuer::new(crate::support::ISSUER).audience("orders");
            for _ in 0..round {
                other.rotate(); // ids the server never had: test-2, test-3, …
            }
            let token = other.clock(server.clock.clone()).token().sign();
            assert_eq!(codes(verifier.verify_online(&token).await), Err("unknown_key"));
        }
        assert_eq!(server.requests(), 1 + round, "round {round}");
    }
}

// KEY-07: negative cache
#[tokio::test]
async fn a_key_that_the_issuer_does_not_have_is_not_asked_for_again() {
    let server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    let ghost = server.issuer.token().unknown_kid();
    server.pass(30);
    assert_eq!(codes(verifier.verify_online(&ghost).await), Err("unknown_key"));
    assert_eq!(server.requests(), 2);
    server.pass(60);
    let ghost = server.issuer.token().unknown_kid();
    assert_eq!(codes(verifier.verify_online(&ghost).await), Err("unknown_key"));
    assert_eq!(server.requests(), 2);
}

// KEY-07: the sync call never waits; it asks in the background
#[tokio::test]
async fn verify_rejects_an_unknown_key_and_fetches_it_behind_the_back() {
    let server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    server.issuer.rotate();
    server.pass(30);
    let token = server.token();
    assert_eq!(codes(verifier.verify(&token)), Err("unknown_key"));
    eventually("the new key is there", || verifier.verify(&token).is_ok()).await;
    assert_eq!(server.requests(), 2);
}

// KEY-07: within the cool-down an unknown key is unknown, without a wait
#[tokio::test]
async fn a_key_rotated_in_within_the_cool_down_waits_for_its_end() {
    let server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    server.issuer.rotate();
    assert_eq!(codes(verifier.verify_online(&server.token()).await), Err("unknown_key"));
    assert_eq!(server.requests(), 1);
    server.pass(30);
    assert_eq!(codes(verifier.verify_online(&server.token()).await), Ok(()));
}

// KEY-07: "unknown" needs the issuer's word; without it the answer is 503
#[tokio::test]
async fn a_key_that_cannot_be_asked_for_is_not_ready_rather_than_unknown() {
    let mut server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    let old = server.token();
    server.issuer.rotate();
    server.down();
    server.pass(30);
    assert_eq!(codes(verifier.verify_online(&server.token()).await), Err("not_ready"));
    assert_eq!(codes(verifier.verify_online(&server.token()).await), Err("not_ready"), "nor during the back-off");
    assert_eq!(codes(verifier.verify_online(&old).await), Ok(()), "what is known goes on");
}

// KEY-07: the wait is bounded
#[tokio::test]
async fn a_slow_issuer_does_not_hold_requests_for_ever() {
    let server = KeyServer::start().await;
    let verifier = server.builder().max_wait(Duration::from_millis(50)).build().unwrap();
    verifier.ready().await.unwrap();
    let old = server.token();
    server.issuer.rotate();
    server.pass(30);
    server.answer(Answer::Hang);
    assert_eq!(codes(verifier.verify_online(&server.token()).await), Err("not_ready"));
    assert_eq!(codes(verifier.verify_online(&old).await), Ok(()));
}

// KEY-07: good keys survive every kind of bad answer, up to the hard cap
#[tokio::test]
async fn bad_answers_never_evict_good_keys() {
    let html = || vec![("content-type", "text/html".to_owned())];
    let elsewhere = vec![("location", "http://127.0.0.1:1/keys".to_owned())];
    let keys = serde_json::to_vec(&KeyServer::start().await.issuer.jwks()).unwrap();
    for (name, answer, expected) in [
        ("500", Answer::status(500), "status 500"),
        ("404", Answer::status(404), "status 404"),
        ("204", Answer::status(204), "status 204"),
        ("redirect", Answer::Raw(302, elsewhere.clone(), vec![]), "redirects"),
        ("permanent redirect", Answer::Raw(308, elsewhere, vec![]), "redirects"),
        ("html", Answer::Raw(200, html(), b"<html>captive portal</html>".to_vec()), "content type"),
        ("keys as html", Answer::Raw(200, html(), keys.clone()), "content type"),
        ("no content type", Answer::Raw(200, vec![], keys), "content type"),
        ("garbage", Answer::json(*b"\xff\xfe{{{"), "not a key set"),
        ("empty body", Answer::json(*b""), "not a key set"),
        ("no set", Answer::json(*b"[]"), "not a key set"),
        ("no key", Answer::json(*br#"{"keys":[]}"#), "no usable key"),
        ("only bad keys", Answer::json(*br#"{"keys":[{"kty":"oct","k":"AAAA","kid":"a"},7]}"#), "no usable key"),
        ("oversized", Answer::json(format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(300_000))), "larger"),
        ("hangs", Answer::Hang, "did not answer"),
        ("half a body", Answer::HalfBody, "did not answer"),
    ] {
        let server = KeyServer::start().await;
        let verifier =
            server.builder().fetch_timeout(Duration::from_millis(300)).max_lifetime(Duration::from_secs(1 << 30));
        let verifier = verifier.build().unwrap();
        verifier.ready().await.unwrap();
        let token = server.issuer.token().ttl(Duration::from_secs(200_000)).sign();
        server.answer(answer);
        server.pass(240);
        eventually(name, || verifier.status().last_error.is_some_and(|error| error.to_string().contains(expected)))
            .await;
        assert_eq!(codes(verifier.verify(&token)), Ok(()), "{name}");
        server.pass(24 * 3_600 - 240);
        assert_eq!(
            codes(verifier.verify_online(&token).await),
            Ok(()),
            "{name}: stale, and used while the issuer fails"
        );
        server.pass(1);
        assert_eq!(codes(verifier.verify(&token)), Err("not_ready"), "{name}: the hard cap");
        server.answer(Answer::Keys);
        server.pass(30);
        eventually("recovered", || verifier.verify(&token).is_ok()).await;
    }
}

// KEY-07
#[tokio::test]
async fn one_bad_key_is_skipped_and_reported() {
    let server = KeyServer::start().await;
    let mut set = serde_json::to_value(server.issuer.jwks()).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    let mut nameless = keys[0].clone();
    nameless.as_object_mut().unwrap().remove("kid");
    let mut twin = keys[0].clone();
    twin["alg"] = "ES256".into();
    let bad = serde_json::json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "bad"});
    keys.splice(0..0, [bad, serde_json::json!({"kty": "oct", "k": "c2VjcmV0", "kid": "secret"}), nameless]);
    keys.push(twin);
    server.answer(Answer::json(serde_json::to_vec(&set).unwrap()));
    let verifier = server.ready_verifier().await;
    assert_eq!(codes(verifier.verify(&server.token())), Ok(()));
    let status = verifier.status();
    assert_eq!((status.keys.as_slice(), status.skipped.len()), (&["test-1".to_owned()][..], 4), "{:?}", status.skipped);
}

// KEY-04: a removed key is refused within max-age
#[tokio::test]
async fn a_key_that_the_issuer_removes_is_refused_after_the_next_refresh() {
    let server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    let stolen = server.issuer.token().ttl(Duration::from_secs(3_600)).sign();
    server.issuer.rotate();
    server.issuer.forget_old_keys();
    server.pass(240); // 80 % of max-age: the background task fetches
    eventually("the old key is gone", || matches!(codes(verifier.verify(&stolen)), Err("unknown_key"))).await;
    assert_eq!(codes(verifier.verify(&server.token())), Ok(()));
}

// KEY-07
#[tokio::test]
async fn etags_confirm_the_set() {
    let server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    for round in 1..=3 {
        server.pass(240);
        eventually("confirmed", || server.confirmed() == round).await;
        eventually("fresh again", || verifier.status().age == Some(Duration::ZERO)).await;
    }
    assert_eq!(codes(verifier.verify(&server.token())), Ok(()));
    server.issuer.rotate();
    server.pass(240);
    eventually("the changed set came", || verifier.verify(&server.token()).is_ok()).await;
    assert_eq!(server.confirmed(), 3);
}

// A machine that was suspended: the first request after it does not use keys that outlived their freshness unseen.
#[tokio::test]
async fn after_a_jump_of_the_wall_clock_the_keys_are_asked_for_first() {
    let server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    let stolen = server.issuer.token().ttl(Duration::from_secs(3_600)).sign();
    server.issuer.rotate();
    server.issuer.forget_old_keys();
    server.clock.step_to(crate::support::NOW + 3_000);
    assert_eq!(codes(verifier.verify_online(&stolen).await), Err("unknown_key"), "the key was removed meanwhile");
    assert_eq!(codes(verifier.verify_online(&server.token()).await), Ok(()));
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn the_background_task_ends_with_the_last_verifier() {
    let server = KeyServer::start().await;
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let verifier = server.ready_verifier().await;
    let clone = verifier.clone();
    drop(verifier);
    assert_eq!(codes(clone.verify(&server.token())), Ok(()));
    assert!(alive() > before);
    drop(clone);
    eventually("no task is left", || alive() <= before).await;
}

#[test]
fn a_verifier_outlives_the_runtime_that_it_was_built_in() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let servers = runtime();
    let server = servers.block_on(KeyServer::start());
    let first = runtime();
    let verifier = first.block_on(server.ready_verifier());
    drop(first);
    server.issuer.rotate();
    server.pass(30);
    let token = server.token();
    assert_eq!(codes(verifier.verify(&token)), Err("unknown_key"), "there is no runtime to fetch in, and no panic");
    server.pass(30);
    let second = runtime();
    assert_eq!(codes(second.block_on(verifier.verify_online(&token))), Ok(()));
    server.pass(240);
    let refreshed = || server.requests() >= 3;
    second.block_on(eventually("the background task was started again", refreshed));
}

#[test]
fn a_verifier_built_outside_of_a_runtime_starts_with_its_first_use_in_one() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(KeyServer::start());
    let verifier = server.builder().build().unwrap();
    assert_eq!(codes(verifier.verify(&server.token())), Err("not_ready"));
    assert_eq!(server.requests(), 0);
    runtime.block_on(verifier.ready()).unwrap();
    assert_eq!(codes(verifier.verify(&server.token())), Ok(()), "also outside of the runtime");
}
