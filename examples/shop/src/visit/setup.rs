//! What an administrator sets up once: audiences, clients, a manager. `countersign audience add`, `countersign client
//! add` and `countersign user add` make the same calls, over the same socket in the data folder.

use http::Method;
use serde_json::json;
use stage::{Failure, admin::Admin};

use super::PASSWORD;

pub const MANAGER: &str = "grace@shop.example";
/// Access tokens of the kiosk live this long, in seconds.
pub const KIOSK_TTL: u64 = 5;

/// The administrator of the shop.
pub struct Keeper(pub Admin);

impl Keeper {
    /// Sets the shop up. Returns the secret of the client `order-service`, which is shown only this once.
    ///
    /// # Errors
    /// The issuer refused something, or did not answer.
    pub async fn set_up(&self) -> Result<String, Failure> {
        self.audiences().await?;
        let secret = self.clients().await?;
        let manager = json!({ "email": MANAGER, "password": PASSWORD, "roles": ["manager"] });
        self.0.call(Method::POST, "/api/admin/users", &manager).await?;
        Ok(secret)
    }

    /// Gives a user these roles and no others.
    ///
    /// # Errors
    /// As [`set_up`](Self::set_up).
    pub async fn set_roles(&self, email: &str, roles: &[&str]) -> Result<(), Failure> {
        let path = format!("/api/admin/users/{email}/roles");
        self.0.call(Method::PUT, &path, &json!({ "roles": roles })).await?;
        Ok(())
    }

    /// One audience for each service: the name that its tokens must carry.
    async fn audiences(&self) -> Result<(), Failure> {
        for (audience, scopes) in [
            ("order", ["orders:read", "orders:write"].as_slice()),
            ("warehouse", &["stock:read", "stock:reserve"]),
            ("notification", &["message:send"]),
        ] {
            let body = json!({ "audience": audience, "scopes": scopes });
            self.0.call(Method::POST, "/api/admin/audiences", &body).await?;
        }
        Ok(())
    }

    /// The shop's web page, a kiosk in the shop's window with very short tokens, and the order service itself.
    async fn clients(&self) -> Result<String, Failure> {
        let web = json!({
            "client_id": "shop-web",
            "public": true,
            "grants": ["first_party", "refresh_token"],
            "audiences": ["order", "warehouse", "notification"],
            "scopes": ["orders:read", "orders:write", "stock:read"],
        });
        let kiosk = json!({
            "client_id": "shop-kiosk",
            "public": true,
            "grants": ["first_party", "refresh_token"],
            "audiences": ["order"],
            "scopes": ["orders:read"],
            "access_token_ttl": KIOSK_TTL,
        });
        let service = json!({
            "client_id": "order-service",
            "grants": ["client_credentials"],
            "audiences": ["warehouse", "notification"],
            "scopes": ["stock:reserve", "message:send"],
        });
        for client in [web, kiosk] {
            self.0.call(Method::POST, "/api/admin/clients", &client).await?;
        }
        let answer = self.0.call(Method::POST, "/api/admin/clients", &service).await?;
        let secret = answer["client_secret"].as_str().ok_or("the issuer showed no client secret")?;
        Ok(secret.to_owned())
    }
}
