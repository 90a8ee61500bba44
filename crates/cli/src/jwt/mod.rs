//! `countersign jwt …`: tokens of anybody, on the command line. Needs no configuration, no data folder and no network.

mod check;
mod crypt;
mod decode;
mod diff;
mod explain;
pub mod input;
pub mod keys;
mod kind;
pub mod pages;
mod proof;
mod raw;
mod sign;
mod verify;

use clap::Subcommand;

use crate::output::{Failure, Output};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Jwt {
    /// Sign claims as a token, or with --raw any payload in any serialization
    Sign(sign::Sign),
    /// Verify a token: signature, kind, issuer, audience, times; with --raw the signature alone
    Verify(verify::Verify),
    /// Show what a token says. Nothing is verified
    Decode(decode::Decode),
    /// Run every check of `verify` and say of each whether it passed, failed or was not reached
    Explain(explain::Explain),
    /// Encrypt any content, or a signed token
    Encrypt(crypt::Encrypt),
    /// Decrypt a message and verify the token in it; with --raw decrypt any content
    Decrypt(crypt::Decrypt),
    /// Show what is different between two tokens. Nothing is verified
    Diff(diff::Diff),
    /// Prove that you hold a key, for one request (DPoP)
    Proof(proof::Proof),
}

impl Jwt {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::Sign(command) => command.run(output),
            Self::Verify(command) => command.run(output),
            Self::Decode(command) => command.run(output),
            Self::Explain(command) => command.run(output),
            Self::Encrypt(command) => command.run(output),
            Self::Decrypt(command) => command.run(output),
            Self::Diff(command) => command.run(output),
            Self::Proof(command) => command.run(output),
        }
    }
}
