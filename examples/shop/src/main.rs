//! A small shop: an issuer and three services, each a process of its own, and a visit that tries every door.
//!
//! Without an argument the program plays the visit: it starts itself again as `issuer`, `warehouse`, `order` and
//! `notification`, tells what it asks them and what they answer, and exits 0 only if every answer was the expected one.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a narrated program")]

mod notification;
mod order;
mod peer;
mod visit;
mod warehouse;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        None => visit::run().await,
        Some("issuer") => stage::issuer::run().await,
        Some("warehouse") => warehouse::run().await,
        Some("order") => order::run().await,
        Some("notification") => notification::run().await,
        Some(other) => {
            eprintln!("shop: there is no `{other}`; run it without an argument to play the visit");
            return ExitCode::from(2);
        }
    };
    stage::exit("shop", outcome)
}
