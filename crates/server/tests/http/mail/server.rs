//! A real mail server, aiosmtpd, that can be told to stall or to refuse (`crates/cli/tests/peers/README.md`).

use std::{path::Path, sync::LazyLock};

use countersign_jose::b64;
use serde_json::{Value, json};

use crate::peers::Process;

/// One process for all servers of these tests.
static PEER: LazyLock<Process> = LazyLock::new(|| Process::python("smtp_server.py"));

pub struct MailServer {
    number: u64,
    pub port: u16,
}

/// A mail that the server has taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    pub raw: String,
    pub tls: bool,
}

impl Taken {
    pub fn message_id(&self) -> &str {
        self.raw.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().trim()
    }
}

impl MailServer {
    pub fn start(settings: &Value) -> Self {
        let mut request = json!({ "op": "start" });
        request.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let started = PEER.ask(&request).unwrap();
        let port = started["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap();
        Self { number: started["server"].as_u64().unwrap(), port }
    }

    pub fn plain() -> Self {
        Self::start(&json!({}))
    }

    /// With the certificate of a test authority, for `localhost`.
    pub fn secure(more: &Value) -> Self {
        let folder = certificates();
        let mut settings = json!({ "certificate": folder.join("server.pem"), "key": folder.join("server.key.pem") });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Self::start(&settings)
    }

    /// What it does at a stage, the next `times` times.
    pub fn behave(&self, at: &str, what: &str, times: u32) {
        PEER.ask(&json!({ "op": "behave", "server": self.number, "at": at, "do": what, "times": times })).unwrap();
    }

    pub fn taken(&self) -> Vec<Taken> {
        let answer = self.ask();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mail = |mail: &Value| Taken {
            from: text(&mail["from"]),
            to: mail["to"].as_array().unwrap().iter().map(text).collect(),
            raw: decoded(mail["data"].as_str().unwrap()),
            tls: mail["tls"].as_bool().unwrap(),
        };
        answer["mails"].as_array().unwrap().iter().map(mail).collect()
    }

    pub fn connections(&self) -> u64 {
        self.ask()["connections"].as_u64().unwrap()
    }

    fn ask(&self) -> Value {
        PEER.ask(&json!({ "op": "taken", "server": self.number })).unwrap()
    }
}

pub fn certificates() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/tls"))
}

/// Python writes standard base64 with padding.
fn decoded(text: &str) -> String {
    let url = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    String::from_utf8(b64::decode(url).unwrap()).unwrap()
}
