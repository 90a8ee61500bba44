//! RFC 7662, asked of this issuer: the answer is made from the same state as the log.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    http::{Connection, form},
    issuer::{Issuer, Service},
};

pub struct Introspection {
    connection: Connection,
    admin: Connection,
    service: Service,
    token: String,
    pub server: u32,
}

impl Introspection {
    pub async fn new(issuer: &Issuer) -> Result<Self> {
        let mut admin = issuer.admin().await?;
        let service = Service::register(&mut admin, "introspecting").await?;
        let connection = issuer.connect().await?;
        Ok(Self { connection, admin, service, token: String::new(), server: issuer.process.pid() })
    }

    pub async fn fresh(&mut self) -> Result<()> {
        self.token = self.service.token(&mut self.connection).await?;
        Ok(())
    }

    pub async fn check(&mut self) -> Result<bool> {
        let request = form("/introspect", &[("token", &self.token)], &self.service.basic)?;
        let answer: Value = self.connection.success(request).await?;
        answer["active"].as_bool().context("no active")
    }

    pub async fn revoke(&mut self) -> Result<()> {
        let body = json!({ "kind": "token", "id": self.token });
        self.admin.json(http::Method::POST, "/api/admin/revocations", &body).await?;
        Ok(())
    }
}
