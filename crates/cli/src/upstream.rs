//! `countersign upstream …`

use std::path::PathBuf;

use clap::Subcommand;
use countersign_server::secret::PlainSecret;
use serde_json::{Value, json};

use crate::{
    Global,
    admin::{Admin, segment},
    output::{Failure, Output, rows, say, table, text},
    secret,
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Upstream {
    /// Add another OpenID provider that people may sign in with; its metadata are read at once
    Add {
        /// A name for addresses: 1 to 40 of a-z, 0-9 and -
        upstream: String,
        /// Its issuer identifier, exactly as its metadata have it, as in `https://accounts.example.com`
        issuer: String,
        /// Who this issuer is there
        #[arg(long)]
        client_id: String,
        /// A file with this issuer's secret there (`-`: standard input); without: a public client
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// What people read: "Continue with …"; default: the name
        #[arg(long)]
        label: Option<String>,
        /// Only people who have an account here already may come in by it
        #[arg(long)]
        no_signup: bool,
    },
    /// Remove it: nobody signs in with it any more; nobody is signed out
    Remove { upstream: String },
    /// List them
    List,
}

impl Upstream {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let mut admin = Admin::open(global).await?;
        let done = self.call(&mut admin, output).await;
        admin.close().await;
        done
    }

    async fn call(self, admin: &mut Admin, output: Output) -> Result<(), Failure> {
        match self {
            Self::Add { upstream, issuer, client_id, secret_file, label, no_signup } => {
                let secret = secret_file.as_deref().map(|file| secret::read("secret", Some(file))).transpose()?;
                let body = json!({
                    "upstream": upstream, "issuer": issuer, "client_id": client_id, "label": label,
                    "secret": secret.as_ref().map(PlainSecret::expose), "signup": !no_signup,
                });
                output.show(&admin.post("/api/admin/upstreams", &body).await?, added);
            }
            Self::Remove { upstream } => {
                let answer = admin.delete(&format!("/api/admin/upstreams/{}", segment(&upstream))).await?;
                output.show(&answer, |_| say!("removed"));
            }
            Self::List => output.show(&admin.get("/api/admin/upstreams").await?, list),
        }
        Ok(())
    }
}

fn added(upstream: &Value) {
    say!("added {}; register there the redirect URI\n{}", text(upstream, "upstream"), text(upstream, "redirect_uri"));
}

fn list(page: &Value) {
    let members = ["upstream", "label", "issuer", "client_id", "confidential", "signup"];
    table(&["UPSTREAM", "LABEL", "ISSUER", "CLIENT ID", "SECRET", "SIGNUP"], &rows(page, &members));
}
