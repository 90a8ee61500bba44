//! Tokens that are bound to a key (RFC 9449): who presents one proves with each request that it holds that key.

mod fault;
mod gate;
mod settings;
mod spent;

pub use fault::DpopFault;
pub(crate) use gate::{Asked, Gate, NONCE};
pub use settings::Dpop;

use countersign_jose::{AccessClaims, Confirmation};

use crate::rejection::Rejection;

/// Whether a token may be used by whoever holds it.
///
/// # Errors
/// [`Rejection::Dpop`].
pub(crate) fn as_bearer(claims: &AccessClaims) -> Result<(), Rejection> {
    match claims.confirmation() {
        Confirmation::Bearer => Ok(()),
        Confirmation::Key(_) => Err(Rejection::Dpop(DpopFault::Bearer)),
        Confirmation::Unknown => Err(Rejection::Dpop(DpopFault::Confirmation)),
    }
}

/// The thumbprint of the key that a token is bound to.
///
/// # Errors
/// [`Rejection::Dpop`].
pub(crate) fn bound_to(claims: &AccessClaims) -> Result<&str, Rejection> {
    match claims.confirmation() {
        Confirmation::Key(thumbprint) => Ok(thumbprint),
        Confirmation::Bearer => Err(Rejection::Dpop(DpopFault::Unbound)),
        Confirmation::Unknown => Err(Rejection::Dpop(DpopFault::Confirmation)),
    }
}
