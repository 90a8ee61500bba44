//! The one place of encryption that draws.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::Error;

/// A content key, an initialization vector or a salt. It comes from the operating system's generator behind the primitives: one
/// that a caller could choose could be chosen twice, and AES-GCM with the same vector twice gives its key away.
#[expect(clippy::disallowed_methods, reason = "a nonce must never be an argument, see above")]
pub(super) fn draw(len: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    rand::fill(&mut bytes).map_err(|_| Error::Encrypt)?;
    Ok(bytes)
}
