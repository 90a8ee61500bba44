//! The claims of the token that everybody signs and verifies: those of an access token (RFC 9068), about 350 bytes of JSON.

use serde::{Deserialize, Serialize};

pub const ISSUER: &str = "https://id.example.com";
pub const AUDIENCE: &str = "https://orders.example.com";
pub const CLIENT_ID: &str = "web-shop";

/// An owned struct, one field per claim, as a program would define it for a library that reads with serde.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub client_id: String,
    pub jti: String,
    pub sid: Option<String>,
    pub iat: i64,
    pub nbf: Option<i64>,
    pub exp: i64,
    pub rsn: Option<i64>,
    pub scope: Option<String>,
    pub roles: Vec<String>,
}

impl AccessClaims {
    /// Valid for a day around `now`, in seconds since 1970.
    pub fn at(now: i64) -> Self {
        Self {
            iss: ISSUER.into(),
            sub: "018f3b1e-7c5a-7d11-9a44-3b6f0c2d1e5f".into(),
            aud: AUDIENCE.into(),
            client_id: CLIENT_ID.into(),
            jti: "q3dV0n1sYcJx8mZpTgWk2A".into(),
            sid: Some("b7Qm4vXk9sLr2TnE6hYcJ0pWdZ8".chars().take(24).collect()),
            iat: now - 60,
            nbf: Some(now - 60),
            exp: now + 86_400,
            rsn: Some(now * 1_000_000),
            scope: Some("openid orders:read orders:write".into()),
            roles: vec!["buyer".into(), "reviewer".into()],
        }
    }
}
