//! `cargo xtask sbom`: what the program is made of, as CycloneDX 1.5 in JSON. It is made from `Cargo.lock` and `cargo tree` alone,
//! so that two machines write the same bytes for the same source.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Failure,
    run::{cargo, output, root},
};

/// The package whose parts are listed.
const PROGRAM: &str = "countersign";

/// A package by name and version.
type Id = (String, String);

/// What `Cargo.lock` knows of a package.
#[derive(Debug, Default)]
struct Locked {
    /// SHA-256 of the crate's archive; ours have none.
    checksum: Option<String>,
    dependencies: Vec<String>,
}

/// Writes the list; `args` is the file's name, or nothing.
pub fn run(args: &[&str]) -> Result<(), Failure> {
    let path = match args {
        [] => root().join("target").join(format!("{PROGRAM}.cdx.json")),
        [path] => PathBuf::from(path),
        [_, other, ..] => return Err(Failure::Usage(format!("`sbom` does not take `{other}`"))),
    };
    let broken = |path: &Path, error: std::io::Error| Failure::Step(format!("{}: {error}", path.display()));
    let lock = root().join("Cargo.lock");
    let lock = locked(&fs::read_to_string(&lock).map_err(|error| broken(&lock, error))?);
    let licences = linked()?;
    let date = std::env::var("SOURCE_DATE_EPOCH").ok().or_else(|| output("git", &["log", "-1", "--format=%ct"]));
    let date = date.and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| broken(folder, error))?;
    }
    fs::write(&path, document(&lock, &licences, date)).map_err(|error| broken(&path, error))?;
    println!("{}: {} packages", path.display(), licences.len());
    Ok(())
}

/// Every package of which something ends up in the program, or runs to build it, with its licence.
fn linked() -> Result<BTreeMap<Id, String>, Failure> {
    let mut command = cargo(&["tree", "--locked", "--quiet", "--package", PROGRAM, "--edges", "normal,build"]);
    let out = command.args(["--prefix", "none", "--format", "{p}|{l}|"]).output();
    let out = out.ok().filter(|out| out.status.success());
    let out = out.ok_or_else(|| Failure::Step("`cargo tree` failed".to_owned()))?;
    Ok(listed(&String::from_utf8_lossy(&out.stdout)))
}

/// The lines `name v1.2.3 (…)|licence|`.
fn listed(lines: &str) -> BTreeMap<Id, String> {
    let row = |line: &str| {
        let (package, rest) = line.split_once('|')?;
        let mut words = package.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        // Before 2022 some wrote `MIT/Apache-2.0`, which is no SPDX expression.
        Some(((name.to_owned(), version.to_owned()), rest.split('|').next()?.replace('/', " OR ")))
    };
    lines.lines().filter_map(row).collect()
}

fn locked(text: &str) -> BTreeMap<Id, Locked> {
    let mut all = BTreeMap::new();
    for block in text.split("[[package]]").skip(1) {
        let value = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
            line.strip_suffix('"').map(str::to_owned)
        };
        let dependencies = block.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
        if let (Some(name), Some(version)) = (value("name"), value("version")) {
            let dependencies = dependencies.map(str::to_owned).collect();
            all.insert((name, version), Locked { checksum: value("checksum"), dependencies });
        }
    }
    all
}

fn document(lock: &BTreeMap<Id, Locked>, linked: &BTreeMap<Id, String>, date: u64) -> String {
    let is_program = |id: &Id| id.0 == PROGRAM;
    let parts = |wanted: bool| linked.iter().filter(move |(id, _)| is_program(id) == wanted);
    let component = |(id, licence): (&Id, &String)| component(id, licence, lock.get(id));
    let program: Vec<String> = parts(true).map(component).collect();
    let components: Vec<String> = parts(false).map(component).collect();
    let dependencies: Vec<String> = linked.keys().map(|id| edges(id, lock, linked)).collect();
    format!(
        "{{\n\"bomFormat\": \"CycloneDX\",\n\"specVersion\": \"1.5\",\n\"version\": 1,\n\"metadata\": {{\"timestamp\": {}, \
         \"component\": {}}},\n\"components\": [\n{}\n],\n\"dependencies\": [\n{}\n]\n}}\n",
        quoted(&rfc3339(date)),
        program.join(""),
        components.join(",\n"),
        dependencies.join(",\n")
    )
}

