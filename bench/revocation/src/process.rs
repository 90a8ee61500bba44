//! The processes of the bench: start, signals, CPU time, memory, end.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::http::Connection;

const READY_WITHIN: Duration = Duration::from_secs(60);

/// A process; killed when this is dropped.
pub struct Process {
    child: Child,
    pid: u32,
}

impl Process {
    /// Starts a server; what it says goes to the file `log`.
    pub fn server(command: &mut Command, log: &Path) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Self::spawn(command)
    }

    /// Starts a program that is talked to.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let what = format!("start {:?}", command.as_std().get_program());
        let child = command.kill_on_drop(true).spawn().context(what)?;
        let pid = child.id().context("the process is gone")?;
        Ok(Self { child, pid })
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until `path` is answered 200.
    pub async fn ready(&mut self, address: SocketAddr, path: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the process ended with {status} before it was ready");
            }
            if answers(address, path).await.is_ok_and(|status| status == 200) {
                return Ok(());
            }
            ensure!(began.elapsed() < READY_WITHIN, "{address}{path} is not 200 after {READY_WITHIN:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// `-STOP`, `-CONT`, `-TERM`
    pub async fn signal(&self, signal: &str) -> Result<()> {
        let status = Command::new("kill").args([signal, &self.pid.to_string()]).status().await?;
        ensure!(status.success(), "kill {signal} {}", self.pid);
        Ok(())
    }

    /// Ends it in good order.
    pub async fn stop(mut self) -> Result<()> {
        self.signal("-TERM").await?;
        let status = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        let status = status.context("still running 30 s after SIGTERM")??;
        ensure!(status.success(), "the process ended with {status} after SIGTERM");
        Ok(())
    }
}

async fn answers(address: SocketAddr, path: &str) -> Result<u16> {
    let request = http::Request::get(path).header(http::header::HOST, "localhost").body(Default::default())?;
    Ok(Connection::tcp(address).await?.send(request).await?.status)
}

/// A loopback address that nobody listens on.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// User and system time that a process has used, in seconds; as exact as the kernel's ticks (10 ms).
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    let after_name = stat.rsplit_once(')').context("/proc/pid/stat")?.1;
    let ticks = |index: usize| -> Result<f64> {
        Ok(after_name.split_ascii_whitespace().nth(index).context("/proc/pid/stat")?.parse()?)
    };
    // Linux shows 100 ticks a second to programs, whatever it counts inside.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// Resident memory in MiB.
pub fn memory_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
    let kilobytes: f64 = line.split_ascii_whitespace().nth(1).context("VmRSS")?.parse()?;
    Ok(kilobytes / 1024.0)
}
