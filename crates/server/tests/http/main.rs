//! The HTTP layer, whole: requests go through the front as they would from the network. The files are the URL tree.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod coverage;
mod dpop;
mod endings;
mod floor;
mod limits;
mod login;
mod logout;
mod password;
mod register;
mod revocations;
mod revoke;
mod rig;
mod secrets;
mod token;
mod trim;
mod well_known;
mod wire;
