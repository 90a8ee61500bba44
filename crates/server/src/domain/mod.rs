//! The rules, pure: no await, no SQL, no HTTP, no clock, no randomness of its own.

pub mod base64url;
pub mod refresh;
pub mod refresh_token;
pub mod revocation;
pub mod rsn;
pub mod session;
pub mod signin;
pub mod time;
