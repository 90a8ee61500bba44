//! The binary as a person uses it: started, asked, killed.
#![cfg(test)]

mod bench;
mod commands;
#[cfg(feature = "failpoints")]
mod crash;
mod interop;
mod jwks;
mod jwt;
mod rig;
mod serve;
mod terminal;
mod watch;
