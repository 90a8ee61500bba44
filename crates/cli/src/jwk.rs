//! `countersign jwk …`: keys of anybody.

mod convert;
mod generate;

use std::path::PathBuf;

use clap::Subcommand;
use countersign_jose::AnyKey;
use serde_json::{Value, json};

use crate::{
    jwt::keys::import,
    output::{Failure, Output, say, text},
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Jwk {
    /// Draw a new private key or shared secret
    Generate(generate::Generate),
    /// Show what keys are and what they can do; never a private part
    Show {
        /// JWK, JWK set, PEM or DER; - for standard input
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Print the SHA-256 thumbprint of each key (RFC 7638)
    Thumbprint {
        /// As a URI (RFC 9278)
        #[arg(long)]
        uri: bool,
        /// JWK, JWK set, PEM or DER; - for standard input
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Write keys in another form
    Convert(convert::Convert),
}

impl Jwk {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::Generate(command) => command.run(output),
            Self::Show { file } => {
                let keys: Vec<Value> = import(&file)?.iter().map(describe).collect();
                output.show(&json!({ "keys": keys }), |answer| human(&answer["keys"]));
                Ok(())
            }
            Self::Thumbprint { uri, file } => thumbprints(&file, uri, output),
            Self::Convert(command) => command.run(),
        }
    }
}

/// What a key is, without anything that is secret.
pub fn describe(key: &AnyKey) -> Value {
    let public = key.public_jwk();
    let half = match (key, &public) {
        (AnyKey::Private(_), None) => "secret",
        (AnyKey::Private(_), Some(_)) => "private",
        _ => "public",
    };
    let can = [
        ("sign", key.signing_key(None).is_ok()),
        ("verify", key.verifying_key(None).is_ok()),
        ("encrypt", key.encryption_key(None).is_ok()),
        ("decrypt", key.decryption_key(None).is_ok()),
    ];
    let can: Vec<_> = can.into_iter().filter(|(_, can)| *can).map(|(name, _)| name).collect();
    json!({
        "kty": key.kty(),
        "crv": key.crv(),
        "kid": key.kid(),
        "alg": key.alg(),
        "half": half,
        "can": can,
        "thumbprint": key.thumbprint(),
        "public": public,
    })
}

pub fn human(keys: &Value) {
    for (index, key) in keys.as_array().into_iter().flatten().enumerate() {
        if index > 0 {
            say!("");
        }
        for name in ["half", "kty", "crv", "alg", "kid", "can", "thumbprint"] {
            let value = text(key, name);
            if !value.is_empty() {
                say!("{name:<11} {value}");
            }
        }
    }
}

fn thumbprints(file: &std::path::Path, uri: bool, output: Output) -> Result<(), Failure> {
    let mut found = Vec::new();
    for key in import(file)? {
        let thumbprint = key.thumbprint().ok_or_else(|| {
            Failure::usage("a shared secret has no thumbprint: a hash of it would tell too much (RFC 7638, section 7)")
        })?;
        found.push(if uri { format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{thumbprint}") } else { thumbprint });
    }
    output.show(&json!({ "thumbprints": found }), |_| found.iter().for_each(|line| say!("{line}")));
    Ok(())
}
