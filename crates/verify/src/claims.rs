//! The claims of a token that was checked.

use std::{ops::Deref, sync::Arc};

use countersign_jose::{AccessClaims, Verified};

use crate::rejection::Rejection;

/// The claims of an access token that a [`Verifier`](crate::Verifier) has accepted; nothing else makes one. Cloning is
/// cheap. Fields are those of [`AccessClaims`]: `sub`, `client_id`, `sid`, `roles`, …
///
/// With the feature `axum` it is an extractor; `Option<Claims>` is one for routes where signing in is optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims(Arc<Verified<AccessClaims>>);

impl Claims {
    pub(crate) fn new(claims: Verified<AccessClaims>) -> Self {
        Self(Arc::new(claims))
    }

    /// The granted scope, name by name (RFC 6749 §3.3).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scope.as_deref().unwrap_or_default().split(' ').filter(|name| !name.is_empty())
    }

    /// Whether every one of these scopes, separated by spaces, was granted. Names are compared exactly.
    pub fn has_scope(&self, scope: &str) -> bool {
        scope.split(' ').filter(|name| !name.is_empty()).all(|name| self.scopes().any(|granted| granted == name))
    }

    /// Whether the owner has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.0.roles.iter().any(|granted| granted == role)
    }

    /// # Errors
    /// [`Rejection::Scope`]: one of these scopes, separated by spaces, was not granted.
    pub fn require_scope(&self, scope: &str) -> Result<(), Rejection> {
        if self.has_scope(scope) {
            return Ok(());
        }
        Err(Rejection::Scope { required: scope.to_owned(), granted: self.0.scope.clone().unwrap_or_default() })
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
        Err(Rejection::Role { required, granted: self.0.roles.join(" ") })
    }
}

impl Deref for Claims {
    type Target = AccessClaims;

    fn deref(&self) -> &AccessClaims {
        &self.0
    }
}

/// What every token, or every request to a route, needs beyond being good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requirement {
    Scope(String),
    AnyRole(Vec<String>),
}

impl Requirement {
    pub(crate) fn check(&self, claims: &Claims) -> Result<(), Rejection> {
        match self {
            Self::Scope(scope) => claims.require_scope(scope),
            Self::AnyRole(roles) => claims.require_any_role(roles),
        }
    }
}
