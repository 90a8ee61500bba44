//! What a running server takes in without a restart (SIGHUP), its own TLS, and what it tells systemd.

mod acme;
pub mod certificates;
mod reload;
mod supervisor;
mod tls;

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use crate::rig::{Rig, Server, kill};

/// A server whose configuration is a file, and whose log is one.
pub struct Live {
    pub rig: Rig,
    pub server: Server,
}

impl Live {
    /// `configuration` may name files of the folder by `FOLDER/…`; `PORT` is the server's.
    pub fn start(configuration: &str, variables: &[(&str, String)]) -> Self {
        let rig = Rig::new();
        write(&rig, configuration);
        Self { server: launch(&rig, variables), rig }
    }

    /// The same, on a folder that has been prepared.
    pub fn prepared(prepare: impl FnOnce(&Rig), configuration: &str) -> Self {
        let rig = Rig::new();
        prepare(&rig);
        write(&rig, configuration);
        Self { server: launch(&rig, &[]), rig }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.rig.folder.path().join(name)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// Replaces the configuration and says so; what the log then says of it.
    #[track_caller]
    pub fn reload(&self, configuration: &str) -> String {
        write(&self.rig, configuration);
        self.hang_up()
    }

    /// Says that something has changed; what the log then says of it.
    #[track_caller]
    pub fn hang_up(&self) -> String {
        const ANSWERS: [&str; 2] = ["were read anew", "was not read anew"];
        let before = self.log().len();
        kill(self.server.child.id(), "-HUP");
        let answered = || {
            let log = self.log()[before..].to_owned();
            ANSWERS.iter().any(|words| log.lines().any(|line| line.contains(words))).then_some(log)
        };
        wait(answered).expect("the server says what became of it")
    }

    /// The newest security event of this name, with its detail.
    pub fn event(&self, name: &str) -> serde_json::Value {
        // It is written after the line of the log.
        wait(|| {
            let (status, body) = self.rig.admin("GET", "/api/admin/audit", "")?;
            assert_eq!(status, 200, "{body}");
            let page: serde_json::Value = serde_json::from_str(&body).unwrap();
            page["items"].as_array().unwrap().iter().find(|event| event["event"] == name).cloned()
        })
        .unwrap_or_else(|| panic!("no {name}"))
    }
}

fn write(rig: &Rig, configuration: &str) {
    let folder = rig.folder.path().display().to_string();
    let text = configuration.replace("FOLDER", &folder).replace("PORT", &rig.address.port().to_string());
    fs::write(rig.folder.path().join("countersign.toml"), text).unwrap();
}

fn launch(rig: &Rig, variables: &[(&str, String)]) -> Server {
    let mut command = rig.command(&["serve"]);
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    command.stdout(Stdio::piped()).stderr(File::create(rig.folder.path().join("log")).unwrap());
    Server::greeted(command)
}

/// Asks until there is an answer; a minute, which only ends a broken test.
pub fn wait<T>(mut answer: impl FnMut() -> Option<T>) -> Option<T> {
    (0..3_000).find_map(|_| {
        let answer = answer();
        if answer.is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
        answer
    })
}
