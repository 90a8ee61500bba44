//! What the tests compare with: processes that answer line by line (`../peers/README.md`).

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

/// A program of `../peers`, running.
pub struct Process(Mutex<Pipes>);

struct Pipes {
    child: Child,
    answers: Box<dyn BufRead + Send>,
}

impl Process {
    pub fn python(program: &str) -> Self {
        Self::start(python(program))
    }

    pub fn node(program: &str) -> Self {
        let mut command = Command::new("node");
        command.arg("--no-warnings").arg(programs().join(program)).arg(installed("node"));
        Self::start(command)
    }

    pub fn rust(program: &str) -> Self {
        Self::start(Command::new(installed("rust").join("debug").join(program)))
    }

    /// It ends by itself: when this process is gone, nobody holds its standard input open.
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = Box::new(BufReader::new(child.stdout.take().unwrap()));
        Self(Mutex::new(Pipes { child, answers }))
    }

    /// What it answers, or why it refuses.
    pub fn ask(&self, request: &Value) -> Result<Value, String> {
        let mut pipes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(pipes.child.stdin.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        assert!(pipes.answers.read_line(&mut line).unwrap() > 0, "the peer ended at {request}");
        let answer: Value = serde_json::from_str(&line).unwrap();
        match answer["refused"].as_str() {
            Some(why) => Err(why.to_owned()),
            None => Ok(answer["ok"].clone()),
        }
    }
}

/// One of the programs in Python, not started.
pub fn python(program: &str) -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", installed("python")).args(["-B", "-Wignore"]).arg(programs().join(program));
    command
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/peers")
}

/// Where `cargo xtask test` has put a peer's library.
fn installed(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers").join(name);
    assert!(
        folder.join("installed").is_file(),
        "{} is missing: these tests compare with other implementations, which `cargo xtask test` installs; they never skip \
         it. Once: cargo xtask test -- -p countersign -- peers",
        folder.display()
    );
    folder
}
