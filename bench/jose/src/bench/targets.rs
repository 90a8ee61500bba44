//! What this library must reach: CPU time of the whole operation divided by that of the primitive alone.

use bench_jose_harness::Op;

pub struct Target {
    pub op: Op,
    pub alg: &'static str,
    pub at_most: f64,
}

pub const TARGETS: [Target; 9] = [
    target(Op::Verify, "HS256", 2.6),
    target(Op::Verify, "RS256", 1.06),
    target(Op::Verify, "PS256", 1.07),
    target(Op::Verify, "ES256", 1.02),
    target(Op::Verify, "Ed25519", 1.04),
    target(Op::Sign, "HS256", 1.95),
    target(Op::Sign, "RS256", 1.02),
    target(Op::Sign, "ES256", 1.04),
    target(Op::Sign, "Ed25519", 1.06),
];

/// Allocations of a verification beyond those of the claims type.
pub const ALLOCATIONS: f64 = 6.0;

const fn target(op: Op, alg: &'static str, at_most: f64) -> Target {
    Target { op, alg, at_most }
}
