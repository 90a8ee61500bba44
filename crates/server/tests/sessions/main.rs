//! Sessions and refresh rotation on both databases.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod endings;
mod interleavings;
mod races;
mod rig;
mod rotation;
mod rule;
mod together;
