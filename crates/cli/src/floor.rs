//! `countersign floor …`: everybody's access tokens end, in steps; nobody is signed out.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    Global,
    admin::Admin,
    duration,
    output::{Failure, Output, say, text},
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Floor {
    /// Show where the floor stands and where it goes
    Show,
    /// Raise it to the head of the log: every access token that exists now ends, the oldest first
    Raise {
        /// Within this time, a step a second, so that not every client refreshes at once; default: at once
        #[arg(long, value_parser = duration::seconds, default_value = "0s")]
        over: u64,
    },
}

impl Floor {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let mut admin = Admin::open(global).await?;
        let answered = match self {
            Self::Show => admin.get("/api/admin/floor").await,
            Self::Raise { over } => admin.post("/api/admin/floor", &json!({ "over": over })).await,
        };
        admin.close().await;
        output.show(&answered?, tell);
        Ok(())
    }
}

fn tell(floor: &Value) {
    say!("head       {}", text(floor, "head"));
    say!("floor      {}", text(floor, "floor"));
    if !floor["until"].is_null() {
        say!("rises to   {} until {}", text(floor, "goal"), text(floor, "until"));
    }
    let by = &floor["effective_by"];
    if !by.is_null() {
        say!("effective  {} (strict), {} (balanced), at the latest", text(by, "strict"), text(by, "balanced"));
    }
}
