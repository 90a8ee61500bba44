//! `countersign org …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    Global,
    admin::{Admin, segment},
    output::{Failure, Output, rows, say, table, text},
    role::merged,
};

#[derive(Debug, Subcommand)]
pub enum Org {
    /// Add an organisation
    Add {
        /// Its id, which tokens say: lower-case letters, digits, `.`, `_`, `-`
        organisation: String,
        /// A name for people; default: the id
        #[arg(long)]
        name: Option<String>,
    },
    /// List organisations
    List {
        /// Go on after this organisation
        #[arg(long, default_value = "")]
        after: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show an organisation
    Show { organisation: String },
    /// Give an organisation another name for people; no token says it
    Rename { organisation: String, name: String },
    /// List an organisation's members, and what they may do by it
    Members {
        organisation: String,
        /// Go on after this user id
        #[arg(long, default_value = "")]
        after: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Make a user a member, by id or e-mail address
    AddMember {
        organisation: String,
        user: String,
        /// What they may do by it: ROLE everywhere, or ROLE@AUDIENCE at one audience (repeatable)
        #[arg(long, value_name = "ROLE")]
        role: Vec<String>,
    },
    /// Give a member roles that count in sessions which speak for the organisation
    Grant {
        organisation: String,
        user: String,
        #[arg(required = true)]
        role: Vec<String>,
    },
    /// Take such roles away: tokens with them die within a second, nobody is signed out
    Withdraw {
        organisation: String,
        user: String,
        #[arg(required = true)]
        role: Vec<String>,
    },
    /// Invite somebody by mail: whoever has an account with the address, verified, joins by the link
    Invite {
        organisation: String,
        email: String,
        /// What they may do by it: ROLE everywhere, or ROLE@AUDIENCE at one audience (repeatable)
        #[arg(long, value_name = "ROLE")]
        role: Vec<String>,
    },
    /// List the invitations that wait
    Invitations { organisation: String },
    /// Take an invitation back: its link is over
    Uninvite {
        organisation: String,
        /// As `org invitations` names it
        invitation: String,
    },
    /// Take a member out: tokens that speak for the organisation die within a second
    RemoveMember { organisation: String, user: String },
    /// Remove an organisation: nobody can act for it any more
    Remove {
        organisation: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Org {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        if matches!(self, Self::Remove { yes: false, .. }) {
            return Err(Failure::usage("an organisation that is removed takes its memberships along; say --yes"));
        }
        let mut admin = Admin::open(global).await?;
        let done = self.call(&mut admin, output).await;
        admin.close().await;
        done
    }

    async fn call(self, admin: &mut Admin, output: Output) -> Result<(), Failure> {
        match self {
            Self::Add { organisation, name } => {
                let body = json!({ "organisation": organisation, "name": name });
                let answer = admin.post("/api/admin/organisations", &body).await?;
                output.show(&answer, |answer| say!("added {}", text(answer, "organisation")));
            }
            Self::List { after, limit } => {
                let path = format!("/api/admin/organisations?after={}&limit={limit}", segment(&after));
                output.show(&admin.get(&path).await?, list);
            }
            Self::Show { organisation } => output.show(&admin.get(&path(&organisation, "")).await?, show),
            Self::Rename { organisation, name } => {
                output.show(&admin.put(&path(&organisation, ""), &json!({ "name": name })).await?, show);
            }
            Self::Members { organisation, after, limit } => {
                let path = path(&organisation, &format!("/members?after={}&limit={limit}", segment(&after)));
                output.show(&admin.get(&path).await?, members);
            }
            Self::AddMember { organisation, user, role } => {
                let answer = admin.put(&member(&organisation, &user), &json!({ "roles": role })).await?;
                output.show(&answer, |_| say!("a member now"));
            }
            Self::Grant { organisation, user, role } => {
                set_roles(admin, (&organisation, &user), (&role, &[]), output).await?;
            }
            Self::Withdraw { organisation, user, role } => {
                set_roles(admin, (&organisation, &user), (&[], &role), output).await?;
            }
            Self::Invite { organisation, email, role } => {
                let body = json!({ "email": email, "roles": role });
                let answer = admin.post(&path(&organisation, "/invitations"), &body).await?;
                output
                    .show(&answer, |answer| say!("invited {} ({})", text(answer, "email"), text(answer, "invitation")));
            }
            Self::Invitations { organisation } => {
                output.show(&admin.get(&path(&organisation, "/invitations")).await?, invitations);
            }
            Self::Uninvite { organisation, invitation } => {
                let path = path(&organisation, &format!("/invitations/{}", segment(&invitation)));
                output.show(&admin.delete(&path).await?, |_| say!("taken back"));
            }
            Self::RemoveMember { organisation, user } => {
                let answer = admin.delete(&member(&organisation, &user)).await?;
                output.show(&answer, |_| say!("no member any more"));
            }
            Self::Remove { organisation, .. } => {
                let answer = admin.delete(&path(&organisation, "")).await?;
                output.show(&answer, |_| say!("removed"));
            }
        }
        Ok(())
    }
}

async fn set_roles(
    admin: &mut Admin,
    (organisation, user): (&str, &str),
    (add, remove): (&[String], &[String]),
    output: Output,
) -> Result<(), Failure> {
    let known = admin.get(&member(organisation, user)).await?;
    let roles = merged(&known["roles"], add, remove);
    admin.put(&member(organisation, user), &json!({ "roles": roles })).await?;
    output.show(&admin.get(&member(organisation, user)).await?, |member| say!("{}", text(member, "roles")));
    Ok(())
}

fn path(organisation: &str, rest: &str) -> String {
    format!("/api/admin/organisations/{}{rest}", segment(organisation))
}

fn member(organisation: &str, user: &str) -> String {
    path(organisation, &format!("/members/{}", segment(user)))
}

fn list(page: &Value) {
    table(&["ORGANISATION", "NAME", "MEMBERS"], &rows(page, &["organisation", "name", "members"]));
    more(page);
}

fn members(page: &Value) {
    table(&["USER", "E-MAIL", "ROLES", "SINCE"], &rows(page, &["user_id", "email", "roles", "joined_at"]));
    more(page);
}

fn invitations(page: &Value) {
    let members = ["invitation", "email", "roles", "invited_by", "expires_at"];
    table(&["INVITATION", "E-MAIL", "ROLES", "BY", "UNTIL"], &rows(page, &members));
}

fn more(page: &Value) {
    if let Some(next) = page["next"].as_str() {
        say!("more: --after {next}");
    }
}

fn show(organisation: &Value) {
    for member in ["organisation", "name", "members", "created_at"] {
        say!("{member:<12} {}", text(organisation, member));
    }
}
