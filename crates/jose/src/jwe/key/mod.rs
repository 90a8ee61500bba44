//! Keys, each bound to one algorithm when it is made.

mod agree;
mod any;
mod decryption;
mod encryption;
mod secret;

pub use agree::Curve;
pub use decryption::DecryptionKey;
pub use encryption::EncryptionKey;

use serde_json::Value;

use crate::{Error, KeyError, header::is_usable_kid};

/// What names sender and recipient in a key agreement.
pub(super) struct Parties<'a> {
    pub(super) apu: &'a [u8],
    pub(super) apv: &'a [u8],
}

/// What carries the content key to one recipient.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) encrypted_key: Vec<u8>,
    /// Header members of the algorithm.
    pub(super) params: Vec<(&'static str, Value)>,
}

fn check_kid(kid: &str) -> Result<(), Error> {
    if is_usable_kid(kid) { Ok(()) } else { Err(KeyError::Kid.into()) }
}
