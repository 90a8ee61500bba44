//! Many at once: refreshes of one token, and refreshes against what ends a session.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use countersign_server::{
    domain::{
        refresh::{Grant, Reason},
        rsn::Rsn,
        session::{EndReason, Sid},
    },
    store::{
        Store, Tx,
        sessions::{self, Refreshed},
    },
};
use tokio::sync::{Notify, Semaphore};

use crate::{
    both_databases, commit,
    rig::{Answer, Rig, USER},
    support::databases::TestStore,
};

/// Sends all of these at the same moment; the answers in the order of the requests.
async fn all_at_once(rig: &Rig, requests: Vec<sessions::Refresh>) -> Vec<Answer> {
    let gate = Arc::new(Semaphore::new(0));
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let (rig, gate) = (rig.clone(), Arc::clone(&gate));
            tokio::spawn(async move {
                let _turn = gate.acquire().await.unwrap();
                rig.send(request).await
            })
        })
        .collect();
    gate.add_permits(tasks.len());
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

fn grants(answers: &[Answer]) -> HashMap<Grant, usize> {
    let mut counts = HashMap::new();
    for answer in answers {
        *counts.entry(answer.grant().expect("nobody is signed out")).or_default() += 1;
    }
    counts
}

both_databases! {
    // REF-04, I-3: 200 parallel uses of one token, one successor, and everybody holds the same one.
    async fn two_hundred_uses_of_one_token_make_one_successor(store: Store) {
        let rig = Rig::new(store).await;
        let (_, mut token) = rig.session().await;
        for generation in 1..=5 {
            let requests = (0..200).map(|_| rig.request(&token)).collect();
            let answers = all_at_once(&rig, requests).await;
            assert_eq!(grants(&answers), HashMap::from([(Grant::Rotate, 1), (Grant::Share, 199)]));
            let successors: HashSet<_> = answers.into_iter().map(Answer::token).collect();
            assert_eq!(successors.len(), 1);
            token = successors.into_iter().next().unwrap();
            assert_eq!(rig.open_token(&token).generation(), generation);
            rig.clock.advance(Duration::from_secs(10));
        }
        assert!(rig.log().await.is_empty(), "nobody is signed out");
    }

    // REF-04 for rule B: a client that retries in parallel gets the successor it named.
    async fn parallel_retries_of_a_committed_client_make_one_successor(store: Store) {
        let rig = Rig::new(store).await;
        let (_, token) = rig.session().await;
        let next = sessions::Successor::Committed(countersign_server::domain::session::Nonce::committed_by(&[3; 16]));
        let request = || sessions::Refresh { successor: next.clone(), ..rig.request(&token) };
        let answers = all_at_once(&rig, (0..50).map(|_| request()).collect()).await;
        assert_eq!(grants(&answers), HashMap::from([(Grant::Rotate, 1), (Grant::Retry, 49)]));
        assert_eq!(answers.into_iter().map(Answer::token).collect::<HashSet<_>>().len(), 1);
    }

    // Many thieves at once: one kill, one entry, one event.
    async fn parallel_reuse_ends_a_session_once(store: Store) {
        let rig = Rig::new(store).await;
        let (_, old) = rig.session().await;
        let mut token = rig.refresh(&old).await.token();
        rig.clock.advance(Duration::from_secs(10));
        token = rig.refresh(&token).await.token();
        let mut requests: Vec<_> = (0..50).map(|_| rig.request(&old)).collect();
        requests.extend((0..50).map(|_| rig.request(&token)));
        let answers = all_at_once(&rig, requests).await;
        assert!(answers[..50].iter().all(|answer| matches!(answer, Answer::Refused(Reason::Reused(_) | Reason::Ended))));
        assert_eq!(rig.log().await, [2]);
        assert_eq!(rig.events().await, ["authn_token_reuse"]);
        assert_eq!(rig.refresh(&token).await, Answer::Refused(Reason::Ended));
    }

    // REF-09: once the sign-out has returned, no refresh succeeds, and every token that got out has its entry.
    async fn no_refresh_outruns_a_sign_out(store: Store) {
        let rig = Rig::new(store).await;
        for _ in 0..25 {
            let signin = rig.sign_in(Rsn::default()).await;
            let new = rig.new_session(signin);
            let token = rig.try_open(&new).await.unwrap();
            let requests: Vec<_> = (0..8)
                .map(|n| sessions::Refresh { at_exp: new.at_exp + 100 + n, ..rig.request(&token) })
                .collect();
            let ending = {
                let (rig, act) = (rig.clone(), rig.act());
                tokio::spawn(async move {
                    commit!(rig, |tx, signin, act| sessions::end_signin(tx, &signin, EndReason::Logout, &act))
                })
            };
            let answers = all_at_once(&rig, requests).await;
            assert_eq!(ending.await.unwrap().sessions, 1);
            assert_eq!(rig.refresh(&token).await, Answer::Refused(Reason::Ended));
            let granted = answers.iter().rposition(|answer| answer.grant().is_some());
            let expected = granted.map_or(new.at_exp, |last| new.at_exp.max(new.at_exp + 100 + i64::try_from(last).unwrap()));
            let exp: i64 = rig.rows("SELECT exp FROM rev_log ORDER BY rsn DESC").await[0].get(0).unwrap();
            assert_eq!(exp, expected + 60, "the entry outlives every token that got out");
        }
    }

    // A session that is opened while its sign-in ends is either refused or ended, never left behind.
    async fn no_session_is_left_behind_by_a_sign_out(store: Store) {
        let rig = Rig::new(store).await;
        for _ in 0..25 {
            let signin = rig.sign_in(Rsn::default()).await;
            let opening: Vec<_> = (0..4)
                .map(|_| {
                    let (rig, new) = (rig.clone(), rig.new_session(signin));
                    tokio::spawn(async move { rig.try_open(&new).await })
                })
                .collect();
            let act = rig.act();
            commit!(rig, |tx, signin, act| sessions::end_signin(tx, &signin, EndReason::Logout, &act));
            for task in opening {
                if let Some(token) = task.await.unwrap() {
                    assert_eq!(rig.refresh(&token).await, Answer::Refused(Reason::Ended));
                }
            }
        }
        let left = rig.rows("SELECT sid FROM sessions WHERE revoked_at IS NULL").await;
        assert!(left.is_empty());
    }

    // Sign-ins that end, change their id and open sessions at once wait for nobody in a circle.
    async fn what_changes_a_sign_in_never_deadlocks(store: Store) {
        let rig = Rig::new(store).await;
        let mut head = Rsn::default();
        for round in 0..10 {
            let signin = rig.sign_in(head).await;
            let mut tokens = Vec::new();
            for _ in 0..4 {
                tokens.push(rig.try_open(&rig.new_session(signin)).await.unwrap());
            }
            let (ending, everywhere, client) = (rig.act(), rig.act(), rig.act());
            let fresh = countersign_server::domain::signin::SigninSecret::new(&[round; 32]).id();
            let refreshing = all_at_once(&rig, tokens.iter().map(|token| rig.request(token)).collect());
            let (_, _, ended, _, answers) = tokio::join!(
                async { commit!(rig, |tx, signin, ending| sessions::end_signin(tx, &signin, EndReason::Logout, &ending)) },
                async { commit!(rig, |tx, signin, fresh| countersign_server::store::signins::rotate_id(tx, &signin, &fresh)) },
                async {
                    commit!(rig, |tx, everywhere| sessions::end_everywhere(tx, USER, EndReason::LogoutEverywhere, &everywhere))
                },
                async {
                    commit!(rig, |tx, client| sessions::end_client_sessions(
                        tx, USER, "app", EndReason::ConsentWithdrawn, &client
                    ))
                },
                refreshing,
            );
            head = ended.unwrap().rsn.unwrap();
            assert_eq!(answers.len(), 4);
            for token in &tokens {
                assert_eq!(rig.refresh(token).await.grant(), None);
            }
        }
    }
}

