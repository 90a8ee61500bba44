//! A certificate that the server fetches itself, from a real ACME server: Pebble, of those who make Let's Encrypt's.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    Live,
    certificates::{Authority, connect, get, shown},
    launch, wait,
};
use crate::{
    keystores::free_port,
    rig::{Rig, kill, mode, text},
};

/// An ACME server whose own certificate is of an authority of ours.
struct Pebble {
    folder: TempDir,
    port: u16,
    manage: u16,
    child: Option<Child>,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Pebble {
    /// Not started yet.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Authority::new().issue(folder.path(), &["localhost"]);
        Self { folder, port: free_port(), manage: free_port(), child: None }
    }

    /// `looks`: the port at which it looks for answers to its challenges. `lasts`: seconds that a certificate is good for.
    fn start(&mut self, looks: u16, lasts: u64) {
        let configuration = json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{}", self.port),
            "managementListenAddress": format!("127.0.0.1:{}", self.manage),
            "certificate": self.path("cert.pem"),
            "privateKey": self.path("key.pem"),
            "httpPort": 1,
            "tlsPort": looks,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": lasts,
        }});
        fs::write(self.path("pebble.json"), configuration.to_string()).unwrap();
        let child = Command::new("pebble")
            .arg("-config")
            .arg(self.path("pebble.json"))
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(File::create(self.path("log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .expect("pebble is installed: cargo xtask test");
        self.child = Some(child);
        wait(|| self.root()).expect("pebble answers");
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it signs with, made anew at each of its starts.
    fn root(&self) -> Option<CertificateDer<'static>> {
        let output = Command::new("curl")
            .args(["-sSf", "--noproxy", "*", "--cacert"])
            .arg(self.path("ca.pem"))
            .arg(format!("https://localhost:{}/roots/0", self.manage))
            .output()
            .unwrap();
        CertificateDer::from_pem_slice(&output.stdout).ok()
    }

    /// Somebody who trusts what it signs.
    fn client(&self, alpn: &[&str]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root().unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // A resumed connection would show the certificate of the one before.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    fn configuration(&self) -> String {
        format!(
            "issuer = \"https://localhost:PORT\"\n[tls.acme]\ndomains = [\"localhost\"]\nterms = \"agreed\"\n\
             contact = [\"ada@example.com\"]\ndirectory = \"https://localhost:{}/dir\"\nca_file = \"{}\"\n",
            self.port,
            self.path("ca.pem").display()
        )
    }

    /// How many certificates it was asked for.
    fn orders(&self) -> usize {
        fs::read_to_string(self.path("log")).unwrap().matches("Issued certificate serial").count()
    }
}

/// A request to whoever has a certificate that this client trusts; what it is shown.
fn served(live: &Live, client: &Arc<ClientConfig>) -> Option<CertificateDer<'static>> {
    let mut line = connect(live.rig.address, client).ok()?;
    let (head, _) = get(&mut line, "/readyz").ok()?;
    assert!(head.contains(" 200"), "{head}");
    Some(shown(&line))
}

fn kept(live: &Live, name: &str) -> PathBuf {
    live.rig.data().join("acme").join(name)
}

fn trouble(live: &Live) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(kept(live, "trouble.json")).ok()?).ok()
}

fn doctor(live: &Live) -> String {
    let output = live.rig.run(&["doctor"], "");
    let out = text(&output.stdout);
    out.lines().find(|line| line.contains("certificate ")).unwrap_or_else(|| panic!("{out}")).to_owned()
}

/// Ends a server and starts it again on the same folder.
fn restart(live: Live) -> Live {
    let Live { rig, server } = live;
    kill(server.child.id(), "-TERM");
    wait(|| (!rig.data().join("admin.sock").exists()).then_some(())).unwrap();
    drop(server);
    let server = launch(&rig, &[]);
    Live { rig, server }
}

fn start(pebble: &Pebble) -> Live {
    Live::prepared(|_: &Rig| {}, &pebble.configuration())
}

/// A server whose ACME server is not there, after two failures and two restarts.
fn without_certificate(pebble: &Pebble) -> Live {
    let live = start(pebble);
    assert!(live.log().contains("no certificate yet: nobody can connect"), "{}", live.log());
    let first = wait(|| trouble(&live)).expect("a failure is kept");
    assert_eq!(first["failures"], 1, "{first}");
    assert!(live.log().contains("no certificate could be fetched"), "{}", live.log());
    // Nobody is answered in the clear meanwhile, and those who ask from inside hear what is missing.
    assert_eq!(live.rig.http("GET", "/healthz", "", ""), None);
    let (status, body) = live.rig.admin("GET", "/readyz", "").unwrap();
    assert!(status == 503 && body.contains("no certificate has been fetched yet"), "{status} {body}");
    assert_eq!(live.rig.admin("GET", "/healthz", "").unwrap().0, 200);
    let said = doctor(&live);
    assert!(said.starts_with("WRONG") && said.contains("1 attempts failed"), "{said}");
    // A restart is no way around the waiting.
    let live = restart(live);
    live.hang_up();
    let second = wait(|| trouble(&live).filter(|trouble| trouble["failures"] == 2)).expect("a reload tries at once");
    assert!(second["next"].as_i64() > first["next"].as_i64());
    let live = restart(live);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(trouble(&live).unwrap(), second);
    live
}

