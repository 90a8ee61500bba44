//! What went wrong, by value: a test or a metric compares it, the log prints it. The verifier decides what a client hears.

mod key;

pub use key::KeyError;

use crate::{
    Algorithm,
    jwe::{ContentAlgorithm, KeyAlgorithm},
};

/// Why a token, a key or a text was refused.
///
/// The words are for the log of whoever runs the verifier; RFC 6750 lets a client hear little more than `invalid_token`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is longer than the limit, both in bytes.
    #[error("{bytes} bytes are more than the limit of {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest that is read.
        limit: usize,
    },
    /// A byte outside `[A-Za-z0-9_.-]`: white space, padding, a JSON serialization, or no token at all.
    #[error("a character at byte {at} cannot be part of a compact token")]
    Character {
        /// Its offset.
        at: usize,
    },
    /// A compact JWS has three parts. Five are an encrypted token (JWE).
    #[error("a signed token has 3 parts, this text has {got}")]
    Segments {
        /// How many parts there are.
        got: usize,
    },
    /// Not canonical base64url without padding.
    #[error("not canonical base64url")]
    Base64,
    /// Not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// Not one JSON object, or no JSON at all.
    #[error("malformed JSON at byte {at}")]
    Json {
        /// Offset of the first byte that does not fit.
        at: usize,
    },
    /// A member name occurs twice in one object.
    #[error("JSON member {name:?} occurs twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Nested deeper than [`MAX_DEPTH`](crate::limits::MAX_DEPTH).
    #[error("JSON nested too deep")]
    Depth,
    /// A number that cannot be kept without changing its value.
    #[error("a JSON number is out of range")]
    Number,

    /// The protected header lacks a member.
    #[error("header member {member:?} is missing")]
    HeaderMissing {
        /// Its name.
        member: &'static str,
    },
    /// A member of the protected header has the wrong type or form.
    #[error("header member {member:?} is malformed")]
    HeaderMalformed {
        /// Its name.
        member: &'static str,
    },
    /// No algorithm of this library has this name; `none` is one of those.
    #[error("unknown algorithm {got:?}")]
    AlgorithmUnknown {
        /// The name that was read.
        got: String,
    },
    /// The header names another algorithm than the one that the key is bound to.
    #[error("the key is for {expected}, the token says {got}")]
    AlgorithmMismatch {
        /// The key's algorithm.
        expected: Algorithm,
        /// The header's.
        got: Algorithm,
    },
    /// `crit` names an extension that is not understood (RFC 7515 §4.1.11).
    #[error("critical header member {got:?} is not understood")]
    Critical {
        /// Its name.
        got: String,
    },
    /// The payload is not encoded (`b64: false`, RFC 7797), which a JWT may not do.
    #[error("an unencoded payload is refused")]
    Unencoded,
    /// A member of a JSON serialization is missing, malformed, or must not be there.
    #[error("member {member:?} of the serialization is missing, malformed or must not be there")]
    Member {
        /// Its name.
        member: &'static str,
    },
    /// A member that only a protected header may have, or an unprotected header where the serialization has none.
    #[error("header member {member:?} is not protected")]
    Unprotected {
        /// Its name.
        member: String,
    },
    /// More or fewer signatures than the serialization has or than are read.
    #[error("{got} signatures")]
    SignatureCount {
        /// How many there are.
        got: usize,
    },
    /// The payload is not in the text and was not given either.
    #[error("the payload is detached and was not given")]
    PayloadDetached,
    /// A detached payload was given and the text has one, too.
    #[error("the text has a payload beside the one that was given")]
    PayloadPresent,
    /// An unencoded payload that this serialization cannot carry.
    #[error("this serialization cannot carry the payload unencoded")]
    PayloadText,
    /// Some signatures are over the encoded payload and some are not (RFC 7797 §3).
    #[error("the signatures disagree on b64")]
    EncodingMixed,
    /// The token is of another kind than the profile.
    #[error("expected a token of type {expected:?}, got {got:?}")]
    Type {
        /// The profile's `typ`.
        expected: String,
        /// The header's.
        got: Option<String>,
    },
    /// No key of the verifier has this `kid` (or, without one, no single key has the algorithm).
    #[error("unknown key {kid:?}")]
    UnknownKey {
        /// The `kid` of the header.
        kid: Option<String>,
    },
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,

    /// A required claim is absent.
    #[error("claim {claim:?} is missing")]
    ClaimMissing {
        /// Its name.
        claim: &'static str,
    },
    /// A claim is present and is not what it must be. It is never treated as absent (TOK-14).
    #[error("claim {claim:?} is malformed: {expected} expected")]
    ClaimMalformed {
        /// Its name.
        claim: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A claim that this kind of token must not carry.
    #[error("claim {claim:?} must not be here")]
    ClaimForbidden {
        /// Its name.
        claim: &'static str,
    },
    /// A custom claim has the name of a registered one, so that the token would carry it twice.
    #[error("claim {name:?} is reserved")]
    ClaimReserved {
        /// The name.
        name: String,
    },
    /// Issued by somebody else.
    #[error("expected issuer {expected:?}, got {got:?}")]
    Issuer {
        /// The verifier's issuer.
        expected: String,
        /// `iss`.
        got: String,
    },
    /// Meant for somebody else.
    #[error("expected audience {expected:?}, got {got:?}")]
    Audience {
        /// The verifier's audience (several are separated by a space).
        expected: String,
        /// `aud` (likewise).
        got: String,
    },
    /// Expired. Times in seconds since 1970.
    #[error("expired at {exp}, now {now}")]
    Expired {
        /// `exp`.
        exp: i64,
        /// The time it was judged at, before any leeway.
        now: i64,
    },
    /// Not valid yet. Times in seconds since 1970.
    #[error("not valid before {nbf}, now {now}")]
    NotYet {
        /// `nbf`.
        nbf: i64,
        /// The time it was judged at.
        now: i64,
    },
    /// Issued in the future. Times in seconds since 1970.
    #[error("issued in the future at {iat}, now {now}")]
    IssuedInFuture {
        /// `iat`.
        iat: i64,
        /// The time it was judged at.
        now: i64,
    },
    /// Issued longer ago than the verifier accepts. Both in seconds.
    #[error("issued {got} s ago, at most {limit} s are accepted")]
    TooOld {
        /// The longest that is accepted.
        limit: i64,
        /// `now` − `iat`.
        got: i64,
    },
    /// Lives longer than the verifier accepts, or ends before it begins. Both in seconds.
    #[error("a lifetime of {got} s, 0 to {limit} s are accepted")]
    Lifetime {
        /// The longest that is accepted.
        limit: i64,
        /// `exp` − `iat`.
        got: i64,
    },

    /// A key cannot be used.
    #[error("key refused: {0}")]
    Key(#[from] KeyError),
    /// A signature that was made elsewhere has the wrong length for its algorithm, in bytes.
    #[error("{alg} signatures are not {got} bytes long")]
    SignatureLength {
        /// The algorithm.
        alg: Algorithm,
        /// The length that was given.
        got: usize,
    },
    /// The primitive refused to sign.
    #[error("signing failed")]
    Sign,

    /// A compact encrypted message has five parts. Three are a signed token (JWS).
    #[error("an encrypted message has 5 parts, this text has {got}")]
    NotEncrypted {
        /// How many parts there are.
        got: usize,
    },
    /// Too many recipients, or several of which one shares or agrees on the content key itself, or several with passwords.
    #[error("{got} recipients of this kind are refused")]
    Recipients {
        /// How many there are.
        got: usize,
    },
    /// The header names another algorithm than the one that the key is bound to.
    #[error("the key is for {expected}, the message says {got}")]
    KeyAlgorithmMismatch {
        /// The key's algorithm.
        expected: KeyAlgorithm,
        /// The header's.
        got: KeyAlgorithm,
    },
    /// The content is encrypted in a way that the recipient does not accept, or that the key is not for.
    #[error("content encrypted with {got} is refused")]
    ContentAlgorithm {
        /// The header's `enc`.
        got: ContentAlgorithm,
    },
    /// The content is compressed (`zip`): a few bytes could become gigabytes, and lengths tell secrets.
    #[error("compressed content is refused")]
    Compressed,
    /// A password would be hashed too rarely to protect anything, or more often than the recipient works for anybody.
    #[error("{got} rounds of hashing a password, at most {limit} are accepted")]
    Rounds {
        /// `p2c`.
        got: u64,
        /// The most that is accepted.
        limit: u32,
    },
    /// A part of an encrypted message has another length than its algorithm gives it, both in bytes.
    #[error("{part} has {got} bytes instead of {expected}")]
    PartLength {
        /// `iv`, `tag` or `encrypted_key`.
        part: &'static str,
        /// Its length.
        expected: usize,
        /// The length that was read.
        got: usize,
    },
    /// The content does not decrypt: a wrong key, a wrong tag, a content key that does not unwrap. Which, nobody learns.
    #[error("decryption failed")]
    Decrypt,
    /// The primitive refused to encrypt.
    #[error("encryption failed")]
    Encrypt,
    /// Decrypted content is not what the caller's type asks for, or a value does not become JSON.
    #[error("the content does not fit")]
    Content,
    /// The content is of another type than was asked for (`cty`).
    #[error("expected content of type {expected:?}, got {got:?}")]
    ContentType {
        /// What was asked for.
        expected: &'static str,
        /// The protected header's.
        got: Option<String>,
    },
}

/// Longest piece of a refused token that an error repeats, in characters: the log must not grow at an attacker's will.
const CLIP: usize = 100;

pub(crate) fn clip(text: &str) -> String {
    text.chars().take(CLIP).collect()
}

impl Error {
    /// A stable word for the error, for metrics and for the error page of the same name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::Character { .. } => "bad_character",
            Self::Segments { .. } => "wrong_parts",
            Self::Base64 => "bad_base64",
            Self::Utf8 => "bad_utf8",
            Self::Json { .. } => "bad_json",
            Self::Duplicate { .. } => "duplicate_member",
            Self::Depth => "too_deep",
            Self::Number => "bad_number",
            Self::HeaderMissing { .. } => "header_missing",
            Self::HeaderMalformed { .. } => "header_malformed",
            Self::AlgorithmUnknown { .. } => "algorithm_unknown",
            Self::AlgorithmMismatch { .. } => "algorithm_mismatch",
            Self::Critical { .. } => "critical_unknown",
            Self::Unencoded => "payload_unencoded",
            Self::Member { .. } => "serialization_member",
            Self::Unprotected { .. } => "header_unprotected",
            Self::SignatureCount { .. } => "signature_count",
            Self::PayloadDetached => "payload_detached",
            Self::PayloadPresent => "payload_present",
            Self::PayloadText => "payload_text",
            Self::EncodingMixed => "b64_mixed",
            Self::Type { .. } => "wrong_type",
            Self::UnknownKey { .. } => "unknown_key",
            Self::Signature => "bad_signature",
            Self::ClaimMissing { .. } => "claim_missing",
            Self::ClaimMalformed { .. } => "claim_malformed",
            Self::ClaimForbidden { .. } => "claim_forbidden",
            Self::ClaimReserved { .. } => "claim_reserved",
            Self::Issuer { .. } => "wrong_issuer",
            Self::Audience { .. } => "wrong_audience",
            Self::Expired { .. } => "expired",
            Self::NotYet { .. } => "not_yet_valid",
            Self::IssuedInFuture { .. } => "issued_in_future",
            Self::TooOld { .. } => "too_old",
            Self::Lifetime { .. } => "lifetime_too_long",
            Self::Key(error) => error.code(),
            Self::SignatureLength { .. } => "signature_length",
            Self::Sign => "sign_failed",
            Self::NotEncrypted { .. } => "not_encrypted",
            Self::Recipients { .. } => "bad_recipients",
            Self::KeyAlgorithmMismatch { .. } => "key_algorithm_mismatch",
            Self::ContentAlgorithm { .. } => "content_algorithm",
            Self::Compressed => "compressed",
            Self::Rounds { .. } => "password_rounds",
            Self::PartLength { .. } => "part_length",
            Self::Decrypt => "decrypt_failed",
            Self::Encrypt => "encrypt_failed",
            Self::Content => "bad_content",
            Self::ContentType { .. } => "wrong_content_type",
        }
    }

    /// What the check asked for, for the log; `None` where [`Display`](std::fmt::Display) says it all.
    pub fn expected(&self) -> Option<String> {
        match self {
            Self::TooLong { limit, .. } => Some(format!("at most {limit} bytes")),
            Self::Segments { .. } => Some("3 parts".into()),
            Self::HeaderMissing { member } | Self::HeaderMalformed { member } => {
                Some(format!("header member {member}"))
            }
            Self::AlgorithmMismatch { expected, .. } => Some(expected.to_string()),
            Self::Type { expected, .. } | Self::Issuer { expected, .. } | Self::Audience { expected, .. } => {
                Some(expected.clone())
            }
            Self::ClaimMissing { claim } => Some(format!("claim {claim}")),
            Self::ClaimMalformed { claim, expected } => Some(format!("claim {claim}: {expected}")),
            Self::ClaimForbidden { claim } => Some(format!("no claim {claim}")),
            Self::Expired { now, .. } => Some(format!("exp after {now}")),
            Self::NotYet { now, .. } => Some(format!("nbf no later than {now}")),
            Self::IssuedInFuture { now, .. } => Some(format!("iat no later than {now}")),
            Self::TooOld { limit, .. } => Some(format!("issued at most {limit} s ago")),
            Self::Lifetime { limit, .. } => Some(format!("a lifetime of 0 to {limit} s")),
            Self::NotEncrypted { .. } => Some("5 parts".into()),
            Self::KeyAlgorithmMismatch { expected, .. } => Some(expected.to_string()),
            Self::Rounds { limit, .. } => Some(format!("at most {limit} rounds")),
            Self::PartLength { part, expected, .. } => Some(format!("{part} of {expected} bytes")),
            Self::ContentType { expected, .. } => Some((*expected).into()),
            _ => None,
        }
    }

    /// What the token had instead, for the log.
    pub fn got(&self) -> Option<String> {
        match self {
            Self::TooLong { bytes, .. } => Some(format!("{bytes} bytes")),
            Self::Segments { got } | Self::NotEncrypted { got } => Some(format!("{got} parts")),
            Self::AlgorithmMismatch { got, .. } => Some(got.to_string()),
            Self::KeyAlgorithmMismatch { got, .. } => Some(got.to_string()),
            Self::ContentAlgorithm { got } => Some(got.to_string()),
            Self::Rounds { got, .. } => Some(format!("{got} rounds")),
            Self::PartLength { got, .. } => Some(format!("{got} bytes")),
            Self::Recipients { got } => Some(format!("{got} recipients")),
            Self::AlgorithmUnknown { got } | Self::Critical { got } => Some(got.clone()),
            Self::Issuer { got, .. } | Self::Audience { got, .. } => Some(got.clone()),
            Self::Type { got, .. } | Self::ContentType { got, .. } => got.clone(),
            Self::UnknownKey { kid } => kid.clone(),
            Self::Expired { exp, .. } => Some(exp.to_string()),
            Self::NotYet { nbf, .. } => Some(nbf.to_string()),
            Self::IssuedInFuture { iat, .. } => Some(iat.to_string()),
            Self::TooOld { got, .. } | Self::Lifetime { got, .. } => Some(format!("{got} s")),
            Self::Duplicate { name } | Self::ClaimReserved { name } => Some(name.clone()),
            _ => None,
        }
    }
}
