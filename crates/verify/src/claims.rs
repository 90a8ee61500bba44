//! The claims of a token that was checked.

use std::{ops::Deref, sync::Arc};

use countersign_jose::{AccessClaims, Verified};

use crate::{
    keys::Keys,
    rejection::Rejection,
    revocation::{Cleared, Marks, Standing},
};

/// The claims of an access token that a [`Verifier`](crate::Verifier) has accepted; nothing else makes one. Cloning is
/// cheap. Fields are those of [`AccessClaims`]: `sub`, `client_id`, `sid`, `roles`, …
///
/// With the feature `axum` it is an extractor; `Option<Claims>` is one for routes where signing in is optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    checked: Arc<Checked>,
    standing: Standing,
}

/// A token whose text, signature and claims are good, as it is remembered. Whether it still stands is asked anew each time:
/// what that needs comes first, beside the count of references that each request touches, so that it comes from memory in one
/// go.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Checked {
    /// The key set that it was verified with. It is remembered only as long as this is the set in use.
    pub(crate) keys: Arc<Keys>,
    /// The token itself.
    pub(crate) text: Box<str>,
    pub(crate) marks: Marks,
    pub(crate) cleared: Cleared,
    /// The marks of what it rests on; nearly no token has any.
    pub(crate) rests_on: Box<[Marks]>,
    pub(crate) claims: Verified<AccessClaims>,
    pub(crate) kid: Option<Box<str>>,
}

impl Checked {
    pub(crate) fn new(claims: Verified<AccessClaims>, kid: Option<&str>, (text, keys): (&str, &Arc<Keys>)) -> Self {
        let marks = Marks::of(&claims, kid);
        let rests_on = claims.rests_on.iter().map(|basis| Marks::of_basis(basis, &claims)).collect();
        Self {
            text: text.into(),
            keys: Arc::clone(keys),
            marks,
            cleared: Cleared::default(),
            rests_on,
            claims,
            kid: kid.map(Into::into),
        }
    }

    /// Unix seconds.
    pub(crate) fn exp(&self) -> i64 {
        self.claims.exp
    }
}

/// What was accepted is compared, not by which keys.
impl PartialEq for Checked {
    fn eq(&self, other: &Self) -> bool {
        self.marks == other.marks && self.claims == other.claims && self.kid == other.kid
    }
}

impl Eq for Checked {}

impl Claims {
    pub(crate) fn new(checked: Arc<Checked>, standing: Standing) -> Self {
        Self { checked, standing }
    }

    pub(crate) fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    /// Whether the token was accepted although the verifier has not heard from the issuer for a while, so that it may
    /// have been revoked meanwhile. Only with [`Profile::Available`](crate::Profile::Available).
    pub fn is_stale(&self) -> bool {
        self.standing == Standing::Unsure
    }

    /// The granted scope, name by name (RFC 6749 §3.3).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split(' ').filter(|name| !name.is_empty())
    }

    /// Whether every one of these scopes, separated by spaces, was granted. Names are compared exactly.
    pub fn has_scope(&self, scope: &str) -> bool {
        scope.split(' ').filter(|name| !name.is_empty()).all(|name| self.scopes().any(|granted| granted == name))
    }

    /// Whether the owner has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|granted| granted == role)
    }

    /// Whether one of the owner's roles permits this. The token says so only to an audience that asks for it
    /// (`countersign audience update … --permissions`).
    pub fn has_permission(&self, permission: &str) -> bool {
        self.permissions.iter().any(|granted| granted == permission)
    }

    /// The organisation that the owner acts for, by its id; `None`: for nobody but themselves.
    pub fn organisation(&self) -> Option<&str> {
        self.org.as_ref().map(|org| org.id.as_str())
    }

    /// # Errors
    /// [`Rejection::Scope`]: one of these scopes, separated by spaces, was not granted.
    pub fn require_scope(&self, scope: &str) -> Result<(), Rejection> {
        if self.has_scope(scope) {
            return Ok(());
        }
        Err(Rejection::Scope { required: scope.to_owned(), granted: self.scope.clone().unwrap_or_default() })
    }

    /// # Errors
    /// [`Rejection::Role`]: the owner does not have this role.
    pub fn require_role(&self, role: &str) -> Result<(), Rejection> {
        self.require_any_role(&[role])
    }

    /// # Errors
    /// [`Rejection::Role`]: the owner has none of these roles.
    pub fn require_any_role(&self, roles: &[impl AsRef<str>]) -> Result<(), Rejection> {
        if roles.iter().any(|role| self.has_role(role.as_ref())) {
            return Ok(());
        }
        let required = roles.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ");
        Err(Rejection::Role { required, granted: self.roles.join(" ") })
    }

    /// # Errors
    /// [`Rejection::Permission`]: no role of the owner permits this.
    pub fn require_permission(&self, permission: &str) -> Result<(), Rejection> {
        if self.has_permission(permission) {
            return Ok(());
        }
        Err(Rejection::Permission { required: permission.to_owned(), granted: self.permissions.join(" ") })
    }

    /// For whatever belongs to one organisation: its id comes from the request, and the token must speak for it.
    ///
    /// # Errors
    /// [`Rejection::Organisation`]: it speaks for another one, or for none.
    pub fn require_organisation(&self, id: &str) -> Result<(), Rejection> {
        match self.organisation() {
            Some(own) if own == id => Ok(()),
            own => Err(Rejection::Organisation { required: id.to_owned(), got: own.unwrap_or_default().to_owned() }),
        }
    }
}

impl Deref for Claims {
    type Target = AccessClaims;

    fn deref(&self) -> &AccessClaims {
        &self.checked.claims
    }
}

/// What every token, or every request to a route, needs beyond being good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requirement {
    Scope(String),
    AnyRole(Vec<String>),
    Permission(String),
}

impl Requirement {
    pub(crate) fn check(&self, claims: &Claims) -> Result<(), Rejection> {
        match self {
            Self::Scope(scope) => claims.require_scope(scope),
            Self::AnyRole(roles) => claims.require_any_role(roles),
            Self::Permission(permission) => claims.require_permission(permission),
        }
    }
}
