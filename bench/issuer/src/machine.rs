//! What was measured on, and which versions: a number without them means nothing.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::stats::median;

#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    pub filesystem: String,
    /// Median time of a 4 KiB append followed by `fdatasync`, where the data folder lies.
    pub fdatasync_us: f64,
}

#[derive(Debug, Serialize)]
pub struct Versions {
    pub countersign: String,
    pub oidc_provider: String,
    pub node: String,
    pub rustc: String,
}

pub fn describe(folder: &Path) -> Result<Machine> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
    let df = answer(Command::new("df").arg("--output=fstype").arg(folder));
    Ok(Machine {
        cpu: value(&cpuinfo, "model name").to_owned(),
        cores: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
        memory_gib: (memory_kib()? + 512 * 1024) / (1024 * 1024),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
        filesystem: df.lines().last().unwrap_or_default().to_owned(),
        fdatasync_us: fdatasync(&folder.join("fdatasync"))?,
    })
}

pub fn memory_kib() -> Result<u64> {
    let meminfo = fs::read_to_string("/proc/meminfo")?;
    Ok(value(&meminfo, "MemTotal").trim_end_matches(" kB").parse()?)
}

fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or("", |(_, value)| value).trim()
}

pub fn versions(countersign: Option<&Path>, oidc_provider: String) -> Versions {
    let commit = answer(Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]));
    let binary = countersign.map(|path| answer(Command::new(path).arg("--version"))).unwrap_or_default();
    Versions {
        countersign: format!("{binary} ({commit})"),
        oidc_provider,
        node: answer(Command::new("node").arg("--version")),
        rustc: answer(Command::new("rustc").arg("--version")),
    }
}

pub fn today() -> String {
    answer(Command::new("date").args(["-u", "+%F"]))
}

fn answer(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

fn fdatasync(path: &Path) -> Result<f64> {
    let mut file = File::create(path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let started = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(times))
}
