//! The Countersign issuer: a library with one entry, `serve(config)`.

pub mod acme;
pub mod app;
pub mod backup;
pub mod client_keys;
pub mod clock;
pub mod config;
pub mod copy;
pub mod domain;
mod durability;
pub mod errors;
mod failpoint;
pub mod feed;
mod first_start;
mod forget;
pub mod http;
pub mod keys;
pub mod limiter;
pub mod logging;
pub mod mail;
mod mark;
pub mod notices;
pub mod openapi;
pub mod outbound;
mod outbox;
pub mod passwords;
pub mod qr;
pub mod random;
pub mod relay;
pub mod reload;
pub mod restore;
pub mod routes;
pub mod secret;
pub mod serve;
pub mod store;
mod telemetry;
pub mod tick;
pub mod tls;
pub mod trim;
mod turns;
pub mod upstream;

// Unit tests use the stores of the integration tests, which know this crate by its name.
#[cfg(test)]
extern crate self as countersign_server;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
