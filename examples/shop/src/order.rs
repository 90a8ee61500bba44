//! Orders. This service checks its callers' tokens by itself, and calls two other services with tokens of its own.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use countersign_verify::{Role, Scope, Verifier, VerifyLayer, names};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stage::{Failure, process};
use tokio::sync::Mutex;

use crate::peer::Peer;

names! {
    OrdersRead = "orders:read";
    OrdersWrite = "orders:write";
    Buyer = "buyer";
    Manager = "manager";
}

#[derive(Deserialize)]
struct Wanted {
    item: String,
    count: u32,
}

#[derive(Clone, Serialize)]
struct Order {
    buyer: String,
    item: String,
    count: u32,
    /// What the warehouse answered.
    reservation: Value,
}

struct Orders {
    placed: Mutex<Vec<Order>>,
    warehouse: Peer,
    notification: Peer,
}

pub async fn run() -> Result<(), Failure> {
    let verifier = Verifier::builder(process::variable("SHOP_ISSUER")?)
        .audience("order")
        // All run on one machine with one clock. Elsewhere keep the default.
        .leeway(Duration::ZERO)
        .build()?;
    // A service may also start without the issuer; its requests are then answered with 503 until it is there.
    verifier.ready().await?;
    let warehouse = Peer::new("SHOP_WAREHOUSE", "warehouse", "stock:reserve")?;
    let notification = Peer::new("SHOP_NOTIFICATION", "notification", "message:send")?;
    let app = Router::new()
        .route("/orders", get(mine).post(place))
        .route("/orders/all", get(all))
        .layer(VerifyLayer::new(verifier))
        .with_state(Arc::new(Orders { placed: Mutex::default(), warehouse, notification }));
    process::serve(app).await
}

/// Needs the role and the scope: what the person may do, and what the person lets this application do.
async fn place(
    buyer: Role<Buyer>,
    _: Scope<OrdersWrite>,
    State(orders): State<Arc<Orders>>,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, Json<Order>), StatusCode> {
    let Wanted { item, count } = wanted;
    let reservation = orders.warehouse.post("/reservations", &json!({ "item": item, "count": count })).await?;
    let message = json!({ "to": buyer.sub, "text": format!("{count} × {item} is on its way") });
    orders.notification.post("/messages", &message).await?;
    let order = Order { buyer: buyer.sub.clone(), item, count, reservation };
    orders.placed.lock().await.push(order.clone());
    Ok((StatusCode::CREATED, Json(order)))
}

async fn mine(reader: Scope<OrdersRead>, State(orders): State<Arc<Orders>>) -> Json<Vec<Order>> {
    let placed = orders.placed.lock().await;
    Json(placed.iter().filter(|order| order.buyer == reader.sub).cloned().collect())
}

async fn all(_: Role<Manager>, State(orders): State<Arc<Orders>>) -> Json<Vec<Order>> {
    Json(orders.placed.lock().await.clone())
}
