//! Payloads of any kind, as they are.

use clap::ValueEnum;
use countersign_jose::{b64, jws::Serialization};
use serde_json::json;

use super::input;
use crate::output::{Output, say};

/// How a message is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Parts with dots between them
    Compact,
    /// A JSON object for one signature or recipient
    Flattened,
    /// A JSON object for any number of them
    General,
}

impl From<Form> for Serialization {
    fn from(form: Form) -> Self {
        match form {
            Form::Compact => Self::Compact,
            Form::Flattened => Self::Flattened,
            Form::General => Self::General,
        }
    }
}

/// Prints a payload as it is; in JSON as text if it is one, or else in base64url. `note` says what was not checked.
pub fn show(output: Output, payload: &[u8], note: Option<&str>) {
    if !output.json {
        input::put(payload);
        return;
    }
    let mut answer = match str::from_utf8(payload) {
        Ok(text) => json!({ "valid": true, "payload": text }),
        Err(_) => json!({ "valid": true, "payload_base64url": b64::encode(payload) }),
    };
    if let Some(note) = note {
        answer["note"] = note.into();
    }
    say!("{answer:#}");
}