/// Holds the row of a session until told to let go.
async fn hold(store: Store, sid: Sid, held: Arc<Notify>, let_go: Arc<Notify>) {
    let holding = store.write(move |tx: &mut Tx| {
        let (sid, held, let_go) = (sid.clone(), Arc::clone(&held), Arc::clone(&let_go));
        Box::pin(async move {
            tx.fetch_optional("SELECT sid FROM sessions WHERE sid = $1 FOR UPDATE", &[sid.as_str().into()]).await?;
            held.notify_one();
            let_go.notified().await;
            Ok(())
        })
    });
    holding.await.unwrap();
}

/// Waits until some statement waits for a lock.
async fn until_somebody_waits(rig: &Rig) {
    const WAITING: &str = "SELECT CAST(count(*) AS bigint) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                           AND datname = current_database()";
    while rig.rows(WAITING).await[0].get::<i64>(0).unwrap() == 0 {
        tokio::task::yield_now().await;
    }
}

/// R2, on PostgreSQL: a refresh that waits for its row while somebody signs out everywhere passes its statement, since
/// PostgreSQL looks at the row again but not at the sub-selects. The second look after the commit refuses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_waited_through_a_sign_out_everywhere_gets_no_token() {
    let test = TestStore::postgres().await;
    let rig = Rig::new(test.store.clone()).await;
    let (sid, token) = rig.session().await;
    let (held, let_go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let holder = tokio::spawn(hold(rig.store.clone(), sid.clone(), Arc::clone(&held), Arc::clone(&let_go)));
    held.notified().await;
    let refreshing = {
        let (rig, request) = (rig.clone(), rig.request(&token));
        tokio::spawn(async move { rig.try_send(request).await.unwrap() })
    };
    until_somebody_waits(&rig).await;
    let act = rig.act();
    let ended = commit!(rig, |tx, act| sessions::end_everywhere(tx, USER, EndReason::LogoutEverywhere, &act));
    let_go.notify_one();
    holder.await.unwrap();
    assert!(matches!(refreshing.await.unwrap(), Refreshed::Granted(_)), "the statement could not know");
    let authority = rig.authority(&sid).await.unwrap();
    assert!(!authority.stands());
    assert_eq!(Some(authority.min_rsn.user), ended.unwrap().rsn);
    assert_eq!(rig.refresh(&token).await, Answer::Refused(Reason::SignedOut));
}

