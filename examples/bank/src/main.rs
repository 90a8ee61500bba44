//! A bank and a retirement server: two applications in two processes, on hosts of their own, with one issuer. Who signs in
//! at one is signed in at the other; who signs out at one is out at both, on the telephone as well.
//!
//! Without an argument the program starts itself again as `issuer`, `site` (twice) and `phone` (twice), says where to look,
//! and stays until it is stopped.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

mod openid;
mod page;
mod phone;
mod setup;
mod site;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        None => setup::run().await,
        Some("issuer") => stage::issuer::run().await,
        Some("site") => site::run().await,
        Some("phone") => phone::run().await,
        Some(other) => {
            eprintln!("bank: there is no `{other}`; run it without an argument and look at the pages it names");
            return ExitCode::from(2);
        }
    };
    stage::exit("bank", outcome)
}
