//! Tokens that are bound to a key (RFC 9449).

use countersign_jose::{AccessClaims, Confirmation};

use crate::rejection::Rejection;

/// What is wrong with the way in which a token and the key that it is bound to were presented.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DpopFault {
    /// A token that is bound to a key came as a bearer token (RFC 9449 §7.2).
    Bearer,
    /// The token asks for a confirmation (`cnf`, RFC 7800) that this verifier does not know.
    Confirmation,
}

impl DpopFault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Bearer => "dpop_bearer",
            Self::Confirmation => "unknown_confirmation",
        }
    }

    pub(crate) fn expected(&self) -> &'static str {
        match self {
            Self::Bearer => "a proof by the key that the token is bound to",
            Self::Confirmation => "a token for whoever holds it",
        }
    }

    pub(crate) fn got(&self) -> &'static str {
        match self {
            Self::Bearer => "the token alone",
            Self::Confirmation => "one with another confirmation",
        }
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Bearer => "if its client did this, it must send a proof; if not, the token was stolen",
            Self::Confirmation => "the issuer binds tokens in a way that this verifier does not know",
        }
    }
}

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
