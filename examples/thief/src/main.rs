//! Stolen tokens are used beside their owner's at twenty verifiers, until the owner signs out everywhere, or the theft is
//! noticed. The program says how long each verifier took to refuse, and what one does whose feed is cut. Tokens that are bound
//! to a key are worth nothing to the thief from the start.
//!
//! It exits 0 only if nothing was accepted that should not be. The last scene is the control: without the feed the stolen
//! token must be accepted, or the rest would prove nothing. `--without-feed` plays the control alone.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a narrated program")]

mod feed_log;
mod fleet;
mod house;
mod key;
mod road;
mod scenes;
mod services;
mod watch;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        None => scenes::run(scenes::Programme::Whole).await,
        Some("--without-feed") => scenes::run(scenes::Programme::Control).await,
        Some("issuer") => stage::issuer::run().await,
        Some("services") => services::run().await,
        Some(other) => {
            eprintln!("thief: there is no `{other}`; run it without an argument, or with --without-feed");
            return ExitCode::from(2);
        }
    };
    stage::exit("thief", outcome)
}
