//! The rules, pure: no await, no SQL, no HTTP, no clock, no randomness of its own.

pub mod time;
