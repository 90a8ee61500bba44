//! Invariants I-1 to I-3: the process is killed between the commit of a rotation and its answer, again and again, while
//! clients refresh. Nobody is signed out, nothing acknowledged is lost, no session has two heirs.

use std::{
    os::unix::process::ExitStatusExt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::rig::{PASSWORD, Rig, member};

/// Kills at the failpoint, at least.
const KILLS: usize = 100;
const CLIENTS: usize = 8;
/// So short that every refresh rotates; not zero, which would make a lost answer a theft.
const GRACE: (&str, &str) = ("COUNTERSIGN_REFRESH_GRACE", "1ms");

/// Refreshes until told to stop; the last token and how many refreshes were acknowledged.
fn client(rig: &Rig, mut token: String, stop: &AtomicBool, acknowledged: &AtomicUsize) -> String {
    while !stop.load(Ordering::SeqCst) {
        let body = format!("grant_type=refresh_token&client_id=first-party&refresh_token={token}");
        match rig.http("POST", "/token", "application/x-www-form-urlencoded", &body) {
            Some((200, answer)) => {
                token = member(&answer, "refresh_token");
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            // Stopping or starting: the same token again.
            Some((503, _)) | None => thread::sleep(Duration::from_millis(5)),
            Some((status, answer)) => panic!("signed out: {status} {answer}"),
        }
        thread::sleep(Duration::from_millis(2));
    }
    token
}

#[test]
fn kills_between_commit_and_answer_sign_nobody_out() {
    let rig = Arc::new(Rig::new());
    let tokens: Vec<String> = {
        let _server = rig.serve(&[]);
        let tokens = (0..CLIENTS).map(|n| {
            let body = format!("{{\"email\":\"user{n}@example.com\",\"password\":\"{PASSWORD}\"}}");
            assert_eq!(rig.json("/register", &body).unwrap().0, 201);
            member(&rig.json("/login", &body).unwrap().1, "refresh_token")
        });
        tokens.collect()
    };
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = tokens
        .into_iter()
        .map(|token| {
            let (rig, stop, acknowledged) = (Arc::clone(&rig), Arc::clone(&stop), Arc::clone(&acknowledged));
            thread::spawn(move || client(&rig, token, &stop, &acknowledged))
        })
        .collect();
    let mut kills = 0;
    for round in 0.. {
        if kills == KILLS || clients.iter().any(thread::JoinHandle::is_finished) {
            break;
        }
        assert!(round < KILLS * 2, "only {kills} of {round} servers reached the failpoint");
        // A different moment each time.
        let failpoint = format!("refresh.committed:{}", 1 + round % 13);
        let mut server = rig.serve(&[GRACE, ("COUNTERSIGN_TEST_FAILPOINT", &failpoint)]);
        let status = server.child.wait().unwrap();
        kills += usize::from(status.signal() == Some(9));
    }
    let _server = rig.serve(&[GRACE]);
    thread::sleep(Duration::from_millis(200));
    stop.store(true, Ordering::SeqCst);
    let last: Vec<String> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    assert_eq!(kills, KILLS);
    println!("{kills} kills, {} refreshes acknowledged", acknowledged.load(Ordering::SeqCst));
    for token in last {
        let body = format!("grant_type=refresh_token&client_id=first-party&refresh_token={token}");
        assert_eq!(rig.http("POST", "/token", "application/x-www-form-urlencoded", &body).unwrap().0, 200);
    }
    for n in 0..CLIENTS {
        let (out, _) = rig.expect(0, &["--json", "session", "list", &format!("user{n}@example.com")], "");
        let page: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        assert!(page["items"][0]["ended_reason"].is_null(), "{out}");
    }
}
