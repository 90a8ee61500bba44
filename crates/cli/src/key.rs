//! `countersign key …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    Global,
    admin::{self, Admin},
    output::{Failure, Output, rows, say, table, text},
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
    /// Give the key-encryption key to another guard; both open it until --finish forgets the old one
    Move {
        /// The next guard; how it is reached is in the configuration
        #[arg(long, value_parser = ["file", "transit", "pkcs11", "kms"], required_unless_present = "finish")]
        to: Option<String>,
        /// Forget every guard but the one that keys.store names, once every server uses that one
        #[arg(long, conflicts_with = "to")]
        finish: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// A key that must not be trusted any more: every token it signed dies, its successor signs at once
    Revoke {
        /// As `key list` shows it; it may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
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
        if matches!(self, Self::Move { finish: true, yes: false, .. }) {
            return Err(Failure::usage(
                "every guard but the one that keys.store names is forgotten: servers with the old configuration do not start \
                 again, and a backup of the database from before opens with the old guard alone; add --yes",
            ));
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
                Self::Move { to: Some(to), .. } => {
                    let answer = admin.post("/api/admin/keys/move", &json!({ "to": to })).await?;
                    output.show(&answer, wrapped);
                }
                Self::Move { to: None, .. } => {
                    let keep = admin::config(global)?.keys.place.as_str();
                    let answer = admin.post("/api/admin/keys/move/finish", &json!({ "keep": keep })).await?;
                    output.show(&answer, finished);
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
    let members = ["kid", "purpose", "alg", "state", "since", "created_at", "store"];
    let mut rows = rows(page, &members);
    for (row, key) in rows.iter_mut().zip(page["items"].as_array().into_iter().flatten()) {
        row.push(verifiers(&key["verifiers"]));
    }
    table(&["KID", "PURPOSE", "ALG", "STATE", "SINCE", "CREATED", "STORE", "VERIFIERS"], &rows);
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

fn wrapped(answer: &Value) {
    let (to, place) = (text(answer, "to"), text(answer, "place"));
    say!("the key-encryption key {} has another guard: {place}", text(answer, "kek"));
    say!(
        "It was asked and gave the key back. Now, on one server after the other: set keys.store = \"{to}\" and restart it."
    );
    say!(
        "Servers with either configuration work meanwhile. When all have the new one: countersign key move --finish --yes"
    );
}

fn finished(answer: &Value) {
    say!("the key-encryption key has one guard: {}", text(answer, "kept"));
    for place in answer["forgotten"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        say!("forgotten: {place}");
    }
    if let Some(left) = answer["left"].as_str() {
        say!("{left} opens this database still; remove it yourself, on every machine");
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
