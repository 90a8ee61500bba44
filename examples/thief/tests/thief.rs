//! The example is a test: nothing is accepted that should not be, and nothing is left behind.
#![cfg(test)]

use std::process::{Command, Output};

fn thief(arguments: &[&str]) -> (Output, String) {
    let temporary = tempfile::tempdir().unwrap();
    // The program bounds itself: 300 s, and its processes end with it.
    let output = Command::new(env!("CARGO_BIN_EXE_thief")).args(arguments).env("TMPDIR", temporary.path()).output();
    let output = output.unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "the data folder is removed");
    (output, told)
}

// I3, I4, I5, RLO-07: with times of the promise's own, never shorter.
#[test]
fn stolen_tokens_die_at_twenty_verifiers_and_live_without_the_feed() {
    let (output, told) = thief(&[]);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(!told.contains('✗'), "{told}");
    assert_eq!(told.matches("✓ nothing was accepted that was sent after `effective_by`").count(), 3, "{told}");
    for line in [
        "✓ Ada's access token is good: 200 at each of the 20 verifiers",
        "✓ each of these 20 verifiers has refused it with 401",
        "✓ and so is the stolen refresh token",
        "✓ Bob has noticed nothing: 200 at each of the 20 verifiers",
        // REF-06, REF-09
        "✓ the thief uses the stolen refresh token: two hold copies, the session ends",
        // I6
        "✓ and is welcome at once: 200 at each of the 20 verifiers",
        // TOK-24, TOK-25, REF-02
        "✓ Ada's token is good with a proof by her key: 200 at each of the 20 verifiers",
        "✓ the thief shows the token alone: 401 at each of the 20 verifiers",
        "✓ the thief shows it with a key of their own: 401 at each of the 20 verifiers",
        "✓ the thief repeats Ada's request, proof and all: 401 at each of the 20 verifiers",
        "✓ nor with the thief's key",
        "✓ and Ada, who noticed nothing, refreshes",
        "✓ verifier 20 does not know, and answers 503 instead of 200",
        "✓ it answers the same to Bob's good token: never 401, since it cannot tell",
        "✓ it has read what it missed: the stolen token is refused with 401",
        "✓ each of them still accepts the stolen access token: the feed makes the difference",
        "With the feed nothing was accepted that should not be.",
    ] {
        assert!(told.contains(line), "{line:?} is missing:\n{told}");
    }
}

#[test]
fn the_control_alone_shows_the_stolen_token_accepted() {
    let (output, told) = thief(&["--without-feed"]);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("✓ the access token lives on: 200 at each of the 20 verifiers"), "{told}");
    assert!(!told.contains("effective_by"), "nothing of the scenes with the feed:\n{told}");
}

#[test]
fn an_unknown_part_is_a_usage_error() {
    let (output, _) = thief(&["policeman"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no `policeman`"));
}
