//! Numbers about key stores, for Prometheus. No label holds a key's name or an address.

use std::sync::atomic::AtomicI64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::patience::Standing;
use crate::domain::key_store::StoreName;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The store said no.
    Refused,
    /// No answer, or too late.
    Failed,
    /// It was not asked: it is left alone.
    Spared,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    store: &'static str,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StoreLabels {
    store: &'static str,
}

/// Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    calls: Family<CallLabels, Counter>,
    breaker: Family<StoreLabels, Gauge<i64, AtomicI64>>,
}

impl Meters {
    pub(super) fn call(&self, store: StoreName, operation: &'static str, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Spared => "spared",
        };
        self.calls.get_or_create(&CallLabels { store: store.as_str(), operation, outcome }).inc();
    }

    pub(super) fn standing(&self, store: StoreName, standing: Standing) {
        let value = match standing {
            Standing::Closed => 0,
            Standing::Trying => 1,
            Standing::Open => 2,
        };
        self.breaker.get_or_create(&StoreLabels { store: store.as_str() }).set(value);
    }

    /// Shows them under the names of the registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("key_store_calls", "attempts at key stores, by outcome", self.calls.clone());
        let help = "whether a key store is asked: 0 yes, 1 one call tries it, 2 it is left alone";
        registry.register("key_store_breaker", help, self.breaker.clone());
    }
}
