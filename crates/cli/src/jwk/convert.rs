//! `countersign jwk convert`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use countersign_jose::{Algorithm, AnyKey, Error, Jwk, KeyError, PrivateJwk};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    jwt::{input, keys::import},
    output::Failure,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// JSON web key
    Jwk,
    /// JSON web key set
    Jwks,
    /// PEM: PKCS#8 for a private key, SubjectPublicKeyInfo for a public one
    Pem,
    /// The same in DER
    Der,
    /// PKCS#1 in DER (RSA)
    Pkcs1,
    /// SEC 1 in DER (private keys of curves)
    Sec1,
}

#[derive(Debug, Args)]
pub struct Convert {
    /// The form to write
    #[arg(long, value_enum)]
    to: Form,
    /// The public half only
    #[arg(long)]
    public: bool,
    /// Bind a key that names no algorithm to this one of signatures
    #[arg(long)]
    alg: Option<Algorithm>,
    /// Give the key this id
    #[arg(long, allow_hyphen_values = true)]
    kid: Option<String>,
    /// File to write, which only its owner can read; without it, standard output
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    /// JWK, JWK set, PEM or DER; - for standard input
    #[arg(default_value = "-")]
    file: PathBuf,
}

impl Convert {
    pub fn run(self) -> Result<(), Failure> {
        let keys: Vec<AnyKey> = import(&self.file)?
            .into_iter()
            .map(|key| self.adapt(key))
            .collect::<Result<_, _>>()
            .map_err(|e| unfit(&e))?;
        let bytes = write(&keys, self.to).map_err(|error| unfit(&error))?;
        match &self.out {
            None => input::put(&bytes),
            Some(path) => input::keep(path, &bytes, 0o600, self.force)?,
        }
        Ok(())
    }

    fn adapt(&self, key: AnyKey) -> Result<AnyKey, Error> {
        let key = match (key, self.alg) {
            (AnyKey::Private(key), Some(alg)) if key.alg().is_none() && key.kty() != "oct" => {
                AnyKey::Private(key.signing_key_as(alg)?.private_jwk()?)
            }
            (AnyKey::Public(key), Some(alg)) if key.alg().is_none() => AnyKey::Public(bound(&key, alg)?),
            (key, _) => key,
        };
        let key = match (key, self.public) {
            (key, true) => AnyKey::Public(key.public_jwk().ok_or(KeyError::NoSuchForm)?),
            (key, false) => key,
        };
        Ok(match (key, &self.kid) {
            (AnyKey::Private(key), Some(kid)) => AnyKey::Private(key.with_kid(kid)),
            (AnyKey::Public(key), Some(kid)) => AnyKey::Public(key.with_kid(kid)),
            (key, _) => key,
        })
    }
}

/// A private key in some form.
///
/// # Errors
/// Exit code 2: this kind of key has no such form.
pub fn private_bytes(key: &PrivateJwk, form: Form) -> Result<Zeroizing<Vec<u8>>, Failure> {
    private(key, form).map_err(|error| unfit(&error))
}

fn write(keys: &[AnyKey], form: Form) -> Result<Zeroizing<Vec<u8>>, Error> {
    let one = |key: &AnyKey| match key {
        AnyKey::Private(key) => private(key, form),
        AnyKey::Public(key) => public(key, form),
        _ => Err(KeyError::NoSuchForm.into()),
    };
    match (keys, form) {
        ([only], Form::Jwk | Form::Pem | Form::Der | Form::Pkcs1 | Form::Sec1) => one(only),
        (several, Form::Pem) => {
            let mut text = Zeroizing::new(Vec::new());
            for key in several {
                text.extend_from_slice(&one(key)?);
            }
            Ok(text)
        }
        (several, Form::Jwks) => {
            let mut text = Zeroizing::new(b"{\"keys\":[".to_vec());
            for (index, key) in several.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                let json = match key {
                    AnyKey::Private(key) => private(key, Form::Jwk)?,
                    AnyKey::Public(key) => public(key, Form::Jwk)?,
                    _ => return Err(KeyError::NoSuchForm.into()),
                };
                text.extend_from_slice(json.trim_ascii_end());
            }
            text.extend_from_slice(b"]}\n");
            Ok(text)
        }
        _ => Err(KeyError::NoSuchForm.into()),
    }
}

fn private(key: &PrivateJwk, form: Form) -> Result<Zeroizing<Vec<u8>>, Error> {
    let line = |json: &str| Zeroizing::new([json.as_bytes(), b"\n"].concat());
    match form {
        Form::Jwk => Ok(line(&key.to_json())),
        Form::Jwks => Ok(line(&Zeroizing::new(["{\"keys\":[", &key.to_json(), "]}"].concat()))),
        Form::Pem => Ok(Zeroizing::new(key.to_pem()?.as_bytes().to_vec())),
        Form::Der => key.to_pkcs8(),
        Form::Pkcs1 => key.to_pkcs1(),
        Form::Sec1 => key.to_sec1(),
    }
}

fn public(key: &Jwk, form: Form) -> Result<Zeroizing<Vec<u8>>, Error> {
    let line = |value: &Value| format!("{value}\n").into_bytes();
    Ok(Zeroizing::new(match form {
        Form::Jwk => line(&json!(key)),
        Form::Jwks => line(&json!({ "keys": [key] })),
        Form::Pem => key.to_pem().into_bytes(),
        Form::Der => key.to_spki(),
        Form::Pkcs1 => key.to_pkcs1()?,
        Form::Sec1 => return Err(KeyError::NoSuchForm.into()),
    }))
}

/// The same public key, naming its algorithm.
fn bound(key: &Jwk, alg: Algorithm) -> Result<Jwk, Error> {
    countersign_jose::VerifyingKey::from_jwk_as(key, alg)?;
    let mut members = json!(key);
    members["alg"] = alg.as_str().into();
    members["use"] = "sig".into();
    Jwk::parse(members.to_string().as_bytes())
}

fn unfit(error: &Error) -> Failure {
    let hint = if *error == Error::Key(KeyError::NoSuchForm) {
        "; several keys go into --to jwks or pem, secrets into jwk or jwks, and have no public half"
    } else {
        ""
    };
    Failure::usage(format!("{error}{hint} ({})", error.code()))
}
