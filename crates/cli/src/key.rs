//! `countersign key …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    Global,
    admin::Admin,
    output::{Failure, Output, rows, table},
    revoke::Revoke,
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Key {
    /// List signing keys and their states
    List,
    /// Publish the next signing key; it signs once every cache can know it
    Rotate {
        /// Algorithm; default: that of every active key
        #[arg(long)]
        alg: Option<String>,
        /// What the key is for: token, or feed (the revocation feed)
        #[arg(long, default_value = "token", value_parser = ["token", "feed"])]
        purpose: String,
        /// Sign with it at once: services that cached the key set answer 401 until they fetch it again
        #[arg(long)]
        now: bool,
    },
    /// A key that must not be trusted any more: every token it signed dies, its successor signs at once
    Revoke {
        kid: String,
        /// Why, in your own words; kept with the security event
        #[arg(long)]
        reason: Option<String>,
    },
}

impl Key {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        if let Self::Revoke { kid, reason } = self {
            return Revoke::key(kid, reason).run(global, output).await;
        }
        let mut admin = Admin::open(global).await?;
        let done = async {
            match self {
                Self::List => output.show(&admin.get("/api/admin/keys").await?, list),
                Self::Rotate { alg, purpose, now } => {
                    let body = json!({ "alg": alg, "purpose": purpose, "now": now });
                    let answer = admin.post("/api/admin/keys/rotate", &body).await?;
                    output.show(&answer, list);
                }
                Self::Revoke { .. } => {}
            }
            Ok(())
        }
        .await;
        admin.close().await;
        done
    }
}

fn list(page: &Value) {
    let members = ["kid", "purpose", "alg", "state", "since", "created_at"];
    let mut rows = rows(page, &members);
    for (row, key) in rows.iter_mut().zip(page["items"].as_array().into_iter().flatten()) {
        row.push(verifiers(&key["verifiers"]));
    }
    table(&["KID", "PURPOSE", "ALG", "STATE", "SINCE", "CREATED", "VERIFIERS"], &rows);
}

/// Whom a published key waits for.
fn verifiers(known: &Value) -> String {
    let count = |member: &str| known[member].as_u64().unwrap_or_default();
    let (knowing, lagging) = (count("knowing"), count("lagging"));
    match lagging {
        _ if known.is_null() => "-".to_owned(),
        0 => format!("{knowing} have it"),
        _ => {
            let who: Vec<_> = known["who"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            format!("{knowing} have it, waiting for {lagging}: {}", who.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lags_is_named() {
        assert_eq!(verifiers(&Value::Null), "-");
        assert_eq!(verifiers(&json!({ "knowing": 3, "lagging": 0, "who": [] })), "3 have it");
        let known = json!({ "knowing": 3, "lagging": 2, "who": ["orders (192.0.2.7)", "192.0.2.9"] });
        assert_eq!(verifiers(&known), "3 have it, waiting for 2: orders (192.0.2.7), 192.0.2.9");
    }
}
