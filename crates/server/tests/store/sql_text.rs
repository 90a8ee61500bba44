//! One SQL text for all databases: the rules that make it so, checked on every text of the store.
//!
//! [`WORDS`], [`FUNCTIONS`], [`OPERATORS`] and [`TYPES`] are the whole list of what a statement may be made of beside the names
//! of the schema. PostgreSQL, CockroachDB, YugabyteDB and Citus share it, and SQLite has it too. `docs/databases.md` says what
//! of that was run and what was read.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// Keywords, in capitals everywhere.
const WORDS: &str = "SELECT DISTINCT ALL AS FROM JOIN LEFT CROSS ON WHERE AND OR NOT IN IS NULL EXISTS CASE WHEN THEN ELSE END CAST \
                     ORDER BY DESC LIMIT UNION INSERT INTO VALUES DEFAULT UPDATE SET DELETE CONFLICT DO NOTHING RETURNING";

/// Functions that take the same and give the same everywhere; of `length` and `substr`, over bytes and ASCII text.
const FUNCTIONS: &str = "COALESCE COUNT MAX MIN count length substr string_agg";

/// Never between values of two types: SQLite compares them, the others refuse.
const OPERATORS: &str = "= <> < <= > >= + - * / ||";

/// Of columns and casts. SQLite takes the names as hints.
const TYPES: &str = "text bigint bytea";

/// What only these files may say, to the databases that speak PostgreSQL's protocol: locks of rows, and their clock; and
/// arrays that are rows.
const DIALECTS: [(&str, &str); 2] = [
    ("store/dialect.rs", "FOR EXTRACT EPOCH convert_to statement_timestamp clock_timestamp pg_advisory_xact_lock"),
    ("store/each.rs", "unnest [] text[] bytea[] bigint[]"),
];

/// In migrations, beside types and names.
const SCHEMA_WORDS: &str =
    "CREATE TABLE UNIQUE INDEX ON WHERE PRIMARY KEY NOT NULL DEFAULT IN CHECK INSERT INTO VALUES AND OR IS";

/// Files that speak to one engine as it is: connections, pragmas, and which tables there are.
const ENGINES: [&str; 4] = ["store/sqlite/", "store/postgres/", "store/schema.rs", "store/migrate"];

/// Every string literal of the store's sources that is a statement or begins like a part of one.
#[test]
fn every_statement_is_made_of_what_the_engines_share() {
    let mut checked = 0;
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")) {
        let name = file.to_string_lossy().into_owned();
        if ENGINES.iter().any(|engine| name.contains(engine)) {
            continue;
        }
        let dialect = DIALECTS.iter().find(|(file, _)| name.ends_with(file)).map_or("", |(_, words)| words);
        for literal in string_literals(&fs::read_to_string(&file).unwrap()) {
            let whole = is_statement(&literal);
            if whole || is_part(&literal) {
                checked += 1;
                let numbered = if whole { check_parameters(&literal) } else { Ok(()) };
                if let Err(fault) = numbered.and_then(|()| check(&literal, dialect)) {
                    panic!("{name}: {fault}: {literal}");
                }
            }
        }
    }
    assert!(checked > 400, "only {checked} statements found: is the search still right?");
}

// Every migration, too: the types are three, and nothing in it is one engine's own.
#[test]
fn migrations_are_made_of_what_the_engines_share() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&file).unwrap();
        let text: String =
            text.lines().map(|line| line.split("--").next().unwrap_or_default().to_owned() + "\n").collect();
        for word in
            words(&without_quoted(&text)).filter(|word| word.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        {
            assert!(has(SCHEMA_WORDS, word), "{}: {word} is not in the list", file.display());
        }
        for line in text.lines().filter(|line| line.starts_with("    ")) {
            let mut parts = line.split_whitespace();
            if let (Some(name), Some(of)) = (parts.next(), parts.next())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            {
                assert!(has(TYPES, of.trim_end_matches(',')), "{}: the type {of}", file.display());
            }
        }
    }
}

/// SQLite numbers $1 by first appearance, PostgreSQL by its number.
fn check_parameters(sql: &str) -> Result<(), String> {
    let mut highest = 0;
    for number in parameters(sql) {
        match number {
            number if number <= highest => {}
            number if number == highest + 1 => highest = number,
            number => return Err(format!("${number} appears before ${}", highest + 1)),
        }
    }
    Ok(())
}

