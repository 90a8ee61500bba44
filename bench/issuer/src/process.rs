//! Child processes on the server's core: start, readiness, CPU time, memory, end.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::SERVER_CORE;

const READY_WITHIN: Duration = Duration::from_secs(30);

pub struct Process {
    child: Child,
}

impl Process {
    /// Spawns `command` pinned on the server's core; its standard error goes to the file `log`.
    pub fn spawn(command: &Command, log: &Path) -> Result<Self> {
        let mut pinned = Command::new("taskset");
        pinned.args(["-c", SERVER_CORE]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => pinned.env(name, value),
                None => pinned.env_remove(name),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            pinned.current_dir(dir);
        }
        let log = File::options().create(true).append(true).open(log)?;
        let child = pinned.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        Ok(Self { child: child.with_context(|| format!("start {}", command.get_program().display()))? })
    }

    /// `taskset` becomes the program it starts, so this is the server's own id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Polls `path` every millisecond until it answers 200.
    pub fn wait_ready(&mut self, addr: SocketAddr, path: &str) -> Result<()> {
        let started = Instant::now();
        while !answers_ok(addr, path) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} before it was ready");
            }
            if started.elapsed() > READY_WITHIN {
                bail!("not ready after {READY_WITHIN:?}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// SIGTERM and wait; an error if it did not end by itself with 0.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() { Ok(()) } else { bail!("the server ended with {status} after SIGTERM") };
            }
            if asked.elapsed() > Duration::from_secs(20) {
                bail!("still running 20 s after SIGTERM");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers_ok(addr: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&addr, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// User and system time that a process has used, all its threads together.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
    let after_name = stat.rsplit_once(')').context("/proc/pid/stat")?.1;
    let ticks = |index: usize| -> Result<u64> {
        Ok(after_name.split_ascii_whitespace().nth(index).context("/proc/pid/stat")?.parse()?)
    };
    let (user, system) = (ticks(11)?, ticks(12)?);
    Ok(Duration::from_secs(user + system) / ticks_per_second())
}

fn ticks_per_second() -> u32 {
    static TICKS: OnceLock<u32> = OnceLock::new();
    *TICKS.get_or_init(|| {
        let output = Command::new("getconf").arg("CLK_TCK").output().ok();
        output.and_then(|o| String::from_utf8(o.stdout).ok()?.trim().parse().ok()).unwrap_or(100)
    })
}

/// Resident memory of a process in kilobytes: now, and its highest so far.
pub fn memory_kb(pid: u32) -> Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let field = |name: &str| -> Result<u64> {
        let line = status.lines().find(|line| line.starts_with(name)).context("/proc/pid/status")?;
        Ok(line.split_ascii_whitespace().nth(1).context("/proc/pid/status")?.parse()?)
    };
    Ok((field("VmRSS:")?, field("VmHWM:")?))
}
