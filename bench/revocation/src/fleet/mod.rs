//! Processes of verifiers that share nothing: each verifier has its own connections, keys, view of the log and cache.

mod role;
mod tries;

use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{ChildStdin, ChildStdout, Command},
};

pub use role::{Verifiers, run};
pub use tries::Tries;

use crate::process::Process;

/// What a process of verifiers is asked; one line of JSON, answered by one or two.
#[derive(Debug, Serialize, Deserialize)]
enum Ask {
    /// Accept this token everywhere, then say when each verifier refused it first.
    Watch(String),
    /// Try this token at every verifier without a pause, until `Stop`.
    Try(String),
    Stop,
    Cost,
}

/// Every verifier has accepted the token, or is there.
#[derive(Debug, Serialize, Deserialize)]
struct Ready;

/// When each verifier refused first, in nanoseconds of the shared clock.
#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    at: Vec<u64>,
}

/// What the verifiers of a process have cost since they began.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Cost {
    pub cpu_ns: u64,
    /// Signed lines that were taken in, by all verifiers together.
    pub lines: u64,
}

/// The running processes.
pub struct Fleet {
    parts: Vec<Part>,
}

struct Part {
    process: Process,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Fleet {
    /// Starts as many processes as there are `parts`, and waits until all verifiers are ready.
    pub async fn start(parts: Vec<Verifiers>) -> Result<Self> {
        let mut fleet = Self { parts: parts.iter().map(Part::start).collect::<Result<_>>()? };
        for part in &mut fleet.parts {
            let Ready = part.read().await?;
        }
        Ok(fleet)
    }

    /// Accepts a token everywhere; [`Fleet::refused`] then waits until it is refused everywhere.
    pub async fn watch(&mut self, token: &str) -> Result<()> {
        self.all(&Ask::Watch(token.to_owned())).await
    }

    /// When each verifier refused first.
    pub async fn refused(&mut self) -> Result<Vec<u64>> {
        let mut at = Vec::new();
        for part in &mut self.parts {
            at.extend(part.read::<Refused>().await?.at);
        }
        Ok(at)
    }

    /// Tries a token everywhere until [`Fleet::stop`].
    pub async fn try_all(&mut self, token: &str) -> Result<()> {
        self.all(&Ask::Try(token.to_owned())).await
    }

    /// What came of the tries, one for each verifier.
    pub async fn stop(&mut self) -> Result<Vec<Tries>> {
        for part in &mut self.parts {
            part.ask(&Ask::Stop).await?;
        }
        let mut tries = Vec::new();
        for part in &mut self.parts {
            tries.extend(part.read::<Vec<Tries>>().await?);
        }
        Ok(tries)
    }

    /// What all verifiers together have cost.
    pub async fn cost(&mut self) -> Result<Cost> {
        let mut sum = Cost { cpu_ns: 0, lines: 0 };
        for part in &mut self.parts {
            part.ask(&Ask::Cost).await?;
            let Cost { cpu_ns, lines } = part.read().await?;
            sum = Cost { cpu_ns: sum.cpu_ns + cpu_ns, lines: sum.lines + lines };
        }
        Ok(sum)
    }

    /// Resident memory of all processes together, MiB.
    pub fn memory_mib(&self) -> Result<f64> {
        self.parts.iter().map(|part| crate::process::memory_mib(part.process.pid())).sum()
    }

    async fn all(&mut self, ask: &Ask) -> Result<()> {
        for part in &mut self.parts {
            part.ask(ask).await?;
        }
        for part in &mut self.parts {
            let Ready = part.read().await?;
        }
        Ok(())
    }
}

impl Part {
    fn start(verifiers: &Verifiers) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(verifiers.arguments()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::spawn(&mut command)?;
        let stdin = process.child().stdin.take().context("standard input")?;
        let stdout = BufReader::new(process.child().stdout.take().context("standard output")?).lines();
        Ok(Self { process, stdin, stdout })
    }

    async fn ask(&mut self, ask: &Ask) -> Result<()> {
        let line = serde_json::to_string(ask)? + "\n";
        Ok(self.stdin.write_all(line.as_bytes()).await?)
    }

    async fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        let limit = std::time::Duration::from_secs(120);
        let line = tokio::time::timeout(limit, self.stdout.next_line()).await;
        let Some(line) = line.context("a process of verifiers does not answer")?? else {
            bail!("a process of verifiers ended");
        };
        serde_json::from_str(&line).with_context(|| line)
    }
}

/// `total` verifiers, at most 50 to a process.
pub fn processes(total: usize, like: &Verifiers) -> Result<Vec<Verifiers>> {
    ensure!(total > 0, "no verifiers");
    let count = total.div_ceil(role::PER_PROCESS);
    let mut left = total;
    Ok((0..count)
        .map(|at| {
            let some = left.div_ceil(count - at);
            left -= some;
            Verifiers { count: some, ..like.clone() }
        })
        .collect())
}
