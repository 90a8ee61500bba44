//! New keys and tokens for each run, made with the primitive and by hand, so that no library is measured on its own work.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ML_DSA_44_SIGNING, PqdsaKeyPair,
        RsaKeyPair,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bench_jose::primitive::{Pair, SIGNATURE_ROOM};
use bench_jose_harness::{AccessClaims, KeyMaterial, Material, Private};

pub const ALGORITHMS: [&str; 6] = ["HS256", "RS256", "PS256", "ES256", "Ed25519", "ML-DSA-44"];

/// Makes the material and writes it into the folder. RSA keys have 2048 bits, the least that is allowed and the most common.
pub fn material(folder: &Path, only: Option<&str>) -> Result<(Material, PathBuf)> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let claims = AccessClaims::at(now);
    let mut keys = BTreeMap::new();
    for alg in ALGORITHMS.into_iter().filter(|alg| only.is_none_or(|only| only == *alg)) {
        keys.insert(alg.to_owned(), key(alg, &claims).with_context(|| format!("a key for {alg}"))?);
    }
    let material = Material { now, claims, keys };
    let path = folder.join("material.json");
    fs::write(&path, serde_json::to_vec(&material)?)?;
    Ok((material, path))
}

fn key(alg: &str, claims: &AccessClaims) -> Result<KeyMaterial> {
    let mut key =
        KeyMaterial { kid: "bench-1".into(), private: private(alg)?, token: String::new(), wrong: BTreeMap::new() };
    let pair = Pair::of(alg, &key).context("no such algorithm")?;
    let sign = |claims: &AccessClaims| token(alg, &key.kid, claims, &pair);
    let good = sign(claims)?;
    let another = |change: fn(&mut AccessClaims)| {
        let mut claims = claims.clone();
        change(&mut claims);
        sign(&claims)
    };
    let wrong = BTreeMap::from([
        ("the signature of other claims".to_owned(), mixed(&another(|claims| claims.jti.push('x'))?, &good)),
        ("expired".to_owned(), another(|claims| claims.exp = claims.iat - 3600)?),
        ("not valid yet".to_owned(), another(|claims| claims.nbf = Some(claims.exp - 1))?),
        ("another issuer".to_owned(), another(|claims| claims.iss.push('x'))?),
        ("another audience".to_owned(), another(|claims| claims.aud.push('x'))?),
    ]);
    (key.token, key.wrong) = (good, wrong);
    Ok(key)
}

fn token(alg: &str, kid: &str, claims: &AccessClaims, pair: &Pair) -> Result<String> {
    // Most libraries know Ed25519 by its older name only.
    let name = if alg == "Ed25519" { "EdDSA" } else { alg };
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{name}","kid":"{kid}","typ":"at+jwt"}}"#));
    let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?));
    let mut signature = [0; SIGNATURE_ROOM];
    let len = pair.sign(input.as_bytes(), &mut signature);
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(&signature[..len])))
}

/// The text of one token with the signature of another.
fn mixed(text: &str, signature: &str) -> String {
    let text = text.rsplit_once('.').map_or(text, |(text, _)| text);
    let signature = signature.rsplit_once('.').map_or("", |(_, signature)| signature);
    format!("{text}.{signature}")
}

fn private(alg: &str) -> Result<Private> {
    let failed = |_| anyhow!("key generation failed");
    let mut seed = Vec::new();
    let (private, public) = match alg {
        "HS256" => return Ok(Private::Secret(random::<32>()?)),
        "RS256" | "PS256" => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
            let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?.as_ref().to_vec();
            (private, spki(pair.public_key())?)
        }
        "ES256" => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
            (pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(), spki(pair.public_key())?)
        }
        "Ed25519" => {
            let pair = Ed25519KeyPair::generate().map_err(failed)?;
            (pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(), spki(pair.public_key())?)
        }
        _ => {
            seed = random::<32>()?;
            let pair = PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, &seed).map_err(|_| anyhow!("no key from a seed"))?;
            (pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(), spki(pair.public_key())?)
        }
    };
    let (private_pem, public_pem) = (pem("PRIVATE KEY", &private), pem("PUBLIC KEY", &public));
    Ok(Private::Pair { private, public, private_pem, public_pem, seed })
}

fn spki<'k, K: AsDer<PublicKeyX509Der<'k>>>(public: &K) -> Result<Vec<u8>> {
    Ok(public.as_der().map_err(|_| anyhow!("a public key without a form"))?.as_ref().to_vec())
}

fn random<const N: usize>() -> Result<Vec<u8>> {
    let mut bytes = vec![0; N];
    rand::fill(&mut bytes).map_err(|_| anyhow!("no randomness"))?;
    Ok(bytes)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
