//! Whether a public key is sound (KEY-06, RFC 8725 §3.4).

use aws_lc_rs::signature::ParsedPublicKey;

use super::curve::{Curve, Shape};
use crate::{Algorithm, Error, KeyError, alg::Family, limits::RSA_BITS};

const EXPONENT: [u8; 3] = [1, 0, 1];

pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<(), Error> {
    let (Some(first), Some(last)) = (n.first(), n.last()) else {
        return Err(KeyError::Member("n").into());
    };
    if *first == 0 {
        return Err(KeyError::Member("n").into());
    }
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    if !RSA_BITS.contains(&bits) {
        return Err(KeyError::RsaSize(bits).into());
    }
    if e != EXPONENT {
        return Err(KeyError::RsaExponent.into());
    }
    if last % 2 == 0 || small_factor(n) || roca(n) {
        return Err(KeyError::RsaWeak.into());
    }
    Ok(())
}

pub(super) fn ec(curve: &Curve, x: &[u8], y: &[u8], point: &[u8]) -> Result<(), Error> {
    let Shape::Weierstrass { verify, .. } = curve.shape else {
        return Err(KeyError::Unsupported(curve.name.into()).into());
    };
    if x.len() != curve.len {
        return Err(KeyError::Member("x").into());
    }
    if y.len() != curve.len {
        return Err(KeyError::Member("y").into());
    }
    ParsedPublicKey::new(verify, point).map(drop).map_err(|_| KeyError::Point.into())
}

/// Whether a point of Ed25519 is on the curve only shows when a signature is checked: the primitive then refuses every one. Each
/// number is a coordinate of X25519 or of its twist, which does no harm there (RFC 7748 §6.1).
pub(super) fn okp(curve: &Curve, x: &[u8]) -> Result<(), Error> {
    if x.len() != curve.len {
        return Err(KeyError::Member("x").into());
    }
    let sound = match curve.shape {
        Shape::Edwards => !small_order(x, &SMALL_ORDER, 0x7f) && below_p(x),
        Shape::Montgomery => !small_order(x, &SMALL_ORDER_X25519, 0xff) && x[31] & 0x80 == 0 && below_p(x),
        Shape::Weierstrass { .. } => return Err(KeyError::Unsupported(curve.name.into()).into()),
    };
    if sound { Ok(()) } else { Err(KeyError::Point.into()) }
}

/// FIPS 204: every text of the right length is a public key of ML-DSA.
pub(super) fn akp(alg: Algorithm, public: &[u8]) -> Result<(), Error> {
    let Family::Akp { verify, sign, .. } = alg.row().family else {
        return Err(KeyError::WrongAlgorithm(alg).into());
    };
    if public.len() != sign.public_key_len() {
        return Err(KeyError::Member("pub").into());
    }
    ParsedPublicKey::new(verify, public).map(drop).map_err(|_| KeyError::Point.into())
}

const SMALL_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

fn small_factor(n: &[u8]) -> bool {
    SMALL_PRIMES.iter().any(|&prime| remainder(n, prime) == 0)
}

/// CVE-2017-15361: primes of that generator are powers of 65537 modulo many small primes, and so is their product. A sound
/// modulus is that for all of these with a probability below 2^-27.
fn roca(n: &[u8]) -> bool {
    SMALL_PRIMES.iter().all(|&prime| {
        let target = remainder(n, prime);
        let powers = std::iter::successors(Some(1), |power| Some(power * (65537 % prime) % prime));
        powers.take(prime as usize).any(|power| power == target)
    })
}

fn remainder(n: &[u8], divisor: u32) -> u32 {
    n.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % divisor)
}

const ZERO: [u8; 32] = [0; 32];

const ONE: [u8; 32] = {
    let mut one = [0; 32];
    one[0] = 1;
    one
};

/// p − 1
const MINUS_ONE: [u8; 32] = {
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    minus_one
};

