//! Key pairs of the primitives, made only of halves that belong together.

use aws_lc_rs::{
    agreement,
    encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der},
    rsa::{KeyPairComponents, KeySize, PublicKeyComponents},
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, PqdsaKeyPair, RsaKeyPair},
};
use zeroize::Zeroizing;

use super::{pkcs8, spki};
use crate::{
    Algorithm, KeyError,
    alg::Family,
    jwk::{
        Material,
        curve::{Curve, Shape},
    },
};

/// The private half of a pair, wiped when dropped.
#[derive(Clone)]
pub(crate) enum Private {
    /// `d`, `p`, `q`, `dp`, `dq`, `qi`, big-endian (RFC 7518 §6.3.2).
    Rsa(Box<[Zeroizing<Vec<u8>>; 6]>),
    /// What `d` of `EC` and `OKP`, and `priv` of `AKP` are: a number of full length, or a seed.
    Bytes(Zeroizing<Vec<u8>>),
}

pub(crate) enum Pair {
    Rsa(RsaKeyPair),
    Ec(&'static Curve, EcdsaKeyPair),
    Ed25519(&'static Curve, Ed25519KeyPair),
    X25519(&'static Curve, agreement::PrivateKey),
    Akp(Algorithm, PqdsaKeyPair),
}

impl Pair {
    /// # Errors
    /// [`KeyError::Malformed`] if the halves do not belong together or one is no such half.
    pub(crate) fn new(public: &Material, private: &Private) -> Result<Self, KeyError> {
        let pair = match (public, private) {
            (Material::Rsa { n, e }, Private::Rsa(parts)) => Self::from_rsa(n, e, parts)?,
            (Material::Ec { curve, .. }, Private::Bytes(d)) => Self::from_ec(curve, d, &public.point())?,
            (Material::Okp { curve, .. }, Private::Bytes(d)) => Self::from_okp(curve, d)?,
            (Material::Akp { alg, .. }, Private::Bytes(seed)) => Self::from_seed(*alg, seed)?,
            _ => return Err(KeyError::Malformed),
        };
        // Where the primitive compared the halves, it was done in `from_…`.
        match pair {
            Self::Rsa(_) | Self::Ec(..) => Ok(pair),
            Self::Ed25519(..) | Self::X25519(..) | Self::Akp(..) if pair.public()? == *public => Ok(pair),
            Self::Ed25519(..) | Self::X25519(..) | Self::Akp(..) => Err(KeyError::Malformed),
        }
    }

    /// Draws a pair for an algorithm; RSA keys have 3072 bits.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for an HMAC; [`KeyError::Generate`].
    pub(crate) fn generate(alg: Algorithm) -> Result<Self, KeyError> {
        match alg.row().family {
            Family::Hmac { .. } => Err(KeyError::NoSuchForm),
            Family::Rsa { .. } => Self::generate_rsa(KeySize::Rsa3072),
            Family::Ec { curve } | Family::Okp { curve, .. } => Self::generate_on(curve),
            Family::Akp { sign, .. } => {
                PqdsaKeyPair::generate(sign).map(|pair| Self::Akp(alg, pair)).map_err(|_| KeyError::Generate)
            }
        }
    }

    pub(crate) fn generate_rsa(size: KeySize) -> Result<Self, KeyError> {
        RsaKeyPair::generate(size).map(Self::Rsa).map_err(|_| KeyError::Generate)
    }

    pub(crate) fn generate_on(curve: &'static Curve) -> Result<Self, KeyError> {
        match curve.shape {
            Shape::Weierstrass { sign, .. } => EcdsaKeyPair::generate(sign).map(|pair| Self::Ec(curve, pair)),
            Shape::Edwards => Ed25519KeyPair::generate().map(|pair| Self::Ed25519(curve, pair)),
            Shape::Montgomery => {
                agreement::PrivateKey::generate(&agreement::X25519).map(|key| Self::X25519(curve, key))
            }
        }
        .map_err(|_| KeyError::Generate)
    }

    /// The public half.
    pub(crate) fn public(&self) -> Result<Material, KeyError> {
        let point = |curve, point: &[u8]| Material::from_point(curve, point).ok_or(KeyError::Malformed);
        match self {
            Self::Rsa(pair) => spki::pkcs1(pair.public_key().as_ref()),
            Self::Ec(curve, pair) => point(curve, pair.public_key().as_ref()),
            Self::Ed25519(curve, pair) => point(curve, pair.public_key().as_ref()),
            Self::X25519(curve, key) => {
                point(curve, key.compute_public_key().map_err(|_| KeyError::Malformed)?.as_ref())
            }
            Self::Akp(alg, pair) => Ok(Material::Akp { alg: *alg, public: pair.public_key().as_ref().to_vec() }),
        }
    }

    /// Both halves, to be written somewhere.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for an ML-DSA key whose seed is not known.
    pub(crate) fn halves(&self) -> Result<(Material, Private), KeyError> {
        let bytes = |bytes: &[u8]| Private::Bytes(Zeroizing::new(bytes.to_vec()));
        let private = match self {
            Self::Rsa(pair) => return rsa_halves(pair),
            Self::Ec(_, pair) => {
                AsBigEndian::<EcPrivateKeyBin<'_>>::as_be_bytes(&pair.private_key()).map(|d| bytes(d.as_ref()))
            }
            Self::Ed25519(_, pair) => pair
                .seed()
                .and_then(|seed| AsBigEndian::<Curve25519SeedBin<'_>>::as_be_bytes(&seed))
                .map(|seed| bytes(seed.as_ref())),
            Self::X25519(_, key) => AsBigEndian::<Curve25519SeedBin<'_>>::as_be_bytes(key).map(|d| bytes(d.as_ref())),
            Self::Akp(_, pair) => {
                let written = pair.to_pkcs8v1().map_err(|_| KeyError::NoSuchForm)?;
                Ok(Private::Bytes(pkcs8::written_seed(written.as_ref())?))
            }
        };
        Ok((self.public()?, private.map_err(|_| KeyError::Malformed)?))
    }

    /// From the private half alone, of a curve whose keys have one coordinate.
    pub(super) fn from_okp(curve: &'static Curve, d: &[u8]) -> Result<Self, KeyError> {
        if d.len() != curve.len {
            return Err(KeyError::Member("d"));
        }
        match curve.shape {
            Shape::Edwards => Ed25519KeyPair::from_seed_unchecked(d).map(|pair| Self::Ed25519(curve, pair)),
            Shape::Montgomery => {
                agreement::PrivateKey::from_private_key(&agreement::X25519, d).map(|key| Self::X25519(curve, key))
            }
            Shape::Weierstrass { .. } => return Err(KeyError::Malformed),
        }
        .map_err(|_| KeyError::Malformed)
    }

    fn from_rsa(n: &[u8], e: &[u8], parts: &[Zeroizing<Vec<u8>>; 6]) -> Result<Self, KeyError> {
        let [d, p, q, dp, dq, qi] = parts.each_ref().map(|part| part.as_slice());
        let parts = KeyPairComponents { public_key: PublicKeyComponents { n, e }, d, p, q, dP: dp, dQ: dq, qInv: qi };
        RsaKeyPair::from_components(&parts).map(Self::Rsa).map_err(|_| KeyError::Malformed)
    }

    fn from_ec(curve: &'static Curve, d: &[u8], point: &[u8]) -> Result<Self, KeyError> {
        let Shape::Weierstrass { sign, .. } = curve.shape else { return Err(KeyError::Malformed) };
        if d.len() != curve.len {
            return Err(KeyError::Member("d"));
        }
        EcdsaKeyPair::from_private_key_and_public_key(sign, d, point)
            .map(|pair| Self::Ec(curve, pair))
            .map_err(|_| KeyError::Malformed)
    }

    fn from_seed(alg: Algorithm, seed: &[u8]) -> Result<Self, KeyError> {
        let Family::Akp { sign, .. } = alg.row().family else { return Err(KeyError::Malformed) };
        if seed.len() != sign.seed_len() {
            return Err(KeyError::Member("priv"));
        }
        PqdsaKeyPair::from_seed(sign, seed).map(|pair| Self::Akp(alg, pair)).map_err(|_| KeyError::Malformed)
    }
}

fn rsa_halves(pair: &RsaKeyPair) -> Result<(Material, Private), KeyError> {
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map_err(|_| KeyError::Malformed)?;
    pkcs8::written_rsa(der.as_ref())
}
