//! This project's verifier, following the feed of the issuer, in this process.

use anyhow::{Context, Result};
use countersign_verify::{Claims, Verifier};
use serde_json::json;

use crate::{
    http::Connection,
    issuer::{AUDIENCE, Issuer, Service},
};

pub struct Ours {
    verifier: Verifier,
    connection: Connection,
    admin: Connection,
    service: Service,
    token: String,
    claims: Option<Claims>,
}

impl Ours {
    pub async fn new(issuer: &Issuer) -> Result<Self> {
        let mut admin = issuer.admin().await?;
        let service = Service::register(&mut admin, "following").await?;
        let verifier = Verifier::builder(&issuer.place.url).audience(AUDIENCE).build()?;
        verifier.ready().await?;
        let connection = issuer.connect().await?;
        Ok(Self { verifier, connection, admin, service, token: String::new(), claims: None })
    }

    pub async fn fresh(&mut self) -> Result<()> {
        self.token = self.service.token(&mut self.connection).await?;
        self.claims = Some(self.verifier.verify_online(&self.token).await.context("a good token is refused")?);
        Ok(())
    }

    pub fn check(&mut self) -> bool {
        self.verifier.verify(&self.token).is_ok()
    }

    pub async fn revoke(&mut self) -> Result<()> {
        let body = json!({ "kind": "token", "id": self.token });
        self.admin.json(http::Method::POST, "/api/admin/revocations", &body).await?;
        Ok(())
    }

    /// Waits until the token has died.
    pub async fn news(&mut self) {
        if let Some(claims) = &self.claims {
            self.verifier.guard(claims).await;
        }
    }
}