/// The y coordinates, little-endian, of the points of Ed25519 whose order is 1, 2, 4 or 8. With such a key one signature holds
/// for many messages.
const SMALL_ORDER: [[u8; 32]; 5] = [
    ZERO,
    ONE,
    MINUS_ONE,
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// The u coordinates, little-endian, of the points of X25519 and its twist of small order (RFC 7748 §6.1, §7): with such a key
/// everybody knows what is agreed on.
const SMALL_ORDER_X25519: [[u8; 32]; 5] = [
    ZERO,
    ONE,
    MINUS_ONE,
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
        0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
        0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

/// Whether the coordinate is one of these, the bits of the last byte outside `mask` (the sign of the other coordinate) aside.
fn small_order(x: &[u8], points: &[[u8; 32]], mask: u8) -> bool {
    points.iter().any(|point| point[..31] == x[..31] && point[31] == x[31] & mask)
}

/// Whether the coordinate is below p = 2^255 − 19, so that there is one spelling of each point (RFC 8032 §5.1.3).
fn below_p(x: &[u8]) -> bool {
    x[31] & 0x7f != 0x7f || x[1..31].iter().any(|byte| *byte != 0xff) || x[0] < 0xed
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::agreement;

    use super::*;
    use crate::jwk::curve::{ED25519, X25519};

    /// Little-endian, with zeros at the end. 65537 x is x shifted by two bytes, plus x.
    fn power_of_65537(exponent: usize) -> Vec<u8> {
        (0..exponent).fold(vec![1], |power, _| {
            let mut product = vec![0; power.len() + 3];
            let mut carry = 0;
            for (index, digit) in product.iter_mut().enumerate() {
                let at = |index: usize| power.get(index).copied().map_or(0, u16::from);
                let sum = at(index) + index.checked_sub(2).map_or(0, at) + carry;
                *digit = sum.to_le_bytes()[0];
                carry = sum >> 8;
            }
            product
        })
    }

    // KEY-06, CVE-2017-15361
    #[test]
    fn the_fingerprint_of_the_broken_generator_is_seen() {
        let digits = power_of_65537(128);
        let n: Vec<u8> = digits.into_iter().rev().skip_while(|digit| *digit == 0).collect();
        assert!(roca(&n));
        assert_eq!(rsa(&n, &EXPONENT), Err(KeyError::RsaWeak.into()));
    }

    #[test]
    fn sizes_exponents_and_parity_are_checked() {
        let mut n = vec![0xff; 256];
        assert_eq!(rsa(&n[..255], &EXPONENT), Err(KeyError::RsaSize(2040).into()));
        assert_eq!(rsa(&n, &[3]), Err(KeyError::RsaExponent.into()));
        assert_eq!(rsa(&n, &[0, 1, 0, 1]), Err(KeyError::RsaExponent.into()));
        n[0] = 0x7f;
        assert_eq!(rsa(&n, &EXPONENT), Err(KeyError::RsaSize(2047).into()));
        n[0] = 0;
        assert_eq!(rsa(&n, &EXPONENT), Err(KeyError::Member("n").into()));
        assert_eq!(rsa(&[], &EXPONENT), Err(KeyError::Member("n").into()));
        assert_eq!(rsa(&[0xff; 1025], &EXPONENT), Err(KeyError::RsaSize(8200).into()));
    }

    // KEY-06: each of the three alone
    #[test]
    fn even_moduli_and_those_with_a_small_factor_are_refused() {
        // 2^2047 has no odd factor.
        let even: Vec<u8> = [&[0x80][..], &[0; 255]].concat();
        // 2^2048 - 1 is odd, and three times something; what zero is modulo 3 no power of 65537 is.
        let three = [0xff; 256];
        assert!(!small_factor(&even) && !roca(&even) && small_factor(&three) && !roca(&three));
        assert_eq!(rsa(&even, &EXPONENT), Err(KeyError::RsaWeak.into()));
        assert_eq!(rsa(&three, &EXPONENT), Err(KeyError::RsaWeak.into()));
    }

    #[test]
    fn points_of_small_order_and_second_spellings_are_refused() {
        for point in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut key = point;
                key[31] |= sign;
                assert_eq!(okp(&ED25519, &key), Err(KeyError::Point.into()));
            }
        }
        for point in SMALL_ORDER_X25519 {
            assert_eq!(okp(&X25519, &point), Err(KeyError::Point.into()));
        }
        let mut p = [0xff; 32];
        p[31] = 0x7f;
        for low in 0xed..=0xff {
            p[0] = low;
            assert_eq!(okp(&ED25519, &p), Err(KeyError::Point.into()));
            assert_eq!(okp(&X25519, &p), Err(KeyError::Point.into()));
        }
        // The largest coordinate below p that is not of small order, and one that only looks large.
        p[0] = 0xeb;
        assert_eq!(okp(&X25519, &p), Ok(()));
        (p[0], p[16]) = (0xff, 0);
        assert_eq!(okp(&X25519, &p), Ok(()));
        // With the sign of the other coordinate p is p still.
        (p[0], p[16], p[31]) = (0xed, 0xff, 0xff);
        assert_eq!(okp(&ED25519, &p), Err(KeyError::Point.into()));
        let mut nine = [0; 32];
        nine[0] = 9;
        assert_eq!(okp(&X25519, &nine), Ok(()));
        nine[31] = 0x80;
        assert_eq!(okp(&X25519, &nine), Err(KeyError::Point.into()));
    }

    // RFC 7748 §6.1: the primitive itself agrees on nothing with these points.
    #[test]
    fn the_points_of_small_order_of_x25519_are_those() {
        let own = agreement::PrivateKey::from_private_key(&agreement::X25519, &[0x55; 32]).unwrap();
        for point in SMALL_ORDER_X25519 {
            let peer = agreement::UnparsedPublicKey::new(&agreement::X25519, point);
            assert!(agreement::agree(&own, peer, (), |_| Ok(())).is_err());
        }
    }
}
