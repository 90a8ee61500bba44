//! The requests that are compared.

use clap::ValueEnum;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    Jwks,
    Metadata,
    ClientCredentials,
    /// Every request presents the chain's newest token and gets another one.
    Refresh,
    /// The same requests under the default grace: one rotation per grace, the others are answered `again`.
    RefreshWithinGrace,
    Login,
}

impl Scenario {
    /// What all servers are measured with, in the order of a round.
    pub const COMPARED: [Self; 4] = [Self::Jwks, Self::Metadata, Self::ClientCredentials, Self::Refresh];

    pub fn label(self) -> &'static str {
        match self {
            Self::Jwks => "JWKS",
            Self::Metadata => "metadata",
            Self::ClientCredentials => "client_credentials",
            Self::Refresh => "refresh, rotating",
            Self::RefreshWithinGrace => "refresh, default grace",
            Self::Login => "login",
        }
    }
}
