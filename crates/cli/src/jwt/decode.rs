//! `countersign jwt decode`: what a token says, whoever wrote it.

use std::io::{IsTerminal, stdout};

use clap::Args;
use countersign_jose::{Error, b64, json::Reader};
use serde_json::{Map, Value, json};

use super::{check::refused, input};
use crate::output::{Colour, Failure, Output, paint, say};

/// What must be said of every token that was only decoded.
pub const WARNING: &str =
    "NOTHING WAS VERIFIED: anybody can have written this. `countersign jwt verify` says whether it holds.";

/// Claims that are times.
const TIMES: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "updated_at"];

#[derive(Debug, Args)]
pub struct Decode {
    /// The token, in any serialization: itself, a file, or - for standard input
    #[arg(default_value = "-")]
    token: String,
}

impl Decode {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let text = input::text(&self.token)?;
        let mut answer = view(&text).map_err(|error| refused(&error))?;
        warn();
        answer.insert("verified".into(), false.into());
        answer.insert("warning".into(), WARNING.into());
        output.show(&Value::Object(answer), human);
        Ok(())
    }
}

/// Says on standard error, where a pipe does not swallow it, that nothing was verified.
pub fn warn() {
    if !stdout().is_terminal() {
        eprintln!("countersign: {WARNING}");
    }
}

/// What a text says of itself, in any serialization.
///
/// # Errors
/// It is neither compact nor a JSON object.
pub fn view(text: &str) -> Result<Map<String, Value>, Error> {
    let view = if text.starts_with('{') { json_view(text)? } else { compact_view(text)? };
    Ok(view.as_object().cloned().unwrap_or_default())
}

/// JSON to be read by people. What a stranger wrote must not move the cursor or turn the text around.
pub fn tidy(value: &Value) -> String {
    let hostile = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    format!("{value:#}").chars().map(|c| if hostile(c) { '\u{fffd}' } else { c }).collect()
}

/// The claims that are times, with the time of day and the distance from now.
pub fn times(claims: &Value, now: i64) -> Vec<String> {
    let moment = |name: &&str| {
        let at = claims[*name].as_i64()?;
        let day = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(u64::try_from(at).ok()?))?;
        // The formatter panics beyond the year 9999.
        (at < 253_402_300_800).then(|| {
            let distance = std::time::Duration::from_secs(at.abs_diff(now));
            let distance = humantime::format_duration(distance);
            let when = if at > now { format!("in {distance}") } else { format!("{distance} ago") };
            format!("{name:<5} {} ({when})", humantime::format_rfc3339_seconds(day))
        })
    };
    TIMES.iter().filter_map(moment).collect()
}

fn compact_view(text: &str) -> Result<Value, Error> {
    let parts: Vec<&str> = text.split('.').collect();
    let bytes = |part: &str| b64::decode(part).map_or(Value::Null, |bytes| bytes.len().into());
    match parts[..] {
        [header, payload, signature] => Ok(json!({
            "serialization": "compact",
            "is": "signed",
            "header": part(header),
            "payload": part(payload),
            "signature_bytes": bytes(signature),
        })),
        [header, encrypted_key, iv, ciphertext, tag] => Ok(json!({
            "serialization": "compact",
            "is": "encrypted",
            "header": part(header),
            "encrypted_key_bytes": bytes(encrypted_key),
            "iv_bytes": bytes(iv),
            "ciphertext_bytes": bytes(ciphertext),
            "tag_bytes": bytes(tag),
        })),
        _ => Err(Error::Segments { got: parts.len() }),
    }
}

fn json_view(text: &str) -> Result<Value, Error> {
    let mut members = Reader::map(text.as_bytes())?;
    let encrypted = members.contains_key("ciphertext");
    members.values_mut().for_each(open_members);
    open(&mut members);
    Ok(json!({
        "serialization": if members.contains_key("signatures") || members.contains_key("recipients") { "general" } else { "flattened" },
        "is": if encrypted { "encrypted" } else { "signed" },
        "payload": members.remove("payload"),
        "message": members,
    }))
}

fn open_members(value: &mut Value) {
    for item in value.as_array_mut().into_iter().flatten() {
        if let Some(members) = item.as_object_mut() {
            open(members);
        }
    }
}

/// Decodes the members that hold JSON in base64url.
fn open(members: &mut Map<String, Value>) {
    for name in ["protected", "payload"] {
        if let Some(text) = members.get(name).and_then(Value::as_str) {
            let opened = part(text);
            members.insert(name.into(), opened);
        }
    }
}

/// A part as JSON if it is strict JSON, or else as text with what is wrong with it.
fn part(text: &str) -> Value {
    let Ok(bytes) = b64::decode(text) else {
        return json!({ "problem": Error::Base64.code(), "text": text });
    };
    match Reader::document(&bytes, Reader::value) {
        Ok(value) => value,
        Err(error) => json!({ "problem": error.code(), "text": String::from_utf8_lossy(&bytes) }),
    }
}

fn human(answer: &Value) {
    say!("{}", paint(Colour::Red, WARNING));
    say!("{}, {}", answer["is"].as_str().unwrap_or_default(), answer["serialization"].as_str().unwrap_or_default());
    for name in ["header", "message", "payload"] {
        if !answer[name].is_null() {
            say!("\n{name}\n{}", tidy(&answer[name]));
        }
    }
    for line in times(&answer["payload"], input::now()) {
        say!("{line}");
    }
    for (name, value) in answer.as_object().into_iter().flatten() {
        if name.ends_with("_bytes") {
            say!("{}: {value} bytes", name.trim_end_matches("_bytes"));
        }
    }
}
