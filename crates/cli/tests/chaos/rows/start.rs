//! What a server must notice when it starts: a database that is damaged, another server on it, keys that are gone.

use std::fs;

use countersign_jose::b64;

use crate::{
    dice::Dice,
    people::{Crowd, World},
    round::{Round, world},
    site::{Server, Site, Start},
};

/// Some work, and a stop that leaves everything tidy.
fn used(round: &mut Round, site: &Site, seed: usize) {
    let (server, world) = (site.serve(&Start::default()), World { changes: false, ..world(site) });
    let crowd = Crowd::begin(&world, 3, &mut round.dice(seed));
    round.expect(crowd.progress(30), "nothing is answered");
    crowd.pause();
    stopped(round, server);
}

fn stopped(round: &mut Round, server: Server) {
    let code = server.stop();
    round.expect(code == Some(0), format!("it stopped with {code:?}"));
}

/// Bytes of the database are flipped: where a start meets them it is refused, and `doctor` says what is wrong in any case.
pub fn corrupt(round: &mut Round) {
    let site = Site::default();
    used(round, &site, 0);
    let whole = fs::read(site.database()).unwrap();
    let (mut started, mut unnoticed) = (0, 0);
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        let (damaged, what) = damage(&whole, &mut dice);
        for beside in ["countersign.db-wal", "countersign.db-shm"] {
            // Not there after a tidy stop.
            let _ = fs::remove_file(site.data().join(beside));
        }
        fs::write(site.database(), damaged).unwrap();
        let (code, doctor) = site.run(&Start::default(), &["doctor"]);
        match site.try_serve(&Start::default()) {
            Err(refused) => {
                let said = refused.log + &doctor;
                let named = ["damaged", "not a SQLite database", "store:"].iter().any(|word| said.contains(word));
                round.expect(refused.status.code() == Some(1), format!("{what}: it ended with {:?}", refused.status));
                round.expect(named, format!("{what}: nobody says why: {said}"));
                round.expect(code != Some(0), format!("{what}: doctor is content: {doctor}"));
            }
            // A start reads the pages that it needs; `doctor` reads all of them, but no structure tells a flipped value
            // from a right one.
            Ok(server) => {
                started += 1;
                unnoticed += usize::from(code == Some(0));
                server.kill();
            }
        }
    }
    round.note(format!("{started} of {} were served, of which doctor did not see {unnoticed}", round.iterations));
    fs::write(site.database(), whole).unwrap();
    let _ = fs::remove_file(site.data().join("countersign.db-wal"));
    let _ = fs::remove_file(site.data().join("countersign.db-shm"));
    used(round, &site, 0);
}

/// The beginning, a page's head, or anywhere; or the end is missing.
fn damage(whole: &[u8], dice: &mut Dice) -> (Vec<u8>, String) {
    const PAGE: usize = 4096;
    let mut bytes = whole.to_vec();
    let pages = bytes.len() / PAGE;
    let (from, len, what) = match dice.below(4) {
        0 => (dice.below(16), 8, "the head of the file"),
        1 => (dice.below(pages) * PAGE, 8, "the head of a page"),
        2 => (dice.below(bytes.len() - PAGE), PAGE, "a page"),
        _ => {
            let kept = dice.below(pages) * PAGE + dice.below(PAGE);
            bytes.truncate(kept);
            return (bytes, format!("cut to {kept} bytes"));
        }
    };
    // Beyond the file's own numbers in the first hundred bytes, some of which nobody reads.
    let from = if from == 0 && what == "the head of a page" { 100 } else { from };
    bytes[from..from + len].iter_mut().for_each(|byte| *byte ^= 0xA5);
    (bytes, format!("{what}, {len} bytes from {from}"))
}

/// A second server on the same folder is refused, and the first goes on.
pub fn two_servers(round: &mut Round) {
    let site = Site::default();
    let mut server = site.serve(&Start::default());
    let world = world(&site);
    let crowd = Crowd::begin(&world, 3, &mut round.dice(0));
    for iteration in 0..round.iterations {
        let other = Start::default().with("COUNTERSIGN_LISTEN", "127.0.0.1:0");
        match site.try_serve(&other) {
            Ok(_) => round.expect(false, "two servers use one folder"),
            Err(refused) => {
                let named = refused.log.contains("in use by another Countersign");
                round.expect(named && refused.status.code() == Some(1), format!("{refused:?}"));
            }
        }
        round.expect(server.is_running() && crowd.progress(10), "the first one does not go on");
        // Whoever held the folder is gone: the next one may have it at once.
        if iteration % 2 == 1 {
            server.kill();
            server = site.serve(&Start::default());
        }
    }
    round.settle(crowd, &world);
}

/// The key-encryption key is lost, or another one: nothing is made in its place, nothing is served.
pub fn kek(round: &mut Round) {
    let site = Site::default();
    used(round, &site, 0);
    let (path, aside) = (site.data().join("kek"), site.folder().join("kek-aside"));
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        fs::rename(&path, &aside).unwrap();
        let what = match iteration % 4 {
            0 => "lost",
            1 => {
                write_key(&path, &[u8::try_from(dice.below(256)).unwrap(); 32]);
                "another"
            }
            2 => {
                write_key(&path, &[7; 16]);
                "half"
            }
            _ => {
                let mut bytes = b64::decode(fs::read_to_string(&aside).unwrap().trim()).unwrap();
                bytes[dice.below(32)] ^= 1;
                write_key(&path, &bytes);
                "one bit off"
            }
        };
        let before = fs::read(site.database()).unwrap();
        match site.try_serve(&Start::default()) {
            Ok(_) => round.expect(false, format!("I-9: it serves with a key that is {what}")),
            Err(refused) => {
                let said = refused.log.contains("key-encryption key") || refused.log.contains("high-water");
                round.expect(said && refused.status.code() == Some(1), format!("{what}: {refused:?}"));
            }
        }
        round.expect(what != "lost" || !path.exists(), "I-9: a key was made in the place of a lost one");
        round.expect(fs::read(site.database()).unwrap() == before, format!("{what}: the database was changed"));
        fs::rename(&aside, &path).unwrap();
    }
    let world = world(&site);
    let _server = site.serve(&Start::default());
    let crowd = Crowd::begin(&world, 3, &mut round.dice(0));
    round.expect(crowd.progress(20), "nothing is answered");
    round.settle(crowd, &world);
}

fn write_key(path: &std::path::Path, bytes: &[u8]) {
    fs::write(path, b64::encode(bytes)).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}
