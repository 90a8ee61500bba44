//! The checks of a token one after the other, each with a name.

use countersign_jose::{Error, verifier::KeySet};
use serde_json::{Value, json};

use super::{kind::Judge, pages};
use crate::output::Failure;

/// The checks, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Text,
    Header,
    Kind,
    Key,
    Signature,
    Claims,
    Issuer,
    Audience,
    Times,
}

impl Step {
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Header,
        Self::Kind,
        Self::Key,
        Self::Signature,
        Self::Claims,
        Self::Issuer,
        Self::Audience,
        Self::Times,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Header => "header",
            Self::Kind => "kind",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Times => "times",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Self::Text => "three parts of canonical base64url",
            Self::Header => "strict JSON, a known algorithm, no unknown critical member",
            Self::Kind => "typ is that of the kind that was asked for",
            Self::Key => "one key has the algorithm and the key id of the header",
            Self::Signature => "the signature holds with that key",
            Self::Claims => "strict JSON, every claim of its type, none missing",
            Self::Issuer => "iss is the issuer that was asked for",
            Self::Audience => "aud contains one of the audiences that were asked for",
            Self::Times => "not expired, not too early, not too old",
        }
    }
}

/// Runs the checks until one fails.
///
/// # Errors
/// The check that failed, and why.
pub fn check(judge: &dyn Judge, keys: &KeySet, token: &str, now: i64) -> Result<(), (Step, Error)> {
    let token = judge.parse(token).map_err(|error| (parsing(&error), error))?;
    let key = keys.pick(token.kid(), token.alg()).map_err(|error| (Step::Key, error))?;
    let token = token.verify_signature(key).map_err(|error| (Step::Signature, error))?;
    judge.check(&token, now).map_err(|error| (judging(&error), error))
}

fn parsing(error: &Error) -> Step {
    match error {
        Error::TooLong { .. } | Error::Character { .. } | Error::Segments { .. } | Error::Base64 => Step::Text,
        Error::Type { .. } => Step::Kind,
        _ => Step::Header,
    }
}

fn judging(error: &Error) -> Step {
    match error {
        Error::Issuer { .. } => Step::Issuer,
        Error::Audience { .. } => Step::Audience,
        Error::Expired { .. }
        | Error::NotYet { .. }
        | Error::IssuedInFuture { .. }
        | Error::TooOld { .. }
        | Error::Lifetime { .. } => Step::Times,
        _ => Step::Claims,
    }
}

/// What went wrong as JSON, with what to do about it.
pub fn problem(error: &Error) -> Value {
    json!({
        "valid": false,
        "code": error.code(),
        "error": error.to_string(),
        "expected": error.expected(),
        "got": error.got(),
        "fix": pages::help(error.code()),
    })
}

/// The answer is no, with its code and what to do about it.
pub fn refused(error: &Error) -> Failure {
    let code = error.code();
    Failure::refused(format!("refused: {error} ({code}; countersign explain {code})")).with_problem(problem(error))
}
