//! `countersign doctor`: everything that can be looked at, one line each. Exit code 0: all well; 1: something is wrong;
//! 3: it could not be found out.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use countersign_server::{config::Database, domain::key_store::KeyPlace, store::check_file};
use serde_json::{Value, json};

use crate::{
    Global,
    admin::{self, Admin},
    output::{Failure, Output, say, text},
};

struct Finding {
    what: &'static str,
    well: bool,
    detail: String,
}

fn finding(what: &'static str, well: bool, detail: impl Into<String>) -> Finding {
    Finding { what, well, detail: detail.into() }
}

pub async fn run(global: &Global, output: Output) -> Result<(), Failure> {
    let config = admin::config(global)?;
    let mut findings = vec![
        finding("configuration", true, format!("issuer {}", config.issuer.as_str())),
        private("data folder", &config.data, 0o077),
    ];
    if let KeyPlace::Store(store) = config.keys.place {
        findings.push(finding("key-encryption key", true, format!("wrapped by the key store {}", store.as_str())));
    }
    let kek = config.keys.kek_file.clone().unwrap_or_else(|| config.data.join("kek"));
    match &config.keys.kek_env {
        _ if config.keys.place != KeyPlace::File => {}
        Some(variable) => findings.push(finding("key-encryption key", true, format!("from the variable {variable}"))),
        None => findings.push(private("key-encryption key", &kek, 0o077)),
    }
    if let Database::Sqlite = config.database {
        findings.push(database_file(config.data.join("countersign.db")).await);
    }
    let undecided = match status(global).await {
        Ok((running, status)) => {
            findings.extend(of_status(running, &status));
            let (served, configured) = (text(&status, "issuer"), config.issuer.as_str());
            findings.push(finding(
                "issuer",
                served == configured,
                format!("{served} is served, {configured} configured"),
            ));
            None
        }
        Err(failure) => Some(failure),
    };
    let rows: Vec<Value> =
        findings.iter().map(|one| json!({ "what": one.what, "ok": one.well, "detail": one.detail })).collect();
    output.show(&json!({ "findings": rows }), |_| {
        for one in &findings {
            say!("{:<5} {:<20} {}", if one.well { "ok" } else { "WRONG" }, one.what, one.detail);
        }
    });
    match undecided {
        Some(failure) => Err(failure),
        None if findings.iter().all(|one| one.well) => Ok(()),
        None => Err(Failure::refused("something is wrong; see above")),
    }
}

async fn status(global: &Global) -> Result<(bool, Value), Failure> {
    let mut admin = Admin::open(global).await?;
    let running = matches!(admin, Admin::Socket(_));
    let status = admin.get("/api/admin/status").await;
    admin.close().await;
    Ok((running, status?))
}

fn of_status(running: bool, status: &Value) -> Vec<Finding> {
    let server = if running { "running" } else { "not running; its store was opened instead" };
    let keys = status["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let active = keys.iter().filter(|key| key["state"] == "active").count();
    let skew = status["clock_skew_ms"].as_i64().unwrap_or(0);
    vec![
        finding("server", true, format!("{server}, version {}", text(status, "version"))),
        finding("database", true, format!("{}, schema {}", text(status, "database"), text(status, "schema"))),
        finding("signing keys", active > 0, format!("{active} active of {}", keys.len())),
        finding("clock", skew.abs() <= 250, format!("{skew} ms from the database's")),
        finding("users", true, text(status, "users")),
        of_guard(&status["guard"]),
        of_mail(&status["mail"], text(status, "issuer").starts_with("https:")),
    ]
}

/// What guards the keys, and whether it does.
fn of_guard(guard: &Value) -> Finding {
    let stores = guard["stores"].as_array().map(Vec::as_slice).unwrap_or_default();
    let used = stores.iter().find(|store| store["store"] == guard["place"]);
    let place = used.map_or_else(|| "file".to_owned(), |store| text(store, "place"));
    let others = stores.iter().filter(|store| store["store"] != guard["place"] && store["wrapped_at"].is_string());
    let others: String =
        others.map(|store| format!("; so does {}: countersign key move --finish", text(store, "place"))).collect();
    let signs = if guard["sign"] == "there" { ", signs tokens" } else { "" };
    match guard["problem"].as_str() {
        None => finding("key store", true, format!("{place} opens the keys{signs}{others}")),
        Some(problem) => {
            finding("key store", false, format!("{problem}; docs/keys.md says what to do, and what works meanwhile"))
        }
    }
}

/// Mails that wait for longer than this are not on their way.
const SLOW_MAIL: u64 = 10 * 60;
/// How long a dead letter is news, seconds.
const DEAD_LETTERS: u64 = 24 * 3600;

fn of_mail(mail: &Value, deployed: bool) -> Finding {
    let (to, number) = (text(mail, "to"), |name: &str| mail[name].as_u64());
    let counts = format!("{} waiting, {} given up", text(mail, "waiting"), text(mail, "dead"));
    let problem = mail["problem"].as_str().map(|problem| format!("; {problem}")).unwrap_or_default();
    let late = number("waiting_for_s").is_some_and(|waited| waited > SLOW_MAIL);
    let dead = number("died_before_s").is_some_and(|before| before < DEAD_LETTERS);
    if mail["way"] == "server" {
        return finding("mail", !late && !dead, format!("by {to}, {counts}{problem}"));
    }
    let advice = if deployed { ": nobody gets them; set mail.smtp" } else { "" };
    finding("mail", !deployed && !late && !dead, format!("written into {to}{advice}; {counts}{problem}"))
}

/// Reads the whole file; a server may be using it.
async fn database_file(path: PathBuf) -> Finding {
    if !path.exists() {
        return finding("database file", true, "none yet; the first start makes it");
    }
    let name = path.display().to_string();
    match tokio::task::spawn_blocking(move || check_file(&path)).await {
        Ok(Ok(())) => finding("database file", true, format!("{name} is sound")),
        Ok(Err(error)) => finding("database file", false, error.to_string()),
        Err(error) => finding("database file", false, error.to_string()),
    }
}

/// A path that nobody but its owner may use.
fn private(what: &'static str, path: &Path, forbidden: u32) -> Finding {
    match std::fs::metadata(path) {
        Err(error) => finding(what, false, format!("{}: {error}", path.display())),
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            let well = mode & forbidden == 0;
            let advice = if well { String::new() } else { format!("; run: chmod go-rwx {}", path.display()) };
            finding(what, well, format!("{} mode {mode:04o}{advice}", path.display()))
        }
    }
}
