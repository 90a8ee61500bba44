//! The rules, pure: no await, no SQL, no HTTP, no clock, no randomness of its own.

pub mod access_token;
pub mod audience;
pub mod audience_id;
pub mod audit;
pub mod client;
pub mod email;
pub mod feed;
pub mod floor;
pub mod key_ring;
pub mod known_device;
pub mod limits;
pub mod mark;
pub mod password;
pub mod refresh;
pub mod refresh_token;
pub mod revocation;
pub mod roles;
pub mod rsn;
pub mod scope;
pub mod session;
pub mod signin;
pub mod standing;
pub mod time;
pub mod trim;
pub mod user;
