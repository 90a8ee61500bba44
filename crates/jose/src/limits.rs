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
