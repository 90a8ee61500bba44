//! Pages of the book that are made from the code. This test compares them with the files; with `COUNTERSIGN_TEST_UPDATE=1`
//! (`cargo xtask docs`) it writes them instead.
#![cfg(test)]

use std::{env, fs, path::PathBuf};

use countersign_server::{
    config::{Change, KEYS, Key, Kind},
    errors::{CODES, Code},
    openapi,
};

fn page(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// Compares the file with what the code says it should be, or writes it.
fn check(name: &str, wanted: &str) {
    let path = page(name);
    if env::var_os("COUNTERSIGN_TEST_UPDATE").is_some() {
        fs::write(&path, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/{name} is not what the code says; run `cargo xtask docs` and look at the difference"
    );
}

/// A key as a row of the table.
fn row(key: &Key) -> String {
    let default = match key.default {
        "" => String::new(),
        value => format!("`{value}`"),
    };
    let kind = match key.kind {
        Kind::Text => "text",
        Kind::Duration => "duration",
        Kind::Number => "number",
        Kind::List => "list",
        Kind::Secret => "text, shown redacted",
    };
    let counts = match key.change {
        Change::Reload => "reload",
        Change::Restart => "restart",
    };
    let help = key.help.replace('|', "\\|");
    format!("| `{}` | {kind} | {default} | {help} | {counts} | `{}` |\n", key.name, key.variable())
}

#[test]
fn the_configuration_page_lists_every_key() {
    let rows: String = KEYS.iter().map(row).collect();
    check("configuration.md", &format!("{CONFIGURATION}{rows}"));
}

/// A code as a section, whose anchor is the code.
fn section(code: &Code) -> String {
    format!("\n## {}\n\nStatus {}. **{}.** {}\n", code.name, code.status, code.title, code.help)
}

#[test]
fn the_error_page_lists_every_code() {
    let sections: String = CODES.iter().map(section).collect();
    check("errors.md", &format!("{ERRORS}{sections}"));
}

#[test]
fn the_openapi_document_is_the_route_table() {
    check("openapi.json", &format!("{:#}\n", openapi::document()));
}

const ERRORS: &str = "\
# Error codes

<!-- Made from crates/server/src/errors.rs by `cargo xtask docs`; the words above the sections are in crates/server/tests/book.rs. -->

Every error answer names one of these codes: as `code` in a problem document (`application/problem+json`), or behind the `#` of `error_uri` in an answer of
`/token`, whose `error` is the one that OAuth prescribes. Each answer also carries a request id, which the operator finds in the log. A running server shows
this page at `/docs/errors`.
";

const CONFIGURATION: &str = "\
# Configuration

<!-- Made from crates/server/src/config/keys.rs by `cargo xtask docs`; the words above the table are in crates/server/tests/book.rs. -->

Nothing has to be configured: without any of this, `countersign serve` is an issuer on loopback with SQLite in `./countersign-data`.

A value comes from, in falling order: a flag (`--set refresh.grace=5s`), the environment (`COUNTERSIGN_REFRESH_GRACE=5s`), the file
`countersign.toml` in the working folder or the one that `--config` names, the default. An unknown key is an error that names the nearest known one,
so that a misspelt key is never silently ignored. A value that is unsafe or out of its range is refused at the start.

```toml
issuer = \"https://id.example.com\"
data = \"/var/lib/countersign\"

[refresh]
grace = \"10s\"
```

Durations read `10s`, `15m`, `90d`. A list is an array in the file, and separated by commas elsewhere. `countersign config show --origin` prints each
value and where it came from; `countersign config check` only checks. `systemctl reload countersign`, or SIGHUP, reads the file anew
([Changes without a restart](operations.md#changes-without-a-restart)).

| key | kind | default | meaning | a new value counts after a | variable |
|---|---|---|---|---|---|
";
