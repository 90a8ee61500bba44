//! A message whose signatures held, as many of them as the caller asked for.

use std::fmt;

use serde_json::{Map, Value};

use super::{
    read::{Candidate, UnverifiedJws},
    signing_input,
};
use crate::{Error, VerifyingKey};

/// A message whose signature held.
///
/// ```compile_fail,E0451
/// // Only a verification makes one.
/// let forged = countersign_jose::jws::VerifiedJws { payload: Vec::new(), held: Vec::new() };
/// ```
pub struct VerifiedJws {
    payload: Vec<u8>,
    held: Vec<Held>,
}

/// One signature that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its place among the signatures of the text.
    pub signature: usize,
    /// The place of its key among those that the caller gave.
    pub key: usize,
    /// Its protected header, which the signature covers.
    pub protected: Map<String, Value>,
}

impl UnverifiedJws<'_> {
    /// Checks that a signature of this key holds.
    ///
    /// # Errors
    /// As [`verify_any`](Self::verify_any).
    pub fn verify(self, key: &VerifyingKey) -> Result<VerifiedJws, Error> {
        self.verify_any([key])
    }

    /// Checks that at least one signature holds with any of these keys. Other signatures, by whomever and however broken, change
    /// nothing.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] if no signature is of one of these keys by its `kid` and algorithm; [`Error::AlgorithmMismatch`] where the
    /// only signature names another algorithm than the only key's; [`Error::Signature`] if there were such signatures and none held.
    pub fn verify_any<'k>(self, keys: impl IntoIterator<Item = &'k VerifyingKey>) -> Result<VerifiedJws, Error> {
        let mut refused = Error::UnknownKey { kid: None };
        for (index, key) in keys.into_iter().enumerate() {
            match self.held_by(index, key, &[]) {
                Ok(held) => return Ok(self.verified(vec![held])),
                // That a signature was tried and did not hold says more than that none was found.
                Err(error) if refused != Error::Signature => refused = error,
                Err(_) => {}
            }
        }
        Err(refused)
    }

    /// Checks that every one of these keys made a signature of its own that holds.
    ///
    /// # Errors
    /// As [`verify_any`](Self::verify_any), of the first key of which no signature holds; [`Error::UnknownKey`] without any key.
    pub fn verify_all<'k>(self, keys: impl IntoIterator<Item = &'k VerifyingKey>) -> Result<VerifiedJws, Error> {
        let mut held: Vec<Held> = Vec::new();
        for (index, key) in keys.into_iter().enumerate() {
            let found = self.held_by(index, key, &held)?;
            held.push(found);
        }
        if held.is_empty() { Err(Error::UnknownKey { kid: None }) } else { Ok(self.verified(held)) }
    }

    /// The first signature of this key that holds and does not stand for another key already.
    fn held_by(&self, index: usize, key: &VerifyingKey, taken: &[Held]) -> Result<Held, Error> {
        let mut refused = self.reason(key);
        for (signature, candidate) in self.candidates.iter().enumerate() {
            if taken.iter().any(|held| held.signature == signature) || !names(candidate, key) {
                continue;
            }
            let input = signing_input(&candidate.protected, &self.payload, self.unencoded);
            match key.verify_raw(&input, &candidate.signature) {
                Ok(()) => return Ok(Held { signature, key: index, protected: candidate.head.protected.clone() }),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Why no signature of this key was found.
    fn reason(&self, key: &VerifyingKey) -> Error {
        match self.candidates.as_slice() {
            [Candidate { head, .. }] => match head.alg {
                Ok(got) if got != key.alg() => Error::AlgorithmMismatch { expected: key.alg(), got },
                Ok(_) => Error::UnknownKey { kid: head.kid.clone() },
                Err(ref error) => error.clone(),
            },
            _ => Error::UnknownKey { kid: key.kid().map(Into::into) },
        }
    }

    fn verified(self, held: Vec<Held>) -> VerifiedJws {
        VerifiedJws { payload: self.payload.into_owned(), held }
    }
}

impl VerifiedJws {
    /// What was signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// What was signed, without the proof that it was.
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// The signatures that were asked for and held.
    pub fn held(&self) -> &[Held] {
        &self.held
    }
}

impl fmt::Debug for VerifiedJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJws").field("held", &self.held).finish_non_exhaustive()
    }
}

/// Whether a signature says of itself that it is of this key. Nothing is chosen by that: the key was the caller's choice.
fn names(candidate: &Candidate, key: &VerifyingKey) -> bool {
    let other_id = candidate.head.kid.as_deref().zip(key.kid()).is_some_and(|(theirs, ours)| theirs != ours);
    candidate.head.alg == Ok(key.alg()) && !other_id
}
