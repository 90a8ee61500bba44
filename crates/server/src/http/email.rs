//! `/email/…`: whether an address is its user's, and another one in its place.

pub mod change;
pub mod verify;
