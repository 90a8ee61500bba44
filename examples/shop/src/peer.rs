//! Another service, called with an access token of our own (`client_credentials`, RFC 6749 §4.4).

use countersign_verify::Clock;
use http::StatusCode;
use serde_json::Value;
use stage::{
    Failure,
    client::{Answer, Call, Http},
    process,
};
use tokio::sync::Mutex;

/// A token is renewed this many seconds before it expires, so that none expires on its way.
const MARGIN: i64 = 30;

/// One other service.
pub struct Peer {
    http: Http,
    url: String,
    token_endpoint: String,
    secret: String,
    audience: &'static str,
    scope: &'static str,
    token: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    /// Unix seconds.
    renew_at: i64,
}

impl Peer {
    /// The service whose address the variable `url` holds. Its tokens are for `audience` and no more than `scope`.
    pub fn new(url: &'static str, audience: &'static str, scope: &'static str) -> Result<Self, Failure> {
        Ok(Self {
            http: Http::new(),
            url: process::variable(url)?,
            token_endpoint: format!("{}/token", process::variable("SHOP_ISSUER")?),
            secret: process::variable("SHOP_CLIENT_SECRET")?,
            audience,
            scope,
            token: Mutex::default(),
        })
    }

    /// What the service answered; else what our own caller should hear. A token that the service refuses is replaced once:
    /// it may have been revoked, and the next one says what is true now.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, StatusCode> {
        let mut token = self.token(None).await.map_err(|failure| self.failed(&failure.to_string()))?;
        let call = Call::post(format!("{}{path}", self.url)).json(body);
        let mut answer = self.send(call.clone().bearer(&token)).await?;
        if answer.status == 401 {
            token = self.token(Some(&token)).await.map_err(|failure| self.failed(&failure.to_string()))?;
            answer = self.send(call.bearer(&token)).await?;
        }
        match answer.status {
            200..300 => Ok(answer.body),
            404 => Err(StatusCode::NOT_FOUND),
            409 => Err(StatusCode::CONFLICT),
            status => Err(self.failed(&format!("it answered {status}"))),
        }
    }

    async fn send(&self, call: Call) -> Result<Answer, StatusCode> {
        self.http.send(call).await.map_err(|failure| self.failed(&failure.to_string()))
    }

    /// The token at hand, or a new one if that expires shortly or is the one that was refused. The lock is held while the
    /// issuer is asked: callers who come at the same time wait for the one answer.
    async fn token(&self, refused: Option<&str>) -> Result<String, Failure> {
        let mut token = self.token.lock().await;
        let now = Clock::system().now().unix_secs();
        match &*token {
            Some(token) if now < token.renew_at && refused != Some(token.text.as_str()) => Ok(token.text.clone()),
            _ => {
                let new = self.ask(now).await?;
                Ok(token.insert(new).text.clone())
            }
        }
    }

    async fn ask(&self, now: i64) -> Result<Token, Failure> {
        let call = Call::post(self.token_endpoint.clone()).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", "order-service"),
            ("client_secret", &self.secret),
            ("resource", self.audience),
            ("scope", self.scope),
        ]);
        let answer = self.http.send(call).await?;
        match (answer.body["access_token"].as_str(), answer.body["expires_in"].as_i64()) {
            (Some(text), Some(lifetime)) => Ok(Token { text: text.to_owned(), renew_at: now + lifetime - MARGIN }),
            _ => Err(format!("the issuer gave no token: {} {}", answer.status, answer.body).into()),
        }
    }

    fn failed(&self, reason: &str) -> StatusCode {
        eprintln!("order: {} could not be called: {reason}", self.audience);
        StatusCode::BAD_GATEWAY
    }
}
