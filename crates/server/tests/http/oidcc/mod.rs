//! The modules of the OpenID Foundation's conformance suite for providers, re-expressed: one test per module, under the module's
//! name, which asserts each of its conditions. `docs/conformance.md` says how each row stands, and `table.rs` compares the two.
//!
//! The conditions that every successful authorization must meet are in `flow.rs`. A module is a black-box test of an issuer's
//! address (`op.rs`): most are run against npm's oidc-provider, which is certified, too, and so are checked themselves.

mod backchannel;
mod basic;
mod config;
mod dynamic;
mod flow;
mod logout;
mod objects;
mod op;
mod prompts;
mod scopes;
mod table;
