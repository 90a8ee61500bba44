//! As much DER as keys need.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// Modulus and exponent, without leading zeros, of an RSAPublicKey (RFC 8017 §A.1.1).
pub(super) fn rsa_public_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (body, rest) = element(der, SEQUENCE)?;
    let (modulus, body) = element(body, INTEGER)?;
    let (exponent, body) = element(body, INTEGER)?;
    (rest.is_empty() && body.is_empty()).then(|| (without_zeros(modulus), without_zeros(exponent)))
}

/// Whether the bytes have the frame of a public key (SubjectPublicKeyInfo, RSAPublicKey), a private key or a certificate.
pub(super) fn is_key(der: &[u8]) -> bool {
    let Some((body, [])) = element(der, SEQUENCE) else { return false };
    let spki_or_certificate = element(body, SEQUENCE)
        .is_some_and(|(inner, rest)| !rest.is_empty() && (starts(inner, OBJECT_IDENTIFIER) || inner.len() > 100));
    let integers = element(body, INTEGER).is_some_and(|(_, rest)| !rest.is_empty());
    spki_or_certificate || integers
}

/// The content of the element at the front, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, len], rest) = der.split_first_chunk::<2>()?;
    if first != tag {
        return None;
    }
    let (len, rest) = match len {
        0..=0x7f => (usize::from(len), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

fn starts(der: &[u8], tag: u8) -> bool {
    der.first() == Some(&tag)
}

fn without_zeros(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    &integer[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_elements_are_read() {
        assert_eq!(rsa_public_key(&[0x30, 7, 2, 2, 0, 0xc1, 2, 1, 3]), Some((&[0xc1][..], &[3][..])));
        for cut in 0..9 {
            assert_eq!(rsa_public_key(&[0x30, 7, 2, 2, 0, 0xc1, 2, 1, 3][..cut]), None);
        }
        assert_eq!(rsa_public_key(&[0x30, 7, 2, 2, 0, 0xc1, 2, 1, 3, 0]), None);
        assert_eq!(rsa_public_key(&[0x30, 0x84, 0, 0, 0, 0]), None);
    }
}
