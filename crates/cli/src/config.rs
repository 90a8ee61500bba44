//! `countersign config …`

use clap::Subcommand;
use countersign_server::config::{Config as Checked, shown};
use serde_json::{Map, Value, json};

use crate::{
    Global, admin,
    output::{Failure, Output, say, table},
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Config {
    /// Show every key, its value and what it means
    Show {
        /// Also where each value came from
        #[arg(long)]
        origin: bool,
    },
    /// Say whether the configuration can be used
    Check,
}

impl Config {
    pub fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let settings = admin::settings(global)?;
        match self {
            Self::Show { origin } => {
                let rows: Map<String, Value> = settings
                    .iter()
                    .map(|(key, setting)| {
                        let origin = setting.origin.to_string();
                        let row = json!({ "value": shown(key, setting), "origin": origin, "variable": key.variable(), "help": key.help });
                        (key.name.to_owned(), row)
                    })
                    .collect();
                output.show(&Value::Object(rows), |_| {
                    let last = |setting: &countersign_server::config::Setting, help: &str| {
                        if origin { setting.origin.to_string() } else { help.to_owned() }
                    };
                    let rows: Vec<Vec<String>> = settings
                        .iter()
                        .map(|(key, setting)| vec![key.name.to_owned(), shown(key, setting), last(setting, key.help)])
                        .collect();
                    table(&["KEY", "VALUE", if origin { "FROM" } else { "MEANING" }], &rows);
                });
            }
            Self::Check => {
                let config = Checked::new(&settings).map_err(|error| Failure::refused(error.to_string()))?;
                output.show(&json!({ "ok": true, "issuer": config.issuer.as_str() }), |_| say!("ok"));
            }
        }
        Ok(())
    }
}
