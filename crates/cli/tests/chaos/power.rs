//! What a process asked of the files in one folder, as strace wrote it down, and what a power failure leaves of that: what was
//! synced, and of the rest any sectors.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use crate::dice::Dice;

/// What a disk writes as a whole.
const SECTOR: usize = 512;
/// System calls that change files or make them durable.
pub const CALLS: &str = "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,unlink";

/// The files of a folder by name.
pub type Files = BTreeMap<String, Vec<u8>>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Opened for writing: it is made, or emptied, if that was asked for.
    Open {
        name: String,
        truncate: bool,
    },
    /// `at`: where; `None`: at the end.
    Write {
        name: String,
        at: Option<usize>,
        bytes: Vec<u8>,
    },
    Truncate {
        name: String,
        len: usize,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        name: String,
    },
    /// Everything about this file that was asked before the step `upto` is on the disk.
    Sync {
        name: String,
        upto: usize,
    },
    /// The names, likewise.
    SyncFolder {
        upto: usize,
    },
}

/// What strace wrote down, in its order.
#[derive(Debug, Default)]
pub struct Record(Vec<Step>);

impl Record {
    /// Reads `strace -f -y -xx` of a process that used this folder.
    pub fn parse(text: &str, folder: &Path) -> Self {
        let mut record = Self::default();
        let mut open: HashMap<(&str, &str), (String, usize)> = HashMap::new();
        for line in text.lines() {
            let Some((pid, rest)) = line.split_once(' ') else { continue };
            let rest = rest.trim_start();
            if let Some(resumed) = rest.strip_prefix("<... ") {
                let Some((call, more)) = resumed.split_once(" resumed>") else { continue };
                let Some((args, upto)) = open.remove(&(pid, call)) else { continue };
                // Whatever else it changed was written down when it began.
                if is_durable(call) || call == "openat" {
                    record.call(call, &(args + more), upto, folder);
                }
            } else if let Some((call, args)) = rest.split_once('(') {
                let upto = record.0.len();
                if let Some(args) = args.strip_suffix(" <unfinished ...>") {
                    // Whatever it changes may be there from now on; a sync has done its work once it returns.
                    let begun = upto;
                    if !is_durable(call) && call != "openat" {
                        record.call(call, args, begun, folder);
                    }
                    open.insert((pid, call), (args.to_owned(), begun));
                } else {
                    record.call(call, args, upto, folder);
                }
            }
        }
        record
    }

    /// One call as it is written: `text` is everything behind its name.
    fn call(&mut self, call: &str, text: &str, upto: usize, folder: &Path) {
        if text.rsplit_once(" = ").is_some_and(|(_, result)| result.starts_with('-')) {
            return;
        }
        let names = quoted(text, folder);
        let of_fd = || file_of(text, folder);
        let numbers = || text.split(',').skip(1).filter_map(|part| number(part.trim()));
        let step = match call {
            "openat" if text.contains("O_CREAT") || text.contains("O_TRUNC") => {
                names.first().cloned().flatten().map(|name| Step::Open { name, truncate: text.contains("O_TRUNC") })
            }
            "write" | "pwrite64" => of_fd().flatten().and_then(|name| {
                let at = if call == "write" { None } else { Some(numbers().last()?) };
                Some(Step::Write { name, at, bytes: bytes_of(text)? })
            }),
            "ftruncate" => of_fd().flatten().and_then(|name| Some(Step::Truncate { name, len: numbers().last()? })),
            "rename" => match &names[..] {
                [Some(from), Some(to)] => Some(Step::Rename { from: from.clone(), to: to.clone() }),
                _ => None,
            },
            "unlink" => names.first().cloned().flatten().map(|name| Step::Remove { name }),
            "fsync" | "fdatasync" => of_fd().map(|name| match name {
                Some(name) => Step::Sync { name, upto },
                None => Step::SyncFolder { upto },
            }),
            _ => None,
        };
        self.0.extend(step);
    }

