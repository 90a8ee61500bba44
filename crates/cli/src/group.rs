//! `countersign group …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    Global,
    admin::{Admin, segment},
    output::{Failure, Output, rows, say, table, text},
    role::changed,
};

#[derive(Debug, Subcommand)]
pub enum Group {
    /// Add a group
    Add {
        /// Its name: lower-case letters, digits, `.`, `_`, `-`
        group: String,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        /// What its members get: ROLE everywhere, or ROLE@AUDIENCE at one audience (repeatable)
        #[arg(long, value_name = "ROLE")]
        role: Vec<String>,
    },
    /// List groups
    List {
        /// Go on after this group
        #[arg(long, default_value = "")]
        after: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show a group
    Show { group: String },
    /// Give roles to all members; they have them from their next refresh on
    Grant {
        group: String,
        /// ROLE everywhere, or ROLE@AUDIENCE at one audience
        #[arg(required = true)]
        role: Vec<String>,
    },
    /// Take roles away from all members: their tokens die within a second, nobody is signed out
    Withdraw {
        group: String,
        #[arg(required = true)]
        role: Vec<String>,
    },
    /// List a group's members
    Members {
        group: String,
        /// Go on after this user id
        #[arg(long, default_value = "")]
        after: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Put a user into a group, by id or e-mail address
    Join { group: String, user: String },
    /// Take a user out of a group: tokens with the group's roles die within a second, nobody is signed out
    Leave { group: String, user: String },
    /// Remove a group: its members lose its roles
    Remove {
        group: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Group {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        if matches!(self, Self::Remove { yes: false, .. }) {
            return Err(Failure::usage("the members of a group that is removed lose its roles; say --yes"));
        }
        let mut admin = Admin::open(global).await?;
        let done = self.call(&mut admin, output).await;
        admin.close().await;
        done
    }

    async fn call(self, admin: &mut Admin, output: Output) -> Result<(), Failure> {
        match self {
            Self::Add { group, description, role } => {
                let body = json!({ "group": group, "description": description, "roles": role });
                let answer = admin.post("/api/admin/groups", &body).await?;
                output.show(&answer, |answer| say!("added {}", text(answer, "group")));
            }
            Self::List { after, limit } => {
                let page = admin.get(&format!("/api/admin/groups?after={}&limit={limit}", segment(&after))).await?;
                output.show(&page, list);
            }
            Self::Show { group } => output.show(&admin.get(&path(&group, "")).await?, show),
            Self::Grant { group, role } => set_roles(admin, &group, (&role, &[]), output).await?,
            Self::Withdraw { group, role } => set_roles(admin, &group, (&[], &role), output).await?,
            Self::Members { group, after, limit } => {
                let path = path(&group, &format!("/members?after={}&limit={limit}", segment(&after)));
                output.show(&admin.get(&path).await?, members);
            }
            Self::Join { group, user } => {
                let answer = admin.put(&member(&group, &user), &json!({})).await?;
                output.show(&answer, |_| say!("joined"));
            }
            Self::Leave { group, user } => {
                let answer = admin.delete(&member(&group, &user)).await?;
                output.show(&answer, |_| say!("left"));
            }
            Self::Remove { group, .. } => {
                let answer = admin.delete(&path(&group, "")).await?;
                output.show(&answer, |_| say!("removed"));
            }
        }
        Ok(())
    }
}

async fn set_roles(
    admin: &mut Admin,
    group: &str,
    change: (&[String], &[String]),
    output: Output,
) -> Result<(), Failure> {
    let roles = changed(admin, &path(group, ""), "roles", change).await?;
    output.show(&admin.put(&path(group, ""), &json!({ "roles": roles })).await?, show);
    Ok(())
}

fn path(group: &str, rest: &str) -> String {
    format!("/api/admin/groups/{}{rest}", segment(group))
}

fn member(group: &str, user: &str) -> String {
    path(group, &format!("/members/{}", segment(user)))
}

fn list(page: &Value) {
    table(&["GROUP", "DESCRIPTION", "ROLES", "MEMBERS"], &rows(page, &["group", "description", "roles", "members"]));
    more(page);
}

fn members(page: &Value) {
    table(&["USER", "E-MAIL", "SINCE"], &rows(page, &["user_id", "email", "joined_at"]));
    more(page);
}

fn more(page: &Value) {
    if let Some(next) = page["next"].as_str() {
        say!("more: --after {next}");
    }
}

fn show(group: &Value) {
    for member in ["group", "description", "roles", "members", "created_at"] {
        say!("{member:<12} {}", text(group, member));
    }
}
