//! The program and other implementations of JOSE on each other's tokens: joserfc and jwcrypto (Python) and jose (Node.js).
//!
//! Both directions, every algorithm and every serialization that both have, keys as JWK and as PEM; and what was altered on
//! the way is refused by both.

mod bench;
mod claims;
mod jwe;
mod jws;
mod keys;
mod peer;
mod refused;
mod shapes;
mod text;
