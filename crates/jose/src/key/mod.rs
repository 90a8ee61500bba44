//! Keys, each bound to one algorithm when it is imported and prepared once for all its uses.

mod der;
mod private_jwk;
mod secret;
mod signing;
mod verifying;

pub use signing::SigningKey;
pub use verifying::VerifyingKey;

use crate::{Error, KeyError, header::is_usable_kid};

fn check_kid(kid: &str) -> Result<(), Error> {
    if is_usable_kid(kid) { Ok(()) } else { Err(KeyError::Kid.into()) }
}