/// Whether it is made of the list, the names of the schema, and names that it gives itself. `more`: what else it may say.
fn check(sql: &str, more: &str) -> Result<(), String> {
    let outside = without_holes(&without_quoted(sql));
    if outside.contains('"') {
        return Err("\" (SQLite may read a double-quoted name as text)".into());
    }
    let list = |word: &str| has(WORDS, word) || has(FUNCTIONS, word) || has(TYPES, word) || has(more, word);
    let mut before = "";
    for word in words(&outside) {
        let named = before == "AS" || word.len() <= 2;
        let is_name = word == word.to_ascii_lowercase() && (named || word == "excluded" || NAMES.contains(word));
        if !is_name && !list(word) && !outside.contains(&format!("AS {word}")) {
            return Err(format!("{word} is not in the list"));
        }
        before = word;
    }
    if let Some(of) = casts(&outside).find(|of| !of.is_empty() && !has(TYPES, of) && !has(more, of)) {
        return Err(format!("a cast to {of}"));
    }
    let signs = outside.split(|c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || "_,.()$'".contains(c));
    match signs.filter(|signs| !signs.is_empty()).find(|signs| !has(OPERATORS, signs) && !has(more, signs)) {
        Some(signs) => Err(format!("{signs} is not in the list")),
        None => Ok(()),
    }
}

/// What is cast to.
fn casts(sql: &str) -> impl Iterator<Item = &str> {
    sql.split("CAST(").skip(1).map(|rest| {
        let mut depth = 1;
        let end = rest.find(|c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let inside = &rest[..end.unwrap_or(rest.len())];
        inside.rsplit_once(" AS ").map_or(inside, |(_, of)| of)
    })
}

/// Tables and columns, what the dialect replaces, and the table of the migrations.
static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let lines: Vec<String> = files
        .flat_map(|text| {
            text.lines().map(|line| line.split("--").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    lines
        .iter()
        .flat_map(|line| words(line))
        .map(str::to_owned)
        .chain(["clock", "schema_history"].map(str::to_owned))
        .collect()
});

fn words(text: &str) -> impl Iterator<Item = &str> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    text.split(move |c: char| !inside(c)).filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

fn has(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed == word)
}

fn parameters(sql: &str) -> Vec<u32> {
    sql.split('$').skip(1).filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()).collect()
}

fn without_quoted(sql: &str) -> String {
    sql.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

/// What the code around fills in.
fn without_holes(sql: &str) -> String {
    sql.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect()
}

fn is_statement(literal: &str) -> bool {
    let first = literal.split_whitespace().next().unwrap_or_default();
    matches!(first, "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "WITH") && literal.contains(' ')
}

/// A part of a statement: it begins with a keyword. Messages of one such word are none.
fn is_part(literal: &str) -> bool {
    let first = words(literal).next().unwrap_or_default();
    let keyword = first.len() > 1
        && (has(WORDS, first) || DIALECTS.iter().any(|(_, words)| has(words, first)))
        && first == first.to_ascii_uppercase();
    keyword && literal.trim_start().starts_with(first)
}

pub fn sources(folder: &Path) -> Vec<PathBuf> {
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
pub fn string_literals(source: &str) -> Vec<String> {
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
    for good in
        ["SELECT user_id FROM users WHERE sid = $1 AND gen = $2 AND sid = $1", "SELECT '\"::?' FROM users", "SELECT 1"]
    {
        check_parameters(good).and_then(|()| check(good, "")).unwrap();
    }
    for bad in
        ["SELECT gen FROM sessions WHERE sid = $2 AND gen = $1", "SELECT gen FROM sessions WHERE sid = $1 AND gen = $3"]
    {
        check_parameters(bad).unwrap_err();
    }
    for bad in [
        "SELECT \"gen\" FROM sessions",
        "SELECT gen::bigint FROM sessions",
        "SELECT gen FROM sessions WHERE sid = ?",
        "SELECT gen FROM sessions WHERE committed = TRUE",
        "SELECT gen FROM sessions WHERE sid ILIKE $1",
        "SELECT gen FROM sessions FOR UPDATE",
        "SELECT now() FROM sessions",
        "SELECT gen FROM session",
        "WITH gone AS (DELETE FROM sessions RETURNING sid) SELECT sid FROM gone",
        "SELECT sid FROM sessions WHERE gen & 1 = 1",
        "SELECT CAST(gen AS integer) FROM sessions",
    ] {
        check(bad, "").expect_err(bad);
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
