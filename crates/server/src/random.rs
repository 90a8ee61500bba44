//! The only source of randomness. A failing source is an error, never a weak value.

/// The random source failed; whatever needed it must be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random source failed")]
pub struct RandomError;

/// Cryptographic randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct Random;

impl Random {
    /// `N` random bytes.
    ///
    /// # Errors
    /// The operating system's source failed.
    pub fn bytes<const N: usize>(self) -> Result<[u8; N], RandomError> {
        let mut out = [0; N];
        #[expect(clippy::disallowed_methods, reason = "the one random source")]
        aws_lc_rs::rand::fill(&mut out).map_err(|_| RandomError)?;
        Ok(out)
    }
}
