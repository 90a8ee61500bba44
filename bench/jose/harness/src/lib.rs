//! One program per library, all built on this: it reads the same keys and tokens, runs what the bench asks for, and says
//! what it cost. No cryptography in here, so that each program has its library's own and no other.

mod case;
mod claims;
mod material;
mod serve;

pub use case::{Case, Op};
pub use claims::{AUDIENCE, AccessClaims, CLIENT_ID, ISSUER};
pub use material::{KeyMaterial, Material, Private};
pub use serve::{Answer, Listed, Question, Sample, cpu_time, serve};
