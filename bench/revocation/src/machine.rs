//! What was measured on, and which versions: a number without them means nothing.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::Command,
};

use anyhow::Result;
use serde::Serialize;

use crate::{stats::median, time};

#[derive(Debug, Serialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    pub filesystem: String,
    /// Median time of a 4 KiB append followed by `fdatasync`, where the data lies.
    pub fdatasync_us: f64,
    pub countersign: String,
    pub rustc: String,
}

pub fn describe(folder: &Path, binary: &Path) -> Result<Machine> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
    let meminfo = fs::read_to_string("/proc/meminfo")?;
    let value = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or("", |(_, value)| value).trim().to_owned()
    };
    let kilobytes: u64 = value(&meminfo, "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    let df = answer(Command::new("df").arg("--output=fstype").arg(folder));
    let commit = answer(Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]));
    Ok(Machine {
        cpu: value(&cpuinfo, "model name"),
        cores: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
        memory_gib: (kilobytes + 512 * 1024) / (1024 * 1024),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
        filesystem: df.lines().last().unwrap_or_default().to_owned(),
        fdatasync_us: fdatasync(&folder.join("fdatasync"))?,
        countersign: format!("{} ({commit})", answer(Command::new(binary).arg("--version"))),
        rustc: answer(Command::new("rustc").arg("--version")),
    })
}

pub fn today() -> String {
    answer(Command::new("date").args(["-u", "+%F"]))
}

/// The first line that a program prints, or nothing.
pub fn answer(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

fn fdatasync(path: &Path) -> Result<f64> {
    let mut file = File::create(path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = time::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(time::millis(began, time::now()) * 1e3);
    }
    fs::remove_file(path)?;
    Ok(median(times))
}
