//! AWS KMS, by moto: another implementation of its API.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{House, done, free_port, installed};

pub struct Moto {
    child: Child,
    port: u16,
    key: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may be gone already; that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With boto3, AWS's own client: a symmetric key, as docs/keys.md makes it.
const MAKE_KEY: &str = "import boto3, sys
kms = boto3.client('kms', region_name='eu-central-1', endpoint_url=sys.argv[1])
key = kms.create_key(Description='countersign')['KeyMetadata']['KeyId']
kms.create_alias(AliasName=sys.argv[2], TargetKeyId=key)
print(key)";

impl Moto {
    pub fn start() -> Self {
        let port = free_port();
        let mut command = python();
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut moto = Self { child, port, key: String::new() };
        // Two minutes, which only end a broken test.
        let answers = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        assert!((0..600).any(|_| answers() || {
            std::thread::sleep(Duration::from_millis(200));
            false
        }));
        moto.key = moto.make_key("alias/countersign");
        moto
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn make_key(&self, alias: &str) -> String {
        done(python().args(["-c", MAKE_KEY, &self.endpoint(), alias])).trim().to_owned()
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The sections of the configuration; `more` stands in `[keys]`.
    pub fn section(&self, house: &House, more: &str) -> String {
        let file = house.secret(
            "aws",
            "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
        );
        format!(
            "[keys]\n{more}[keys.kms]\nregion = \"eu-central-1\"\nkey = \"{}\"\nendpoint = \"{}\"\ncredentials_file = \"{}\"\n",
            self.key,
            self.endpoint(),
            file.display(),
        )
    }
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", installed()).args(["-B", "-Wignore"]);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env_remove("AWS_PROFILE");
    command
}

// KEY-01, KEY-08
#[test]
fn a_new_database_is_opened_by_the_key_alone_and_tokens_are_signed_there() {
    let moto = Moto::start();
    let house = House::new();
    house.configure(&[&moto.section(&house, "store = \"kms\"\nsign = \"there\"\n")]);
    let server = house.serve();
    let held = house.enter();
    house.verify(&held.access);
    assert!(!house.kek().exists());
    assert_eq!(house.signing_store().as_deref(), Some("kms"));
    // moto salts PSS as AWS does not (RFC 7518, section 3.5, wants the hash's length).
    for alg in ["ES384", "ES512", "RS256"] {
        house.verify(&house.token_by(alg));
    }
    let told = house.expect(1, &["client", "add", "x", "--audience", "api", "--alg", "Ed25519"]);
    assert!(told.contains("makes no keys for Ed25519"), "{told}");
    drop(server);
    let server = house.serve();
    house.verify(&house.refresh(&held).access);
    drop(server);

    // Another key opens nothing.
    let section = moto.section(&house, "store = \"kms\"\n").replace(&moto.key, &moto.make_key("alias/other"));
    house.configure(&[&section]);
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("refuses"), "{told}");
    // Credentials that others may read.
    house.configure(&[&moto.section(&house, "store = \"kms\"\n")]);
    std::fs::set_permissions(house.rig.folder.path().join("aws"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();
    let told = house.expect(1, &["serve"]);
    assert!(told.contains("chmod 600") && !told.contains("EXAMPLEKEY"), "{told}");
}

// KEY-04: what the store cannot make is replaced and revoked where it is.
#[test]
fn a_key_that_the_store_has_no_algorithm_for_stays_here_and_can_be_replaced() {
    let moto = Moto::start();
    let house = House::new();
    house.configure(&[&moto.section(&house, "store = \"file\"\n")]);
    let server = house.serve();
    let held = house.enter();
    house.verify(&house.token_by("Ed25519"));
    house.expect(0, &["key", "move", "--to", "kms"]);
    drop(server);
    house.configure(&[&moto.section(&house, "store = \"kms\"\nsign = \"there\"\n")]);
    let _server = house.serve();
    house.expect(0, &["key", "rotate", "--alg", "Ed25519", "--now"]);
    let listed = house.expect(0, &["--json", "key", "list"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let active: Vec<_> = listed["items"].as_array().unwrap().iter().filter(|key| key["alg"] == "Ed25519").collect();
    let signs = active.iter().find(|key| key["state"] == "active").unwrap();
    assert!(signs["store"].is_null(), "{listed}");
    house.expect(0, &["key", "revoke", signs["kid"].as_str().unwrap()]);
    house.verify(&house.refresh(&held).access);
}
