//! Documents must not outlive the code they describe.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::source::{collect, root, split};

fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root(), "md", &mut found);
    found.sort();
    assert!(found.len() > 5);
    found
}

/// The texts between single backticks, outside code blocks.
fn code_spans(text: &str) -> Vec<String> {
    let prose = without_blocks(text);
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn without_blocks(text: &str) -> String {
    let mut inside = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// Whether a code span names a file or folder of the repository: `http/token.rs`, `docs/`; not `POST /token`, `a::b`.
fn names_a_path(span: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || "<>{}*:()=$\"#…".contains(c);
    let known = [".rs", ".md", ".toml", ".sql", ".json", ".yml"];
    !span.starts_with(['/', '.', '@', '~', '-'])
        && !span.contains(odd)
        && !["application/", "text/"].iter().any(|mime| span.starts_with(mime))
        && (span.contains('/') || known.iter().any(|ending| span.ends_with(ending)))
}

#[test]
fn every_path_in_the_architecture_page_exists() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let named: Vec<_> = code_spans(&text).into_iter().filter(|span| names_a_path(span)).collect();
    assert!(named.len() > 15, "the page names the map: {named:?}");
    // Short names are allowed for the crate that the page is mostly about.
    let bases = [root(), root().join("crates/server"), root().join("crates/server/src")];
    let gone: Vec<_> = named.iter().filter(|path| !bases.iter().any(|base| base.join(path).exists())).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md names what does not exist: {gone:?}");
}

#[test]
fn every_relative_link_leads_somewhere() {
    for document in documents() {
        let text = without_blocks(&fs::read_to_string(&document).unwrap());
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let folder = document.parent().unwrap_or(Path::new("."));
            assert!(folder.join(file).exists(), "{}: the link {target} leads nowhere", document.display());
        }
    }
}

#[test]
fn every_page_of_the_book_is_in_its_summary() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let mut pages = Vec::new();
    collect(&docs, "md", &mut pages);
    for page in pages {
        let name = page.strip_prefix(&docs).unwrap().to_str().unwrap();
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "docs/{name} is not in docs/SUMMARY.md"
        );
    }
}

/// The tour that the server prints is the tour of the README, word for word.
#[test]
fn the_tour_is_the_same_everywhere() {
    let serve = fs::read_to_string(root().join("crates/cli/src/serve.rs")).unwrap();
    let (_, texts) = split(&serve);
    let tour = texts.iter().find(|text| text.contains("/register")).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let commands = tour.lines().filter_map(|line| line.strip_prefix("  "));
    for line in commands.map(|line| line.replace("ISSUER", "http://localhost:8080")) {
        assert!(readme.contains(&line), "README.md lacks a line of the server's tour: {line}");
    }
}

/// The chapter on revocation names the tests of each invariant of the log.
#[test]
fn every_invariant_of_the_log_is_tried_where_the_book_says() {
    let chapter = fs::read_to_string(root().join("docs/revocation.md")).unwrap();
    let mut tried = Vec::new();
    for row in chapter.lines().filter(|line| line.starts_with("| I")) {
        let number = row[2..].split(' ').next().unwrap().to_owned();
        let files: Vec<_> = code_spans(row).into_iter().filter(|span| names_a_path(span)).collect();
        assert!(!files.is_empty(), "{number} names no file");
        for file in files {
            let text = fs::read_to_string(root().join(&file)).unwrap_or_default();
            let mut comments = text.lines().filter(|line| line.trim_start().starts_with("//"));
            let word = |line: &str| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == number);
            assert!(comments.any(word), "{file} has no test that names {number}");
        }
        tried.push(number);
    }
    let all: Vec<String> = (1..=14).map(|number| format!("I{number}")).collect();
    assert_eq!(tried, all);
}

#[test]
fn paths_are_told_from_other_code_spans() {
    for path in ["http/token.rs", "docs/", "clippy.toml", "crates/jose"] {
        assert!(names_a_path(path), "{path}");
    }
    for other in
        ["POST /token", "/token", "store::write", "at+jwt", "application/json", "cargo xtask test", "tests/*.rs"]
    {
        assert!(!names_a_path(other), "{other}");
    }
}
