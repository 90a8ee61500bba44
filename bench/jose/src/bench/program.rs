//! A program that waits to be asked. Only one works at a time, so that the rounds are interleaved.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use bench_jose::ours;
use bench_jose_harness::{Answer, Listed, Material, Question, Sample};
use countersign_jose::Unverified;

pub struct Program {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub cases: Vec<Listed>,
}

impl Program {
    pub fn start(program: &Path, material: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .arg(material)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{} cannot be asked", program.display())
        };
        let mut this = Self { child, questions, answers: BufReader::new(answers), cases: Vec::new() };
        match this.ask(Question::List)? {
            Answer::Listed(cases) => this.cases = cases,
            other => bail!("{} answers {other:?}", program.display()),
        }
        Ok(this)
    }

    pub fn run(&mut self, case: usize, times: u32) -> Result<Sample> {
        match self.ask(Question::Run(case, times))? {
            Answer::Ran(sample) => Ok(sample),
            other => bail!("a run answered {other:?}"),
        }
    }

    /// Every case accepts what is good, refuses what is wrong, and signs what this library verifies.
    pub fn check(&mut self, material: &Material) -> Result<()> {
        for (index, case) in self.cases.clone().into_iter().enumerate() {
            let Listed { library, alg, op } = &case;
            match self.ask(Question::Check(index))? {
                Answer::Checked(Ok(None)) => {}
                Answer::Checked(Ok(Some(token))) => {
                    let Some(key) = material.keys.get(alg) else { bail!("{library} signs with {alg}") };
                    let Ok(alg) = alg.parse() else { continue };
                    let (_, verifying) = ours::keys(alg, key);
                    Unverified::parse(&token)
                        .and_then(|token| token.verify_signature(&verifying))
                        .with_context(|| format!("what {library} signs with {alg}: {token}"))?;
                }
                Answer::Checked(Err(why)) => bail!("{library}, {op:?} {alg}: {why}"),
                other => bail!("a check answered {other:?}"),
            }
        }
        Ok(())
    }

    fn ask(&mut self, question: Question) -> Result<Answer> {
        writeln!(self.questions, "{}", serde_json::to_string(&question)?)?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("a program ended: {}", self.child.wait()?);
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
