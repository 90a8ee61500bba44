//! The answer to "what time is it?" that bounds how old a verifier believes the revocation feed to be.

use super::{Registered, claims, not_empty};
use crate::Error;

claims! {
    /// A time anchor of the revocation feed: proof that it was `now` at the issuer after the question was asked. It has no
    /// `exp`: the asker's own nonce makes it fresh, and whoever shows it again answers no question.
    FeedTimeClaims {
        /// Issuer.
        "iss" => iss: String,
        /// The asker's nonce, as it was asked.
        "n" => nonce: String,
        /// Microseconds since 1970 of the issuer's database clock, read after the request had arrived.
        "now" => now: i64,
    }

    fn registered(&self) -> Registered<'_> {
        Registered { iss: Some(&self.iss), ..Registered::default() }
    }

    fn rules(&self) -> Result<(), Error> {
        not_empty(&self.iss, "iss")?;
        not_empty(&self.nonce, "n")
    }
}
