//! The Countersign issuer: a library with one entry, `serve(config)`.

pub mod clock;
pub mod config;
pub mod domain;
pub mod keys;
pub mod limiter;
pub mod passwords;
pub mod random;
pub mod secret;
pub mod store;

// Unit tests use the stores of the integration tests, which know this crate by its name.
#[cfg(test)]
extern crate self as countersign_server;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