    /// How often something was made durable.
    pub fn syncs(&self) -> usize {
        self.0.iter().filter(|step| matches!(step, Step::Sync { .. })).count()
    }

    /// The folder after a power failure at the end of this record; `before` is what was on the disk at its begin.
    pub fn after_power_failure(&self, before: &Files, dice: &mut Dice) -> Files {
        let mut disk = Disk::new(before);
        for (n, step) in self.0.iter().enumerate() {
            disk.apply(n, step);
        }
        disk.lose_power(dice)
    }
}

fn is_durable(call: &str) -> bool {
    matches!(call, "fsync" | "fdatasync")
}

/// `\x2f\x74` as bytes.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes().chunks(4).map(|chunk| {
        let digits = std::str::from_utf8(chunk).ok()?.strip_prefix("\\x")?;
        u8::from_str_radix(digits, 16).ok()
    });
    bytes.collect()
}

/// The name in the folder of a whole path; `Some(None)`: the folder itself.
fn in_folder(hex: &str, folder: &Path) -> Option<Option<String>> {
    let path = String::from_utf8(unhex(hex)?).ok()?;
    let rest = Path::new(&path).strip_prefix(folder).ok()?.to_str()?.to_owned();
    // Folders in it are of no interest: mails that were written for a person to see.
    (!rest.contains('/')).then(|| Some(rest).filter(|rest| !rest.is_empty()))
}

/// The paths of a call, each with its name if it is in the folder.
fn quoted(text: &str, folder: &Path) -> Vec<Option<String>> {
    text.split('"').skip(1).step_by(2).map(|hex| in_folder(hex, folder).flatten()).collect()
}

/// The file that the first argument is open at.
fn file_of(text: &str, folder: &Path) -> Option<Option<String>> {
    let (_, rest) = text.split_once('<')?;
    in_folder(rest.split_once('>')?.0, folder)
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    unhex(text.split('"').nth(1)?)
}

/// A number that an argument begins with: `4096) = 4096`.
fn number(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// One file, whatever its name is.
#[derive(Debug, Default)]
struct Inode {
    durable: Vec<u8>,
    /// Since the last sync, with their steps.
    unsynced: Vec<(usize, Change)>,
    /// As the process sees it.
    len: usize,
}

#[derive(Debug, Clone)]
enum Naming {
    Give { name: String, inode: usize },
    Rename { from: String, to: String },
    Remove { name: String },
}

#[derive(Debug, Default)]
struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    unsynced_names: Vec<(usize, Naming)>,
}

impl Disk {
    fn new(before: &Files) -> Self {
        let mut disk = Self::default();
        for (name, bytes) in before {
            disk.names.insert(name.clone(), disk.inodes.len());
            disk.inodes.push(Inode { durable: bytes.clone(), unsynced: Vec::new(), len: bytes.len() });
        }
        disk.durable_names.clone_from(&disk.names);
        disk
    }

    fn apply(&mut self, n: usize, step: &Step) {
        match step {
            Step::Open { name, truncate } => match self.names.get(name) {
                Some(inode) if *truncate => self.inodes[*inode].change(n, Change::Truncate(0)),
                Some(_) => {}
                None => {
                    let inode = self.inodes.len();
                    self.inodes.push(Inode::default());
                    self.naming(n, Naming::Give { name: name.clone(), inode });
                }
            },
            Step::Write { name, at, bytes } => {
                if let Some(inode) = self.names.get(name) {
                    let at = at.unwrap_or(self.inodes[*inode].len);
                    self.inodes[*inode].change(n, Change::Write { at, bytes: bytes.clone() });
                }
            }
            Step::Truncate { name, len } => {
                if let Some(inode) = self.names.get(name) {
                    self.inodes[*inode].change(n, Change::Truncate(*len));
                }
            }
            Step::Rename { from, to } => self.naming(n, Naming::Rename { from: from.clone(), to: to.clone() }),
            Step::Remove { name } => self.naming(n, Naming::Remove { name: name.clone() }),
            Step::Sync { name, upto } => {
                if let Some(inode) = self.names.get(name) {
                    self.inodes[*inode].sync(*upto);
                }
            }
            Step::SyncFolder { upto } => {
                let (synced, rest): (Vec<_>, Vec<_>) = self.unsynced_names.drain(..).partition(|(step, _)| step < upto);
                self.unsynced_names = rest;
                for (_, naming) in synced {
                    name(&mut self.durable_names, &naming);
                }
            }
        }
    }

