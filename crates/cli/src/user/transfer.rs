//! `countersign user import` and `user export`: accounts as JSON lines, one each.

use std::{
    fs::File,
    io::{BufRead, BufReader, IsTerminal, Read, Write, stderr, stdin, stdout},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    admin::{Admin, segment},
    output::{Failure, Output, say},
};

/// Lines that travel together: one transaction.
const BATCH: usize = 500;
/// Bytes of one call, below what the server takes.
const BATCH_BYTES: usize = 1 << 20;
/// Bytes of a line.
const MAX_LINE: u64 = 64 * 1024;

#[derive(Debug, clap::Args)]
pub struct Import {
    /// JSON lines; `-` is standard input
    file: PathBuf,
    /// Check every line and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Begin with this line, where an earlier import has stopped
    #[arg(long, value_name = "LINE", default_value_t = 1)]
    from: u64,
}

#[derive(Debug, clap::Args)]
pub struct Export {
    /// With the hashes of the passwords. Whoever reads them can guess at the passwords: keep the file as a secret
    #[arg(long)]
    password_hashes: bool,
}

#[derive(Default)]
struct Tally {
    added: u64,
    existing: u64,
    refused: u64,
}

/// Lines that wait to be sent, with their numbers.
#[derive(Default)]
struct Batch {
    lines: Vec<(u64, Value)>,
    bytes: usize,
}

struct Importer<'a> {
    admin: &'a mut Admin,
    dry_run: bool,
    tally: Tally,
    /// Bytes of the file; 0 if nobody knows.
    size: u64,
    read: u64,
}

impl Import {
    pub async fn run(self, admin: &mut Admin, output: Output) -> Result<(), Failure> {
        let (size, mut lines) = open(&self.file)?;
        let mut importer = Importer { admin, dry_run: self.dry_run, tally: Tally::default(), size, read: 0 };
        let mut batch = Batch::default();
        let mut number = 0;
        while let Some(line) = next_line(&mut lines, number + 1)? {
            number += 1;
            importer.read += line.len() as u64;
            if number < self.from || line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str(&line) {
                Ok(account) => batch.push(number, account, line.len()),
                Err(error) => importer.refuse(number, &format!("no JSON: {error}")),
            }
            if batch.is_full() {
                importer.send(&mut batch).await?;
            }
        }
        importer.send(&mut batch).await?;
        importer.end(output)
    }
}

impl Batch {
    fn push(&mut self, number: u64, account: Value, bytes: usize) {
        self.lines.push((number, account));
        self.bytes += bytes;
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= BATCH || self.bytes >= BATCH_BYTES
    }
}

impl Importer<'_> {
    async fn send(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let Batch { lines, .. } = std::mem::take(batch);
        let Some((first, _)) = lines.first() else { return Ok(()) };
        let users: Vec<&Value> = lines.iter().map(|(_, account)| account).collect();
        let body = json!({ "users": users, "dry_run": self.dry_run });
        let answer = self.admin.post("/api/admin/users/import", &body).await;
        let answer = answer.map_err(|failure| failure.context(&format!("go on with --from {first}")))?;
        self.tally.added += answer["added"].as_u64().unwrap_or_default();
        for item in answer["not_added"].as_array().map(Vec::as_slice).unwrap_or_default() {
            if item["why"] == "exists" {
                self.tally.existing += 1;
                continue;
            }
            let at = item["index"].as_u64().and_then(|index| usize::try_from(index).ok());
            let number = at.and_then(|at| lines.get(at)).map_or(0, |(number, _)| *number);
            self.refuse(number, item["detail"].as_str().unwrap_or("refused"));
        }
        self.progress();
        Ok(())
    }

    /// Each as it comes: there may be more of them than memory has room for.
    fn refuse(&mut self, number: u64, why: &str) {
        self.tally.refused += 1;
        let why: String = why.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        eprintln!("{}line {number}: {why}", if stderr().is_terminal() { "\r" } else { "" });
    }

    fn progress(&self) {
        if !stderr().is_terminal() {
            return;
        }
        let Tally { added, existing, refused } = self.tally;
        let part = (self.read * 100).checked_div(self.size).map_or_else(String::new, |part| format!("{part:3} %  "));
        eprint!("\r{part}{added} added, {existing} here already, {refused} refused ");
    }

    fn end(self, output: Output) -> Result<(), Failure> {
        let Tally { added, existing, refused } = self.tally;
        if stderr().is_terminal() {
            eprintln!();
        }
        let summary = json!({ "added": added, "existing": existing, "refused": refused, "dry_run": self.dry_run });
        let human = |_: &Value| {
            let would = if self.dry_run { "would be added" } else { "added" };
            say!("{added} {would}, {existing} here already, {refused} refused");
        };
        if refused == 0 {
            output.show(&summary, human);
            return Ok(());
        }
        if !output.json {
            human(&summary);
        }
        let what_now = "mend the lines that were refused and import the file again: who is here is left alone";
        Err(Failure::refused(what_now).with_problem(summary))
    }
}

impl Export {
    pub async fn run(self, admin: &mut Admin) -> Result<(), Failure> {
        let mut after = String::new();
        loop {
            let path = format!("/api/admin/users/export?limit=500&after={}", segment(&after));
            let page = admin.get(&path).await?;
            let mut lines = String::new();
            for item in page["items"].as_array().map(Vec::as_slice).unwrap_or_default() {
                let mut account = item.clone();
                if !self.password_hashes
                    && let Some(members) = account.as_object_mut()
                {
                    members.remove("password_hash");
                }
                lines.push_str(&account.to_string());
                lines.push('\n');
            }
            let written = stdout().write_all(lines.as_bytes());
            written.map_err(|error| Failure::undecided(format!("cannot write: {error}")))?;
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => return Ok(()),
            }
        }
    }
}

fn open(file: &Path) -> Result<(u64, Box<dyn BufRead>), Failure> {
    if file == Path::new("-") {
        return Ok((0, Box::new(BufReader::new(stdin()))));
    }
    let opened = File::open(file).and_then(|opened| Ok((opened.metadata()?.len(), opened)));
    let (size, opened) = opened.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    Ok((size, Box::new(BufReader::new(opened))))
}

fn next_line(lines: &mut dyn BufRead, number: u64) -> Result<Option<String>, Failure> {
    let mut line = String::new();
    let read = lines.take(MAX_LINE).read_line(&mut line);
    let read = read.map_err(|error| Failure::usage(format!("line {number}: {error}; go on with --from {number}")))?;
    if read as u64 == MAX_LINE && !line.ends_with('\n') {
        return Err(Failure::usage(format!(
            "line {number} is longer than {MAX_LINE} bytes; go on behind it with --from"
        )));
    }
    Ok(Some(line).filter(|_| read > 0))
}
