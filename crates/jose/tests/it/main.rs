//! The library from outside: published examples, known attacks, properties. One program, so that it is linked once.
#![cfg(test)]

mod attacks;
mod corpus;
mod dpop;
mod jws;
mod keys;
mod kinds;
mod known_header;
mod limits;
mod properties;
mod properties_jwe;
mod support;
mod vectors;
mod vectors_jwe;
mod vectors_revocation;
