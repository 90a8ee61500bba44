//! Where readers and writers of a view meet. A test puts others in their place, which go through every order in which
//! threads can meet (`tests/turns.rs`).

pub(super) use std::sync::Mutex;

pub(super) use arc_swap::ArcSwap;
pub(crate) use arc_swap::Guard;
