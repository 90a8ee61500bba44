//! People's ways through the pages in a real browser: the stories of `e2e/`, each with a server of its own. Pictures of the pages are
//! kept in `target/e2e`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::rig::{Rig, text};

/// Names the browser; by default the first of these that is in the path.
const VARIABLE: &str = "COUNTERSIGN_TEST_CHROMIUM";
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

fn browser() -> PathBuf {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return PathBuf::from(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| BROWSERS.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    found.unwrap_or_else(|| {
        panic!("no browser: `cargo xtask test` installs one, or name it: {VARIABLE}=/path/to/chromium")
    })
}

/// Runs a story against a new server; the browser calls it `localhost`.
fn told(story: &str, settings: &[(&str, &str)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pictures = root.join("target/e2e");
    fs::create_dir_all(&pictures).unwrap();
    let rig = Rig::new();
    let issuer = format!("http://localhost:{}", rig.address.port());
    let mut variables = vec![("COUNTERSIGN_ISSUER", &*issuer), ("COUNTERSIGN_LIMITS_ADDRESS_PER_MINUTE", "1000000")];
    variables.extend(settings);
    let _server = rig.serve(&variables);
    let told = Command::new("node")
        .arg(root.join("e2e").join(story))
        .env("E2E_ISSUER", &issuer)
        .env("E2E_DATA", rig.data())
        .env("E2E_MODULES", root.join("target/peers/e2e"))
        .env("E2E_BROWSER", browser())
        .env("E2E_OUT", &pictures)
        .output()
        .unwrap();
    assert!(told.status.success(), "{story}\n{}\n{}", text(&told.stdout), text(&told.stderr));
}

// LOG-*, CSR-09: an account, two devices, one of them ended; at most twelve steps.
#[test]
fn account() {
    told("account.mjs", &[]);
}

// LOG-09, LOG-10, LOG-12
#[test]
fn mail() {
    told("mail.mjs", &[("COUNTERSIGN_MAIL_VERIFICATION", "required")]);
}

// MFA-01, MFA-02, MFA-05, MFA-07
#[test]
fn factors() {
    told("factors.mjs", &[("COUNTERSIGN_SIGN_IN_BY_MAIL", "on")]);
}

// Pages and mails in the language of whoever reads them, light or dark as they like it.
#[test]
fn languages() {
    told("languages.mjs", &[]);
}

// OAU-11, OAU-17
#[test]
fn client() {
    told("client.mjs", &[]);
}

// MFA-04, CSR-09: a passkey of a second device, as the only thing that is shown and as the second step; at most twelve steps.
#[test]
fn passkeys() {
    told("passkeys.mjs", &[]);
}