    fn naming(&mut self, n: usize, naming: Naming) {
        name(&mut self.names, &naming);
        self.unsynced_names.push((n, naming));
    }

    /// Names are kept in their order up to some moment, as a file system with a journal does; of what was written and not
    /// synced each sector is there or not.
    fn lose_power(mut self, dice: &mut Dice) -> Files {
        let kept = dice.below(self.unsynced_names.len() + 1);
        for (_, naming) in &self.unsynced_names[..kept] {
            name(&mut self.durable_names, naming);
        }
        let chance = *dice.pick(&[0, 10, 50, 90]);
        let mut content = |inode: usize| self.inodes[inode].lose_power(chance, dice);
        self.durable_names.iter().map(|(name, inode)| (name.clone(), content(*inode))).collect()
    }
}

fn name(names: &mut BTreeMap<String, usize>, naming: &Naming) {
    match naming {
        Naming::Give { name, inode } => drop(names.insert(name.clone(), *inode)),
        Naming::Rename { from, to } => {
            if let Some(inode) = names.remove(from) {
                names.insert(to.clone(), inode);
            }
        }
        Naming::Remove { name } => drop(names.remove(name)),
    }
}

impl Inode {
    fn change(&mut self, n: usize, change: Change) {
        match &change {
            Change::Write { at, bytes } => self.len = self.len.max(at + bytes.len()),
            Change::Truncate(len) => self.len = *len,
        }
        self.unsynced.push((n, change));
    }

    fn sync(&mut self, upto: usize) {
        let (synced, rest): (Vec<_>, Vec<_>) = self.unsynced.drain(..).partition(|(step, _)| *step < upto);
        self.unsynced = rest;
        for (_, change) in synced {
            change.apply(&mut self.durable, |_| true);
        }
    }

    fn lose_power(&mut self, chance: usize, dice: &mut Dice) -> Vec<u8> {
        for (_, change) in self.unsynced.drain(..) {
            change.apply(&mut self.durable, |_| dice.percent(chance));
        }
        std::mem::take(&mut self.durable)
    }
}

impl Change {
    /// To the sectors that `keeps` says.
    fn apply(&self, file: &mut Vec<u8>, mut keeps: impl FnMut(usize) -> bool) {
        match self {
            Self::Truncate(len) => {
                if keeps(*len) {
                    file.resize(*len, 0);
                }
            }
            Self::Write { at, bytes } => {
                let (mut from, end) = (*at, at + bytes.len());
                while from < end {
                    let to = end.min((from / SECTOR + 1) * SECTOR);
                    if keeps(from) {
                        file.resize(file.len().max(to), 0);
                        file[from..to].copy_from_slice(&bytes[from - at..to - at]);
                    }
                    from = to;
                }
            }
        }
    }
}

