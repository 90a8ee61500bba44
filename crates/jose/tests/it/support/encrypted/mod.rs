//! Published examples of encryption: RFC 7516, RFC 7519, RFC 7520, RFC 8037.

mod elsewhere;
mod others;
mod rfc7516;
mod rfc7520;
mod rfc7520_keys;

pub use elsewhere::*;
pub use others::*;
pub use rfc7516::*;
pub use rfc7520::*;
pub use rfc7520_keys::*;
