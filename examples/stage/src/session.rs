//! What an application keeps of a sign-in, and the one rule for using it: on a 401 refresh once and try again once.
//!
//! A service says 401 to a token that has expired, was revoked, or says what is not true any more (a role was granted or
//! taken away). A refresh tells which: it brings a token that is good, or the answer that the person has to sign in. A 503 is
//! no reason to refresh: the service cannot judge for a moment.

use tokio::sync::Mutex;

use crate::{
    Failure,
    client::{Answer, Call, Http},
};

/// The two tokens of a session.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    /// For services; minutes long.
    pub access: String,
    /// For the issuer; replaced at each use.
    pub refresh: String,
}

impl From<Answer> for Tokens {
    fn from(answer: Answer) -> Self {
        Self { access: answer.text("access_token"), refresh: answer.text("refresh_token") }
    }
}

/// One session of a public client. Any number of calls may be under way at the same time.
#[derive(Debug)]
pub struct Session {
    http: Http,
    token_endpoint: String,
    client_id: String,
    tokens: Mutex<Tokens>,
}

impl Session {
    /// The session that these tokens belong to.
    pub fn new(http: &Http, issuer: &str, client_id: &str, tokens: Tokens) -> Self {
        Self {
            http: http.clone(),
            token_endpoint: format!("{issuer}/token"),
            client_id: client_id.to_owned(),
            tokens: Mutex::new(tokens),
        }
    }

    /// Sends a call with the session's access token. If the service refuses the token, the call is sent once more with a
    /// new one. A 401 that comes back all the same means that the person has to sign in again.
    ///
    /// # Errors
    /// The service or the issuer did not answer; the session goes on.
    pub async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let access = self.tokens.lock().await.access.clone();
        let first = self.http.send(call.clone().bearer(&access)).await?;
        if first.status != 401 {
            return Ok(first);
        }
        match self.newer_than(&access).await? {
            Some(access) => self.http.send(call.bearer(&access)).await,
            None => Ok(first),
        }
    }

    /// The tokens as they are now.
    pub async fn tokens(&self) -> Tokens {
        self.tokens.lock().await.clone()
    }

    /// Another access token than the one that was refused; none if the session is over. The lock is held while the issuer
    /// is asked, so that many calls that are refused at once make one refresh.
    async fn newer_than(&self, refused: &str) -> Result<Option<String>, Failure> {
        let mut tokens = self.tokens.lock().await;
        if tokens.access == refused {
            let form = [
                ("grant_type", "refresh_token"),
                ("client_id", self.client_id.as_str()),
                ("refresh_token", tokens.refresh.as_str()),
            ];
            let answer = self.http.send(Call::post(self.token_endpoint.clone()).form(&form)).await?;
            match answer.status {
                200 => *tokens = answer.into(),
                400 | 401 => return Ok(None),
                status => return Err(format!("the issuer answered the refresh with {status}").into()),
            }
        }
        Ok(Some(tokens.access.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    };

    use axum::{
        Json, Router,
        extract::State,
        http::{HeaderMap, StatusCode},
        routing::{get, post},
    };
    use serde_json::{Value, json};

    use super::*;

    /// Accepts the newest access token only, from number `good` on.
    struct Server {
        issued: AtomicU32,
        calls: AtomicU32,
        good: u32,
        refresh: StatusCode,
    }

    async fn start(good: u32, refresh: StatusCode) -> (Arc<Server>, Session, Call) {
        let server = Arc::new(Server { issued: AtomicU32::new(0), calls: AtomicU32::new(0), good, refresh });
        let app = Router::new().route("/token", post(token)).route("/thing", get(thing)).with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let tokens = Tokens { access: "a0".to_owned(), refresh: "r0".to_owned() };
        (server, Session::new(&Http::new(), &url, "web", tokens), Call::get(format!("{url}/thing")))
    }

    async fn token(State(server): State<Arc<Server>>, body: String) -> (StatusCode, Json<Value>) {
        let last = server.issued.load(SeqCst);
        assert_eq!(body, format!("grant_type=refresh_token&client_id=web&refresh_token=r{last}"));
        if server.refresh.is_success() {
            server.issued.store(last + 1, SeqCst);
        }
        (
            server.refresh,
            Json(json!({ "access_token": format!("a{}", last + 1), "refresh_token": format!("r{}", last + 1) })),
        )
    }

    async fn thing(State(server): State<Arc<Server>>, headers: HeaderMap) -> StatusCode {
        server.calls.fetch_add(1, SeqCst);
        let newest = server.issued.load(SeqCst);
        let right = headers["authorization"] == format!("Bearer a{newest}");
        if right && newest >= server.good { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    }

    #[tokio::test]
    async fn calls_that_are_refused_at_once_make_one_refresh() {
        let (server, session, call) = start(1, StatusCode::OK).await;
        let session = Arc::new(session);
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let (session, call) = (session.clone(), call.clone());
                tokio::spawn(async move { session.send(call).await.unwrap().status })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), 200);
        }
        assert_eq!(server.issued.load(SeqCst), 1);
        assert_eq!(session.tokens().await.refresh, "r1");
    }

    #[tokio::test]
    async fn a_second_refusal_is_the_answer() {
        let (server, session, call) = start(u32::MAX, StatusCode::OK).await;
        assert_eq!(session.send(call).await.unwrap().status, 401);
        assert_eq!((server.issued.load(SeqCst), server.calls.load(SeqCst)), (1, 2), "once each");
    }

    #[tokio::test]
    async fn a_session_that_is_over_is_said_to_be() {
        let (server, session, call) = start(1, StatusCode::BAD_REQUEST).await;
        assert_eq!(session.send(call).await.unwrap().status, 401);
        assert_eq!(server.calls.load(SeqCst), 1, "nothing to try again with");
    }

    #[tokio::test]
    async fn an_issuer_that_is_away_ends_nothing() {
        let (server, session, call) = start(1, StatusCode::SERVICE_UNAVAILABLE).await;
        assert!(session.send(call).await.is_err());
        assert_eq!((session.tokens().await.refresh.as_str(), server.calls.load(SeqCst)), ("r0", 1));
    }
}
