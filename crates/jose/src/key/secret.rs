//! HMAC secrets, and what must not pass for one: a public key is known to everybody (RFC 8725 §2.1, CVE-2015-9235,
//! CVE-2022-29217).

use aws_lc_rs::{hmac, rand, signature};
use zeroize::Zeroizing;

use super::der;
use crate::{
    Algorithm, Error, KeyError,
    alg::Family,
    json::Reader,
    jwk::curve::{Curve, Shape},
};

/// Prepares a secret.
pub(super) fn hmac_key(alg: Algorithm, secret: &[u8]) -> Result<Box<hmac::Key>, Error> {
    let mac = check_secret(alg, secret)?;
    Ok(Box::new(hmac::Key::new(mac, secret)))
}

/// Whether the bytes can be a secret for this algorithm: as long as its hash (RFC 7518 §3.2), and no key that is public.
pub(crate) fn check_secret(alg: Algorithm, secret: &[u8]) -> Result<hmac::Algorithm, KeyError> {
    let Family::Hmac { mac } = alg.row().family else { return Err(KeyError::WrongAlgorithm(alg)) };
    if secret.len() < mac.tag_len() {
        return Err(KeyError::SecretShort(secret.len()));
    }
    if is_another_key(secret) { Err(KeyError::SecretIsKey) } else { Ok(mac) }
}

/// Whether the bytes are a key that is not a secret, in any of the forms in which keys are written.
pub(crate) fn is_another_key(secret: &[u8]) -> bool {
    is_key_text(secret) || is_bare_base64_key(secret) || is_der_key(secret) || is_curve_point(secret)
}

/// Draws a secret of this many bytes.
#[expect(clippy::disallowed_methods, reason = "the primitives draw keys from this same source")]
pub(crate) fn draw_secret(len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut secret = Zeroizing::new(vec![0; len]);
    rand::fill(&mut secret).map_err(|_| KeyError::Generate)?;
    Ok(secret)
}

fn is_key_text(secret: &[u8]) -> bool {
    let text = secret.trim_ascii();
    let armor = secret.windows(10).any(|part| part == b"-----BEGIN");
    let ssh = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|prefix| text.starts_with(prefix.as_bytes()));
    let jwk = text.starts_with(b"{")
        && Reader::map(text).is_ok_and(|members| members.contains_key("kty") || members.contains_key("keys"));
    armor || ssh || jwk
}

/// A file may end with a line break, and the key before it with a byte that looks like one: each end is tried.
fn is_der_key(secret: &[u8]) -> bool {
    let mut rest = secret;
    loop {
        if der::form(rest).is_some() {
            return true;
        }
        match rest.split_last() {
            Some((last, shorter)) if last.is_ascii_whitespace() => rest = shorter,
            _ => return false,
        }
    }
}

/// The inside of a PEM text without its frame, as some consoles show public keys.
fn is_bare_base64_key(secret: &[u8]) -> bool {
    let mut text = Zeroizing::new(Vec::with_capacity(secret.len()));
    text.extend(secret.iter().copied().filter(|byte| !byte.is_ascii_whitespace()));
    base64_simd::STANDARD
        .decode_to_vec(text.as_slice())
        .map(Zeroizing::new)
        .is_ok_and(|bytes| der::form(&bytes).is_some())
}

fn is_curve_point(secret: &[u8]) -> bool {
    secret.first() == Some(&4)
        && Curve::all().any(|curve| match curve.shape {
            Shape::Weierstrass { verify, .. } => signature::ParsedPublicKey::new(verify, secret).is_ok(),
            Shape::Edwards | Shape::Montgomery => false,
        })
}
