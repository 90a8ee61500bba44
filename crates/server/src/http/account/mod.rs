//! `/api/account/…`: what signed-in people see and change of their own.

pub mod activity;
pub mod consents;
pub mod deletion;
pub mod export;
pub mod factors;
pub mod invitations;
pub mod organisations;
pub mod recovery_codes;
pub mod sessions;
pub mod settings;
pub mod signins;
