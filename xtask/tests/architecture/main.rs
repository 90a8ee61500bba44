//! The rules of ARCHITECTURE.md and CONTRIBUTING.md that a machine can check.
#![cfg(test)]

mod documents;
mod layers;
mod source;
mod style;
