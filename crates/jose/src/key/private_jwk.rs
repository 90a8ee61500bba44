//! Private keys in a JWK (RFC 7517 §3, RFC 7518 §6, RFC 8037 §2).

use aws_lc_rs::{
    rsa::{KeyPairComponents, PublicKeyComponents},
    signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use super::{
    secret::hmac_key,
    signing::{Signer, SigningKey},
};
use crate::{
    Algorithm, Error, Jwk, KeyError,
    alg::Family,
    b64,
    json::Reader,
    jwk::{Material, text_member},
    limits::MAX_JWK_BYTES,
};

impl SigningKey {
    /// Reads a private key, or a shared secret (`kty: "oct"`), from the JSON text of a JWK. Its key id is the JWK's, or else its
    /// thumbprint. RSA keys need all members of RFC 7518 §6.3.2 but `oth`.
    ///
    /// # Errors
    /// Those of the JSON text; [`Error::TooLong`] above [`MAX_JWK_BYTES`]; [`KeyError::Member`], [`KeyError::WrongAlgorithm`],
    /// [`KeyError::NotForSignatures`], [`KeyError::Malformed`] if public and private members disagree, and those of the public
    /// members.
    pub fn from_jwk(alg: Algorithm, json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_JWK_BYTES {
            return Err(Error::TooLong { bytes: json.len(), limit: MAX_JWK_BYTES });
        }
        let Private(members) = &Private(Reader::map(json)?);
        let jwk = Jwk::envelope(members)?;
        if jwk.alg.as_deref().is_some_and(|name| name.parse() != Ok(alg))
            || text_member(members, "kty")? != Some(alg.kty())
        {
            return Err(KeyError::WrongAlgorithm(alg).into());
        }
        if !jwk.allows("sign") {
            return Err(KeyError::NotForSignatures.into());
        }
        if let Family::Hmac { .. } = alg.row().family {
            let secret = secret_member(members, "k")?;
            let kid = jwk.kid.ok_or(KeyError::Member("kid"))?;
            return Self::new(alg, kid, Signer::Hmac(hmac_key(alg, &secret)?));
        }
        let material = Material::from_members(members)?;
        let kid = jwk.kid.unwrap_or_else(|| material.thumbprint());
        Self::new(alg, kid, signer(alg, &material, members)?)
    }
}

/// The members of a private key, wiped from memory when dropped.
struct Private(Map<String, Value>);

impl Drop for Private {
    fn drop(&mut self) {
        for value in self.0.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

fn signer(alg: Algorithm, material: &Material, members: &Map<String, Value>) -> Result<Signer, Error> {
    let malformed = |_| KeyError::Malformed;
    match (&alg.row().family, material) {
        (Family::Rsa { sign, .. }, Material::Rsa { n, e }) => {
            let [d, p, q, dp, dq, qi] = secret_members(members, ["d", "p", "q", "dp", "dq", "qi"])?;
            let parts = KeyPairComponents {
                public_key: PublicKeyComponents { n: n.as_slice(), e: e.as_slice() },
                d: d.as_slice(),
                p: p.as_slice(),
                q: q.as_slice(),
                dP: dp.as_slice(),
                dQ: dq.as_slice(),
                qInv: qi.as_slice(),
            };
            Ok(Signer::Rsa(RsaKeyPair::from_components(&parts).map_err(malformed)?, *sign))
        }
        (Family::Ec { crv, sign, coordinate, .. }, Material::Ec { crv: curve, .. }) if crv == curve => {
            let d = secret_member(members, "d")?;
            if d.len() != *coordinate {
                return Err(KeyError::Member("d").into());
            }
            let pair = EcdsaKeyPair::from_private_key_and_public_key(sign, &d, &material.point()).map_err(malformed)?;
            Ok(Signer::Ec(pair))
        }
        (Family::Okp { crv, public, .. }, Material::Okp { crv: curve, x }) if crv == curve => {
            let d = secret_member(members, "d")?;
            if d.len() != *public {
                return Err(KeyError::Member("d").into());
            }
            Ok(Signer::Okp(Ed25519KeyPair::from_seed_and_public_key(&d, x).map_err(malformed)?))
        }
        _ => Err(KeyError::WrongAlgorithm(alg).into()),
    }
}

fn secret_members<const N: usize>(
    members: &Map<String, Value>,
    names: [&'static str; N],
) -> Result<[Zeroizing<Vec<u8>>; N], Error> {
    let mut secrets = std::array::from_fn(|_| Zeroizing::new(Vec::new()));
    for (secret, name) in secrets.iter_mut().zip(names) {
        *secret = secret_member(members, name)?;
    }
    Ok(secrets)
}

fn secret_member(members: &Map<String, Value>, name: &'static str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = text_member(members, name)?.ok_or(KeyError::Member(name))?;
    Ok(b64::decode(text).map(Zeroizing::new).map_err(|_| KeyError::Member(name))?)
}
