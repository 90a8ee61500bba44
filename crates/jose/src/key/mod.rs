//! Keys: read from whatever holds them ([`import`]), each bound to one algorithm before it does anything ([`SigningKey`],
//! [`VerifyingKey`]), and prepared once for all its uses.

pub(crate) mod pair;
pub(crate) mod pem;
pub(crate) mod pkcs8;
pub(crate) mod secret;
pub(crate) mod spki;

mod der;
mod import;
mod signing;
mod verifying;

pub use import::{AnyKey, Imported, import};
pub use signing::SigningKey;
pub use verifying::VerifyingKey;

use crate::{Error, KeyError, header::is_usable_kid};

pub(crate) fn check_kid(kid: &str) -> Result<(), Error> {
    if is_usable_kid(kid) { Ok(()) } else { Err(KeyError::Kid.into()) }
}
