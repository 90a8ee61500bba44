//! `countersign jwt encrypt` and `decrypt`.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign_jose::{
    Algorithm, AnyKey, Error,
    jwe::{ContentAlgorithm, Decrypted, Decryptor, Encryptor},
    verifier::KeySet,
};
use serde_json::json;

use super::{
    check::{check, refused},
    decode::tidy,
    input,
    keys::{Keys, bind},
    kind::Checks,
    raw::{self, Form},
    verify::{Contents, contents},
};
use crate::output::{Failure, Output, say};

/// Encryption says who may read, not who wrote.
const ANYBODY: &str = "decrypted and unaltered, but nobody vouches for who wrote it";

#[derive(Debug, Args)]
pub struct Encrypt {
    #[command(flatten)]
    keys: Keys,
    /// How the content is encrypted [default: A256GCM]
    #[arg(long, value_parser = content)]
    enc: Option<ContentAlgorithm>,
    /// How often a password is hashed; its recipients may allow fewer than the default
    #[arg(long, requires = "password_file")]
    rounds: Option<u32>,
    /// How the message is written down; several keys need `general`
    #[arg(long, value_enum, default_value_t = Form::Compact)]
    format: Form,
    /// The content is a signed token (`cty: JWT`): what `decrypt` verifies
    #[arg(long, conflicts_with_all = ["format", "cty"])]
    signed: bool,
    /// The type of the content (`cty`)
    #[arg(long)]
    cty: Option<String>,
    /// The content: a file, or - for standard input; with --signed the token itself, too
    #[arg(default_value = "-")]
    content: String,
}

#[derive(Debug, Args)]
pub struct Decrypt {
    #[command(flatten)]
    keys: Keys,
    /// Accept content that is encrypted like this only (repeatable)
    #[arg(long, value_parser = content)]
    enc: Vec<ContentAlgorithm>,
    /// Key file of whoever signed the token inside: JWK, JWK set, PEM or DER (repeatable)
    #[arg(long, value_name = "FILE", required_unless_present = "raw")]
    signer_key: Vec<PathBuf>,
    /// Use the signer's key for this algorithm only (repeatable); an RSA key that names none needs it
    #[arg(long, value_name = "ALG", requires = "signer_key")]
    signer_alg: Vec<Algorithm>,
    #[command(flatten)]
    checks: Checks,
    /// Decrypt any content in any serialization and print it as it is
    #[arg(long, conflicts_with_all = ["signer_key", "issuer", "audience", "any_audience", "kind"])]
    raw: bool,
    /// The message: itself, a file, or - for standard input
    #[arg(default_value = "-")]
    message: String,
}

impl Encrypt {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let mut keys = self.keys.encrypting(self.enc)?;
        if let Some(rounds) = self.rounds {
            let again = keys.into_iter().map(|key| key.with_rounds(rounds)).collect::<Result<Vec<_>, Error>>();
            keys = again.map_err(|error| Failure::usage(format!("--rounds {rounds}: {error} ({})", error.code())))?;
        }
        let Some((first, others)) = keys.split_first() else { return Err(Failure::usage("no key")) };
        let mut encryptor = others.iter().fold(Encryptor::new(first), Encryptor::recipient);
        if let Some(enc) = self.enc {
            encryptor = encryptor.enc(enc);
        }
        if let Some(cty) = self.cty {
            encryptor = encryptor.cty(cty);
        }
        let text = if self.signed {
            encryptor.encrypt_signed(&input::text(&self.content)?)
        } else {
            let content = input::bytes(Path::new(&self.content))?;
            match self.format {
                Form::Compact => encryptor.encrypt(&content),
                Form::Flattened => encryptor.flattened(&content),
                Form::General => encryptor.general(&content),
            }
        };
        let text = text.map_err(|error| refused(&error))?;
        output.show(&json!({ "message": text }), |_| say!("{text}"));
        Ok(())
    }
}

impl Decrypt {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let only = if let [only] = self.enc[..] { Some(only) } else { None };
        let mut keys = self.keys.decrypting(only)?.into_iter();
        let Some(first) = keys.next() else { return Err(Failure::usage("no key")) };
        let mut decryptor = keys.fold(Decryptor::new(first), Decryptor::or_key);
        if !self.enc.is_empty() {
            decryptor = decryptor.accept(self.enc.iter().copied());
        }
        if self.raw {
            let content = decrypt(&decryptor, &input::text(&self.message)?).map_err(|error| refused(&error))?;
            raw::show(output, &content, Some(ANYBODY));
            return Ok(());
        }
        self.nested(&decryptor, output)
    }

    fn nested(&self, decryptor: &Decryptor, output: Output) -> Result<(), Failure> {
        let judge = self.checks.judge()?;
        let signers = self.signers()?;
        let content = decrypt(decryptor, &input::text(&self.message)?).map_err(|error| refused(&error))?;
        if !content.cty().is_some_and(|cty| cty.eq_ignore_ascii_case("JWT")) {
            let got = content.cty().map(str::to_owned);
            return Err(refused(&Error::ContentType { expected: "JWT", got }));
        }
        let token = str::from_utf8(&content).map_err(|_| refused(&Error::Utf8))?;
        check(&*judge, &signers, token, self.checks.now()).map_err(|(_, error)| refused(&error))?;
        let Contents { header, claims } = contents(token).map_err(|error| refused(&error))?;
        let answer = json!({ "valid": true, "header": header, "claims": claims });
        output.show(&answer, |answer| say!("{}", tidy(&answer["claims"])));
        Ok(())
    }

    fn signers(&self) -> Result<KeySet, Failure> {
        let algs: Vec<Option<Algorithm>> = match self.signer_alg.as_slice() {
            [] => vec![None],
            several => several.iter().copied().map(Some).collect(),
        };
        bind(&self.signer_key, &algs, "--signer-alg", AnyKey::verifying_key).map(|keys| keys.into_iter().collect())
    }
}

fn decrypt(decryptor: &Decryptor, text: &str) -> Result<Decrypted, Error> {
    if text.starts_with('{') { decryptor.decrypt_general(text) } else { decryptor.decrypt(text) }
}

fn content(name: &str) -> Result<ContentAlgorithm, String> {
    name.parse().map_err(|_| {
        let names: Vec<_> = ContentAlgorithm::all().map(ContentAlgorithm::as_str).collect();
        format!("one of {}", names.join(", "))
    })
}
