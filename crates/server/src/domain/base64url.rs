//! Strict base64url: no padding, no white space, and one spelling only for the same bytes.

use base64_simd::URL_SAFE_NO_PAD;

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// The bytes of canonical base64url; `None` for anything else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
    (encode(&bytes) == text).then_some(bytes)
}