/// The files of a folder that are on a disk: SQLite's shared memory and sockets are not.
pub fn files(folder: &Path) -> Files {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let kept = all.filter(|path| !path.to_str().unwrap().ends_with("-shm"));
    kept.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

/// Makes the folder hold these files and no others; modes of those that are there stay.
pub fn write(folder: &Path, files: &Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() && !files.contains_key(path.file_name().unwrap().to_str().unwrap()) {
            fs::remove_file(path).unwrap();
        }
    }
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    /// Each line with `PATH` and `'text'` as strace writes them.
    fn record(lines: &[&str]) -> Record {
        let text: Vec<String> = lines
            .iter()
            .map(|line| {
                let parts = line.split('\'').enumerate();
                let text: String =
                    parts.map(|(n, part)| if n % 2 == 1 { hex(part) } else { part.to_owned() }).collect();
                format!("7 {text}")
            })
            .collect();
        Record::parse(&text.join("\n"), Path::new("/d"))
    }

    fn left(record: &Record, before: &[(&str, &str)]) -> Vec<BTreeMap<String, String>> {
        let before = before.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        let mut all: Vec<_> = (0..200)
            .map(|seed| {
                let files = record.after_power_failure(&before, &mut Dice::new(seed));
                files.into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect()
            })
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn only(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn what_was_synced_stays_and_the_rest_may_be_lost() {
        let unsynced = record(&["pwrite64(9<'/d/a'>, \"'new'\", 3, 0) = 3", "write(1<'/e/a'>, \"'no'\", 2) = 2"]);
        assert_eq!(left(&unsynced, &[("a", "old")]), [only(&[("a", "new")]), only(&[("a", "old")])]);
        let synced = record(&["pwrite64(9<'/d/a'>, \"'new'\", 3, 0) = 3", "fdatasync(9<'/d/a'>) = 0"]);
        assert_eq!(left(&synced, &[("a", "old")]), [only(&[("a", "new")])]);
        for useless in ["fdatasync(9<'/d/a'>) = -1 EIO (Input/output error)", "fdatasync(9<'/d/b'>) = 0"] {
            let failed = record(&["pwrite64(9<'/d/a'>, \"'new'\", 3, 0) = 3", useless]);
            assert_eq!(left(&failed, &[("a", "old"), ("b", "")]).len(), 2, "{useless}");
        }
    }

    #[test]
    fn a_sync_is_for_what_was_asked_before_it_began() {
        let late = record(&[
            "pwrite64(9<'/d/a'>, \"'new'\", 3, 0) = 3",
            "fdatasync(9<'/d/a'> <unfinished ...>",
            "pwrite64(9<'/d/a'>, \"'xxx'\", 3, 0) = 3",
            "<... fdatasync resumed>) = 0",
        ]);
        assert_eq!(left(&late, &[("a", "old")]), [only(&[("a", "new")]), only(&[("a", "xxx")])]);
        let never =
            record(&["pwrite64(9<'/d/a'>, \"'new'\", 3, 0 <unfinished ...>", "fsync(9<'/d/a'> <unfinished ...>"]);
        assert_eq!(left(&never, &[("a", "old")]).len(), 2);
        assert_eq!((late.syncs(), never.syncs()), (1, 0));
    }

    #[test]
    fn names_are_durable_once_their_folder_is() {
        let steps = [
            "openat(AT_FDCWD<'/'>, \"'/d/a.new'\", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0600) = 9<'/d/a.new'>",
            "write(9<'/d/a.new'>, \"'new'\", 3) = 3",
            "fsync(9<'/d/a.new'>) = 0",
            "rename(\"'/d/a.new'\", \"'/d/a'\") = 0",
            "fsync(9<'/d'>) = 0",
        ];
        assert_eq!(left(&record(&steps), &[("a", "old")]), [only(&[("a", "new")])]);
        let some = left(&record(&steps[..4]), &[("a", "old")]);
        assert_eq!(some, [only(&[("a", "new")]), only(&[("a", "old")]), only(&[("a", "old"), ("a.new", "new")])]);
        // Without the sync before the rename the file may be empty: that is the mistake this would find.
        let careless: Vec<_> = [&steps[..2], &steps[3..]].concat();
        assert!(left(&record(&careless), &[("a", "old")]).contains(&only(&[("a", "")])));
    }
}
