//! `countersign role …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    Global,
    admin::{Admin, segment},
    output::{Failure, Output, rows, say, table, text},
};

#[derive(Debug, Subcommand)]
pub enum Role {
    /// Describe a role, and say what it permits. Give it to people with `user roles`, `group grant` or `org grant`
    Add {
        role: String,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        /// What it permits: PERMISSION everywhere, or PERMISSION@AUDIENCE at one audience (repeatable)
        #[arg(long, value_name = "PERMISSION")]
        permission: Vec<String>,
        /// `2`: only sessions that began with a second factor have it
        #[arg(long, value_name = "1|2")]
        required_acr: Option<String>,
    },
    /// List the roles that were described
    List {
        /// Go on after this role
        #[arg(long, default_value = "")]
        after: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show a role
    Show { role: String },
    /// Change a role; what is left out stays. Tokens with a permission that is taken away die within a second, nobody is signed out
    Update {
        role: String,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// Permit this from now on (repeatable)
        #[arg(long, value_name = "PERMISSION")]
        add: Vec<String>,
        /// Permit this no longer (repeatable)
        #[arg(long, value_name = "PERMISSION")]
        remove: Vec<String>,
        /// `2`: only sessions that began with a second factor have it
        #[arg(long, value_name = "1|2")]
        required_acr: Option<String>,
    },
    /// Remove a role, and take it away from everybody: everyone's access tokens die within a second, nobody is signed out
    Remove {
        role: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Role {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        if matches!(self, Self::Remove { yes: false, .. }) {
            return Err(Failure::usage("a role that is removed is taken away from everybody who has it; say --yes"));
        }
        let mut admin = Admin::open(global).await?;
        let done = self.call(&mut admin, output).await;
        admin.close().await;
        done
    }

    async fn call(self, admin: &mut Admin, output: Output) -> Result<(), Failure> {
        match self {
            Self::Add { role, description, permission, required_acr } => {
                let body = json!({
                    "role": role,
                    "description": description,
                    "permissions": permission,
                    "required_acr": required_acr,
                });
                let answer = admin.post("/api/admin/roles", &body).await?;
                output.show(&answer, |answer| say!("added {}", text(answer, "role")));
            }
            Self::List { after, limit } => {
                let page = admin.get(&format!("/api/admin/roles?after={}&limit={limit}", segment(&after))).await?;
                output.show(&page, list);
            }
            Self::Show { role } => output.show(&admin.get(&path(&role)).await?, show),
            Self::Update { role, description, add, remove, required_acr } => {
                let permissions = changed(admin, &path(&role), "permissions", (&add, &remove)).await?;
                let body =
                    json!({ "description": description, "permissions": permissions, "required_acr": required_acr });
                output.show(&admin.put(&path(&role), &body).await?, show);
            }
            Self::Remove { role, .. } => {
                let answer = admin.delete(&path(&role)).await?;
                output.show(&answer, |_| say!("removed"));
            }
        }
        Ok(())
    }
}

/// The list that a member of an answer is to be: what it is, with some more and without others; `None`: as it is.
pub async fn changed(
    admin: &mut Admin,
    path: &str,
    member: &str,
    (add, remove): (&[String], &[String]),
) -> Result<Option<Vec<String>>, Failure> {
    if add.is_empty() && remove.is_empty() {
        return Ok(None);
    }
    let shown = admin.get(path).await?;
    Ok(Some(merged(&shown[member], add, remove)))
}

/// The words of a list, with some more and without others.
pub fn merged(current: &Value, add: &[String], remove: &[String]) -> Vec<String> {
    let current = current.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut words: Vec<String> = current.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    words.retain(|word| !remove.contains(word));
    words.extend(add.iter().filter(|word| !words.contains(word)).cloned().collect::<Vec<_>>());
    words
}

fn path(role: &str) -> String {
    format!("/api/admin/roles/{}", segment(role))
}

fn list(page: &Value) {
    table(&["ROLE", "DESCRIPTION", "PERMISSIONS"], &rows(page, &["role", "description", "permissions"]));
    if let Some(next) = page["next"].as_str() {
        say!("more: --after {next}");
    }
}

fn show(role: &Value) {
    for member in ["role", "description", "permissions", "required_acr", "created_at"] {
        say!("{member:<12} {}", text(role, member));
    }
}
