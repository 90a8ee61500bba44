//! The axum extractors in a router as services write it.

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use countersign_verify::{
    Claims, Permission, Rejection, Role, Scope, TestIssuer, VerifyLayer, names, require_permission, require_role,
    require_scope,
};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

names! {
    /// May place orders.
    OrdersWrite = "orders:write";
    Admin = "admin";
    Refund = "orders:refund";
}

async fn list(claims: Claims) -> String {
    format!("orders of {}", claims.sub)
}

async fn place(claims: Scope<OrdersWrite>) -> String {
    format!("an order for {}", claims.sub)
}

async fn purge(_: Scope<OrdersWrite>, admin: Role<Admin>) -> String {
    format!("purged by {}", admin.into_claims().sub)
}

async fn refund(claims: Claims) -> Result<&'static str, Rejection> {
    claims.require_role("support")?;
    Ok("refunded")
}

async fn pay_back(claims: Permission<Refund>) -> Result<String, Rejection> {
    claims.require_organisation("acme")?;
    Ok(format!("paid back by {}", claims.sub))
}

async fn front(claims: Option<Claims>) -> String {
    claims.map_or_else(|| "hello stranger".into(), |claims| format!("hello {}", claims.sub))
}

fn app(issuer: &TestIssuer) -> Router {
    let open = Router::new().route("/", get(front)).layer(VerifyLayer::new(issuer.verifier()).optional());
    Router::new()
        .route("/orders", get(list).post(place).delete(purge))
        .route("/refund", post(refund))
        .route("/pay-back", post(pay_back).get(list).layer(require_permission("orders:refund")))
        .route("/admin", get(list).layer(require_role("admin")))
        .route("/export", get(list).layer(require_scope("orders:read orders:export")))
        .layer(VerifyLayer::new(issuer.verifier()))
        .merge(open)
        .route("/forgotten", get(list))
        .route("/forgotten-scope", get(place))
        .route("/forgotten-option", get(front))
        .route("/healthz", get(|| async { "ok" }))
}

async fn call(app: &Router, method: Method, path: &str, token: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn handlers_get_the_claims_they_ask_for() {
    let issuer = TestIssuer::new("https://id.test").audience("orders");
    let app = app(&issuer);
    let plain = issuer.token().sub("usr_1").sign();
    let writer = issuer.token().sub("usr_2").scope("orders:write").sign();
    let admin = issuer.token().sub("usr_3").scope("orders:write").role("admin").sign();
    let support = issuer.token().role("support").sign();
    let exporter = issuer.token().scope("orders:export orders:read").sign();
    for (method, path, token, status, body) in [
        (Method::GET, "/orders", Some(&plain), 200, "orders of usr_1"),
        (Method::POST, "/orders", Some(&writer), 200, "an order for usr_2"),
        (Method::POST, "/orders", Some(&plain), 403, "insufficient_scope"),
        (Method::DELETE, "/orders", Some(&admin), 200, "purged by usr_3"),
        (Method::DELETE, "/orders", Some(&writer), 403, "insufficient_scope"),
        (Method::GET, "/orders", None, 401, "unauthorized"),
        (Method::POST, "/refund", Some(&support), 200, "refunded"),
        (Method::POST, "/refund", Some(&plain), 403, "insufficient_scope"),
        (Method::GET, "/admin", Some(&admin), 200, "orders of usr_3"),
        (Method::GET, "/admin", Some(&plain), 403, "insufficient_scope"),
        (Method::GET, "/export", Some(&exporter), 200, "orders of"),
        (Method::GET, "/export", Some(&writer), 403, "insufficient_scope"),
        (Method::GET, "/", None, 200, "hello stranger"),
        (Method::GET, "/", Some(&plain), 200, "hello usr_1"),
        (Method::GET, "/healthz", None, 200, "ok"),
    ] {
        let (got, text) = call(&app, method.clone(), path, token.map(String::as_str)).await;
        assert_eq!(got, status, "{method} {path}: {text}");
        assert!(text.contains(body), "{method} {path}: {text}");
    }
}

#[tokio::test]
async fn a_route_that_the_layer_does_not_cover_stays_closed() {
    let issuer = TestIssuer::new("https://id.test").audience("orders");
    let app = app(&issuer);
    let token = issuer.token().scope("orders:write").sign();
    for path in ["/forgotten", "/forgotten-scope", "/forgotten-option"] {
        for token in [None, Some(token.as_str())] {
            let (status, body) = call(&app, Method::GET, path, token).await;
            assert_eq!(status, 500, "{path}");
            assert!(!body.contains("VerifyLayer"), "the hint is for the log: {body}");
        }
    }
}

// One assertion for a whole service: no wrong token gets anywhere.
#[tokio::test]
async fn no_wrong_token_gets_through() {
    let issuer = TestIssuer::new("https://id.test").audience("orders");
    let app = app(&issuer);
    for (name, token) in issuer.all_wrong() {
        for path in ["/orders", "/admin", "/export", "/"] {
            assert_eq!(call(&app, Method::GET, path, Some(&token)).await.0, 401, "{name} at {path}");
        }
    }
}

// ADM-01: what a role permits, and the organisation that a token speaks for, are asked for by handlers, layers and builders.
#[tokio::test]
async fn permissions_and_organisations_are_required() {
    let issuer = TestIssuer::new("https://id.test").audience("orders");
    let app = app(&issuer);
    let token = || issuer.token().sub("usr_1").role("support");
    let clerk = token().permission("orders:read").permission("orders:refund").organisation("acme").sign();
    let (status, body) = call(&app, Method::POST, "/pay-back", Some(&clerk)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "paid back by usr_1"));
    for wrong in [
        token().organisation("acme").sign(),
        token().permission("orders:refunds").organisation("acme").sign(),
        token().scope("orders:refund").role("orders:refund").organisation("acme").sign(),
        token().permission("orders:refund").organisation("globex").sign(),
        token().permission("orders:refund").sign(),
    ] {
        assert_eq!(call(&app, Method::POST, "/pay-back", Some(&wrong)).await.0, StatusCode::FORBIDDEN);
    }
    let layered = async |token: String| call(&app, Method::GET, "/pay-back", Some(&token)).await.0;
    assert_eq!(layered(token().permission("orders:refund").sign()).await, StatusCode::OK);
    assert_eq!(layered(token().sign()).await, StatusCode::FORBIDDEN);
    let verifier = issuer.verifier_builder().require_permission("orders:refund").build().unwrap();
    assert!(verifier.verify(&clerk).is_ok());
    assert!(matches!(verifier.verify(&token().sign()), Err(Rejection::Permission { .. })));
}
