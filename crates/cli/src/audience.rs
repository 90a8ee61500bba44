//! `countersign audience …`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    Global,
    admin::{Admin, segment},
    client::{file_or_none, recipient},
    duration,
    output::{Failure, Output, rows, say, table, text},
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Audience {
    /// Add an audience: an API that access tokens are meant for
    Add {
        /// Its name in the claim `aud`, e.g. orders, or the URL of the API
        audience: String,
        /// A name for people; default: the audience
        #[arg(long)]
        name: Option<String>,
        /// How its tokens are signed: ES256, Ed25519, RS256, PS256, or HS256 with a secret of its own, shown once
        #[arg(long, default_value = "ES256")]
        alg: String,
        /// A scope that it understands (repeatable)
        #[arg(long)]
        scope: Vec<String>,
        /// A claim in its tokens, taken from a user's attribute: CLAIM=ATTRIBUTE (repeatable)
        #[arg(long, value_name = "CLAIM=ATTRIBUTE", value_parser = crate::pair)]
        claim: Vec<(String, String)>,
        /// Only users with this role get its tokens
        #[arg(long)]
        required_role: Option<String>,
        /// Its tokens say what the roles in them permit (`countersign role add`)
        #[arg(long)]
        permissions: bool,
        /// Lifetime of its access tokens, e.g. 5m
        #[arg(long, value_parser = duration::seconds)]
        access_token_ttl: Option<u64>,
        /// Its public JWK, with its alg: clients whose access tokens are encrypted encrypt them to it
        #[arg(long, value_name = "FILE")]
        encryption_key: Option<PathBuf>,
    },
    /// Change an audience; what is left out stays. Tokens that say more than is true now die within a second
    Update {
        audience: String,
        /// A name for people
        #[arg(long)]
        name: Option<String>,
        /// All scopes that it understands from now on (repeatable; `--scope ''`: none)
        #[arg(long)]
        scope: Option<Vec<String>>,
        /// All claims from users' attributes from now on: CLAIM=ATTRIBUTE (repeatable)
        #[arg(long, value_name = "CLAIM=ATTRIBUTE", value_parser = crate::pair)]
        claim: Option<Vec<(String, String)>>,
        /// Only users with this role get its tokens; `''`: anybody
        #[arg(long)]
        required_role: Option<String>,
        /// Whether its tokens say what the roles in them permit: true or false
        #[arg(long, value_name = "BOOL")]
        permissions: Option<bool>,
        /// Lifetime of its access tokens, e.g. 5m; 0s: the issuer's
        #[arg(long, value_parser = duration::seconds)]
        access_token_ttl: Option<u64>,
        /// Its public JWK, with its alg; `--encryption-key ''`: none any more
        #[arg(long, value_name = "FILE", value_parser = file_or_none)]
        encryption_key: Option<PathBuf>,
    },
    /// Remove an audience that no client may ask for any more
    Remove {
        audience: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Disable a scope at an audience: tokens with it die within a second, nobody is signed out
    DisableScope { audience: String, scope: String },
    /// Allow a scope at an audience again
    EnableScope { audience: String, scope: String },
    /// List audiences
    List {
        /// Go on after this audience
        #[arg(long, default_value = "")]
        after: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

impl Audience {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let mut admin = Admin::open(global).await?;
        let done = self.call(&mut admin, output).await;
        admin.close().await;
        done
    }

    async fn call(self, admin: &mut Admin, output: Output) -> Result<(), Failure> {
        match self {
            Self::Add {
                audience,
                name,
                alg,
                scope,
                claim,
                required_role,
                permissions,
                access_token_ttl,
                encryption_key,
            } => {
                let claims: Map<String, Value> = claim.into_iter().map(|(claim, from)| (claim, json!(from))).collect();
                let body = json!({
                    "audience": audience, "name": name, "alg": alg, "scopes": scope, "claims": claims,
                    "required_role": required_role, "permissions": permissions, "access_token_ttl": access_token_ttl,
                    "encryption": recipient(encryption_key.as_deref())?,
                });
                output.show(&admin.post("/api/admin/audiences", &body).await?, added);
            }
            Self::Update {
                audience,
                name,
                scope,
                claim,
                required_role,
                permissions,
                access_token_ttl,
                encryption_key,
            } => {
                let scopes = scope.map(|list| list.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>());
                let claims = claim.map(|pairs| pairs.into_iter().collect::<std::collections::BTreeMap<_, _>>());
                let body = json!({
                    "name": name, "scopes": scopes, "claims": claims, "required_role": required_role,
                    "permissions": permissions, "access_token_ttl": access_token_ttl,
                    "encryption": recipient(encryption_key.as_deref())?,
                });
                let answer = admin.put(&format!("/api/admin/audiences/{}", segment(&audience)), &body).await?;
                output.show(&answer, |answer| say!("changed {}", text(answer, "audience")));
            }
            Self::Remove { audience, yes } => {
                confirmed(yes)?;
                let answer = admin.delete(&format!("/api/admin/audiences/{}", segment(&audience))).await?;
                output.show(&answer, |_| say!("removed"));
            }
            Self::DisableScope { audience, scope } => {
                output.show(&change_scopes(admin, &audience, |scopes| scopes.push(scope)).await?, disabled);
            }
            Self::EnableScope { audience, scope } => {
                let keep = |scopes: &mut Vec<String>| scopes.retain(|known| *known != scope);
                output.show(&change_scopes(admin, &audience, keep).await?, disabled);
            }
            Self::List { after, limit } => {
                let page = admin.get(&format!("/api/admin/audiences?after={}&limit={limit}", segment(&after))).await?;
                output.show(&page, list);
            }
        }
        Ok(())
    }
}

fn confirmed(yes: bool) -> Result<(), Failure> {
    if yes { Ok(()) } else { Err(Failure::usage("an audience that is removed cannot be brought back; say --yes")) }
}

/// Reads which scopes are disabled, and sets what is to be.
async fn change_scopes(
    admin: &mut Admin,
    audience: &str,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<Value, Failure> {
    let path = format!("/api/admin/audiences/{}", segment(audience));
    let shown = admin.get(&path).await?;
    let words = shown["disabled_scopes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut scopes = words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect();
    change(&mut scopes);
    admin.put(&format!("{path}/disabled-scopes"), &json!({ "scopes": scopes })).await
}

fn disabled(audience: &Value) {
    say!("disabled at {}: {}", text(audience, "audience"), text(audience, "disabled_scopes"));
}

fn added(audience: &Value) {
    say!("added {} ({})", text(audience, "audience"), text(audience, "alg"));
    if !text(audience, "transports").contains("cookie") {
        say!("Its tokens are too long for a browser's cookie: signing in to it with transport cookie is refused.");
    }
    if let Some(secret) = audience["secret"].as_str() {
        say!(
            "kid     {}\nsecret  {secret}\nThis is the only time the secret is shown; whoever has it can make tokens for this audience.",
            text(audience, "kid")
        );
    }
}

fn list(page: &Value) {
    let members = ["audience", "name", "alg", "scopes", "claims", "required_role", "access_token_ttl"];
    table(&["AUDIENCE", "NAME", "ALG", "SCOPES", "CLAIMS", "REQUIRED ROLE", "TTL"], &rows(page, &members));
    if let Some(next) = page["next"].as_str() {
        say!("more: --after {next}");
    }
}
