//! What the browser is asked: options as `PublicKeyCredential.parseCreationOptionsFromJSON()` and `parseRequestOptionsFromJSON()` read
//! them (sections 5.4 and 5.5).

use countersign_jose::b64;
use serde_json::{Value, json};

use super::{CredentialId, PATIENCE, RelyingParty, UserHandle, Verification, cose::ALGORITHMS};

/// A passkey that somebody has.
#[derive(Debug, Clone)]
pub struct Descriptor {
    pub credential: CredentialId,
    /// Space-separated; empty: not known.
    pub transports: String,
}

/// Whom a passkey is made for, as their authenticator will show it.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    pub handle: UserHandle,
    /// The address of the account.
    pub name: &'a str,
    /// What they have: no authenticator makes a second one for the same account.
    pub passkeys: &'a [Descriptor],
}

/// For a new passkey, which can be used without a name or a password: kept by the authenticator, opened by its person alone.
pub fn create(site: &RelyingParty, owner: Owner<'_>, challenge: &str) -> Value {
    let algorithms = ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg }));
    json!({
        "rp": { "id": site.id, "name": site.id },
        "user": { "id": b64::encode(owner.handle.as_bytes()), "name": owner.name, "displayName": owner.name },
        "challenge": challenge,
        "pubKeyCredParams": algorithms,
        "timeout": timeout(),
        "excludeCredentials": owner.passkeys.iter().map(described).collect::<Vec<_>>(),
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
    })
}

/// For a passkey that is to be used: one of these, or of anybody's if there are none.
pub fn get(site: &RelyingParty, passkeys: &[Descriptor], challenge: &str, verification: Verification) -> Value {
    json!({
        "challenge": challenge,
        "timeout": timeout(),
        "rpId": site.id,
        "allowCredentials": passkeys.iter().map(described).collect::<Vec<_>>(),
        "userVerification": match verification {
            Verification::Required => "required",
            Verification::Welcome => "preferred",
        },
    })
}

fn described(passkey: &Descriptor) -> Value {
    let transports: Vec<&str> = passkey.transports.split_ascii_whitespace().collect();
    let mut described = json!({ "type": "public-key", "id": passkey.credential.to_string() });
    if !transports.is_empty() {
        described["transports"] = json!(transports);
    }
    described
}

fn timeout() -> u64 {
    PATIENCE.as_secs() * 1000
}
