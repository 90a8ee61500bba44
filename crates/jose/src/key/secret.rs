//! HMAC secrets, and what must not pass for one: a public key is known to everybody (RFC 8725 §2.1, CVE-2015-9235,
//! CVE-2022-29217).

use aws_lc_rs::{hmac, signature};

use super::der;
use crate::{Algorithm, Error, KeyError, alg::Family, json::Reader};

/// Prepares a secret.
pub(super) fn hmac_key(alg: Algorithm, secret: &[u8]) -> Result<Box<hmac::Key>, Error> {
    let Family::Hmac { mac, min_secret } = alg.row().family else {
        return Err(KeyError::WrongAlgorithm(alg).into());
    };
    if secret.len() < min_secret {
        return Err(KeyError::SecretShort(secret.len()).into());
    }
    if is_another_key(secret) {
        return Err(KeyError::SecretIsKey.into());
    }
    Ok(Box::new(hmac::Key::new(mac, secret)))
}

fn is_another_key(secret: &[u8]) -> bool {
    is_key_text(secret) || is_bare_base64_key(secret) || der::is_key(secret) || is_curve_point(secret)
}

fn is_key_text(secret: &[u8]) -> bool {
    let text = secret.trim_ascii();
    let armor = secret.windows(10).any(|part| part == b"-----BEGIN");
    let ssh = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|prefix| text.starts_with(prefix.as_bytes()));
    let jwk = text.starts_with(b"{")
        && Reader::map(text).is_ok_and(|members| members.contains_key("kty") || members.contains_key("keys"));
    armor || ssh || jwk
}

/// The inside of a PEM text without its frame, as some consoles show public keys.
fn is_bare_base64_key(secret: &[u8]) -> bool {
    let text: Vec<u8> = secret.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    base64_simd::STANDARD.decode_to_vec(&text).is_ok_and(|bytes| der::is_key(&bytes))
}

fn is_curve_point(secret: &[u8]) -> bool {
    secret.first() == Some(&4)
        && Algorithm::all().any(|alg| match alg.row().family {
            Family::Ec { verify, .. } => signature::ParsedPublicKey::new(verify, secret).is_ok(),
            _ => false,
        })
}
