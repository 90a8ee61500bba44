//! The metrics that `/metrics` shows, under the same names and labels. Histograms go as their counters: buckets, sum and count.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use opentelemetry::{
    KeyValue,
    metrics::{AsyncInstrument, Meter},
};

use crate::http::metrics::Metrics;

/// One line of the text that Prometheus scrapes.
#[derive(Debug, PartialEq)]
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    value: f64,
}

/// Follows the registry. A family that nobody has counted in yet is not in its text, so it is looked at again and again.
#[derive(Debug)]
pub struct Registry {
    meter: Meter,
    metrics: Arc<Metrics>,
    known: Mutex<HashSet<String>>,
}

impl Registry {
    pub fn new(meter: Meter, metrics: &Arc<Metrics>) -> Self {
        Self { meter, metrics: Arc::clone(metrics), known: Mutex::default() }
    }

    /// Has every family that is new read whenever metrics are sent.
    pub fn look(&self) {
        let text = self.metrics.text();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (family, kind) in families(&text) {
            if known.insert(family.to_owned()) {
                self.follow(family, kind);
            }
        }
    }

    fn follow(&self, family: &str, kind: &str) {
        let names: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        for end in names {
            let (name, metrics) = (format!("{family}{end}"), Arc::clone(&self.metrics));
            // The standard adds what kind of number it is by itself.
            let shown = if kind == "counter" { family.to_owned() } else { name.clone() };
            let read = move |instrument: &dyn AsyncInstrument<f64>| {
                for sample in samples(&metrics.text()).filter(|sample| sample.name == name) {
                    let labels = sample.labels.iter();
                    let labels = labels.map(|(name, value)| KeyValue::new((*name).to_owned(), (*value).to_owned()));
                    instrument.observe(sample.value, &labels.collect::<Vec<_>>());
                }
            };
            if kind == "gauge" {
                self.meter.f64_observable_gauge(shown).with_callback(read).build();
            } else {
                self.meter.f64_observable_counter(shown).with_callback(read).build();
            }
        }
    }
}

/// Names and kinds.
fn families(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
}

fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(sample)
}

/// No label of ours holds a quotation mark (`metrics.rs`); a route may hold braces.
fn sample(line: &str) -> Option<Sample<'_>> {
    let (named, value) = line.rsplit_once(' ')?;
    let (name, labels) = match named.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}')?),
        None => (named, ""),
    };
    let labels = labels.split("\",").filter(|label| !label.is_empty());
    let labels = labels.filter_map(|label| label.strip_suffix('"').unwrap_or(label).split_once("=\""));
    Some(Sample { name, labels: labels.collect(), value: value.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prometheus_reads_is_read_back() {
        let metrics = Metrics::default();
        metrics.request("GET", "/revocations/{stream}", 200, std::time::Duration::from_millis(3));
        let text = metrics.text();
        let known: Vec<_> = families(&text).collect();
        assert!(known.contains(&("countersign_http_requests", "counter")), "{known:?}");
        let all: Vec<_> = samples(&text).collect();
        let request = all.iter().find(|sample| sample.name == "countersign_http_requests_total").unwrap();
        assert_eq!(request.value, 1.0);
        assert_eq!(request.labels, [("method", "GET"), ("route", "/revocations/{stream}"), ("status", "200")]);
        let buckets = all.iter().filter(|sample| sample.name == "countersign_http_request_duration_seconds_bucket");
        assert!(buckets.clone().any(|bucket| bucket.labels.contains(&("le", "+Inf")) && bucket.value == 1.0));
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), all.len(), "{text}");
    }
}