/// The ACME server is down at the first start, comes, and is down again at the next one.
// NET-01
#[test]
fn a_server_fetches_its_certificate_and_keeps_it_over_restarts() {
    let mut pebble = Pebble::new();
    let live = without_certificate(&pebble);
    // It comes up, and the operator says so.
    pebble.start(live.rig.address.port(), 90 * 24 * 3600);
    live.hang_up();
    let client = pebble.client(&["http/1.1"]);
    let certificate = wait(|| served(&live, &client)).unwrap_or_else(|| panic!("no certificate\n{}", live.log()));
    assert_eq!(connect(live.rig.address, &pebble.client(&["h2"])).unwrap().conn.alpn_protocol(), Some(&b"h2"[..]));
    // Only an ACME server that waits for an answer gets one.
    assert!(connect(live.rig.address, &pebble.client(&["acme-tls/1"])).is_err());
    assert_eq!(live.rig.admin("GET", "/readyz", "").unwrap().0, 200);
    assert_eq!((mode(&live.rig.data().join("acme")), trouble(&live)), (0o700, None));
    for name in ["account.json", "certificate.pem"] {
        assert_eq!(mode(&kept(&live, name)), 0o600, "{name}");
    }
    let key = fs::read_to_string(kept(&live, "certificate.pem")).unwrap();
    assert!(key.contains("PRIVATE KEY") && !live.log().contains("PRIVATE"));
    assert!(doctor(&live).starts_with("ok"), "{}", doctor(&live));
    assert_eq!(pebble.orders(), 1);
    // Reload and restart go on with it and ask nobody, whoever is down.
    assert!(live.hang_up().contains("were read anew"));
    assert_eq!(served(&live, &client), Some(certificate.clone()));
    pebble.stop();
    let live = restart(live);
    assert_eq!(served(&live, &client), Some(certificate));
    let metrics = live.rig.admin("GET", "/metrics", "").unwrap().1;
    assert!(!metrics.contains("countersign_tls_certificate_expires_timestamp_seconds 0"), "{metrics}");
    assert_eq!(trouble(&live), None);
}

/// Certificates of 45 seconds, the renewal of the second of which fails; then the ACME server has forgotten everything.
#[test]
fn a_certificate_is_renewed_in_time_and_a_failure_takes_none_away() {
    let mut pebble = Pebble::new();
    let live = start(&pebble);
    wait(|| trouble(&live)).expect("nobody was there");
    pebble.start(live.rig.address.port(), 45);
    live.hang_up();
    let client = pebble.client(&["http/1.1"]);
    let first = wait(|| served(&live, &client)).unwrap_or_else(|| panic!("no certificate\n{}", live.log()));
    let second = wait(|| served(&live, &client).filter(|certificate| *certificate != first));
    let second = second.unwrap_or_else(|| panic!("not renewed\n{}", live.log()));
    pebble.stop();
    wait(|| trouble(&live)).expect("the renewal fails");
    assert_eq!(served(&live, &client), Some(second), "it is good for a third of its life");
    assert!(live.log().contains("what was shown before is shown on"), "{}", live.log());
    let said = doctor(&live);
    assert!(said.starts_with("WRONG") && said.contains("not renewed"), "{said}");
    // Keys, accounts and the authority itself are new over there.
    pebble.start(live.rig.address.port(), 90 * 24 * 3600);
    live.hang_up();
    let client = pebble.client(&["http/1.1"]);
    wait(|| served(&live, &client)).unwrap_or_else(|| panic!("no certificate\n{}", live.log()));
    assert_eq!(trouble(&live), None);
}

/// The ACME server looks at a port where nobody answers.
#[test]
fn what_the_acme_server_refuses_is_said_and_counted() {
    let mut pebble = Pebble::new();
    pebble.start(free_port(), 90 * 24 * 3600);
    let live = start(&pebble);
    let first = wait(|| trouble(&live)).expect("it is refused");
    let reason = first["reason"].as_str().unwrap();
    assert!(reason.contains("localhost could not be proven") && reason.contains("Failed to connect"), "{reason}");
    live.hang_up();
    let second = wait(|| trouble(&live).filter(|trouble| trouble["failures"] == 2)).expect("it is refused again");
    let wait = second["next"].as_i64().unwrap() - first["next"].as_i64().unwrap();
    assert!(wait > 200, "the second time it waits five minutes: {wait}");
    assert_eq!(pebble.orders(), 0);
    // The account of the first attempt was used by the second one.
    let log = fs::read_to_string(pebble.path("log")).unwrap();
    assert_eq!(log.matches("accounts in memory").count(), 1, "{log}");
}
