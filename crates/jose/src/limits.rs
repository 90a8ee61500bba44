//! Limits on what is read. They bound memory and time for input that nobody has vouched for yet.

use std::time::Duration;

/// Longest token, in bytes of its text, that a profile accepts unless it says otherwise: what fits a request header.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Longest feed batch, in bytes of its text: a segment of a snapshot is larger than a token.
pub const MAX_FEED_BATCH_BYTES: usize = 1024 * 1024;

/// Longest signed message that is no token, in bytes of its text, unless the caller says otherwise.
pub const MAX_JWS_BYTES: usize = 1024 * 1024;

/// Most signatures of one message.
pub const MAX_SIGNATURES: usize = 16;

/// Longest JWK set, in bytes.
pub const MAX_JWK_SET_BYTES: usize = 256 * 1024;

/// Longest DPoP proof, in bytes: one with an RSA key of 8192 bits and a target of 2000 characters fits.
pub const MAX_PROOF_BYTES: usize = 8 * 1024;

/// How old a DPoP proof may be unless the server says otherwise (RFC 9449 §11.1: seconds or minutes).
pub const DEFAULT_PROOF_AGE: Duration = Duration::from_secs(60);

/// Longest single JWK, in bytes. An 8192-bit RSA private key takes about 6 KiB.
pub const MAX_JWK_BYTES: usize = 16 * 1024;

/// Most keys in one JWK set.
pub const MAX_JWK_SET_KEYS: usize = 256;

/// Longest `kid`, in bytes of UTF-8.
pub const MAX_KID_BYTES: usize = 256;

/// Deepest nesting of JSON objects and arrays, the outermost object counted as one.
pub const MAX_DEPTH: usize = 32;

/// Largest integer that every JSON implementation reads exactly: 2^53. Times and positions above it are malformed.
pub const MAX_INTEGER: i64 = 1 << 53;

/// Clock difference that is forgiven unless the caller says otherwise (FAPI 2.0 §5.3.2.1 asks for at least 10 s).
pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(10);

/// Largest clock difference that can be forgiven; a longer one is lowered to it (TOK-15).
pub const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// Smallest and largest RSA modulus, in bits.
pub const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Longest encrypted message, in bytes of its text, unless a recipient says otherwise.
pub const MAX_ENCRYPTED_BYTES: usize = 1024 * 1024;

/// Most recipients of one encrypted message.
pub const MAX_RECIPIENTS: usize = 16;

/// Longest name of a party in a key agreement (`apu`, `apv`), in bytes.
pub const MAX_PARTY_BYTES: usize = 256;

/// Shortest and longest password, in bytes. RFC 7518 §8.8 asks for at least 16.
pub const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 16..=1024;

/// Fewest and most rounds in which a password is hashed (`p2c`; RFC 7518 §4.8.1.2, TOK-13). The most take about a second.
pub const PBES2_ROUNDS: std::ops::RangeInclusive<u32> = 1_000..=1_200_000;

/// Shortest (RFC 7518 §4.8.1.1) and longest salt of a password, in bytes.
pub const PBES2_SALT_BYTES: std::ops::RangeInclusive<usize> = 8..=128;
