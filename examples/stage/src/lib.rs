//! What the examples that start several processes have in common: a program that starts itself again as each of its
//! parts, the issuer as one of them, its administrator, an HTTP client, an application's session, and a story that says what is asked and what comes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "narrated programs")]

pub mod admin;
pub mod client;
pub mod issuer;
pub mod part;
pub mod process;
pub mod session;
pub mod story;

use std::{process::ExitCode, time::Duration};

use tokio::signal::unix::{SignalKind, signal};

/// Why a program gave up, in words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Plays until it is over, it takes too long, or somebody stops the program. Whatever the play has started is dropped, and
/// so ended, in each case.
///
/// # Errors
/// The play's own, the time limit, or that it was stopped.
pub async fn play<T>(play: impl Future<Output = Result<T, Failure>>, limit: Duration) -> Result<T, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        played = tokio::time::timeout(limit, play) => played.map_err(|_| format!("it took longer than {limit:?}"))?,
        _ = tokio::signal::ctrl_c() => Err("stopped".into()),
        _ = terminate.recv() => Err("stopped".into()),
    }
}

/// What `main` of a `program` or of one of its parts returns.
pub fn exit(program: &str, outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{program}: {failure}");
            ExitCode::FAILURE
        }
    }
}
