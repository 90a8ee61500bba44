//! The Countersign issuer: a library with one entry, `serve(config)`.

pub mod clock;
pub mod config;
pub mod domain;
pub mod limiter;
pub mod passwords;
pub mod random;
pub mod secret;
pub mod store;
