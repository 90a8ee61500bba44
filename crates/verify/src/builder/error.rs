//! What can be wrong with a configuration.

use countersign_jose as jose;

use crate::keys::FetchError;

/// Why a verifier could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The issuer is no `https` URL without query and fragment (RFC 8414 §2); plain `http` is for loopback only.
    #[error("the issuer {url:?} is not usable: {reason}")]
    Issuer {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address of the keys is not usable; the same rules apply, a query is allowed.
    #[error("the address of the keys {url:?} is not usable: {reason}")]
    JwksUri {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address of the issuer's metadata is not usable; the same rules apply.
    #[error("the address of the metadata {url:?} is not usable: {reason}")]
    MetadataUri {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address of the revocation feed is not usable; the same rules apply.
    #[error("the address of the revocation feed {url:?} is not usable: {reason}")]
    FeedUri {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An empty audience would match nothing.
    #[error("the audience is empty")]
    Audience,
    /// More than one of [`jwks_uri`](crate::VerifierBuilder::jwks_uri), [`keys`](crate::VerifierBuilder::keys) and
    /// [`shared_secret`](crate::VerifierBuilder::shared_secret): one verifier has one source of keys.
    #[error("keys from two sources; choose one of jwks_uri(), keys() and shared_secret()")]
    TwoKeySources,
    /// None of the given keys is usable.
    #[error("the given keys are not usable: {0}")]
    Keys(FetchError),
    /// A shared secret is no base64url, shorter than 32 bytes, or itself a key file.
    #[error("the shared secret is not usable: {0}")]
    Secret(jose::Error),
    /// The settings of proofs cannot work.
    #[error("dpop() is not usable: {reason}")]
    Dpop {
        /// What is wrong with them.
        reason: String,
    },
    /// Not an X.509 certificate in DER.
    #[error("the root certificate is not usable: {0}")]
    RootCertificate(String),
}
