//! Instructions per operation, by callgrind: the same for the same binary, whatever else the machine does. Its processor has
//! no SHA and no AVX-512 instructions, so that hashing costs more there than it does in CPU time.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use bench_jose_harness::Listed;

use super::{peers::Programs, program::Program};

const TIMES: u32 = 20;
/// The function of the harness inside which is counted, and after which a profile is written. callgrind (3.19) keeps one
/// option per pattern, so the two are spelt differently.
const INSIDE: &str = "*counted_by_callgrind*";
const AFTER: &str = "bench_jose_harness::serve::counted_by_callgrind";

/// `None` if there is no valgrind here.
pub fn count(programs: &[Programs], running: &[Program], material: &Path) -> Result<Option<BTreeMap<Listed, f64>>> {
    let found = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        eprintln!("bench jose: no valgrind here, so instructions are not counted");
        return Ok(None);
    }
    let mut counted = BTreeMap::new();
    for (programs, running) in programs.iter().zip(running) {
        let totals = totals(&programs.time, material)?;
        if totals.len() != running.cases.len() {
            bail!("callgrind wrote {} profiles of {} cases", totals.len(), running.cases.len());
        }
        counted.extend(running.cases.iter().cloned().zip(totals));
    }
    Ok(Some(counted))
}

/// One number for each case, in their order.
fn totals(program: &Path, material: &Path) -> Result<Vec<f64>> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("profile");
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--toggle-collect={INSIDE}"))
        .arg(format!("--dump-after={AFTER}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .arg(material)
        .arg(TIMES.to_string())
        .status()?;
    if !status.success() {
        bail!("{} fails under callgrind", program.display());
    }
    let profiles = (1..).map(|number| folder.path().join(format!("profile.{number}")));
    profiles.take_while(|path| path.exists()).map(|path| total(&fs::read_to_string(path)?)).collect()
}

fn total(profile: &str) -> Result<f64> {
    let line = profile.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    let count: f64 = line.context("a profile without a total")?.trim().parse()?;
    Ok(count / f64::from(TIMES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_profile_is_read() {
        assert_eq!(total("version: 1\nevents: Ir\nsummary: 2000\n").expect("a number"), 100.0);
        assert!(total("events: Ir\n").is_err());
    }
}
