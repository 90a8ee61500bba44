//! `countersign jwt explain`: every check with its outcome; and `countersign explain CODE`.

use clap::Args;
use countersign_jose::{Error, verifier::KeySet};
use serde_json::{Value, json};

use super::{
    check::{Step, check, problem},
    input,
    keys::Keys,
    kind::Checks,
};
use crate::output::{Colour, Failure, Output, paint, say, text};

#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    checks: Checks,
    /// The token: itself, a file, or - for standard input
    #[arg(default_value = "-")]
    token: String,
}

impl Explain {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let judge = self.checks.judge()?;
        let keys: KeySet = self.keys.verifying()?.into_iter().collect();
        let token = input::text(&self.token)?;
        let outcome = check(&*judge, &keys, &token, self.checks.now());
        let answer = report(outcome.as_ref().err());
        match outcome {
            Ok(()) => {
                output.show(&answer, human);
                Ok(())
            }
            Err((_, error)) => {
                if !output.json {
                    human(&answer);
                }
                Err(Failure::refused(format!("refused: {error} ({})", error.code())).with_problem(answer))
            }
        }
    }
}

fn report(failed: Option<&(Step, Error)>) -> Value {
    let row = |step: &Step| {
        let mut row = match failed {
            Some((at, error)) if at == step => {
                let mut row = problem(error);
                row["state"] = "failed".into();
                row
            }
            Some((at, _)) if at < step => json!({ "state": "not reached" }),
            _ => json!({ "state": "passed" }),
        };
        row["check"] = step.name().into();
        row["about"] = step.about().into();
        if let Some(members) = row.as_object_mut() {
            members.remove("valid");
        }
        row
    };
    json!({ "valid": failed.is_none(), "checks": Step::ALL.iter().map(row).collect::<Vec<_>>() })
}

fn human(answer: &Value) {
    for row in answer["checks"].as_array().into_iter().flatten() {
        let (mark, colour) = match row["state"].as_str() {
            Some("passed") => ("passed     ", Colour::Green),
            Some("failed") => ("FAILED     ", Colour::Red),
            _ => ("not reached", Colour::Grey),
        };
        say!("{}  {:<9}  {}", paint(colour, mark), text(row, "check"), text(row, "about"));
        if row["state"] == "failed" {
            say!("             {}: {}", text(row, "code"), text(row, "error"));
            for name in ["expected", "got", "fix"] {
                if !row[name].is_null() {
                    say!("             {name}: {}", text(row, name));
                }
            }
            say!("             more: countersign explain {}", text(row, "code"));
        }
    }
}
