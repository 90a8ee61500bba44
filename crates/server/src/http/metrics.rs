//! Counters for Prometheus. No label ever holds a name, an address or a token.

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::header;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::{
    app::App,
    config::Config,
    domain::{rsn::Rsn, time::Timestamp},
    feed::View,
    keys::KeyStores,
    tls::Shown,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    refreshes: Family<OutcomeLabels, Counter>,
    signins: Family<OutcomeLabels, Counter>,
    mails: Family<OutcomeLabels, Counter>,
    mails_waiting: Gauge<i64, AtomicI64>,
    mails_dead: Gauge<i64, AtomicI64>,
    feed_readers: Gauge<i64, AtomicI64>,
    feed_entries: Gauge<i64, AtomicI64>,
    feed_head: Gauge<i64, AtomicI64>,
    feed_lag: Gauge<f64, AtomicU64>,
    reloaded: Gauge<i64, AtomicI64>,
    started: Gauge<i64, AtomicI64>,
    hashing: Gauge<i64, AtomicI64>,
    hashing_queue: Gauge<i64, AtomicI64>,
    connections_limit: Gauge<i64, AtomicI64>,
    certificate: Gauge<i64, AtomicI64>,
    durability: Gauge<i64, AtomicI64>,
    /// Open connections.
    pub connections: Gauge<i64, AtomicI64>,
}

fn seconds() -> Histogram {
    Histogram::new([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("countersign"),
            requests: Family::default(),
            durations: Family::new_with_constructor(seconds),
            refreshes: Family::default(),
            signins: Family::default(),
            mails: Family::default(),
            mails_waiting: Gauge::default(),
            mails_dead: Gauge::default(),
            feed_readers: Gauge::default(),
            feed_entries: Gauge::default(),
            feed_head: Gauge::default(),
            feed_lag: Gauge::default(),
            reloaded: Gauge::default(),
            started: Gauge::default(),
            hashing: Gauge::default(),
            hashing_queue: Gauge::default(),
            connections_limit: Gauge::default(),
            certificate: Gauge::default(),
            durability: Gauge::default(),
            connections: Gauge::default(),
        };
        metrics.reload(true);
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("http_requests", "requests answered", self.requests.clone());
        registry.register("http_request_duration_seconds", "time to answer", self.durations.clone());
        registry.register("refreshes", "refresh tokens presented, by outcome", self.refreshes.clone());
        registry.register("signins", "sign-ins attempted, by outcome", self.signins.clone());
        registry.register("mails", "mails tried, by outcome", self.mails.clone());
        let gauges = [
            ("mails_waiting", "mails that no server has taken yet", &self.mails_waiting),
            ("mails_dead", "mails that were given up", &self.mails_dead),
            ("feed_readers", "readers of the revocation feed", &self.feed_readers),
            ("feed_entries", "entries in the revocation feed", &self.feed_entries),
            ("feed_head", "position of the newest entry", &self.feed_head),
            ("connections", "open connections", &self.connections),
            ("connections_limit", "connections that may be open", &self.connections_limit),
            ("hashing_waiting", "passwords that wait for a thread that hashes", &self.hashing),
            ("hashing_queue", "passwords that may wait", &self.hashing_queue),
            ("start_timestamp_seconds", "when the process started", &self.started),
            (
                "config_reload_successful",
                "1 if the last reload of the configuration took effect, 0 if it was refused",
                &self.reloaded,
            ),
            (
                "tls_certificate_expires_timestamp_seconds",
                "when the certificate of the server's own TLS expires; 0 without it",
                &self.certificate,
            ),
            (
                "database_may_lose_commits",
                "1: the database may lose what it said is committed, as the log and `doctor` say; 0: nothing shows that",
                &self.durability,
            ),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        registry.register("feed_lag_seconds", "age of the newest line's time", self.feed_lag.clone());
    }

    /// What this process started with, and when.
    pub fn started(&self, config: &Config, at: Timestamp) {
        let limit = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
        self.started.set(at.secs());
        self.connections_limit.set(limit(config.limits.connections));
        self.hashing_queue.set(limit(config.passwords.queue));
    }

    /// Shows how the key stores do, if any is set up.
    pub fn key_stores(&mut self, stores: &KeyStores) {
        if stores.iter().next().is_some() {
            stores.meters().register(&mut self.registry);
        }
    }

    pub fn request(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { method, route, status }).inc();
        self.durations.get_or_create(&RouteLabels { route }).observe(took.as_secs_f64());
    }

    pub fn refresh(&self, outcome: &'static str) {
        self.refreshes.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    pub fn signin(&self, outcome: &'static str) {
        self.signins.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// A mail was tried: `delivered`, `retried` later, or `dead`.
    pub fn mail(&self, outcome: &'static str) {
        self.mails.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// How many mails are on their way, and how many were given up.
    pub fn mails(&self, waiting: i64, dead: i64) {
        self.mails_waiting.set(waiting);
        self.mails_dead.set(dead);
    }

    /// Whether the last reload took effect.
    pub fn reload(&self, took_effect: bool) {
        self.reloaded.set(i64::from(took_effect));
    }

    /// The certificate in use, if TLS is ours.
    pub fn certificate(&self, shown: Option<&Shown>) {
        self.certificate.set(shown.map_or(0, |shown| shown.not_after.secs()));
    }

    /// When it expires.
    pub fn certificate_expires(&self) -> Option<Timestamp> {
        Some(self.certificate.get()).filter(|secs| *secs > 0).map(Timestamp::from_secs)
    }

    /// Whether the database may lose what it said is committed.
    pub fn durability(&self, may_lose: bool) {
        self.durability.set(i64::from(may_lose));
    }

    /// Where the revocation feed stands. `lag`: the age of the newest line's time.
    pub fn feed(&self, view: View, head: Rsn, lag: Duration) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.feed_readers.set(gauge(view.readers));
        self.feed_entries.set(gauge(view.entries));
        self.feed_head.set(head.get());
        self.feed_lag.set(lag.as_secs_f64());
    }

    /// The text that Prometheus scrapes.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The router of the listener that serves nothing but metrics (`metrics.listen`).
pub fn router(app: &App) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(app.clone())
}

/// `GET /metrics`
pub async fn metrics(State(app): State<App>) -> impl IntoResponse {
    if let Some(latest) = app.feed.latest() {
        app.metrics.feed(app.feed.view(), latest.head, app.clock.now().since(latest.time));
    }
    app.metrics.hashing.set(i64::try_from(app.passwords.waiting()).unwrap_or(i64::MAX));
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.text())
}