/// A refresh that waits for its row while the session is ended sees the end: PostgreSQL looks at the row again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_waited_through_a_sign_out_is_refused() {
    let test = TestStore::postgres().await;
    let rig = Rig::new(test.store.clone()).await;
    let (sid, token) = rig.session().await;
    let (held, let_go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let holder = {
        let (rig, sid, act) = (rig.clone(), sid.clone(), rig.act());
        let (held, let_go) = (Arc::clone(&held), Arc::clone(&let_go));
        tokio::spawn(async move {
            let ending = rig.store.write(move |tx| {
                let (sid, act) = (sid.clone(), act.clone());
                let (held, let_go) = (Arc::clone(&held), Arc::clone(&let_go));
                Box::pin(async move {
                    sessions::end_session(tx, &sid, EndReason::Admin, &act).await?;
                    held.notify_one();
                    let_go.notified().await;
                    Ok(())
                })
            });
            ending.await.unwrap();
        })
    };
    held.notified().await;
    let refreshing = {
        let (rig, request) = (rig.clone(), rig.request(&token));
        tokio::spawn(async move { rig.send(request).await })
    };
    until_somebody_waits(&rig).await;
    let_go.notify_one();
    holder.await.unwrap();
    assert_eq!(refreshing.await.unwrap(), Answer::Refused(Reason::Ended));
}
