//! What a command prints, and its exit code: 0 ok, 1 refused, 2 usage, 3 could not decide.

use std::{
    io::{IsTerminal, stdout},
    process::ExitCode,
};

use serde_json::Value;

/// Prints a line to standard output. Whoever reads it may have had enough (`… | head -1`): then there is nobody left to
/// print to, and what the command did is done.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
pub(crate) use say;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
    /// The server's own answer, for `--json`.
    problem: Option<Value>,
}

impl Failure {
    /// The answer is no.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into(), problem: None }
    }

    /// The same; the answer is no.
    pub fn refusal(mut self) -> Self {
        self.code = 1;
        self
    }

    /// What a person reads.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The question was wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into(), problem: None }
    }

    /// Nobody knows: the server or the store could not be asked.
    pub fn undecided(message: impl Into<String>) -> Self {
        Self { code: 3, message: message.into(), problem: None }
    }

    /// The same, with what to do about it.
    pub fn context(mut self, more: &str) -> Self {
        self.message = format!("{}; {more}", self.message);
        self
    }

    pub fn with_problem(mut self, problem: Value) -> Self {
        self.problem = Some(problem);
        self
    }
}

impl Output {
    /// Prints the answer: the JSON as it is, or the lines that `human` makes of it.
    pub fn show(self, answer: &Value, human: impl FnOnce(&Value)) {
        if self.json { say!("{answer:#}") } else { human(answer) }
    }

    pub fn fail(self, failure: &Failure) -> ExitCode {
        match &failure.problem {
            Some(problem) if self.json => say!("{problem:#}"),
            _ if self.json => say!("{:#}", serde_json::json!({ "error": failure.message })),
            _ => eprintln!("countersign: {}", failure.message),
        }
        ExitCode::from(failure.code)
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Colour {
    Red,
    Green,
    Grey,
}

/// Colours a text, on a terminal only, and not where NO_COLOR is set (no-color.org).
pub fn paint(colour: Colour, text: &str) -> String {
    let code = match colour {
        Colour::Red => 31,
        Colour::Green => 32,
        Colour::Grey => 90,
    };
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || !stdout().is_terminal();
    if plain { text.to_owned() } else { format!("\u{1b}[{code}m{text}\u{1b}[0m") }
}

/// Prints rows under a heading, each column as wide as its longest cell.
pub fn table(heading: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heading.get(column).map(|title| title.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        say!("{}", padded.collect::<Vec<_>>().join("  ").trim_end());
    };
    line(heading.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
    if rows.is_empty() {
        say!("(none)");
    }
}

/// A member as text; empty if it is absent or null. Control characters, which a stranger may have sent, are shown as �.
pub fn text(value: &Value, member: &str) -> String {
    let text = match &value[member] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The rows of a page's items.
pub fn rows(page: &Value, members: &[&str]) -> Vec<Vec<String>> {
    let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| members.iter().map(|member| text(item, member)).collect()).collect()
}
