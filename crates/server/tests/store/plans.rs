//! No statement reads a whole table that grows with users: SQLite's plan of each one that stands in the sources.
//!
//! Statements are found as `sql_text.rs` finds them; texts that `concat!` puts together are put together here as well.

use std::{fs, path::Path};

use rusqlite::Connection;

use crate::sql_text::{sources, string_literals};

/// Tables that stay small however many people there are. Any other one is thought to grow, those that are made in future included.
const SMALL: &str = "audiences brands clients group_roles kek_wraps key_verifiers keys meta organisations registration_tokens rev_head \
                     role_permissions roles schema_history tenants turns upstreams user_groups";

/// Statements that may read a whole table: how each begins, and why.
const WHOLE: &[(&str, &str)] = &[
    ("DELETE FROM upstream_trips WHERE upstream", "a provider is removed, which is seldom; trips live for minutes"),
    (
        "SELECT COUNT(*), COUNT(dead_at)",
        "doctor and metrics ask; a mail waits for minutes, a dead letter until its retention ends",
    ),
    ("SELECT problem FROM mails", "the same table, and doctor alone asks"),
    ("UPDATE users SET theme", "an example of a migration in a test"),
    (
        "SELECT id, roles FROM invitations",
        "a role is removed, which is seldom; the rows that give roles wait for an answer",
    ),
];

#[test]
fn no_statement_reads_a_whole_table_that_grows() {
    let store = database();
    let (mut read, mut faults) = (0, Vec::new());
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")) {
        for sql in statements(&fs::read_to_string(&file).unwrap()) {
            // Parts of statements are none.
            let Ok(scans) = scans(&store, &sql) else { continue };
            read += 1;
            let excused = WHOLE.iter().any(|(begin, _)| sql.starts_with(begin));
            for scan in scans.into_iter().filter(|_| !excused) {
                faults.push(format!("{}: {scan}: {sql}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(read > 300, "only {read} statements found: is the search still right?");
}

#[test]
fn a_plan_that_reads_a_whole_table_is_found() {
    let store = database();
    let bad = |sql: &str| !scans(&store, sql).unwrap().is_empty();
    assert!(bad("SELECT COUNT(*) FROM users"));
    assert!(bad("DELETE FROM sessions WHERE revoked_at < $1"));
    assert!(
        bad("SELECT s.sid FROM sessions s WHERE s.at_exp < $1 ORDER BY s.sid LIMIT $2"),
        "an index that only orders"
    );
    assert!(!bad("SELECT sid FROM sessions WHERE due_at < $1"));
    assert!(!bad("SELECT role FROM roles"));
    assert!(!bad("SELECT user_id FROM users ORDER BY user_id LIMIT $1"));
    let made = statements(
        "macro_rules! c {\n    () => {\n        \"sid, gen\"\n    };\n}\nconst A: &str = concat!(\"SELECT \", c!(), \" FROM sessions\");",
    );
    assert!(made.contains(&"SELECT sid, gen FROM sessions".to_owned()), "{made:?}");
}

fn database() -> Connection {
    let store = Connection::open_in_memory().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        store.execute_batch(&fs::read_to_string(file).unwrap()).unwrap();
    }
    store
}

/// Which growing tables the statement reads as a whole, by SQLite's plan for a database of which it knows no numbers.
fn scans(store: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut plan = store.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let (mut rows, mut scans) = (plan.raw_query(), Vec::new());
    while let Some(row) = rows.next()? {
        let step: String = row.get(3)?;
        let Some(name) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else { continue };
        let table = table_of(sql, name);
        // The first rows in the order of an index are read and no more, if nothing but the limit chooses among them.
        let first = sql.contains("LIMIT") && !sql.contains("WHERE");
        if is_table(store, table) && !SMALL.split_whitespace().any(|small| small == table) && !first {
            scans.push(step);
        }
    }
    Ok(scans)
}

/// The table that a plan calls by its alias.
fn table_of<'a>(sql: &'a str, name: &'a str) -> &'a str {
    let words: Vec<&str> =
        sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let called = |at: usize| words[at] == name || (words[at] == "AS" && words.get(at + 1) == Some(&name));
    let at = (2..words.len()).find(|at| called(*at) && matches!(words[at - 2], "FROM" | "JOIN" | "UPDATE" | "INTO"));
    at.map_or(name, |at| words[at - 1])
}

fn is_table(store: &Connection, name: &str) -> bool {
    store.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1").unwrap().exists([name]).unwrap()
}

/// The statements of a source: its literals, and what `concat!` makes of literals and of macros of the same file.
fn statements(source: &str) -> Vec<String> {
    let mut texts = string_literals(source);
    texts.extend(
        source.match_indices("concat!(").filter_map(|(at, call)| joined(source, inside(&source[at + call.len()..])?)),
    );
    let whole = |text: &String| ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| text.starts_with(verb));
    let complete = |text: String| {
        // The keys of a wide statement (store/wide.rs), and the database's clock (store/dialect.rs).
        let keys = if text.ends_with(" IN") { " ($99)" } else { "" };
        format!("{}{keys}", text.replace("clock(", "("))
    };
    texts.into_iter().filter(whole).map(complete).collect()
}

/// What stands before the parenthesis that ends here.
fn inside(text: &str) -> Option<&str> {
    let (mut depth, mut quoted, mut before) = (1, false, ' ');
    for (at, char) in text.char_indices() {
        match char {
            '"' if before != '\\' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&text[..at]);
        }
        before = char;
    }
    None
}

/// The literals and macros of a `concat!`, one after the other; `None` if something else is in it.
fn joined(source: &str, parts: &str) -> Option<String> {
    let (mut text, mut rest) = (String::new(), parts.trim_start());
    while !rest.is_empty() {
        if let Some(literal) = rest.strip_prefix('"') {
            let end = literal.match_indices('"').find(|(at, _)| !literal[..*at].ends_with('\\'))?.0;
            text.push_str(string_literals(&rest[..end + 2]).first()?);
            rest = &literal[end + 1..];
        } else {
            let (name, after) = rest.split_once("!(")?;
            let args = inside(after)?;
            rest = &after[args.len() + 1..];
            text.push_str(&if name == "concat" { joined(source, args)? } else { expanded(source, name)? });
        }
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    }
    Some(text)
}

/// What a macro of the file says: a literal, or a `concat!`. Macros of other files: `stands!`, of the sessions.
fn expanded(source: &str, name: &str) -> Option<String> {
    let head = format!("macro_rules! {name} {{");
    let sessions = include_str!("../../src/store/sessions.rs");
    let of = [source, sessions].into_iter().find(|of| of.contains(&head))?;
    let (_, body) = of.split_once(&head)?.1.split_once("=> {")?;
    let body = body.trim_start();
    match body.strip_prefix("concat!(") {
        Some(parts) => joined(of, inside(parts)?),
        None => string_literals(body).into_iter().next(),
    }
}
