//! Notifications: the messages that were sent to customers. It checks tokens by itself, with the issuer's public keys.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use countersign_verify::{Role, Scope, Verifier, VerifyLayer, names};
use serde::{Deserialize, Serialize};
use stage::{Failure, process};
use tokio::sync::Mutex;

names! {
    MessageSend = "message:send";
    Manager = "manager";
}

#[derive(Clone, Serialize, Deserialize)]
struct Message {
    to: String,
    text: String,
}

type Messages = Arc<Mutex<Vec<Message>>>;

pub async fn run() -> Result<(), Failure> {
    let verifier = Verifier::builder(process::variable("SHOP_ISSUER")?)
        .audience("notification")
        // All run on one machine with one clock. Elsewhere keep the default.
        .leeway(Duration::ZERO)
        .build()?;
    // A service may also start without the issuer; its requests are then answered with 503 until it is there.
    verifier.ready().await?;
    let app = Router::new()
        .route("/messages", get(list).post(send))
        .layer(VerifyLayer::new(verifier))
        .with_state(Messages::default());
    process::serve(app).await
}

async fn send(_: Scope<MessageSend>, State(messages): State<Messages>, Json(message): Json<Message>) -> StatusCode {
    messages.lock().await.push(message);
    StatusCode::CREATED
}

async fn list(_: Role<Manager>, State(messages): State<Messages>) -> Json<Vec<Message>> {
    Json(messages.lock().await.clone())
}
