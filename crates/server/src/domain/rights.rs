//! What roles permit, and what a token says of both. A permission is a word that a service decides by, as a role is; a role
//! holds permissions everywhere or at one audience.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    audience::AudienceRules,
    audience_id::AudienceId,
    roles::{Role, RoleGrant},
};

/// The most permissions of one role.
pub const MAX_OF_ROLE: usize = 128;
/// The most permissions of all roles together: an audience reads those that count there for each token.
pub const MAX_IN_ALL: i64 = 2000;
/// The most bytes that roles and permissions take in a token: it travels with every request, and a header has little room.
pub const MAX_CLAIM_BYTES: usize = 2048;

/// A permission's name: 1 to 64 of letters, digits and `. _ : / -`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(String);

/// What a role holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PermissionGrant {
    /// Where it counts; `None`: at every audience.
    pub audience: Option<String>,
    pub permission: Permission,
}

/// A text that names nothing, or more than a role can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPermission {
    #[error("a permission is 1 to 64 letters, digits, `.`, `_`, `:`, `/` or `-`, and begins with a letter or digit")]
    Name,
    #[error("behind the @ stands the name of an audience")]
    Audience,
    #[error("a role has at most {MAX_OF_ROLE} permissions")]
    TooMany,
}

impl Permission {
    /// # Errors
    /// [`BadPermission::Name`]
    pub fn parse(text: &str) -> Result<Self, BadPermission> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(word)
            && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if good { Ok(Self(text.to_owned())) } else { Err(BadPermission::Name) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PermissionGrant {
    /// Reads `PERMISSION` or `PERMISSION@AUDIENCE`.
    ///
    /// # Errors
    /// [`BadPermission`]
    pub fn parse(text: &str) -> Result<Self, BadPermission> {
        let (permission, audience) = match text.split_once('@') {
            Some((permission, audience)) => (permission, Some(audience)),
            None => (text, None),
        };
        let audience = audience.map(AudienceId::parse).transpose().map_err(|_| BadPermission::Audience)?;
        Ok(Self { audience: audience.map(|id| id.to_string()), permission: Permission::parse(permission)? })
    }

    /// Reads all that a role holds; each counts once.
    ///
    /// # Errors
    /// [`BadPermission`]
    pub fn parse_all(texts: &[String]) -> Result<BTreeSet<Self>, BadPermission> {
        let grants = texts.iter().map(|text| Self::parse(text)).collect::<Result<BTreeSet<_>, _>>()?;
        if grants.len() > MAX_OF_ROLE { Err(BadPermission::TooMany) } else { Ok(grants) }
    }
}

impl fmt::Display for PermissionGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.audience {
            Some(audience) => write!(f, "{}@{audience}", self.permission.0),
            None => f.write_str(&self.permission.0),
        }
    }
}

/// What each role permits at one audience: its own permissions there, and those that count everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permits(BTreeMap<String, BTreeSet<String>>);

impl Permits {
    /// Of role and permission in turns.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut permits = Self::default();
        for (role, permission) in pairs {
            permits.0.entry(role.to_owned()).or_default().insert(permission.to_owned());
        }
        permits
    }

    fn of<'a>(&'a self, roles: &'a [String]) -> BTreeSet<&'a str> {
        roles.iter().filter_map(|role| self.0.get(role)).flatten().map(String::as_str).collect()
    }
}

/// What these roles, which a token says, permit at all of its audiences. Nothing if one of them does not ask for it: a service
/// learns nothing that was meant for another.
pub fn permitted(audiences: &[AudienceRules], roles: &[String]) -> Vec<String> {
    let mut sets = audiences.iter().map(|rules| rules.permissions.as_ref().map(|permits| permits.of(roles)));
    let first = sets.next().flatten().unwrap_or_default();
    let shared = sets.fold(first, |held, other| match other {
        Some(other) => held.intersection(&other).copied().collect(),
        None => BTreeSet::new(),
    });
    shared.into_iter().map(str::to_owned).collect()
}

/// Whether a token has room for these.
pub fn fit(roles: &[String], permissions: &[String]) -> bool {
    // Two quotes and a comma each.
    roles.iter().chain(permissions).map(|word| word.len() + 3).sum::<usize>() <= MAX_CLAIM_BYTES
}

/// Whether a change takes something from whoever has these: then tokens that say it must end.
pub fn takes_away<T: Ord>(old: &BTreeSet<T>, new: &BTreeSet<T>) -> bool {
    !old.is_subset(new)
}

/// The role that opens the admin API is given to people one by one: not by a group, whose members somebody else may choose, and
/// not by an organisation, whose own administrators are no administrators of the issuer.
pub fn is_issuers(grant: &RoleGrant) -> bool {
    opens_admin(&grant.role, grant.audience.as_deref())
}