fn component(id: &Id, licence: &str, locked: Option<&Locked>) -> String {
    let (name, version) = id;
    let kind = if name == PROGRAM { "application" } else { "library" };
    let mut members = vec![
        ("type", quoted(kind)),
        ("bom-ref", quoted(&purl(id))),
        ("name", quoted(name)),
        ("version", quoted(version)),
        ("purl", quoted(&purl(id))),
    ];
    if let Some(sum) = locked.and_then(|locked| locked.checksum.as_ref()) {
        members.push(("hashes", format!("[{{\"alg\": \"SHA-256\", \"content\": {}}}]", quoted(sum))));
    }
    if !licence.is_empty() {
        members.push(("licenses", format!("[{{\"expression\": {}}}]", quoted(licence))));
    }
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}: {value}", quoted(name))).collect();
    format!("{{{}}}", members.join(", "))
}

/// On what of the program a package stands.
fn edges(id: &Id, lock: &BTreeMap<Id, Locked>, linked: &BTreeMap<Id, String>) -> String {
    let named = lock.get(id).map(|locked| locked.dependencies.as_slice()).unwrap_or_default();
    // `name`, or `name version` where several versions are locked.
    let of = |text: &String| {
        let mut words = text.split(' ');
        let (name, version) = (words.next(), words.next());
        let fits = |(one, at): &&Id| Some(one.as_str()) == name && version.is_none_or(|wanted| wanted == at);
        linked.keys().filter(fits).map(|id| quoted(&purl(id))).collect::<Vec<_>>()
    };
    let on: BTreeSet<String> = named.iter().flat_map(of).collect();
    let on: Vec<String> = on.into_iter().collect();
    format!("{{\"ref\": {}, \"dependsOn\": [{}]}}", quoted(&purl(id)), on.join(", "))
}

/// The package's name in all tools: <https://github.com/package-url/purl-spec>.
fn purl((name, version): &Id) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if control.is_control() => out += &format!("\\u{:04x}", u32::from(control)),
            plain => out.push(plain),
        }
    }
    out + "\""
}

/// Seconds since 1970 as a time in UTC.
fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    let day = left + 1;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(rfc3339(1_798_761_599), "2026-12-31T23:59:59Z");
    }

    #[test]
    fn texts_are_json() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
    }

    /// What is linked is named with where it comes from, by whom it is needed, and nothing else is.
    #[test]
    fn the_list_is_what_is_linked() {
        let lock = locked(
            "[[package]]\nname = \"countersign\"\nversion = \"1.0.0\"\ndependencies = [\n \"a\",\n \"b 2.0.0\",\n \"test-only\",\n]\n\n\
             [[package]]\nname = \"a\"\nversion = \"0.1.0+x\"\nchecksum = \"ab\"\n\n\
             [[package]]\nname = \"b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n",
        );
        let linked = listed(
            "countersign v1.0.0 (/home/x)|MIT|\na v0.1.0+x|MIT/Apache-2.0|\nb v2.0.0 (proc-macro)|| (*)\nb v1.0.0|ISC|\n",
        );
        let text = document(&lock, &linked, 0);
        assert!(
            text.contains("\"expression\": \"MIT OR Apache-2.0\"") && text.contains("\"content\": \"ab\""),
            "{text}"
        );
        let on = "\"ref\": \"pkg:cargo/countersign@1.0.0\", \"dependsOn\": [\"pkg:cargo/a@0.1.0%2Bx\", \"pkg:cargo/b@2.0.0\"]";
        assert!(text.contains(on) && !text.contains("test-only") && !text.contains("/home"), "{text}");
    }
}
