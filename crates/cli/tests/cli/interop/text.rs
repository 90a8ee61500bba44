//! Messages as texts.

use serde_json::Value;

pub const FORMS: [&str; 3] = ["compact", "flattened", "general"];

/// The parts of a message, in the order of the compact serialization.
pub const SIGNED: [&str; 3] = ["protected", "payload", "signature"];
pub const ENCRYPTED: [&str; 5] = ["protected", "encrypted_key", "iv", "ciphertext", "tag"];

/// The message with one character in the middle of a part changed, or of the next part that is not empty.
pub fn altered(message: &str, parts: &[&str], at: usize) -> String {
    if !message.starts_with('{') {
        let mut texts: Vec<String> = message.split('.').map(str::to_owned).collect();
        let at = (0..parts.len()).map(|step| (at + step) % parts.len()).find(|at| !texts[*at].is_empty()).unwrap();
        texts[at] = flipped(&texts[at]);
        return texts.join(".");
    }
    let mut value: Value = serde_json::from_str(message).unwrap();
    for step in 0..parts.len() {
        if let Some(text) = member(&mut value, parts[(at + step) % parts.len()]) {
            *text = flipped(text);
            return value.to_string();
        }
    }
    panic!("nothing to change in {message}")
}

/// A compact message without its payload.
pub fn detached(message: &str) -> String {
    let parts: Vec<&str> = message.split('.').collect();
    format!("{}..{}", parts[0], parts[2])
}

/// A message of which one recipient has an empty `encrypted_key`, without that member.
pub fn without_empty_key(message: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(message).ok()?;
    let recipient = match value.pointer("/recipients/0") {
        Some(_) => value.pointer_mut("/recipients/0")?,
        None => &mut value,
    };
    let members = recipient.as_object_mut()?;
    let empty = members.get("encrypted_key").and_then(Value::as_str).is_some_and(str::is_empty);
    empty.then(|| members.remove("encrypted_key"))?;
    Some(value.to_string())
}

/// The first member of this name that is a text and not empty, however deep.
fn member<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut String> {
    match value {
        Value::Object(members) => {
            let here = matches!(members.get(name), Some(Value::String(text)) if !text.is_empty());
            if here {
                return members
                    .get_mut(name)
                    .and_then(|found| if let Value::String(text) = found { Some(text) } else { None });
            }
            members.values_mut().find_map(|value| member(value, name))
        }
        Value::Array(items) => items.iter_mut().find_map(|value| member(value, name)),
        _ => None,
    }
}

fn flipped(part: &str) -> String {
    let at = part.len() / 2;
    let other = if &part[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &part[..at], &part[at + 1..])
}
