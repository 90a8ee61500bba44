//! One file per path of the URL tree; the files that belong to no path are the ways in and out.

pub mod access_token;
pub mod account;
pub mod admin;
pub mod attempts;
pub mod authorize;
pub mod body;
pub mod caller;
pub mod clients;
pub mod context;
pub mod cookies;
pub mod cors;
pub mod device;
pub mod docs;
pub mod dpop;
pub mod email;
pub mod error;
pub mod front;
pub mod health;
pub mod introspect;
pub mod issue;
pub mod login;
pub mod logout;
pub mod mail;
pub mod metrics;
pub mod organisation;
pub mod par;
pub mod passkey;
pub mod password;
pub mod patience;
mod person;
pub mod pipeline;
pub mod register;
pub mod request_id;
pub mod revocations;
pub mod revoke;
pub mod second_factor;
pub mod serve;
pub mod session;
pub mod token;
pub mod ui;
pub mod userinfo;
pub mod well_known;

/// The one tenant that exists.
pub const TENANT: &str = "default";