fn opens_admin(role: &Role, audience: Option<&str>) -> bool {
    role.as_str() == super::roles::ADMIN && audience.is_none_or(|audience| audience == super::audience_id::ADMIN)
}

#[cfg(test)]
mod tests {
    use countersign_jose::Algorithm;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{audience::ClaimMap, scope::Scope};

    fn audience(name: &str, permits: Option<&[(&str, &str)]>) -> AudienceRules {
        AudienceRules {
            audience: name.to_owned(),
            alg: Algorithm::ES256,
            claims: ClaimMap::default(),
            required_role: None,
            disabled_scopes: Scope::default(),
            permissions: permits.map(|pairs| Permits::new(pairs.iter().copied())),
            access_token_ttl: None,
            encryption: None,
        }
    }

    fn words(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn permissions_are_read_with_and_without_an_audience() {
        let read = |text: &str| PermissionGrant::parse(text).map(|grant| grant.to_string());
        for good in ["orders:refund", "orders/read", "refund@https://orders.example/v1"] {
            assert_eq!(read(good).as_deref(), Ok(good));
        }
        for bad in ["", "@api", "a b", "a,b", "-a", "ä", &"x".repeat(65)] {
            assert_eq!(read(bad), Err(BadPermission::Name), "{bad:?}");
        }
        for bad in ["a@", "a@b c", "a@\""] {
            assert_eq!(read(bad), Err(BadPermission::Audience), "{bad:?}");
        }
        let many: Vec<String> = (0..=MAX_OF_ROLE).map(|n| format!("p{n}")).collect();
        assert_eq!(PermissionGrant::parse_all(&many), Err(BadPermission::TooMany));
        assert_eq!(PermissionGrant::parse_all(&words(&["a", "a", "a@b"])).unwrap().len(), 2);
    }

    // ADM-01: what a role permits at one audience is in no token for another, not even in a shared one.
    #[test]
    fn a_token_says_what_all_its_audiences_would_hear() {
        let orders = audience("orders", Some(&[("clerk", "read"), ("clerk", "refund"), ("boss", "close")]));
        let bills = audience("bills", Some(&[("clerk", "read"), ("boss", "refund")]));
        let deaf = audience("deaf", None);
        let at = |audiences: &[&AudienceRules], roles: &[&str]| {
            permitted(&audiences.iter().map(|rules| (*rules).clone()).collect::<Vec<_>>(), &words(roles))
        };
        assert_eq!(at(&[&orders], &["clerk", "nothing"]), ["read", "refund"]);
        assert_eq!(at(&[&orders], &["boss", "clerk"]), ["close", "read", "refund"]);
        assert_eq!(at(&[&orders, &bills], &["clerk"]), ["read"]);
        assert_eq!(at(&[&orders, &bills], &["boss", "clerk"]), ["read", "refund"]);
        for none in
            [at(&[&deaf], &["clerk"]), at(&[&orders, &deaf], &["clerk"]), at(&[], &["clerk"]), at(&[&orders], &[])]
        {
            assert_eq!(none, Vec::<String>::new());
        }
    }

    #[test]
    fn a_token_has_room_for_two_kilobytes() {
        let words = |count| vec!["x".repeat(61); count];
        assert!(fit(&words(16), &words(16)) && !fit(&words(16), &words(17)));
    }

    // ADM-01, ADM-07
    #[test]
    fn the_issuers_own_role_is_known() {
        let grant = |text: &str| RoleGrant::parse(text).unwrap();
        assert!(is_issuers(&grant("admin")) && is_issuers(&grant("admin@admin")));
        assert!(!is_issuers(&grant("admin@orders")) && !is_issuers(&grant("staff")));
    }

    proptest! {
        // ADM-01: one more audience never adds a permission.
        #[test]
        fn more_audiences_permit_no_more(
            pairs in prop::collection::vec((0..3_usize, 0..3_usize, 0..4_usize), 0..20), held in prop::collection::vec(0..3_usize, 0..4),
        ) {
            let names = ["a", "b", "c", "d"];
            let rules: Vec<AudienceRules> = (0..3).map(|at| {
                let own: Vec<_> = pairs.iter().filter(|(a, ..)| *a == at).map(|(_, r, p)| (names[*r], names[*p])).collect();
                audience(names[at], Some(&own))
            }).collect();
            let roles: Vec<String> = held.iter().map(|role| names[*role].to_owned()).collect();
            for count in 1..3 {
                let (few, more) = (permitted(&rules[..count], &roles), permitted(&rules[..=count], &roles));
                prop_assert!(more.iter().all(|permission| few.contains(permission)));
            }
        }
    }
}
