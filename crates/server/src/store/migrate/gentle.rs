//! Migrations lock nothing for long: a test reads every statement behind the first file, whose tables are new. What it lets
//! pass changes no row of a table that may be large, and reads none. A lock that it cannot get at once it waits for by turns
//! (`postgres_step`).

use crate::store::schema::statements;

use super::MIGRATIONS;

/// Why a migration may hold others up; the first reason.
fn holds_up(sql: &'static str) -> Result<(), String> {
    let mut new = Vec::new();
    for statement in statements(sql) {
        let refuse = |why: &str| Err(format!("{}: {why}", statement.join(" ")));
        match statement.as_slice() {
            ["CREATE", "TABLE", name, ..] => new.push(*name),
            ["CREATE", "INDEX", _, "ON", table, ..] | ["CREATE", "UNIQUE", "INDEX", _, "ON", table, ..]
                if !new.contains(table) =>
            {
                return refuse(
                    "nobody writes into the table until the index is made; make a new table for what it is to find",
                );
            }
            ["ALTER", "TABLE", _, "ADD", "COLUMN", _, definition @ ..] => {
                let says = |word: &str| definition.contains(&word);
                if ["REFERENCES", "UNIQUE", "PRIMARY", "CHECK"].into_iter().any(says) {
                    return refuse("every row is looked at");
                }
                if says("NOT") && !says("DEFAULT") {
                    return refuse("rows that are there have no value");
                }
                if definition.iter().skip_while(|word| **word != "DEFAULT").any(|word| *word == "(") {
                    return refuse("a default that is computed is computed for every row");
                }
            }
            ["CREATE", "INDEX" | "UNIQUE", ..]
            | ["ALTER", "TABLE", _, "DROP", "COLUMN", _]
            | ["DROP", "TABLE" | "INDEX", _] => {}
            ["INSERT", "INTO", table, ..] if new.contains(table) => {}
            _ => {
                return refuse(
                    "this may take as long as a table is large; change rows when they are used, or in the background",
                );
            }
        }
    }
    Ok(())
}

#[test]
fn no_migration_holds_others_up() {
    for migration in &MIGRATIONS[1..] {
        holds_up(migration.sql).unwrap_or_else(|reason| panic!("{}: {reason}", migration.name));
    }
}

#[test]
fn what_takes_long_is_found() {
    for good in [
        "ALTER TABLE users ADD COLUMN later text;",
        "ALTER TABLE users ADD COLUMN later bigint NOT NULL DEFAULT 0; ALTER TABLE users DROP COLUMN theme;",
        "CREATE TABLE later (a text NOT NULL PRIMARY KEY, b bigint); CREATE INDEX later_b ON later (b);\n\
         INSERT INTO later (a, b) VALUES ('x', 1); DROP INDEX audit_user; DROP TABLE turns;",
    ] {
        assert_eq!(holds_up(good), Ok(()), "{good}");
    }
    for bad in [
        "CREATE INDEX users_later ON users (theme);",
        "CREATE UNIQUE INDEX users_later ON users (theme);",
        "ALTER TABLE users ADD COLUMN later bigint NOT NULL;",
        "ALTER TABLE users ADD COLUMN later text REFERENCES tenants (tenant);",
        "ALTER TABLE users ADD COLUMN later text DEFAULT random();",
        "ALTER TABLE users ALTER COLUMN theme SET NOT NULL;",
        "UPDATE users SET theme = 'dark';",
        "DELETE FROM audit;",
        "CREATE TABLE later (a text NOT NULL PRIMARY KEY); INSERT INTO turns (name) VALUES ('x');",
    ] {
        assert!(holds_up(bad).is_err(), "{bad}");
    }
}
