//! Several replicas on one PostgreSQL, as a production has them: HAProxy in front, PgBouncer behind. Everything is
//! the real program, on loopback, in temporary folders, and gone when the tests are.
#![cfg(test)]

mod balancer;
#[allow(dead_code, reason = "the client libraries' tests use the rest")]
#[path = "../cli/clients/browser.rs"]
mod browser;
mod daemon;
mod fleet;
mod outage;
mod pooler;
#[allow(dead_code, reason = "the tests of the server use the rest")]
#[path = "../../../server/tests/support/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "the tests of faults use the rest")]
#[path = "../chaos/proxy.rs"]
mod proxy;
mod replicas;
#[allow(dead_code, reason = "the tests of one server use the rest")]
#[path = "../cli/rig.rs"]
mod rig;
#[cfg(feature = "failpoints")]
mod rolling;
mod standby;
#[cfg(feature = "failpoints")]
mod turns;
mod wire;
