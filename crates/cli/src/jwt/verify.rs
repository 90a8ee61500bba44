//! `countersign jwt verify`

use std::path::PathBuf;

use clap::Args;
use countersign_jose::{Error, VerifyingKey, b64, json::Reader, jws::Options, verifier::KeySet};
use serde_json::{Map, Value, json};

use super::{
    check::{check, refused},
    decode::tidy,
    input,
    keys::Keys,
    kind::Checks,
    raw,
};
use crate::output::{Failure, Output, say};

#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    checks: Checks,
    /// Check the signature and the rules of the headers only, of any payload in any serialization; the payload is printed as it is
    #[arg(long, conflicts_with_all = ["issuer", "audience", "any_audience", "kind", "max_age", "max_lifetime", "accept_expired"])]
    raw: bool,
    /// With --raw: every key must have signed, not just one of them
    #[arg(long, requires = "raw")]
    all_keys: bool,
    /// With --raw: the payload, if the message is detached
    #[arg(long, requires = "raw", value_name = "FILE")]
    payload: Option<PathBuf>,
    /// With --raw: allow a payload that is not encoded (RFC 7797)
    #[arg(long, requires = "raw")]
    allow_unencoded: bool,
    /// The token: itself, a file, or - for standard input
    #[arg(default_value = "-")]
    token: String,
}

impl Verify {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        if self.raw {
            return self.run_raw(output);
        }
        let judge = self.checks.judge()?;
        let keys: KeySet = self.keys.verifying()?.into_iter().collect();
        let token = input::text(&self.token)?;
        check(&*judge, &keys, &token, self.checks.now()).map_err(|(_, error)| refused(&error))?;
        let Contents { header, claims } = contents(&token).map_err(|error| refused(&error))?;
        let answer = json!({ "valid": true, "header": header, "claims": claims });
        output.show(&answer, |answer| say!("{}", tidy(&answer["claims"])));
        Ok(())
    }

    fn run_raw(self, output: Output) -> Result<(), Failure> {
        let keys = self.keys.verifying()?;
        let payload = self.payload.as_deref().map(input::bytes).transpose()?;
        let text = input::text(&self.token)?;
        let mut options = Options::new();
        if let Some(payload) = &payload {
            options = options.detached(payload);
        }
        if self.allow_unencoded {
            options = options.allow_unencoded();
        }
        let verified = verify_raw(options, &text, &keys, self.all_keys).map_err(|error| refused(&error))?;
        raw::show(output, &verified, None);
        Ok(())
    }
}

fn verify_raw(options: Options<'_>, text: &str, keys: &[VerifyingKey], all: bool) -> Result<Vec<u8>, Error> {
    let jws = options.parse(text)?;
    let verified = if all { jws.verify_all(keys) } else { jws.verify_any(keys) }?;
    Ok(verified.into_payload())
}

/// What a token that was verified says.
pub struct Contents {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
}

/// Header and claims of a token that was verified.
///
/// # Errors
/// None that the verification would not have found.
pub fn contents(token: &str) -> Result<Contents, Error> {
    let mut parts = token.split('.');
    let mut object = || Reader::map(&b64::decode(parts.next().unwrap_or_default())?);
    Ok(Contents { header: object()?, claims: object()? })
}
