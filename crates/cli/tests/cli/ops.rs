//! What operators copy: the unit for systemd.

use std::{fs, path::Path, process::Command};

use crate::rig::{BINARY, text};

const UNIT: &str = "ops/systemd/countersign.service";

/// systemd's own program reads the unit, with the program under test in the place of the installed one, and finds it hardened.
#[test]
fn the_unit_is_understood_and_hardened() {
    let unit = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(UNIT)).unwrap();
    assert!(unit.contains("ExecStart=/usr/local/bin/countersign "));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.service");
    fs::write(&path, unit.replace("/usr/local/bin/countersign", BINARY)).unwrap();
    let analyze = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze").args(arguments).arg(&path).output().unwrap();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let (well, said) = analyze(&["verify"]);
    assert!(well && said.trim().is_empty(), "{said}");
    // 0 is the best, 10 the worst; an ordinary service has 9.6. The threshold is in tenths.
    let (well, said) = analyze(&["security", "--offline=true", "--threshold=15"]);
    assert!(well, "{said}");
}
