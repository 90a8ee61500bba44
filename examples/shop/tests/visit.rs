//! The example is a test: the visit must go as told, and leave nothing behind.
#![cfg(test)]

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

fn shop(temporary: &Path) -> Command {
    let mut shop = Command::new(env!("CARGO_BIN_EXE_shop"));
    shop.env("TMPDIR", temporary);
    shop
}

#[test]
fn every_answer_of_the_visit_is_the_expected_one() {
    let temporary = tempfile::tempdir().unwrap();
    // The program bounds itself: 180 s, and its processes end with it.
    let output = shop(temporary.path()).output().unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{errors}");
    assert!(!told.contains('✗'), "{told}");
    for line in [
        "✓ she orders again; the order service calls the warehouse under its own name",
        // TOK-18
        "✓ her token for the order service opens no door at the warehouse",
        "✓ reserving is for the order service, not even for a manager",
        // TOK-02, TOK-03
        "✓ signed with another key, under the issuer's key id",
        "✓ with `alg` set to `none`, and no signature",
        "✓ the same token has expired",
        // REF-04
        "✓ and both tabs have the same",
        "✓ the token that says she is a buyer is dead within a second",
        "✓ she orders: the page refreshes by itself, and learns that she is no buyer any more",
        "✓ she orders, and notices nothing: the page refreshes once and sends the order again",
        "✓ she can even order: the order service still has good tokens of its own",
        "✓ refreshing works again",
        "✓ her refresh token is dead",
        // RLO-07
        "✓ so is her access token, though it had minutes to live and nobody asked the issuer about it",
        "✓ the one for the warehouse",
        "✓ and the one for the messages",
        "steps, each as expected.",
    ] {
        assert!(told.contains(line), "{line:?} is missing:\n{told}");
    }
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "the data folder is removed");
}

#[test]
fn no_process_outlives_a_killed_visit() {
    let temporary = tempfile::tempdir().unwrap();
    let mut visit = shop(temporary.path()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(visit.stdout.take().unwrap()).lines().map(Result::unwrap);
    let listening = lines.filter_map(|line| line.split_once(" listens on http://").map(|(_, at)| at.to_owned()));
    let addresses: Vec<String> = listening.take(4).collect();
    assert_eq!(addresses.len(), 4, "{addresses:?}");
    visit.kill().unwrap();
    visit.wait().unwrap();
    for address in addresses {
        let gone = (0..1_000).any(|_| {
            thread::sleep(Duration::from_millis(20));
            TcpStream::connect(&address).is_err()
        });
        assert!(gone, "somebody still listens on {address}");
    }
}

#[test]
fn an_unknown_part_is_a_usage_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_shop")).arg("bakery").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no `bakery`"));
}
