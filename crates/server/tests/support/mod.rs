//! What several test programs share.
#![allow(dead_code, unused_macros, unused_imports, reason = "each test program uses a part of it")]

pub mod databases;
pub mod postgres;
pub mod soft;
