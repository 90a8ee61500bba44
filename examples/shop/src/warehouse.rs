//! The warehouse: what is in stock. It checks tokens by itself, with the issuer's public keys.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post, put},
};
use countersign_verify::{Role, Scope, Verifier, VerifyLayer, names};
use serde::Deserialize;
use serde_json::{Value, json};
use stage::{Failure, process};
use tokio::sync::Mutex;

names! {
    StockRead = "stock:read";
    StockReserve = "stock:reserve";
    Manager = "manager";
}

type Stock = Arc<Mutex<BTreeMap<String, u32>>>;

pub async fn run() -> Result<(), Failure> {
    let verifier = Verifier::builder(process::variable("SHOP_ISSUER")?)
        .audience("warehouse")
        // All run on one machine with one clock. Elsewhere keep the default.
        .leeway(Duration::ZERO)
        .build()?;
    // A service may also start without the issuer; its requests are then answered with 503 until it is there.
    verifier.ready().await?;
    let stock = Stock::new(Mutex::new(BTreeMap::from([("tea".to_owned(), 10)])));
    let app = Router::new()
        .route("/stock", get(list))
        .route("/stock/{item}", put(deliver))
        .route("/reservations", post(reserve))
        .layer(VerifyLayer::new(verifier))
        .with_state(stock);
    process::serve(app).await
}

async fn list(_: Scope<StockRead>, State(stock): State<Stock>) -> Json<BTreeMap<String, u32>> {
    Json(stock.lock().await.clone())
}

#[derive(Deserialize)]
struct Goods {
    item: String,
    count: u32,
}

/// Only a service that was given the scope may reserve; no person's application has it.
async fn reserve(
    service: Scope<StockReserve>,
    State(stock): State<Stock>,
    Json(wanted): Json<Goods>,
) -> Result<Json<Value>, StatusCode> {
    let mut stock = stock.lock().await;
    let there = stock.get_mut(&wanted.item).ok_or(StatusCode::NOT_FOUND)?;
    *there = there.checked_sub(wanted.count).ok_or(StatusCode::CONFLICT)?;
    Ok(Json(json!({ "item": wanted.item, "left": *there, "reserved_by": service.sub })))
}

/// Only managers take deliveries.
async fn deliver(
    _: Role<Manager>,
    State(stock): State<Stock>,
    Path(item): Path<String>,
    Json(count): Json<u32>,
) -> Json<Value> {
    stock.lock().await.insert(item.clone(), count);
    Json(json!({ "item": item, "left": count }))
}
