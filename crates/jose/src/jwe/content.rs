//! Authenticated encryption of the content (RFC 7518 §5), over lengths that were checked.

use aws_lc_rs::{
    aead::{Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{
        self, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
        UnboundCipherKey,
    },
    constant_time,
    error::Unspecified,
    hmac,
};
use zeroize::Zeroizing;

use super::{ContentAlgorithm, alg::ContentFamily};
use crate::Error;

/// What encryption leaves.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl Body {
    /// Refuses every other length than the algorithm's: a short tag is a tag that can be guessed (CVE-2023-37464).
    fn check(&self, enc: ContentAlgorithm) -> Result<(), Error> {
        for (part, expected, got) in [("iv", enc.iv_len(), self.iv.len()), ("tag", enc.tag_len(), self.tag.len())] {
            if got != expected {
                return Err(Error::PartLength { part, expected, got });
            }
        }
        Ok(())
    }
}

pub(super) fn seal(
    enc: ContentAlgorithm,
    key: &[u8],
    iv: Vec<u8>,
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Body, Error> {
    let mut ciphertext = Vec::with_capacity(plaintext.len() + 16);
    ciphertext.extend_from_slice(plaintext);
    let tag = match enc.row().family {
        ContentFamily::Gcm(gcm) => gcm_seal(gcm, key, &iv, aad, &mut ciphertext),
        ContentFamily::CbcHmac { cipher, mac } => {
            let (mac_key, key) = key.split_at(key.len() / 2);
            cbc_encrypt(cipher, key, &iv, &mut ciphertext)
                .map(|()| mac_tag(&hmac::Key::new(mac, mac_key), enc.tag_len(), [aad, &iv, &ciphertext]))
        }
    };
    tag.map(|tag| Body { iv, ciphertext, tag }).map_err(|_| Error::Encrypt)
}

/// The plaintext, or one error whatever is wrong. The tag is checked before anything is decrypted.
pub(super) fn open(enc: ContentAlgorithm, key: &[u8], aad: &[u8], body: &Body) -> Result<Zeroizing<Vec<u8>>, Error> {
    body.check(enc)?;
    let mut text = Zeroizing::new(body.ciphertext.clone());
    let len = match enc.row().family {
        ContentFamily::Gcm(gcm) => gcm_open(gcm, key, aad, body, &mut text),
        ContentFamily::CbcHmac { cipher, mac } => {
            let (mac_key, key) = key.split_at(key.len() / 2);
            let tag = mac_tag(&hmac::Key::new(mac, mac_key), enc.tag_len(), [aad, &body.iv, &text]);
            constant_time::verify_slices_are_equal(&tag, &body.tag)
                .and_then(|()| cbc_decrypt(cipher, key, &body.iv, &mut text))
        }
    }
    .map_err(|_| Error::Decrypt)?;
    text.truncate(len);
    Ok(text)
}

/// AES-GCM in place; the tag apart.
pub(super) fn gcm_seal(
    gcm: &'static aws_lc_rs::aead::Algorithm,
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    text: &mut [u8],
) -> Result<Vec<u8>, Unspecified> {
    let key = LessSafeKey::new(UnboundKey::new(gcm, key)?);
    let tag = key.seal_in_place_separate_tag(Nonce::try_assume_unique_for_key(iv)?, Aad::from(aad), text)?;
    Ok(tag.as_ref().to_vec())
}

/// AES-GCM in place; the length of the plaintext. The caller checked the length of the tag.
fn gcm_open(
    gcm: &'static aws_lc_rs::aead::Algorithm,
    key: &[u8],
    aad: &[u8],
    body: &Body,
    text: &mut [u8],
) -> Result<usize, Unspecified> {
    let key = LessSafeKey::new(UnboundKey::new(gcm, key)?);
    let nonce = Nonce::try_assume_unique_for_key(&body.iv)?;
    key.open_in_place_separate_tag(nonce, Aad::from(aad), &body.tag, text).map(|text| text.len())
}

/// AES-GCM of a short secret, for the algorithms that wrap a content key with it.
pub(super) fn gcm_unwrap(
    gcm: &'static aws_lc_rs::aead::Algorithm,
    key: &[u8],
    body: &Body,
) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let mut text = Zeroizing::new(body.ciphertext.clone());
    gcm_open(gcm, key, &[], body, &mut text)?;
    Ok(text)
}

fn cbc_encrypt(
    cipher: &'static cipher::Algorithm,
    key: &[u8],
    iv: &[u8],
    text: &mut Vec<u8>,
) -> Result<(), Unspecified> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(cipher, key)?)?;
    key.less_safe_encrypt(text, EncryptionContext::Iv128(iv.try_into()?)).map(drop)
}

