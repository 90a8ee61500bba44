//! `/revocations/…`: the feed over each transport, its keys, its time anchor, who may read it and how many.

mod access;
mod anchor;
pub mod follower;
mod keys;
mod limits;
mod outage;
mod relay;
mod replicas;
mod transports;
