//! The rows of the fault matrix.

pub mod backup;
pub mod database;
pub mod disk;
pub mod failover;
pub mod feed;
pub mod jwks;
pub mod kill;
pub mod life;
pub mod mail;
pub mod panic;
pub mod power;
pub mod resources;
pub mod rotation;
pub mod soak;
pub mod start;
pub mod time;
