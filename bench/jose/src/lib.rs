//! What is measured in one process, because all of it uses one aws-lc-rs: this library, the bare primitive, and the floor.

mod floor;
pub mod ours;
pub mod primitive;

use bench_jose_harness::{Case, Material};

pub const OURS: &str = "countersign-jose";
pub const PRIMITIVE: &str = "aws-lc-rs, the primitive alone";
pub const FLOOR: &str = "the primitive, serde_json and base64";
/// The claims of the caller's type, read from the payload and nothing else: how many allocations are the caller's own.
pub const CLAIMS: &str = "the claims type alone";

/// Every case of this process.
pub fn cases(material: &Material) -> Vec<Case> {
    let mut cases = Vec::new();
    for (alg, key) in &material.keys {
        cases.extend(primitive::cases(alg, key));
        cases.extend(ours::cases(alg, key, material));
        cases.extend(floor::cases(alg, key, material));
    }
    cases.push(ours::claims_alone(material));
    cases
}
