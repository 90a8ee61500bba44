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
    /// An authorization code with its PKCE verifier, for an access token, an ID token and a refresh token.
    Code,
    /// What a client may know about its person, by a bearer token.
    Userinfo,
    /// Is this token active? A service asks about a signed one, and about an opaque one.
    IntrospectSigned,
    IntrospectOpaque,
    /// The refresh requests again, under the default grace: one rotation per grace, the others are answered `again`.
    RefreshWithinGrace,
    Login,
}

impl Scenario {
    /// What all servers are measured with, in the order of a round.
    pub const COMPARED: [Self; 8] = [
        Self::Jwks,
        Self::Metadata,
        Self::ClientCredentials,
        Self::Refresh,
        Self::Code,
        Self::Userinfo,
        Self::IntrospectSigned,
        Self::IntrospectOpaque,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Jwks => "JWKS",
            Self::Metadata => "metadata",
            Self::ClientCredentials => "client_credentials",
            Self::Refresh => "refresh, rotating",
            Self::Code => "authorization code",
            Self::Userinfo => "UserInfo",
            Self::IntrospectSigned => "introspection, signed",
            Self::IntrospectOpaque => "introspection, opaque",
            Self::RefreshWithinGrace => "refresh, default grace",
            Self::Login => "login",
        }
    }
}
