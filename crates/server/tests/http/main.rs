//! The HTTP layer, whole: requests go through the front as they would from the network. The files are the URL tree.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod account;
mod account_page;
mod admin;
mod attacks;
mod authenticator;
mod authorize;
mod backchannel;
mod brand;
mod browser;
mod capabilities;
mod clients;
mod cors;
mod coverage;
mod device;
mod dpop;
mod email;
mod endings;
mod factors;
mod floor;
mod forms;
mod invitations;
mod language;
mod limits;
mod login;
mod logout;
mod mail;
mod mailbox;
mod network;
mod oidcc;
mod organisations;
mod par;
mod passkeys;
mod password;
#[allow(dead_code, reason = "the tests of the program use the rest")]
#[path = "../../../cli/tests/cli/peers.rs"]
mod peers;
mod published_keys;
mod register;
mod request_object;
mod revocations;
mod revoke;
mod rig;
mod roles;
mod secrets;
mod token;
mod trim;
mod ui;
mod userinfo;
mod well_known;
mod wire;
