//! The tables that the migrations make, with their columns and keys: for whoever walks over all of them. They are read out of
//! the migrations' own text, so that no table and no column is forgotten; a test compares them with both databases.

use std::sync::LazyLock;

use super::migrate::texts;

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub columns: Vec<&'static str>,
    /// The columns of its primary key; their order is the order of pages.
    pub key: Vec<&'static str>,
}

/// Every table, in the order in which they were made.
pub fn tables() -> &'static [Table] {
    static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
        let mut tables = Vec::new();
        for statement in texts().flat_map(statements) {
            follow(&mut tables, &statement);
        }
        tables
    });
    &TABLES
}

/// The statements of a migration as words, without comments. No text of a migration holds a semicolon.
pub fn statements(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    let mut words = lines.flat_map(tokens).peekable();
    std::iter::from_fn(move || {
        words.peek()?;
        Some(words.by_ref().take_while(|word| *word != ";").collect())
    })
}

/// Words, texts in quotes, and signs.
fn tokens(line: &'static str) -> impl Iterator<Item = &'static str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = match first {
            '\'' => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
            first if word(first) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            first => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(end);
        rest = behind;
        Some(token)
    })
}

/// What a statement does to the tables.
fn follow(tables: &mut Vec<Table>, statement: &[&'static str]) {
    match statement {
        ["CREATE", "TABLE", name, "(", body @ .., ")"] => tables.push(table(name, body)),
        ["ALTER", "TABLE", name, "ADD", "COLUMN", column, ..] => {
            if let Some(table) = tables.iter_mut().find(|table| table.name == *name) {
                table.columns.push(column);
            }
        }
        ["DROP", "TABLE", name] => tables.retain(|table| table.name != *name),
        _ => {}
    }
}

fn table(name: &'static str, body: &[&'static str]) -> Table {
    let mut made = Table { name, columns: Vec::new(), key: Vec::new() };
    for part in parts(body) {
        match part {
            ["PRIMARY", "KEY", "(", columns @ .., ")"] => {
                made.key = columns.iter().copied().filter(|word| *word != ",").collect();
            }
            ["UNIQUE", "(", ..] => {}
            [column, definition @ ..] => {
                made.columns.push(column);
                if definition.windows(2).any(|words| words == ["PRIMARY", "KEY"]) {
                    made.key = vec![column];
                }
            }
            [] => {}
        }
    }
    made
}

/// What stands between the commas of a list, those within further brackets aside.
fn parts<'a>(body: &'a [&'static str]) -> Vec<&'a [&'static str]> {
    let mut depth = 0_u32;
    let split = body.split(|word| {
        match *word {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *word == ","
    });
    split.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_as_their_statements_say() {
        let text = "CREATE TABLE a (\n  x text NOT NULL PRIMARY KEY, -- one, two; three\n  y bytea DEFAULT ';('\n);\n\
                    CREATE TABLE b (x bigint, y text, PRIMARY KEY (y, x), UNIQUE (x));\n\
                    CREATE INDEX i ON b (x);\nALTER TABLE a ADD COLUMN z bigint;CREATE TABLE c (d text);DROP TABLE c;";
        let mut tables = Vec::new();
        for statement in statements(text) {
            follow(&mut tables, &statement);
        }
        let a = Table { name: "a", columns: vec!["x", "y", "z"], key: vec!["x"] };
        let b = Table { name: "b", columns: vec!["x", "y"], key: vec!["y", "x"] };
        assert_eq!(tables, [a, b]);
    }

    #[test]
    fn every_table_has_a_key() {
        assert!(tables().len() > 30);
        for table in tables() {
            assert!(!table.key.is_empty() && table.key.iter().all(|key| table.columns.contains(key)), "{table:?}");
        }
    }
}
