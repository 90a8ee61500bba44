//! `countersign jwk generate`

use std::path::PathBuf;

use clap::Args;
use countersign_jose::{
    Algorithm, Error, PrivateJwk, b64,
    jwe::{ContentAlgorithm, Curve, DecryptionKey, KeyAlgorithm},
};
use countersign_server::random::Random;
use serde_json::json;

use super::convert::{Form, private_bytes};
use crate::{
    jwt::input,
    output::{Failure, Output, say},
};

/// Only the owner reads a private key; everybody may read a public one.
const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

#[derive(Debug, Args)]
pub struct Generate {
    /// What the key is for: an algorithm of signatures (ES256, Ed25519, HS256, …) or of encryption (ECDH-ES+A256KW, A256KW, dir, …)
    #[arg(long)]
    alg: String,
    /// Key id; default: the thumbprint, for a secret a random text
    #[arg(long, allow_hyphen_values = true)]
    kid: Option<String>,
    /// Curve of a key that agrees on keys [default: P-256]
    #[arg(long)]
    crv: Option<String>,
    /// How content is encrypted with a content key (dir)
    #[arg(long)]
    enc: Option<String>,
    /// How the key is written
    #[arg(long, value_enum, default_value_t = Form::Jwk)]
    format: Form,
    /// File for the private key, which only its owner can read; without it, standard output
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File for the public half, as JWK
    #[arg(long, value_name = "FILE")]
    public_out: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

impl Generate {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let drawn = self.draw()?;
        let kid = match (&self.kid, drawn.thumbprint()) {
            (Some(kid), _) => kid.clone(),
            (None, Some(thumbprint)) => thumbprint,
            (None, None) => b64::encode(Random.bytes::<12>().map_err(|error| Failure::undecided(error.to_string()))?),
        };
        let key = drawn.with_kid(&kid);
        let bytes = private_bytes(&key, self.format)?;
        if let Some(path) = &self.public_out {
            let public = key.public_jwk().ok_or_else(|| Failure::usage("a shared secret has no public half"))?;
            let text = serde_json::to_string(&public).map_err(|error| Failure::undecided(error.to_string()))?;
            input::keep(path, format!("{text}\n").as_bytes(), PUBLIC, self.force)?;
        }
        match &self.out {
            None => input::put(&bytes),
            Some(path) => {
                input::keep(path, &bytes, PRIVATE, self.force)?;
                output.show(&json!({ "kid": kid, "alg": key.alg(), "file": path }), |_| {
                    say!("wrote {} ({})", path.display(), kid);
                });
            }
        }
        Ok(())
    }

    fn draw(&self) -> Result<PrivateJwk, Failure> {
        let refused = |error: Error| Failure::usage(format!("{error} ({})", error.code()));
        if let Ok(alg) = self.alg.parse::<Algorithm>() {
            return PrivateJwk::generate(alg).map_err(refused);
        }
        let alg: KeyAlgorithm = self.alg.parse().map_err(|_| unknown(&self.alg))?;
        if alg.is_password() {
            return Err(Failure::usage("a password is chosen, not drawn as a key; give it with --password-file"));
        }
        let named = self.kid.as_deref().unwrap_or("new");
        let key = match (alg, &self.crv) {
            (KeyAlgorithm::Dir, _) => DecryptionKey::generate_direct(self.enc()?, named),
            (_, Some(crv)) => DecryptionKey::generate_on(curve(crv)?, alg, named),
            (_, None) => DecryptionKey::generate(alg, named),
        };
        let key = key.map_err(refused)?;
        key.private_jwk().cloned().ok_or_else(|| Failure::usage("this kind of key has no JWK"))
    }

    fn enc(&self) -> Result<ContentAlgorithm, Failure> {
        let name = self.enc.as_deref().ok_or_else(|| Failure::usage("a content key (dir) needs --enc"))?;
        name.parse().map_err(|_| Failure::usage(format!("--enc {name}: no algorithm has this name")))
    }
}

fn curve(name: &str) -> Result<Curve, Failure> {
    Curve::all().find(|curve| curve.as_str() == name).ok_or_else(|| {
        let names: Vec<_> = Curve::all().map(Curve::as_str).collect();
        Failure::usage(format!("--crv {name}: one of {}", names.join(", ")))
    })
}

fn unknown(name: &str) -> Failure {
    let signatures = Algorithm::all().map(Algorithm::as_str);
    let names: Vec<_> =
        signatures.chain(KeyAlgorithm::all().filter(|alg| !alg.is_password()).map(KeyAlgorithm::as_str)).collect();
    Failure::usage(format!("--alg {name}: one of {}", names.join(", ")))
}
