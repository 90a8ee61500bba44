//! One SQL text for both databases: the rules that make it so, checked on every text of the store.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every string literal of the store's sources that is a statement.
#[test]
fn every_statement_is_written_for_both_databases() {
    let mut checked = 0;
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")) {
        for literal in string_literals(&fs::read_to_string(&file).unwrap()) {
            if is_statement(&literal) {
                checked += 1;
                if let Err(fault) = check(&literal) {
                    panic!("{}: {fault}: {literal}", file.display());
                }
            }
        }
    }
    assert!(checked > 10, "only {checked} statements found: is the search still right?");
}

fn check(sql: &str) -> Result<(), String> {
    // SQLite numbers $1 by first appearance, PostgreSQL by its number.
    let mut highest = 0;
    for number in parameters(sql) {
        match number {
            number if number <= highest => {}
            number if number == highest + 1 => highest = number,
            number => return Err(format!("${number} appears before ${}", highest + 1)),
        }
    }
    let outside = without_quoted(sql);
    for (forbidden, reason) in [
        ("\"", "SQLite may read a double-quoted name as text"),
        ("::", "a cast that SQLite does not know; write CAST(… AS …)"),
        ("?", "parameters are $1, $2, …"),
        ("`", "names need no quotes"),
    ] {
        if outside.contains(forbidden) {
            return Err(format!("{forbidden} ({reason})"));
        }
    }
    for word in outside.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_ascii_lowercase) {
        if matches!(word.as_str(), "true" | "false" | "boolean" | "ilike" | "glob" | "replace" | "serial" | "rowid") {
            return Err(format!("{word} is not the same on both databases"));
        }
    }
    Ok(())
}

fn parameters(sql: &str) -> Vec<u32> {
    sql.split('$').skip(1).filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()).collect()
}

fn without_quoted(sql: &str) -> String {
    sql.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

fn is_statement(literal: &str) -> bool {
    let first = literal.split_whitespace().next().unwrap_or_default();
    matches!(first, "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "WITH") && literal.contains(' ')
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
    found
}

/// The string literals of a Rust source, their escapes resolved as far as they occur in SQL.
fn string_literals(source: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '\'', '/']) {
        let before = &rest[..at];
        rest = &rest[at..];
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\") {
            rest = rest.get(if rest.starts_with("'\"'") { 3 } else { 2 }..).unwrap_or_default();
        } else if rest.starts_with('"') {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let raw = before.trim_end_matches('#').ends_with('r');
            let (literal, after) = if raw { raw_literal(&rest[1..], hashes) } else { literal(&rest[1..]) };
            literals.push(literal);
            rest = after;
        } else {
            rest = &rest[1..];
        }
    }
    literals
}

fn raw_literal(text: &str, hashes: usize) -> (String, &str) {
    let end = format!("\"{}", "#".repeat(hashes));
    text.split_once(&end).map_or_else(|| (text.to_owned(), ""), |(literal, after)| (literal.to_owned(), after))
}

fn literal(text: &str) -> (String, &str) {
    let mut literal = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (literal, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n' | '\n')) | None => literal.push(' '),
                Some((_, escaped)) => literal.push(escaped),
            },
            other => literal.push(other),
        }
    }
    (literal, "")
}

#[test]
fn the_check_finds_what_it_forbids() {
    for good in ["SELECT a FROM t WHERE b = $1 AND c = $2 AND d = $1", "SELECT '\"::?' FROM t", "SELECT 1"] {
        check(good).unwrap();
    }
    for bad in [
        "SELECT a FROM t WHERE b = $2 AND c = $1",
        "SELECT a FROM t WHERE b = $1 AND c = $3",
        "SELECT \"a\" FROM t",
        "SELECT a::bigint FROM t",
        "SELECT a FROM t WHERE b = ?",
        "SELECT a FROM t WHERE b = TRUE",
    ] {
        check(bad).unwrap_err();
    }
    let source = r##"
        // "SELECT commented"
        const A: &str = "SELECT a \
                         FROM \"t\"";
        const B: char = '"';
        const C: &str = r#"SELECT "b""#;
        fn f<'a>(x: &'a str) -> char { '\'' }
        const D: &str = "last";
    "##;
    let found = string_literals(source);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("SELECT a ") && found[0].contains("\"t\""), "{found:?}");
    assert_eq!(&found[1..], ["SELECT \"b\"", "last"]);
}
