//! `countersign jwt diff`: what is different between two tokens.

use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    check::refused,
    decode::{WARNING, tidy, view, warn},
    input,
};
use crate::output::{Colour, Failure, Output, paint, say};

#[derive(Debug, Args)]
pub struct Diff {
    /// The one token: itself, a file, or - for standard input
    a: String,
    /// The other
    b: String,
}

impl Diff {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let read = |argument: &str| view(&input::text(argument)?).map_err(|error| refused(&error));
        let (a, b) = (read(&self.a)?, read(&self.b)?);
        warn();
        let answer = json!({ "verified": false, "warning": WARNING, "differences": differences(&a, &b) });
        output.show(&answer, human);
        Ok(())
    }
}

fn differences(a: &Map<String, Value>, b: &Map<String, Value>) -> Vec<Value> {
    let mut found = Vec::new();
    compare("", &Value::Object(a.clone()), &Value::Object(b.clone()), &mut found);
    found
}

/// Goes into objects; everything else is the same or is not. The depth of both was bounded when they were read.
fn compare(place: &str, a: &Value, b: &Value, found: &mut Vec<Value>) {
    let (Value::Object(left), Value::Object(right)) = (a, b) else {
        if a != b {
            found.push(json!({ "at": place, "a": a, "b": b }));
        }
        return;
    };
    let only_right = right.keys().filter(|name| !left.contains_key(*name));
    for name in left.keys().chain(only_right) {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        compare(&place, left.get(name).unwrap_or(&Value::Null), right.get(name).unwrap_or(&Value::Null), found);
    }
}

fn human(answer: &Value) {
    say!("{}", paint(Colour::Red, WARNING));
    let rows = answer["differences"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        say!("the two say the same");
    }
    for row in rows {
        say!("{}", tidy(&row["at"]).trim_matches('"'));
        for (side, mark, colour) in [("a", '-', Colour::Red), ("b", '+', Colour::Green)] {
            if !row[side].is_null() {
                say!("{}", paint(colour, &format!("  {mark} {}", tidy(&row[side]))));
            }
        }
    }
}
