//! `countersign session …`

use clap::Subcommand;
use serde_json::Value;

use crate::{
    Global,
    admin::{Admin, segment},
    output::{Failure, Output, rows, say, table},
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Session {
    /// List a user's sessions, ended ones with the reason
    List {
        /// User id or e-mail address
        user: String,
        /// Go on after this session
        #[arg(long, default_value = "", allow_hyphen_values = true)]
        after: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// End a session: its refresh token and its access tokens
    Revoke {
        /// As `session list` shows it; it may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
        sid: String,
    },
}

impl Session {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let mut admin = Admin::open(global).await?;
        let done = self.call(&mut admin, output).await;
        admin.close().await;
        done
    }

    async fn call(self, admin: &mut Admin, output: Output) -> Result<(), Failure> {
        match self {
            Self::List { user, after, limit } => {
                let (user, after) = (segment(&user), segment(&after));
                let page = admin.get(&format!("/api/admin/sessions?user={user}&after={after}&limit={limit}")).await?;
                output.show(&page, list);
            }
            Self::Revoke { sid } => {
                let answer = admin.delete(&format!("/api/admin/sessions/{}", segment(&sid))).await?;
                output.show(&answer, |_| say!("ended"));
            }
        }
        Ok(())
    }
}

fn list(page: &Value) {
    let members = ["sid", "client_id", "device", "ip", "created_at", "last_seen_at", "ended_at", "ended_reason"];
    table(
        &["SESSION", "CLIENT", "DEVICE", "ADDRESS", "CREATED", "LAST SEEN", "ENDED", "REASON"],
        &rows(page, &members),
    );
    if let Some(next) = page["next"].as_str() {
        say!("more: --after {next}");
    }
}
