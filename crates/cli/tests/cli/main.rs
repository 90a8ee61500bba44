//! The binary as a person uses it: started, asked, killed.
#![cfg(test)]

mod accounts;
mod backup;
mod bench;
mod built;
mod clients;
mod commands;
#[cfg(feature = "failpoints")]
mod crash;
mod doctor;
mod e2e;
mod interop;
mod jwks;
mod jwt;
mod key_verifiers;
mod keystores;
mod live;
mod moving;
mod observed;
mod ops;
mod peers;
mod plan;
#[allow(dead_code, reason = "the tests of the server use the rest")]
#[path = "../../../server/tests/support/postgres.rs"]
mod postgres;
mod proof;
mod restore;
#[cfg(feature = "failpoints")]
mod revocations;
mod rig;
mod rights;
mod serve;
mod telemetry;
mod terminal;
mod watch;
