//! The disk: full, and with errors of writes and syncs.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use crate::{
    people::{self, Crowd},
    round::{Round, world},
    site::{Site, Start},
};

/// Writes and syncs fail: with EIO, or because nothing is left (ENOSPC, EDQUOT), once or from then on.
pub fn errors(round: &mut Round) {
    let site = Site::default();
    let world = world(&site);
    let mut server = site.serve(&Start::default());
    let crowd = Crowd::begin(&world, 4, &mut round.dice(0));
    let mut refused = 0;
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        round.expect(crowd.progress(20), "I-11: nothing is answered any more");
        server.kill();
        let (call, error) = [
            ("pwrite64", "EIO"),
            ("pwrite64", "ENOSPC"),
            ("pwrite64", "EDQUOT"),
            ("fdatasync", "EIO"),
            ("fdatasync", "ENOSPC"),
            ("fsync", "EIO"),
            ("ftruncate", "EIO"),
        ][dice.below(7)];
        let (from, more) = (1 + dice.below(60), if dice.percent(50) { "+" } else { "" });
        let blow = Start::strace(&format!("trace={call}"), &format!("inject={call}:error={error}:when={from}{more}"));
        match site.try_serve(&blow) {
            Ok(broken) => {
                let _ = people::progress(&world, 60, dice.millis(300, 1_500));
                broken.kill();
            }
            Err(_) => refused += 1,
        }
        server = site.serve(&Start::default());
    }
    round.note(format!("{refused} did not start"));
    round.settle(crowd, &world);
    drop(server);
}

/// A file system in memory that is unmounted in the end.
struct SmallDisk<'a>(&'a Path);

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // Nothing of the test is running any more; lazily, should something be.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// A small disk is filled by somebody else, and emptied again. Mounting needs root; without it the row above is all there is.
pub fn full(round: &mut Round) {
    let folder = tempfile::tempdir().unwrap();
    let mount = |options: &str| {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path());
        command.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if !mount("size=24m") {
        round.note("no right to mount a small disk: errors of writes instead");
        return errors(round);
    }
    let path = folder.path().to_owned();
    let _disk = SmallDisk(&path);
    let site = Site::in_folder(folder, &[("COUNTERSIGN_LOG_LEVEL", "error")]);
    let world = world(&site);
    let mut server = site.serve(&Start::default());
    let crowd = Crowd::begin(&world, 4, &mut round.dice(0));
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        round.expect(crowd.progress(20), "I-11: nothing is answered any more");
        let filler = path.join("filler");
        // It fails in the end: that is how full the disk is then.
        let _ = Command::new("dd")
            .args(["if=/dev/zero", "bs=4k", "status=none"])
            .arg(format!("of={}", filler.display()))
            .stderr(std::process::Stdio::null())
            .status();
        thread::sleep(dice.millis(300, 1_500));
        if dice.percent(40) {
            server.kill();
            // A start may be refused now; nothing must be broken by it.
            drop(site.try_serve(&Start::default()));
            fs::remove_file(&filler).unwrap();
            server = site.serve(&Start::default());
        } else {
            fs::remove_file(&filler).unwrap();
        }
    }
    round.settle(crowd, &world);
    server.kill();
    thread::sleep(Duration::from_millis(50));
}
