//! The raw primitive with a kept, parsed key over the same bytes: what no library can be faster than.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, ML_DSA_44,
        ML_DSA_44_SIGNING, ParsedPublicKey, PqdsaKeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
        RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, VerificationAlgorithm,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bench_jose_harness::{Case, KeyMaterial, Op};

use crate::PRIMITIVE;

/// A pair of keys, parsed.
pub enum Pair {
    Hmac(hmac::Key),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding, ParsedPublicKey),
    Ec(EcdsaKeyPair, ParsedPublicKey),
    Ed(Ed25519KeyPair, ParsedPublicKey),
    MlDsa(PqdsaKeyPair, ParsedPublicKey),
}

impl Pair {
    /// # Panics
    /// If the key is none of this algorithm: the bench made it.
    pub fn of(alg: &str, key: &KeyMaterial) -> Option<Self> {
        let (private, public) = key.pair();
        let rsa = || RsaKeyPair::from_pkcs8(private).expect("an RSA key");
        Some(match alg {
            "HS256" => Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, key.secret())),
            "RS256" => Self::Rsa(rsa(), &RSA_PKCS1_SHA256, parsed(&RSA_PKCS1_2048_8192_SHA256, public)),
            "PS256" => Self::Rsa(rsa(), &RSA_PSS_SHA256, parsed(&RSA_PSS_2048_8192_SHA256, public)),
            "ES256" => Self::Ec(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private).expect("a P-256 key"),
                parsed(&ECDSA_P256_SHA256_FIXED, public),
            ),
            "Ed25519" => {
                Self::Ed(Ed25519KeyPair::from_pkcs8(private).expect("an Ed25519 key"), parsed(&ED25519, public))
            }
            "ML-DSA-44" => Self::MlDsa(
                PqdsaKeyPair::from_pkcs8(&ML_DSA_44_SIGNING, private).expect("an ML-DSA key"),
                parsed(&ML_DSA_44, public),
            ),
            _ => return None,
        })
    }

    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature),
            Self::Rsa(_, _, public) | Self::Ec(_, public) | Self::Ed(_, public) | Self::MlDsa(_, public) => {
                public.verify_sig(message, signature)
            }
        }
        .is_ok()
    }

    /// Writes the signature into the buffer, which has the room for it; its length.
    ///
    /// # Panics
    /// If the primitive fails.
    pub fn sign(&self, message: &[u8], out: &mut [u8]) -> usize {
        let random = SystemRandom::new();
        match self {
            Self::Hmac(key) => copied(out, hmac::sign(key, message).as_ref()),
            Self::Rsa(pair, encoding, _) => {
                let len = pair.public_modulus_len();
                pair.sign(*encoding, &random, message, &mut out[..len]).expect("a signature");
                len
            }
            Self::Ec(pair, _) => copied(out, pair.sign(&random, message).expect("a signature").as_ref()),
            Self::Ed(pair, _) => copied(out, pair.sign(message).as_ref()),
            Self::MlDsa(pair, _) => pair.sign(message, out).expect("a signature"),
        }
    }
}

/// Room for the longest signature of the bench, ML-DSA-44's 2420 bytes.
pub const SIGNATURE_ROOM: usize = 2420;

pub(crate) fn cases(alg: &str, key: &KeyMaterial) -> Vec<Case> {
    let (Some(verifying), Some(signing)) = (Pair::of(alg, key), Pair::of(alg, key)) else { return Vec::new() };
    let (input, signature) = key.token.rsplit_once('.').expect("a token has dots");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let (verified, signed) = (input.to_owned(), input.to_owned());
    let mut out = vec![0; SIGNATURE_ROOM];
    vec![
        Case::primitive(PRIMITIVE, Op::Verify, alg, move || verifying.verify(verified.as_bytes(), &signature)),
        Case::primitive(PRIMITIVE, Op::Sign, alg, move || signing.sign(signed.as_bytes(), &mut out)),
    ]
}

fn parsed(algorithm: &'static dyn VerificationAlgorithm, public: &[u8]) -> ParsedPublicKey {
    ParsedPublicKey::new(algorithm, public).expect("a public key")
}

fn copied(out: &mut [u8], signature: &[u8]) -> usize {
    out[..signature.len()].copy_from_slice(signature);
    signature.len()
}
