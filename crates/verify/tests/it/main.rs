//! The verifier against real issuers, real key servers on loopback and real HTTP.
#![cfg(test)]

mod dpop;
mod encrypted;
mod extract;
mod keys;
mod layer;
mod properties;
mod revocation;
mod support;
mod tls;
mod tokens;
