//! Roles: words that services decide by. A role holds everywhere or at one audience.

use std::{collections::BTreeSet, fmt};

use super::audience_id::AudienceId;

/// The most roles that one person, one group, or one member of an organisation is given.
pub const MAX_GRANTS: usize = 64;

/// The role that the audience `admin` asks for.
pub const ADMIN: &str = "admin";

/// A role's name: 1 to 64 of letters, digits and `. _ : -`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(String);

/// A name that no role can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is 1 to 64 letters, digits, `.`, `_`, `:` or `-`, and begins with a letter or digit")]
pub struct BadRole;

impl Role {
    /// # Errors
    /// [`BadRole`].
    pub fn parse(text: &str) -> Result<Self, BadRole> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(word)
            && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if good { Ok(Self(text.to_owned())) } else { Err(BadRole) }
    }

    /// Reads names separated by spaces: the roles of a client.
    ///
    /// # Errors
    /// [`BadRole`].
    pub fn parse_list(text: &str) -> Result<Vec<Self>, BadRole> {
        text.split_ascii_whitespace().map(Self::parse).collect()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role that somebody has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleGrant {
    /// Where it holds; `None`: at every audience.
    pub audience: Option<String>,
    pub role: Role,
}

/// Why a text gives no role, or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadGrant {
    #[error(transparent)]
    Role(#[from] BadRole),
    #[error("behind the @ stands the name of an audience")]
    Audience,
    #[error("nobody is given more than {MAX_GRANTS} roles")]
    TooMany,
}

impl RoleGrant {
    /// Reads `ROLE` or `ROLE@AUDIENCE`.
    ///
    /// # Errors
    /// [`BadGrant`]
    pub fn parse(text: &str) -> Result<Self, BadGrant> {
        let (role, audience) = match text.split_once('@') {
            Some((role, audience)) => (role, Some(audience)),
            None => (text, None),
        };
        let audience = audience.map(AudienceId::parse).transpose().map_err(|_| BadGrant::Audience)?;
        Ok(Self { audience: audience.map(|id| id.to_string()), role: Role::parse(role)? })
    }

    /// Reads all that somebody is given; each counts once.
    ///
    /// # Errors
    /// [`BadGrant`]
    pub fn parse_all(texts: &[String]) -> Result<BTreeSet<Self>, BadGrant> {
        let grants = texts.iter().map(|text| Self::parse(text)).collect::<Result<BTreeSet<_>, _>>()?;
        if grants.len() > MAX_GRANTS { Err(BadGrant::TooMany) } else { Ok(grants) }
    }
}

impl fmt::Display for RoleGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.audience {
            Some(audience) => write!(f, "{}@{audience}", self.role),
            None => write!(f, "{}", self.role),
        }
    }
}

/// The roles that count in a token for these audiences: the global ones, and for one audience its own. A token for several
/// audiences carries only what holds at all of them, so that no service sees a role that was meant for another.
pub fn effective(granted: &[RoleGrant], audiences: &[&str]) -> Vec<String> {
    let holds = |role: &Role| {
        let at = |audience: &&str| {
            let counts = |grant: &RoleGrant| grant.audience.as_deref().is_none_or(|own| own == *audience);
            granted.iter().any(|grant| grant.role == *role && counts(grant))
        };
        audiences.iter().all(at)
    };
    let global = |grant: &&RoleGrant| !audiences.is_empty() || grant.audience.is_none();
    let mut roles: Vec<String> =
        granted.iter().filter(global).filter(|grant| holds(&grant.role)).map(|grant| grant.role.to_string()).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(grants: &[(&str, &str)]) -> Vec<RoleGrant> {
        let grant = |(audience, role): &(&str, &str)| RoleGrant {
            audience: (!audience.is_empty()).then(|| (*audience).to_owned()),
            role: Role::parse(role).unwrap(),
        };
        grants.iter().map(grant).collect()
    }

    #[test]
    fn role_names_follow_the_pattern() {
        for good in ["admin", "Order.Manager", "team:blue_1", "0"] {
            assert!(Role::parse(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", ":a", "-a", "ä", "a\n", "a,b", &"x".repeat(65)] {
            assert_eq!(Role::parse(bad), Err(BadRole), "{bad:?}");
        }
        assert_eq!(Role::parse_list("a  b ").unwrap().len(), 2);
    }

    #[test]
    fn grants_are_read_with_and_without_an_audience() {
        for good in ["staff", "manager@orders", "a@https://orders.example/@v1"] {
            assert_eq!(RoleGrant::parse(good).unwrap().to_string(), good);
        }
        assert_eq!(RoleGrant::parse("@api"), Err(BadGrant::Role(BadRole)));
        for bad in ["a@", "a@b admin", "a@\n"] {
            assert_eq!(RoleGrant::parse(bad), Err(BadGrant::Audience), "{bad:?}");
        }
        let many: Vec<String> = (0..=MAX_GRANTS).map(|n| format!("r{n}")).collect();
        assert_eq!(RoleGrant::parse_all(&many), Err(BadGrant::TooMany));
    }

    #[test]
    fn a_role_counts_where_it_holds() {
        let all = granted(&[("", "staff"), ("api", "buyer"), ("orders", "manager"), ("api", "staff")]);
        assert_eq!(effective(&all, &["api"]), ["buyer", "staff"]);
        assert_eq!(effective(&all, &["orders"]), ["manager", "staff"]);
        assert_eq!(effective(&all, &["other"]), ["staff"]);
        assert_eq!(effective(&all, &[]), ["staff"]);
    }

    // ADM-01: a role at one audience gives nothing at another, not even in a shared token.
    #[test]
    fn a_shared_token_carries_only_what_holds_at_all_its_audiences() {
        let all = granted(&[("", "staff"), ("api", "admin"), ("api", "buyer"), ("orders", "buyer")]);
        assert_eq!(effective(&all, &["api", "orders"]), ["buyer", "staff"]);
        assert_eq!(effective(&granted(&[("api", "admin")]), &["api", "admin"]), Vec::<String>::new());
    }
}
