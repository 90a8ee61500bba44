//! Tokens for tests, good ones. The others are in `wrong.rs`.

use std::time::Duration;

use countersign_jose::{AccessClaims, Audience, Basis, Claims as _, Org, b64, profile::AccessToken, sign};
use serde_json::{Value, json};

use super::{TestIssuer, TestKey, must};

/// A token in the making; [`sign`](Self::sign) makes a good one, each of the others one that is wrong in one way.
#[derive(Debug, Clone)]
#[must_use]
pub struct TestToken {
    pub(super) issuer: TestIssuer,
    pub(super) claims: AccessClaims,
}

impl TestToken {
    pub(super) fn new(issuer: TestIssuer, now: i64, serial: u64) -> Self {
        let claims = AccessClaims {
            iss: issuer.url.clone(),
            sub: "usr_test".into(),
            aud: Audience::One(issuer.audience.clone()),
            client_id: "test-client".into(),
            jti: format!("test-{serial}"),
            iat: now,
            exp: now.saturating_add(600),
            ..AccessClaims::default()
        };
        Self { issuer, claims }
    }

    /// Whom the token is about.
    #[expect(clippy::should_implement_trait, reason = "the claim's name")]
    pub fn sub(mut self, sub: impl Into<String>) -> Self {
        self.claims.sub = sub.into();
        self
    }

    /// The client that it was issued to.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.claims.client_id = client_id.into();
        self
    }

    /// The session that it belongs to.
    pub fn sid(mut self, sid: impl Into<String>) -> Self {
        self.claims.sid = Some(sid.into());
        self
    }

    /// One more role.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.claims.roles.push(role.into());
        self
    }

    /// One more permission.
    pub fn permission(mut self, permission: impl Into<String>) -> Self {
        self.claims.permissions.push(permission.into());
        self
    }

    /// The organisation that it speaks for.
    pub fn organisation(mut self, id: impl Into<String>) -> Self {
        self.claims.org = Some(Org { id: id.into() });
        self
    }

    /// The granted scope, names separated by spaces.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.claims.scope = Some(scope.into());
        self
    }

    /// How long it lives from its `iat` on.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.claims.exp = self.claims.iat.saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX));
        self
    }

    /// A claim of the service's own.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.extra.insert(name.into(), value.into());
        self
    }

    /// Good only beside a proof by this key (RFC 9449 §6.1).
    pub fn bound_to(mut self, key: &TestKey) -> Self {
        self.claims.cnf = Some(json!({ "jkt": key.thumbprint() }));
        self
    }

    /// The token, bound to a new key, and a proof by that key for one request: its method, and the URL as the client calls it.
    ///
    /// # Panics
    /// As [`sign`](Self::sign).
    pub fn with_proof(self, method: &str, url: &str) -> (String, String) {
        let key = self.issuer.client_key();
        let token = self.bound_to(&key).sign();
        let proof = key.proof(method, url, &token);
        (token, proof)
    }

    /// As if it had been exchanged for that token (RFC 8693), given as it was signed: whatever ends that one ends this one. Whom it
    /// is about, and which session it belongs to, is taken from there.
    ///
    /// # Panics
    /// If it is no token.
    pub fn exchanged_for(mut self, token: impl AsRef<str>) -> Self {
        let mut parts = token.as_ref().split('.').map(b64::decode);
        let header: Value = must(serde_json::from_slice(&must(must(parts.next().ok_or("no token")))));
        let old = must(AccessClaims::from_json(&must(must(parts.next().ok_or("no token")))));
        self.claims.act = Some(json!({ "sub": self.claims.client_id }));
        (self.claims.sub, self.claims.sid) = (old.sub.clone(), old.sid.clone());
        self.claims.rests_on = vec![Basis {
            jti: old.jti,
            client_id: old.client_id,
            sub: old.sub,
            sid: old.sid,
            kid: header["kid"].as_str().map(str::to_owned),
            rsn: old.rsn.unwrap_or_default(),
        }];
        self.claims.rests_on.extend(old.rests_on);
        self
    }

    /// Any other change of the claims.
    pub fn with(mut self, change: impl FnOnce(&mut AccessClaims)) -> Self {
        change(&mut self.claims);
        self
    }

    /// The token.
    ///
    /// # Panics
    /// If the claims cannot be a token: an empty `sub`, a claim of its own with a registered name.
    pub fn sign(&self) -> String {
        must(sign::<AccessToken>(&self.issuer.active(), &self.claims))
    }
}
