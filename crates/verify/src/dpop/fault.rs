//! Why a token that is bound to a key, or the proof beside it, was refused.

use std::borrow::Cow;

use countersign_jose::dpop::ProofError;

use crate::text::shown;

/// What is wrong with the way in which a token and the key that it is bound to were presented.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DpopFault {
    /// A token that is bound to a key came as a bearer token (RFC 9449 §7.2).
    Bearer,
    /// The token asks for a confirmation (`cnf`, RFC 7800) that this verifier does not know.
    Confirmation,
    /// A token came with the scheme `DPoP`, and this verifier was not told to check proofs
    /// ([`VerifierBuilder::dpop`](crate::VerifierBuilder::dpop)).
    NotAccepted,
    /// A token that is bound to no key came with the scheme `DPoP`: a proof beside it would prove nothing.
    Unbound,
    /// No proof, or more than one (RFC 9449 §4.3, check 1).
    Headers {
        /// How many `DPoP` headers there are.
        got: usize,
    },
    /// The proof is not good, or is for another request, another token, or by another key (RFC 9449 §4.3, checks 2 to 12).
    Proof(ProofError),
    /// Which URL the request was sent to cannot be told.
    Target,
    /// The proof was used before (RFC 9449 §11.1).
    Replayed,
    /// The proof has no nonce that this service made a moment ago (RFC 9449 §9). The client tries again with this one.
    Nonce {
        /// The nonce to use.
        fresh: String,
    },
    /// So many proofs were used in the last minutes that no more can be remembered. 503: what cannot be remembered is not
    /// accepted.
    Full,
}

impl DpopFault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Bearer => "dpop_bearer",
            Self::Confirmation => "unknown_confirmation",
            Self::NotAccepted => "dpop_not_accepted",
            Self::Unbound => "dpop_unbound",
            Self::Headers { .. } => "dpop_headers",
            Self::Proof(_) => "dpop_proof",
            Self::Target => "dpop_target",
            Self::Replayed => "dpop_replayed",
            Self::Nonce { .. } => "dpop_nonce",
            Self::Full => "dpop_full",
        }
    }

    pub(crate) fn expected(&self) -> &'static str {
        match self {
            Self::Bearer => "a proof by the key that the token is bound to",
            Self::Confirmation => "a token for whoever holds it, or for the holder of a key (jkt)",
            Self::NotAccepted => "a bearer token",
            Self::Unbound => "a token that is bound to a key",
            Self::Headers { .. } => "one proof",
            Self::Proof(_) => "a proof for this request, this token and the key that it is bound to",
            Self::Target => "to know the URL that the client used",
            Self::Replayed => "a proof that was not used before",
            Self::Nonce { .. } => "a proof with a nonce that this service made a moment ago",
            Self::Full => "room to remember the proof",
        }
    }

    pub(crate) fn got(&self) -> Cow<'static, str> {
        match self {
            Self::Bearer => "the token alone".into(),
            Self::Confirmation => "one with another confirmation".into(),
            Self::NotAccepted => "one for the holder of a key".into(),
            Self::Unbound => "a bearer token".into(),
            Self::Headers { got } => got.to_string().into(),
            Self::Proof(error) => shown(&error.to_string()).into(),
            Self::Target => "neither a path below dpop()'s URL nor the forwarded headers".into(),
            Self::Replayed => "one that was".into(),
            Self::Nonce { .. } => "another or none".into(),
            Self::Full => "none".into(),
        }
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Bearer => "if its client did this, it must send a proof; if not, the token was stolen",
            Self::Confirmation => "the issuer binds tokens in a way that this verifier does not know",
            Self::NotAccepted => "tell the builder by which URL clients call this service: dpop(Dpop::at(…))",
            Self::Unbound => "the client must present it as a bearer token, or get one that is bound",
            Self::Headers { .. } => "send exactly one DPoP header",
            Self::Proof(ProofError::Target { .. }) => {
                "is dpop()'s URL the one that clients use, with scheme, host and port?"
            }
            Self::Proof(ProofError::Key { .. }) => "whoever sent this has the token and not its key: it was stolen",
            Self::Proof(_) => "the client must make a new proof for each request, with a clock that is right",
            Self::Target => "the proxy must send X-Forwarded-Proto and X-Forwarded-Host, once each",
            Self::Replayed => {
                "a client that repeats a request makes a new proof; if it did, somebody copied the request"
            }
            Self::Nonce { .. } => "nothing: the client tries again with the nonce in the answer",
            Self::Full => "raise max_kept() or max_kept_of_key() if so many requests are to be expected",
        }
    }

    /// Whether the fault is in the proof; the token may be good.
    pub(crate) fn is_of_proof(&self) -> bool {
        matches!(self, Self::Headers { .. } | Self::Proof(_) | Self::Target | Self::Replayed)
    }
}
