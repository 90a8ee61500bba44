//! AES key wrap (RFC 3394). The primitives have it for AES-128 and AES-256; for AES-192 it is built from the block cipher.

use aws_lc_rs::{
    cipher::{self, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey},
    constant_time,
    error::Unspecified,
    key_wrap::{AES_128, AES_256, AesBlockCipher, AesKek, KeyWrap},
};
use zeroize::Zeroizing;

/// RFC 3394 §2.2.3.1.
const INITIAL: [u8; 8] = [0xa6; 8];

/// Wraps a content key, which is at least two blocks of eight bytes.
pub(super) fn wrap(kek: &[u8], key: &[u8]) -> Result<Vec<u8>, Unspecified> {
    match cipher(kek.len()) {
        Some(cipher) => {
            let mut wrapped = vec![0; key.len() + 8];
            AesKek::new(cipher, kek)?.wrap(key, &mut wrapped)?;
            Ok(wrapped)
        }
        None => wrap_192(kek, key),
    }
}

pub(super) fn unwrap(kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let blocks = wrapped.len() / 8;
    if !wrapped.len().is_multiple_of(8) || blocks < 3 {
        return Err(Unspecified);
    }
    match cipher(kek.len()) {
        Some(cipher) => {
            let mut key = Zeroizing::new(vec![0; wrapped.len() - 8]);
            AesKek::new(cipher, kek)?.unwrap(wrapped, &mut key)?;
            Ok(key)
        }
        None => unwrap_192(kek, wrapped),
    }
}

fn cipher(len: usize) -> Option<&'static AesBlockCipher> {
    match len {
        16 => Some(&AES_128),
        32 => Some(&AES_256),
        _ => None,
    }
}

/// RFC 3394 §2.2.1 in its form with an index. The first eight bytes of `state` are A, the others R[1] to R[n].
fn wrap_192(kek: &[u8], key: &[u8]) -> Result<Vec<u8>, Unspecified> {
    if !key.len().is_multiple_of(8) || key.len() < 16 {
        return Err(Unspecified);
    }
    let aes = EncryptingKey::ecb(UnboundCipherKey::new(&cipher::AES_192, kek)?)?;
    let mut state = [INITIAL.as_slice(), key].concat();
    let mut block = Zeroizing::new([0; 16]);
    for (step, at) in steps(key.len()) {
        block[..8].copy_from_slice(&state[..8]);
        block[8..].copy_from_slice(&state[at..at + 8]);
        aes.less_safe_encrypt(&mut *block, EncryptionContext::None)?;
        count(&mut block[..8], step);
        state[..8].copy_from_slice(&block[..8]);
        state[at..at + 8].copy_from_slice(&block[8..]);
    }
    Ok(state)
}

/// RFC 3394 §2.2.2.
fn unwrap_192(kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let aes = DecryptingKey::ecb(UnboundCipherKey::new(&cipher::AES_192, kek)?)?;
    let mut state = Zeroizing::new(wrapped.to_vec());
    let mut block = Zeroizing::new([0; 16]);
    for (step, at) in steps(wrapped.len() - 8).rev() {
        count(&mut state[..8], step);
        block[..8].copy_from_slice(&state[..8]);
        block[8..].copy_from_slice(&state[at..at + 8]);
        aes.decrypt(&mut *block, DecryptionContext::None)?;
        state[..8].copy_from_slice(&block[..8]);
        state[at..at + 8].copy_from_slice(&block[8..]);
    }
    constant_time::verify_slices_are_equal(&state[..8], &INITIAL)?;
    Ok(Zeroizing::new(state[8..].to_vec()))
}

/// The six rounds: the number of each step, from one, and where its block lies.
fn steps(len: usize) -> impl DoubleEndedIterator<Item = (u64, usize)> {
    let blocks = len / 8;
    (0..6 * blocks).map(move |step| (step as u64 + 1, 8 + 8 * (step % blocks)))
}

fn count(a: &mut [u8], step: u64) {
    a.iter_mut().zip(step.to_be_bytes()).for_each(|(byte, count)| *byte ^= count);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    // RFC 3394 §4.1 to §4.6, as far as JOSE has the sizes
    #[test]
    fn examples() {
        let cases = [
            (16, "00112233445566778899aabbccddeeff", "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
            (24, "00112233445566778899aabbccddeeff", "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
            (32, "00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
            (
                24,
                "00112233445566778899aabbccddeeff0001020304050607",
                "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2",
            ),
            (
                32,
                "00112233445566778899aabbccddeeff0001020304050607",
                "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1",
            ),
            (
                32,
                "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
                "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
            ),
        ];
        for (len, key, wrapped) in cases {
            let kek: Vec<u8> = (0..len).collect();
            assert_eq!(wrap(&kek, &hex(key)).unwrap(), hex(wrapped));
            assert_eq!(*unwrap(&kek, &hex(wrapped)).unwrap(), hex(key));
        }
    }

    #[test]
    fn whatever_was_changed_is_refused() {
        for len in [16, 24, 32] {
            let kek = vec![3; len];
            let wrapped = wrap(&kek, &[5; 32]).unwrap();
            for at in 0..wrapped.len() {
                let mut other = wrapped.clone();
                other[at] ^= 1;
                assert!(unwrap(&kek, &other).is_err());
            }
            for cut in [0, 1, 7, 8, 15, 16, 23, 24, 39] {
                assert!(unwrap(&kek, &wrapped[..cut]).is_err(), "{cut}");
            }
            assert!(unwrap(&vec![4; len], &wrapped).is_err());
        }
        assert!(wrap(&[0; 24], &[0; 8]).is_err() && wrap(&[0; 24], &[0; 17]).is_err());
    }
}
