//! A Prometheus on loopback, with our rules, that watches one server.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

pub struct Prometheus {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may be gone already; that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Prometheus {
    pub fn start(watched: &str, rules: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let configuration = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [alerts.yml]\nscrape_configs:\n  - job_name: countersign\n    static_configs: [{{ targets: [\"{watched}\"] }}]\n"
        );
        fs::write(folder.path().join("alerts.yml"), rules).unwrap();
        fs::write(folder.path().join("prometheus.yml"), configuration).unwrap();
        let child = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=error"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port, _folder: folder }
    }

    /// Asks its API; null while it is not there yet.
    pub fn get(&self, path: &str) -> Value {
        self.ask(path).unwrap_or(Value::Null)
    }

    fn ask(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        // An answer of HTTP/1.0 ends with its connection.
        write!(stream, "GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// The values of this expression now.
    #[track_caller]
    pub fn query(&self, expression: &str) -> Vec<String> {
        let query: String = form_urlencoded::byte_serialize(expression.as_bytes()).collect();
        let answer = self.get(&format!("/api/v1/query?query={query}"));
        assert_ne!(answer["status"], "error", "{expression}: {answer}");
        let values = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        values.iter().map(|sample| sample["value"][1].as_str().unwrap().to_owned()).collect()
    }
}
