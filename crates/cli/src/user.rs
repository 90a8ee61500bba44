//! `countersign user …`

mod transfer;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    Global,
    admin::{Admin, segment},
    output::{Failure, Output, rows, say, table, text},
    role::merged,
    secret,
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum User {
    /// Add a user; the password is asked for, or read from standard input (at least 15 characters)
    Add {
        email: String,
        /// Read the password from this file; `-` is standard input
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Give a role: ROLE everywhere, or ROLE@AUDIENCE at one audience (repeatable)
        #[arg(long, value_name = "ROLE")]
        role: Vec<String>,
    },
    /// List users
    List {
        /// Only e-mail addresses that begin so
        #[arg(long, default_value = "")]
        email: String,
        /// Go on after this user id
        #[arg(long, default_value = "")]
        after: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show a user, by id or e-mail address
    Show { user: String },
    /// Disable a user: every session and token ends
    Disable { user: String },
    /// Enable a user again
    Enable { user: String },
    /// Remove a user with all that is theirs, for good; `disable` can be taken back
    Remove {
        user: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Show or change a user's roles; tokens with the old ones end, nobody is signed out
    Roles {
        user: String,
        /// Give a role: ROLE everywhere, or ROLE@AUDIENCE at one audience (repeatable)
        #[arg(long, value_name = "ROLE")]
        add: Vec<String>,
        /// Take a role away (repeatable)
        #[arg(long, value_name = "ROLE")]
        remove: Vec<String>,
    },
    /// Who a user is at other providers that people sign in with
    Identities { user: String },
    /// Let another provider open this account no longer: every session and token of the user ends. Who has no password
    /// cannot come in then
    Disconnect {
        user: String,
        /// The provider's issuer identifier
        issuer: String,
        /// Who the user is there, as `user identities` shows it
        subject: String,
    },
    /// Second factors: list, or take them all away
    #[command(subcommand)]
    Mfa(Mfa),
    /// Take over accounts from another program, with the hashes of their passwords: one JSON object per line. Who is here already
    /// stays as they are, so that an import can be run again
    Import(transfer::Import),
    /// Print all accounts as `import` takes them
    Export(transfer::Export),
    /// Set a user's password: every session and token ends
    Password {
        user: String,
        /// Read the password from this file; `-` is standard input
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Mfa {
    /// The second factors of a user, and how many recovery codes are left
    List { user: String },
    /// Take all second factors and recovery codes of a user away: the password alone opens the account then. Every session
    /// and token of the user ends, and they get a mail
    Reset { user: String },
}

impl User {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        // A password is asked for before the store is opened: nobody waits for a person who thinks.
        let password = match &self {
            Self::Add { password_file, .. } | Self::Password { password_file, .. } => {
                Some(secret::read("password", password_file.as_deref())?)
            }
            _ => None,
        };
        let password = password.as_ref().map(|password| password.expose().to_owned());
        let mut admin = Admin::open(global).await?;
        let done = self.call(&mut admin, password, output).await;
        admin.close().await;
        done
    }

    async fn call(self, admin: &mut Admin, password: Option<String>, output: Output) -> Result<(), Failure> {
        match self {
            Self::Add { email, role, .. } => {
                let body = json!({ "email": email, "password": password, "roles": role });
                output.show(&admin.post("/api/admin/users", &body).await?, |user| {
                    say!("added {}", text(user, "user_id"));
                });
            }
            Self::List { email, after, limit } => {
                let path =
                    format!("/api/admin/users?email={}&after={}&limit={limit}", segment(&email), segment(&after));
                output.show(&admin.get(&path).await?, list);
            }
            Self::Show { user } => output.show(&admin.get(&path(&user, "")).await?, show),
            Self::Disable { user } => {
                output.show(&admin.post(&path(&user, "/disable"), &json!({})).await?, |_| {
                    say!("disabled; every session and token of this user has ended");
                });
            }
            Self::Enable { user } => {
                output.show(&admin.post(&path(&user, "/enable"), &json!({})).await?, |_| say!("enabled"));
            }
            Self::Remove { yes: false, .. } => {
                return Err(Failure::usage("a user who is removed cannot be brought back; say --yes, or disable them"));
            }
            Self::Remove { user, yes: true } => {
                output.show(&admin.delete(&path(&user, "")).await?, |_| {
                    say!("removed; every session and token of this user has ended");
                });
            }
            Self::Roles { user, add, remove } => {
                let answer = roles(admin, &user, &add, &remove).await?;
                output.show(&answer, |user| say!("{}", text(user, "roles")));
            }
            Self::Identities { user } => output.show(&admin.get(&path(&user, "/identities")).await?, identities),
            Self::Disconnect { user, issuer, subject } => {
                let body = json!({ "issuer": issuer, "subject": subject });
                output.show(&admin.post(&path(&user, "/disconnect"), &body).await?, |_| {
                    say!("disconnected; every session and token of this user has ended");
                });
            }
            Self::Mfa(Mfa::List { user }) => output.show(&admin.get(&path(&user, "/factors")).await?, factors),
            Self::Mfa(Mfa::Reset { user }) => {
                output.show(&admin.delete(&path(&user, "/factors")).await?, reset);
            }
            Self::Import(import) => import.run(admin, output).await?,
            Self::Export(export) => export.run(admin).await?,
            Self::Password { user, .. } => {
                let body = json!({ "password": password });
                output.show(&admin.put(&path(&user, "/password"), &body).await?, |_| {
                    say!("changed; every session and token of this user has ended");
                });
            }
        }
        Ok(())
    }
}

async fn roles(admin: &mut Admin, user: &str, add: &[String], remove: &[String]) -> Result<Value, Failure> {
    let shown = admin.get(&path(user, "")).await?;
    if add.is_empty() && remove.is_empty() {
        return Ok(shown);
    }
    admin.put(&path(user, "/roles"), &json!({ "roles": merged(&shown["roles"], add, remove) })).await
}

fn path(user: &str, rest: &str) -> String {
    format!("/api/admin/users/{}{rest}", segment(user))
}

fn list(page: &Value) {
    table(
        &["USER", "E-MAIL", "ROLES", "CREATED", "DISABLED"],
        &rows(page, &["user_id", "email", "roles", "created_at", "disabled_at"]),
    );
    if let Some(next) = page["next"].as_str() {
        say!("more: --after {next}");
    }
}

fn identities(page: &Value) {
    table(&["ISSUER", "SUBJECT", "SINCE"], &rows(page, &["issuer", "subject", "created_at"]));
}

fn reset(answer: &Value) {
    if answer["removed"].as_u64().unwrap_or_default() == 0 {
        say!("this user has no second factor; nothing was changed");
    } else {
        say!("reset; every session and token of this user has ended, and they were told by mail");
    }
}

fn factors(page: &Value) {
    table(
        &["FACTOR", "KIND", "NAME", "SINCE", "LAST USED"],
        &rows(page, &["id", "kind", "name", "created_at", "last_used_at"]),
    );
    say!("recovery codes left: {}", text(page, "recovery_codes_left"));
}

fn show(user: &Value) {
    for member in [
        "user_id",
        "email",
        "email_verified_at",
        "roles",
        "attributes",
        "created_at",
        "password_changed_at",
        "disabled_at",
    ] {
        say!("{member:<20} {}", text(user, member));
    }
}