fn cbc_decrypt(
    cipher: &'static cipher::Algorithm,
    key: &[u8],
    iv: &[u8],
    text: &mut [u8],
) -> Result<usize, Unspecified> {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(cipher, key)?)?;
    key.decrypt(text, DecryptionContext::Iv128(iv.try_into()?)).map(|text| text.len())
}

/// RFC 7518 §5.2.2.1: over the additional data, the vector, the ciphertext and the length in bits of the first.
fn mac_tag(key: &hmac::Key, len: usize, parts: [&[u8]; 3]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(key);
    let aad_bits = (parts[0].len() as u64) * 8;
    parts.iter().for_each(|part| context.update(part));
    context.update(&aad_bits.to_be_bytes());
    let mut tag = context.sign().as_ref().to_vec();
    tag.truncate(len);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
    }

    const PLAINTEXT: &[u8] =
        b"A cipher system must not be required to be secret, and it must be able to fall into the hands of \
        the enemy without inconvenience";
    const AAD: &[u8] = b"The second principle of Auguste Kerckhoffs";
    const IV: &str = "1af38c2dc2b96ffdd86694092341bc04";

    // RFC 7518 appendix B.1 to B.3
    #[test]
    fn examples_of_cbc_with_hmac() {
        let cases = [
            (
                ContentAlgorithm::A128CbcHs256,
                "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9",
                "652c3fa36b0a7c5b3219fab3a30bc1c4",
            ),
            (
                ContentAlgorithm::A192CbcHs384,
                "ea65da6b59e61edb419be62d19712ae5d303eeb50052d0dfd6697f77224c8edb",
                "8490ac0e58949bfe51875d733f93ac2075168039ccc733d7",
            ),
            (
                ContentAlgorithm::A256CbcHs512,
                "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd",
                "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
            ),
        ];
        for (enc, start, tag) in cases {
            let key: Vec<u8> = (0..u8::try_from(enc.key_len()).unwrap()).collect();
            let body = seal(enc, &key, hex(IV), AAD, PLAINTEXT).unwrap();
            assert_eq!(body.ciphertext[..32], hex(start));
            assert_eq!(body.ciphertext.len(), 144);
            assert_eq!(body.tag, hex(tag));
            assert_eq!(*open(enc, &key, AAD, &body).unwrap(), PLAINTEXT);
        }
    }

    // NIST SP 800-38D test case 4 (AES-128), 10 (AES-192), 16 (AES-256) of the GCM specification
    #[test]
    fn examples_of_gcm() {
        let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
        let plaintext = hex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let cases = [
            (ContentAlgorithm::A128GCM, "42831ec2217774244b7221b784d0d49c", "5bc94fbc3221a5db94fae95ae7121a47"),
            (ContentAlgorithm::A192GCM, "3980ca0b3c00e841eb06fac4872a2757", "2519498e80f1478f37ba55bd6d27618c"),
            (ContentAlgorithm::A256GCM, "522dc1f099567d07f47f37a32a84427d", "76fc6ece0f4e1768cddf8853bb2d551b"),
        ];
        for (enc, start, tag) in cases {
            let key = &hex(key)[..enc.key_len()];
            let body = seal(enc, key, hex("cafebabefacedbaddecaf888"), &aad, &plaintext).unwrap();
            assert_eq!(body.ciphertext[..16], hex(start));
            assert_eq!(body.tag, hex(tag), "{enc}");
            assert_eq!(*open(enc, key, &aad, &body).unwrap(), plaintext);
        }
    }

    // RFC 7518 §5.2.2.2, §5.3; CVE-2023-37464: every other length than the algorithm's, before any key is used
    #[test]
    fn vectors_and_tags_have_one_length() {
        for enc in ContentAlgorithm::all() {
            let key = vec![7; enc.key_len()];
            let body = seal(enc, &key, vec![9; enc.iv_len()], b"", b"content").unwrap();
            for len in (0..enc.tag_len()).chain([enc.tag_len() + 1, 64]) {
                let mut tag = body.tag.clone();
                tag.resize(len, 0);
                let cut = Body { tag, ..body.clone() };
                let expected = Error::PartLength { part: "tag", expected: enc.tag_len(), got: len };
                assert_eq!(open(enc, &key, b"", &cut), Err(expected));
            }
            for len in (0..enc.iv_len()).chain([enc.iv_len() + 1, 64]) {
                let cut = Body { iv: vec![9; len], ..body.clone() };
                let expected = Error::PartLength { part: "iv", expected: enc.iv_len(), got: len };
                assert_eq!(open(enc, &key, b"", &cut), Err(expected));
            }
        }
    }
}
