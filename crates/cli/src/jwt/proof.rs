//! `countersign jwt proof`: a proof of possession (DPoP, RFC 9449) for one request, to try a protected service from a shell.

use clap::Args;
use countersign_jose::{
    DpopClaims, b64,
    dpop::{self, Target},
};
use countersign_server::random::Random;
use serde_json::json;

use super::{check::refused, input, keys::Keys};
use crate::output::{Failure, Output, say};

#[derive(Debug, Args)]
pub struct Proof {
    #[command(flatten)]
    keys: Keys,
    /// Method of the request
    #[arg(long, default_value = "POST")]
    method: String,
    /// URL of the request, as the client calls it
    #[arg(long)]
    url: String,
    /// The access token that goes with the request: itself, a file, or - for standard input
    #[arg(long)]
    token: Option<String>,
    /// The nonce that the server asked for (`DPoP-Nonce`)
    #[arg(long)]
    nonce: Option<String>,
}

impl Proof {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let target = Target::parse(&self.url).ok_or_else(|| Failure::usage(format!("{}: not a URL", self.url)))?;
        let signers = self.keys.signing(None)?;
        let [signer] = signers.as_slice() else {
            return Err(Failure::usage("a proof has one signature: give one key"));
        };
        let token = self.token.as_deref().map(input::text).transpose()?;
        let random: [u8; 16] = Random.bytes().map_err(|error| Failure::usage(error.to_string()))?;
        let claims = DpopClaims {
            jti: b64::encode(random),
            htm: self.method,
            htu: target.to_string(),
            iat: input::now(),
            ath: token.as_deref().map(dpop::token_hash),
            nonce: self.nonce,
            ..DpopClaims::default()
        };
        let proof = dpop::sign(&signer.key, &claims).map_err(|error| refused(&error))?;
        output.show(&json!({ "proof": proof }), |_| say!("{proof}"));
        Ok(())
    }
}
