//! Refreshes that share a transaction on PostgreSQL, where each of their statements runs once for all of them.

use std::{collections::HashSet, sync::Arc};

use countersign_server::{
    domain::{
        client::ClientId,
        refresh::{Grant, Outcome},
        session::{Nonce, Sid},
    },
    store::{
        StoreError,
        sessions::{self, Basis, Refresh, Refreshed, Rotated, Successor},
    },
};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{
    commit,
    rig::{Answer, CLIENT, Rig, Token, USER},
    rule::{self, every_family},
    support::databases::TestStore,
};

/// One runs alone, and the others together: a full group.
const SESSIONS: usize = 33;

/// Each of these as the server sends it, at the same moment; what was granted.
async fn grant(rig: &Rig, requests: Vec<Refresh>) -> Vec<Option<Box<Rotated>>> {
    let send = |request: Refresh| -> JoinHandle<Result<_, StoreError>> {
        let store = rig.store.clone();
        tokio::spawn(async move {
            let granted = store.write_together(move |tx| {
                let request = request.clone();
                Box::pin(async move {
                    let Some(rotated) = sessions::grant(tx, &request).await? else { return Ok(None) };
                    let authority = sessions::authority(tx, request.presented.sid()).await?;
                    assert_eq!(authority.unwrap().sid, *request.presented.sid());
                    Ok(Some(rotated))
                })
            });
            granted.await
        })
    };
    let mut granted = Vec::new();
    for task in requests.into_iter().map(send).collect::<Vec<_>>() {
        granted.push(task.await.unwrap().unwrap());
    }
    granted
}

async fn opened(rig: &Rig, count: usize) -> Vec<(Sid, Token)> {
    let mut sessions = Vec::new();
    for _ in 0..count {
        sessions.push(rig.session().await);
    }
    sessions
}

// REF-04 to REF-08: the table of the rule again, each of its cases with another session.
#[tokio::test]
async fn the_statements_for_many_do_what_the_table_says() {
    let test = TestStore::postgres().await;
    let rig = Rig::new(test.store.clone()).await;
    let sessions = opened(&rig, SESSIONS).await;
    let cases: Vec<_> = every_family().into_iter().step_by(7).collect();
    for cases in cases.chunks(SESSIONS) {
        let cases: Vec<_> = sessions.iter().map(|(sid, _)| sid.clone()).zip(cases.iter().cloned()).collect();
        commit!(rig, |tx, cases| async {
            for (sid, case) in &cases {
                rule::put(tx, sid, case).await?;
            }
            Ok(())
        });
        let presented: Vec<_> = cases.iter().map(|(sid, case)| case.presented(&rig.keys, sid)).collect();
        let requests = cases.iter().zip(&presented).map(|((_, case), presented)| case.refresh(presented.clone()));
        let granted = grant(&rig, requests.collect()).await;
        commit!(rig, |tx, cases, presented, granted| async {
            for (((sid, case), presented), granted) in cases.iter().zip(&presented).zip(&granted) {
                let (expected, family) = case.expected(presented);
                // What a refusal does, it does afterwards.
                let expected = match expected {
                    Outcome::Refuse(refusal) => Outcome::Refuse(refusal.reason.into()),
                    grant @ Outcome::Grant(_) => grant,
                };
                let answer = granted.as_ref().map(|rotated| Outcome::Grant(rotated.grant));
                assert_eq!(answer, Some(expected).filter(|due| matches!(due, Outcome::Grant(_))), "{case:?}");
                rule::compare(tx, sid, case, &expected, &family).await?;
            }
            Ok(())
        });
    }
}

#[tokio::test]
async fn many_sessions_are_rotated_by_one_statement() {
    let test = TestStore::postgres().await;
    let rig = Rig::new(test.store.clone()).await;
    let sessions = opened(&rig, SESSIONS).await;
    let committed = |index: usize| {
        let next = Nonce::committed_by(&[u8::try_from(index).unwrap(); 16]);
        if index.is_multiple_of(2) { Successor::Drawn(next) } else { Successor::Committed(next) }
    };
    let request =
        |(index, (_, token)): (usize, &(Sid, Token))| Refresh { successor: committed(index), ..rig.request(token) };
    let granted = grant(&rig, sessions.iter().enumerate().map(request).collect()).await;
    for (index, granted) in granted.into_iter().enumerate() {
        let granted = granted.unwrap();
        assert_eq!((granted.grant, granted.generation), (Grant::Rotate, 1));
        // Each has the answer to its own question.
        assert!(sessions[index].0.as_str() == granted_sid(&rig, &granted).await, "{index}");
    }
    // Two rules, so two statements; beside the one that ran alone.
    let statements = rig.rows("SELECT DISTINCT CAST(xmin AS text) || ' ' || CAST(cmin AS text) FROM sessions").await;
    assert_eq!(statements.len(), 1 + 2, "{statements:?}");
}

