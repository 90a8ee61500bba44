//! An HSM in software: SoftHSM, in a folder of its own.

use std::{fs, process::Command};

use tempfile::TempDir;

use super::{House, done};

const MODULES: [&str; 3] =
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"];
const PIN: &str = "728194";

pub struct Token {
    folder: TempDir,
}

impl Token {
    /// A token with the key that wraps.
    pub fn new() -> Self {
        let token = Self { folder: tempfile::tempdir().unwrap() };
        let tokens = token.folder.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        let config =
            format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display());
        fs::write(token.conf(), config).unwrap();
        let pins = ["--so-pin", "12345678", "--pin", PIN];
        token.run("softhsm2-util", &[&["--init-token", "--free", "--label", "countersign"], &pins[..]].concat());
        token.make_key("countersign", &["--sensitive"]);
        token
    }

    pub fn make_key(&self, label: &str, more: &[&str]) {
        let login = ["--module", module(), "--token-label", "countersign", "--login", "--pin", PIN];
        let make = ["--keygen", "--key-type", "AES:32", "--label", label];
        self.run("pkcs11-tool", &[&login[..], &make, more].concat());
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        done(Command::new(program).args(arguments).env("SOFTHSM2_CONF", self.conf()));
    }

    fn conf(&self) -> std::path::PathBuf {
        self.folder.path().join("softhsm2.conf")
    }

    /// Lets this house's server find the token; the sections of its configuration. `more` stands in `[keys]`.
    pub fn section(&self, house: &mut House, more: &str) -> String {
        house.variable("SOFTHSM2_CONF", self.conf().to_str().unwrap());
        let pin = house.secret("pin", PIN);
        format!(
            "[keys]\n{more}[keys.pkcs11]\nmodule = \"{}\"\ntoken = \"countersign\"\npin_file = \"{}\"\n",
            module(),
            pin.display(),
        )
    }

    /// As if its cable were pulled.
    fn unplug(&self) {
        fs::rename(self.folder.path().join("tokens"), self.folder.path().join("away")).unwrap();
    }

    fn plug_in(&self) {
        fs::rename(self.folder.path().join("away"), self.folder.path().join("tokens")).unwrap();
    }
}

fn module() -> &'static str {
    let found = MODULES.into_iter().find(|path| fs::exists(path).unwrap());
    found.expect("SoftHSM is missing; `cargo xtask test` installs Debian's package softhsm2")
}

// KEY-01, KEY-08
#[test]
fn a_new_database_is_opened_by_the_token_alone_and_tokens_are_signed_there() {
    let token = Token::new();
    let mut house = House::new();
    let section = token.section(&mut house, "store = \"pkcs11\"\nsign = \"there\"\n");
    house.configure(&[&section]);
    let server = house.serve();
    let held = house.enter();
    house.verify(&held.access);
    assert!(!house.kek().exists());
    assert_eq!(house.signing_store().as_deref(), Some("pkcs11"));
    for alg in ["Ed25519", "ES384", "ES512", "RS256", "PS256"] {
        house.verify(&house.token_by(alg));
    }
    let told = house.expect(1, &["client", "add", "x", "--audience", "api", "--alg", "ES256K"]);
    assert!(told.contains("makes no keys for ES256K"), "{told}");
    drop(server);
    let server = house.serve();
    house.verify(&house.refresh(&held).access);
    drop(server);

    // Another key of the token opens nothing, and one that can be taken out guards nothing.
    token.make_key("other", &["--sensitive"]);
    house.configure(&[&section, "key = \"other\"\n"]);
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("refuses"), "{told}");
    token.make_key("loose", &["--sensitive", "--extractable"]);
    house.configure(&[&section, "key = \"loose\"\n"]);
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("not extractable"), "{told}");
    // A wrong PIN is shown once, and named.
    house.configure(&[&section]);
    house.secret("pin", "0000");
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("refuses") && !told.contains("0000"), "{told}");
    house.secret("pin", PIN);
    let _server = house.serve();
    house.sign_in();
}

// I-12, KEY-08
#[test]
fn a_token_that_is_pulled_out_signs_nobody_out() {
    let token = Token::new();
    let mut house = House::new();
    let section = token.section(&mut house, "store = \"pkcs11\"\nsign = \"there\"\n");
    house.configure(&[&section]);
    let _server = house.serve();
    let held = house.enter();
    token.unplug();
    house.try_refresh(&held).is_key_store();
    house.try_sign_in().is_key_store();
    house.verify(&held.access);
    assert_eq!(house.rig.session(&held.access), Some(200));
    token.plug_in();
    house.verify(&house.until_refreshed(&held).access);
}
