//! `countersign jwt sign`

use std::path::Path;

use clap::Args;
use countersign_jose::{
    Error, b64,
    json::Reader,
    jws::{Header, Message, Serialization},
};
use countersign_server::random::Random;
use serde_json::{Map, Value, json};

use super::{
    check::refused,
    input,
    keys::{Keys, Signer},
    kind::Kind,
    raw::Form,
};
use crate::{
    duration,
    output::{Failure, Output, say},
};

/// Lifetime of a token of which nothing else is said, in seconds.
const LIFETIME: i64 = 15 * 60;

#[derive(Debug, Args)]
pub struct Sign {
    #[command(flatten)]
    keys: Keys,
    /// Kind of the token
    #[arg(long = "typ", value_enum, default_value_t = Kind::Jwt, value_name = "KIND")]
    kind: Kind,
    /// Key id to write instead of the key's own
    #[arg(long, allow_hyphen_values = true)]
    kid: Option<String>,
    #[command(flatten)]
    claims: ClaimArgs,
    /// Sign any payload as it is
    #[arg(long, conflicts_with_all = ["kind", "issuer", "subject", "audience", "ttl", "claim"])]
    raw: bool,
    /// With --raw: how the message is written down; several keys need `general`
    #[arg(long, value_enum, default_value_t = Form::Compact, requires = "raw")]
    format: Form,
    /// With --raw: leave the payload out of the message
    #[arg(long, requires = "raw")]
    detached: bool,
    /// With --raw: sign the payload as it stands (RFC 7797); its readers must allow that
    #[arg(long, requires = "raw")]
    unencoded: bool,
    /// With --raw: the type of the payload (`cty`)
    #[arg(long, requires = "raw")]
    cty: Option<String>,
    /// The claims: JSON, a file, or - for standard input; with --raw the payload: a file or -
    claims_or_payload: Option<String>,
}

#[derive(Debug, Args)]
struct ClaimArgs {
    /// Who issues it (`iss`)
    #[arg(long)]
    issuer: Option<String>,
    /// Whom it is about (`sub`)
    #[arg(long)]
    subject: Option<String>,
    /// Whom it is for (`aud`; repeatable)
    #[arg(long)]
    audience: Vec<String>,
    /// Lifetime; 15m where the claims do not say `exp`
    #[arg(long, value_parser = duration::seconds, value_name = "DURATION")]
    ttl: Option<u64>,
    /// Another claim; the value is JSON, or else a text (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::pair)]
    claim: Vec<(String, String)>,
}

impl Sign {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let text = if self.raw { self.sign_raw() } else { self.sign_claims() }?;
        output.show(&json!({ "token": text }), |_| say!("{text}"));
        Ok(())
    }

    fn sign_claims(&self) -> Result<String, Failure> {
        let given = match &self.claims_or_payload {
            Some(argument) => input::text(argument)?,
            None => "{}".into(),
        };
        let mut claims = Reader::map(given.as_bytes()).map_err(|error| refused(&error))?;
        self.claims.fill(&mut claims, self.kind, input::now())?;
        let json = Value::Object(claims).to_string();
        self.kind.check_claims(json.as_bytes()).map_err(|error| refused(&error))?;
        let signers = self.keys.signing(self.kid.as_deref())?;
        let [signer] = signers.as_slice() else {
            return Err(Failure::usage("a token has one signature: give one key"));
        };
        let sign = || -> Result<String, Error> {
            let header = header(signer).typ(self.kind.typ());
            Message::new(json.as_bytes()).sign(&signer.key, &header)?.to_text(Serialization::Compact)
        };
        sign().map_err(|error| refused(&error))
    }

    fn sign_raw(&self) -> Result<String, Failure> {
        let payload = input::bytes(Path::new(self.claims_or_payload.as_deref().unwrap_or("-")))?;
        let signers = self.keys.signing(self.kid.as_deref())?;
        let sign = || -> Result<String, Error> {
            let mut message = if self.unencoded { Message::unencoded(&payload) } else { Message::new(&payload) };
            for signer in &signers {
                let header = header(signer);
                let header = match &self.cty {
                    Some(cty) => header.cty(cty),
                    None => header,
                };
                message = message.sign(&signer.key, &header)?;
            }
            if self.detached { message.to_detached(self.format.into()) } else { message.to_text(self.format.into()) }
        };
        sign().map_err(|error| refused(&error))
    }
}

impl ClaimArgs {
    fn fill(&self, claims: &mut Map<String, Value>, kind: Kind, now: i64) -> Result<(), Failure> {
        for (name, value) in &self.claim {
            let value = Reader::document(value.as_bytes(), Reader::value).unwrap_or_else(|_| value.as_str().into());
            claims.insert(name.clone(), value);
        }
        for (name, value) in [("iss", &self.issuer), ("sub", &self.subject)] {
            if let Some(value) = value {
                claims.insert(name.into(), value.as_str().into());
            }
        }
        match self.audience.as_slice() {
            [] => {}
            [only] => drop(claims.insert("aud".into(), only.as_str().into())),
            several => drop(claims.insert("aud".into(), several.into())),
        }
        let issued = claims.entry("iat").or_insert_with(|| now.into()).as_i64().unwrap_or(now);
        match self.ttl.map(|ttl| i64::try_from(ttl).unwrap_or(i64::MAX)) {
            Some(ttl) => drop(claims.insert("exp".into(), issued.saturating_add(ttl).into())),
            None if kind.expires() && !claims.contains_key("exp") => {
                claims.insert("exp".into(), issued.saturating_add(LIFETIME).into());
            }
            None => {}
        }
        if kind.has_id() && !claims.contains_key("jti") {
            let id = Random.bytes::<16>().map_err(|error| Failure::undecided(error.to_string()))?;
            claims.insert("jti".into(), b64::encode(id).into());
        }
        Ok(())
    }
}

fn header(signer: &Signer) -> Header {
    if signer.named { Header::new() } else { Header::new().without_kid() }
}