// Whose page has no room for a second version is written somewhere else, and into each index too.
#[tokio::test]
async fn a_refresh_leaves_its_row_on_its_page() {
    let test = TestStore::postgres().await;
    let rig = Rig::new(test.store.clone()).await;
    let sessions = opened(&rig, 3 * SESSIONS).await;
    let pages = "SELECT sid || split_part(CAST(ctid AS text), ',', 1) FROM sessions ORDER BY sid";
    let before = rig.rows(pages).await;
    for (_, token) in sessions.iter().step_by(20) {
        assert_eq!(rig.refresh(token).await.grant(), Some(Grant::Rotate));
    }
    assert_eq!(rig.rows(pages).await, before);
}

/// The session that holds this nonce now.
async fn granted_sid(rig: &Rig, granted: &Rotated) -> String {
    let nonce = *granted.nonce.expose();
    let row = commit!(rig, |tx, nonce| async {
        tx.fetch_optional("SELECT sid FROM sessions WHERE nonce = $1", &[(&nonce).into()]).await
    });
    row.unwrap().get(0).unwrap()
}

// REF-04, I-3: two tabs whose refreshes come into one group.
#[tokio::test]
async fn of_many_uses_of_one_token_in_one_statement_one_is_granted() {
    let test = TestStore::postgres().await;
    let rig = Rig::new(test.store.clone()).await;
    let (alone, shared) = (opened(&rig, 1).await, opened(&rig, 3).await);
    // One runs alone; the tabs of three sessions come together.
    let requests = alone.iter().chain(shared.iter().cycle().take(30)).map(|(_, token)| rig.request(token));
    let granted = grant(&rig, requests.collect()).await;
    let mut answers = Vec::new();
    for ((sid, token), granted) in alone.iter().chain(shared.iter().cycle()).zip(granted) {
        answers.push(match granted {
            Some(rotated) => rig.answer(sid, Refreshed::Granted(rotated)),
            None => rig.refresh(token).await,
        });
    }
    assert_eq!(answers.iter().filter(|answer| answer.grant() == Some(Grant::Rotate)).count(), 4, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.grant() == Some(Grant::Share)).count(), 27, "{answers:?}");
    let successors: HashSet<_> = answers.into_iter().map(Answer::token).collect();
    assert_eq!(successors.len(), 4);
}

#[tokio::test]
async fn many_are_told_what_their_refresh_rests_on() {
    let test = TestStore::postgres().await;
    let rig = Rig::new(test.store.clone()).await;
    let sessions = opened(&rig, 6).await;
    let unknown = Sid::new(USER, &[9; 16]);
    let read = |client: &'static str, sid: &Sid| {
        let (store, sid, client) = (rig.store.clone(), sid.clone(), ClientId::parse(client).unwrap());
        tokio::spawn(async move {
            let read = store.read_together(move |tx| {
                let (sid, client) = (sid.clone(), client.clone());
                Box::pin(async move { sessions::basis(tx, &client, &sid).await })
            });
            read.await.unwrap()
        })
    };
    let known = sessions.iter().map(|(sid, _)| read(CLIENT, sid));
    let tasks: Vec<_> = known.chain([read(CLIENT, &unknown), read("nobody", &sessions[0].0)]).collect();
    let mut bases: Vec<Basis> = Vec::new();
    for task in tasks {
        bases.push(task.await.unwrap());
    }
    for known in &bases[..6] {
        assert!(known.client.client.is_some());
        assert_eq!(known.granted.as_ref().unwrap().user_id, USER);
    }
    assert!(bases[6].client.client.is_some() && bases[6].granted.is_none());
    assert!(bases[7].client.client.is_none() && bases[7].granted.is_some());
}

// REF-04: a row that another server has changed meanwhile is judged as it is then, and not as it was when the statement began.
#[tokio::test]
async fn a_row_that_changed_while_many_waited_for_it_is_read_again() {
    let test = TestStore::postgres().await;
    let rig = Rig::new(test.store.clone()).await;
    let sessions = opened(&rig, 6).await;
    let (gate, holds) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let elsewhere = {
        let (store, request) = (rig.store.clone(), rig.request(&sessions[3].1));
        let (gate, holds) = (Arc::clone(&gate), Arc::clone(&holds));
        tokio::spawn(async move {
            let write = store.write(move |tx| {
                let (request, gate, holds) = (request.clone(), Arc::clone(&gate), Arc::clone(&holds));
                Box::pin(async move {
                    let rotated = sessions::grant(tx, &request).await?;
                    holds.add_permits(1);
                    gate.acquire().await.unwrap().forget();
                    Ok(rotated.unwrap())
                })
            });
            write.await.unwrap()
        })
    };
    holds.acquire().await.unwrap().forget();
    let many = {
        let (rig, requests) = (rig.clone(), sessions.iter().map(|(_, token)| rig.request(token)).collect());
        tokio::spawn(async move { grant(&rig, requests).await })
    };
    let waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while rig.rows(waits).await.is_empty() {
        tokio::task::yield_now().await;
    }
    gate.add_permits(1);
    let rotated = elsewhere.await.unwrap();
    for (index, granted) in many.await.unwrap().into_iter().enumerate() {
        let granted = granted.unwrap();
        let expected = if index == 3 { Grant::Share } else { Grant::Rotate };
        assert_eq!((granted.grant, granted.generation), (expected, 1), "{index}");
        assert_eq!(granted.nonce == rotated.nonce, index == 3, "{index}");
    }
}
