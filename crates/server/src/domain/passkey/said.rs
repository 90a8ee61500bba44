//! What the browser says of a question that it asked: its kind, its challenge, and the page that asked (section 5.8.1).

use serde::Deserialize;

use super::{Refusal, RelyingParty, sha256};

/// Bytes of it; browsers write about 150.
const MAX_BYTES: usize = 2048;

/// Which question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ceremony {
    Create,
    Get,
}

impl Ceremony {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

/// An answer to a question of a page of ours. Only [`ClientData::read`] makes one; whether the challenge is ours is yet to be seen.
#[derive(Debug)]
pub(super) struct ClientData {
    pub challenge: String,
    /// SHA-256 of the bytes: what the authenticator has signed.
    pub hash: [u8; 32],
}

/// Other members may come with other browsers, and mean nothing here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: Option<bool>,
    #[serde(default)]
    top_origin: Option<String>,
}

impl ClientData {
    /// # Errors
    /// [`Refusal`]: another question, another page, or a page of ours in a frame of somebody else's.
    pub fn read(bytes: &[u8], ceremony: Ceremony, site: &RelyingParty) -> Result<Self, Refusal> {
        if bytes.len() > MAX_BYTES {
            return Err(Refusal::Malformed("the client data"));
        }
        let members: Members = serde_json::from_slice(bytes).map_err(|_| Refusal::Malformed("the client data"))?;
        if members.kind != ceremony.as_str() {
            return Err(Refusal::Kind);
        }
        if members.origin != site.origin {
            return Err(Refusal::Origin);
        }
        if members.cross_origin == Some(true) || members.top_origin.is_some() {
            return Err(Refusal::CrossOrigin);
        }
        Ok(Self { challenge: members.challenge, hash: sha256(&[bytes]) })
    }
}
