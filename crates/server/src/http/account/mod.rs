//! `/api/account/…`: what signed-in people see and change of their own.

pub mod consents;
pub mod sessions;
