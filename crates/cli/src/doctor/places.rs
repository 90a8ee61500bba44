//! Folders, files, the disk, and the certificate.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use countersign_server::{
    acme,
    backup::{self, Last},
    clock::Clock,
    config::{Acme, Config, Database},
    domain::{acme::renew_at, key_store::KeyPlace, time::Timestamp},
    store::check_file,
    tls::{self, Shown},
};

use super::{Finding, finding};

/// What can be seen without a server.
pub async fn look(config: &Config) -> Vec<Finding> {
    let mut findings = vec![private("data folder", &config.data, 0o077), disk(&config.data)];
    findings.extend(key(config));
    if let Database::Sqlite = config.database {
        findings.push(database_file(config.data.join("countersign.db")).await);
        findings.push(last_backup(backup::last(config), Clock::System.now()));
    }
    findings
}

fn key(config: &Config) -> Option<Finding> {
    let what = "key-encryption key";
    let file = config.keys.kek_file.clone().unwrap_or_else(|| config.data.join("kek"));
    Some(match (config.keys.place, &config.keys.kek_env) {
        (KeyPlace::Store(store), _) => finding(what, true, format!("wrapped by the key store {}", store.as_str())),
        (KeyPlace::File, Some(variable)) => finding(what, true, format!("from the variable {variable}")),
        (KeyPlace::File, None) => private(what, &file, 0o077),
    })
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

/// Days after which a backup is late, also where it is made once a week.
const OLD: u64 = 8;

fn last_backup(last: Option<Last>, now: Timestamp) -> Finding {
    let Some(Last { at, file }) = last else {
        return finding("backup", true, "none was made with countersign backup; see docs/backup.md");
    };
    let days = now.since(at).as_secs() / (24 * 3600);
    match days {
        0..OLD => finding("backup", true, format!("the last one, {file}, is {days} days old")),
        _ => finding(
            "backup",
            false,
            format!("the last one, {file}, is {days} days old: does what makes them still run?"),
        ),
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

/// Less than this and the next hours of writes may fail.
const ROOM: u64 = 512 * 1024 * 1024;

/// Room for the database, its log and mails.
fn disk(folder: &Path) -> Finding {
    match rustix::fs::statvfs(folder) {
        Ok(disk) => room(disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_favail),
        Err(error) => finding("disk", false, format!("{}: {error}", folder.display())),
    }
}

fn room(bytes: u64, files: u64) -> Finding {
    let free = format!("{} MiB free in the data folder", bytes / (1024 * 1024));
    // A file system without a table of files says 0 or all ones.
    let names = files == 0 || files > 1_000;
    match bytes >= ROOM {
        true if names => finding("disk", true, free),
        true => finding("disk", false, format!("{free}, but only {files} more files; remove some")),
        false => finding("disk", false, format!("{free}: make room; a full disk stops every change, nothing is lost")),
    }
}

/// Days before its end at which a certificate should have been renewed; renewals come 30 before.
const LATE: u64 = 14;

/// The certificate's file, and what the running server shows.
pub fn certificate(config: &Config, served: Option<i64>) -> Option<Finding> {
    let what = "certificate";
    if let Some(acme) = &config.acme {
        return Some(fetched(config, acme, served, Clock::System.now()));
    }
    match tls::load(config) {
        Err(error) => Some(finding(what, false, error.to_string())),
        Ok(None) => of_proxy(config),
        Ok(Some(secured)) => Some(of_certificate(&secured.certificate, served, Clock::System.now())),
    }
}

/// TLS is somebody else's: is it known whose?
fn of_proxy(config: &Config) -> Option<Finding> {
    if !config.issuer.is_https() {
        return None;
    }
    Some(match config.trusted_proxies.is_empty() {
        false => finding("proxy", true, "ends TLS; its X-Forwarded-For is believed"),
        true => finding(
            "proxy",
            false,
            "somebody else ends TLS, and everybody seems to come from there: name it in trusted_proxies, or set tls.certificate",
        ),
    })
}

/// One that the server fetches itself.
fn fetched(config: &Config, acme: &Acme, served: Option<i64>, now: Timestamp) -> Finding {
    let what = "certificate";
    let trouble = acme::Folder::of(config).trouble(acme).map(|trouble| {
        let wait = Timestamp::from_secs(trouble.next).since(now).as_secs() / 60;
        let hurry = if trouble.told { "as the ACME server asked" } else { "or at once: systemctl reload countersign" };
        format!("{} attempts failed, the last one: {}; again in {wait} min, {hurry}", trouble.failures, trouble.reason)
    });
    match (acme::fetched(config), trouble) {
        (Err(error), trouble) => finding(what, false, format!("{error}; {}", trouble.unwrap_or_default())),
        (Ok(None), trouble) => {
            let why = trouble.unwrap_or_else(|| "a server that runs fetches it".to_owned());
            finding(what, false, format!("none yet, so nobody connects; {why}"))
        }
        (Ok(Some(shown)), Some(trouble)) => {
            let left = shown.not_after.since(now).as_secs() / (24 * 3600);
            finding(what, false, format!("is shown for {left} more days, but not renewed: {trouble}"))
        }
        (Ok(Some(shown)), None) if served.is_some_and(|served| served != shown.not_after.secs()) => {
            finding(what, false, "is not the one that the server shows: restart it")
        }
        (Ok(Some(shown)), None) => {
            let due = renew_at(shown.not_before, shown.not_after);
            // Short-lived ones are as good: it is known when they are renewed.
            if shown.names_issuer && shown.not_before <= now && now < due {
                let days = due.since(now).as_secs() / (24 * 3600);
                return finding(what, true, format!("for the issuer's host; the server renews it in {days} days"));
            }
            of_certificate(&shown, served, now)
        }
    }
}

fn of_certificate(shown: &Shown, served: Option<i64>, now: Timestamp) -> Finding {
    let renew = "renew it, then: systemctl reload countersign";
    let left = shown.not_after.since(now).as_secs() / (24 * 3600);
    let wrong = |detail: String| finding("certificate", false, detail);
    if !shown.names_issuer {
        return wrong(format!("is not for the issuer's host, so nobody connects; {renew}"));
    }
    if shown.not_before > now {
        return wrong("is not valid yet; is this machine's clock right?".to_owned());
    }
    if shown.not_after <= now {
        return wrong(format!("has expired; {renew}"));
    }
    if served.is_some_and(|served| served != shown.not_after.secs()) {
        return wrong(
            "was renewed, and the server still shows the one before: systemctl reload countersign".to_owned(),
        );
    }
    if shown.not_after.since(now) < Duration::from_hours(24 * LATE) {
        return wrong(format!("expires in {left} days; {renew}"));
    }
    finding("certificate", true, format!("for the issuer's host, for {left} more days"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_wrong() {
        assert!(room(ROOM, 100_000).well && room(ROOM, 0).well);
        assert!(!room(ROOM - 1, 100_000).well && !room(ROOM, 3).well);
    }

    #[test]
    fn a_certificate_is_judged_by_name_and_time() {
        let day = |day: i64| Timestamp::from_secs(day * 24 * 3600);
        let shown = |names_issuer| Shown { not_before: day(100), not_after: day(190), names_issuer };
        let at = |now: i64| of_certificate(&shown(true), None, day(now));
        assert!(at(101).well && at(170).well);
        for (now, said) in [(99, "not valid yet"), (177, "expires in 13 days"), (190, "has expired")] {
            assert!(!at(now).well && at(now).detail.contains(said), "{}", at(now).detail);
        }
        assert!(of_certificate(&shown(false), None, day(101)).detail.contains("not for the issuer's host"));
        assert!(of_certificate(&shown(true), Some(day(150).secs()), day(101)).detail.contains("systemctl reload"));
        assert!(of_certificate(&shown(true), Some(day(190).secs()), day(101)).well);
    }
}
