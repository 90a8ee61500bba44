//! Answers of browsers, as `PublicKeyCredential.toJSON()` writes them (section 5.1). What they say beyond this is not read.

use schemars::JsonSchema;
use serde::Deserialize;

/// What a browser answers with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Credential<R> {
    /// Base64url, as everything that is bytes here.
    pub id: String,
    /// `public-key`.
    #[serde(rename = "type")]
    pub kind: String,
    pub response: R,
}

/// A new passkey.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Attestation {
    #[serde(rename = "clientDataJSON")]
    pub client_data: String,
    #[serde(rename = "attestationObject")]
    pub object: String,
    /// How the authenticator can be reached: `internal`, `hybrid`, `usb`, ….
    #[serde(default)]
    pub transports: Vec<String>,
}

/// A passkey that was used.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assertion {
    #[serde(rename = "clientDataJSON")]
    pub client_data: String,
    pub authenticator_data: String,
    pub signature: String,
    #[serde(default)]
    pub user_handle: Option<String>,
}
