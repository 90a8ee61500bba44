//! Names of requests: they join an answer, its log lines and its audit events, and say nothing else.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use countersign_jose::b64;
use http::HeaderValue;

use crate::random::{Random, RandomError};

/// The name of one request, 11 characters. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// For a request that came past the pipeline.
    pub const NONE: Self = Self(HeaderValue::from_static(""));

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Counts from a random start, so that two processes never meet. Nobody gains anything by guessing the next one.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl RequestIds {
    /// # Errors
    /// The random source failed.
    pub fn new(random: Random) -> Result<Self, RandomError> {
        Ok(Self(AtomicU64::new(u64::from_be_bytes(random.bytes()?))))
    }

    /// A new one.
    pub fn next(&self) -> RequestId {
        let text = b64::encode(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        // base64url is always a header's value.
        RequestId(HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static("")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_requests_share_a_name() {
        let ids = RequestIds(AtomicU64::new(u64::MAX));
        assert_eq!([ids.next().as_str(), ids.next().as_str()], ["__________8", "AAAAAAAAAAA"]);
    }
}
